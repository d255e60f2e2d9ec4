/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's side, live: each case forks, shows that an act works, restricts itself, shows that
 * the act fails and that its neighbour still works. Runs as root and as an ordinary user.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/plan/access.h"
#include "policy/plan/filter.h"
#include "shim/common/protocol.h"
#include "shim/kernel/kernel.h"

/* In a child: says which line failed and leaves. */
#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #what,       \
				errno);                                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)
#define FAILS(call, error) MUST((call) < 0 && errno == (error))

static char folder[64];
static struct features features;

static void in_child(void (*body)(void))
{
	int status;
	fflush(NULL);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		body();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
}

static char *at(const char *name)
{
	static char text[8][160];
	static unsigned int turn;
	char *path = text[turn++ % 8];
	snprintf(path, sizeof(text[0]), "%s/%s", folder, name);
	return path;
}

static void touch(const char *name)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	MUST(fd >= 0 && write(fd, "#!/bin/sh\n", 10) == 10);
	close(fd);
}

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd;
}

static void setup(void)
{
	strcpy(folder, "/tmp/remit-test-XXXXXX");
	MUST(mkdtemp(folder));
	MUST(!mkdir(at("in"), 0700) && !mkdir(at("out"), 0700));
	touch("in/file");
	touch("out/file");
	MUST(kernel_probe(&features) == 0);
}

static void teardown(void)
{
	static const char *const names[] = {"in/file", "in/new", "in/link", "out/file",
					    "link",    "in",	 "out",	    ""};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		remove(at(names[i]));
}

START_TEST(probe_finds_this_kernel)
{
	ck_assert_int_gt(features.landlock_abi, 0);
	ck_assert(features.seccomp_notify && features.seccomp_addfd);
	ck_assert(features.pidfd_getfd && features.process_vm && features.openat2);
	ck_assert(features.close_range && features.proc_mem && features.unshare_fs);
	ck_assert(features.release[0] != '\0');
}
END_TEST

static int count_name(void *arg, const char *name)
{
	int *count = arg;
	*count += !strcmp(name, "in") || !strcmp(name, "out");
	return strcmp(name, ".") && strcmp(name, "..") ? 0 : -EINVAL;
}

START_TEST(view_sees_the_file_system)
{
	int count = 0;
	ck_assert_int_eq(kernel_view.kind(NULL, folder), VIEW_FOLDER);
	ck_assert_int_eq(kernel_view.kind(NULL, at("in/file")), VIEW_FILE);
	ck_assert_int_eq(kernel_view.kind(NULL, at("none")), VIEW_ABSENT);
	ck_assert_int_eq(kernel_view.kind(NULL, "/dev/null"), VIEW_OTHER);
	ck_assert_int_eq(kernel_view.kind(NULL, "/proc/self"), VIEW_LINK);
	ck_assert_int_eq(kernel_view.list(NULL, folder, count_name, &count), 0);
	ck_assert_int_eq(count, 2);
	ck_assert_int_eq(kernel_view.list(NULL, at("none"), count_name, &count), -ENOENT);
}
END_TEST

/* A domain as the plan would make it, with one granted folder. */
static struct domain domain_of(struct path_access *paths, size_t count)
{
	return (struct domain){
	    .handled_fs = access_handled_fs(features.landlock_abi),
	    .handled_net = access_handled_net(features.landlock_abi),
	    .scoped = access_scoped(features.landlock_abi),
	    .paths = paths,
	    .path_count = count,
	};
}

static void restricted_files(void)
{
	struct path_access paths[] = {
	    {.path = at("in"), .access = access_of(RIGHT_READ | RIGHT_WRITE, VIEW_FOLDER, folder)},
	    {.path = at("gone"), .access = ACCESS_READ_FILE},
	};
	for (size_t i = 0; i < 2; i++)
		paths[i].access &= access_handled_fs(features.landlock_abi);
	struct domain domain = domain_of(paths, 2);
	MUST(try_open(at("out/file"), O_RDWR) >= 0);
	MUST(try_open(at("in/file"), O_RDWR) >= 0);
	MUST(kernel_landlock(&domain) == 0);
	MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	FAILS(try_open(at("out/file"), O_RDONLY), EACCES);
	FAILS(try_open(at("out/file"), O_WRONLY), EACCES);
	FAILS(truncate(at("out/file"), 0), EACCES);
	FAILS(unlink(at("out/file")), EACCES);
	FAILS(mkdir(at("out/new"), 0700), EACCES);
	FAILS(rename(at("in/file"), at("out/new")), EACCES);
	MUST(link(at("out/file"), at("in/new")) < 0 && (errno == EXDEV || errno == EACCES));
	MUST(try_open(at("in/file"), O_RDWR | O_TRUNC) >= 0);
	MUST(try_open(at("in/new"), O_WRONLY | O_CREAT) >= 0);
	FAILS(execl(at("in/file"), "file", NULL), EACCES);
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(9)};
	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	MUST(tcp >= 0);
	if (features.landlock_abi >= 4) {
		FAILS(connect(tcp, (struct sockaddr *)&any, sizeof(any)), EACCES);
		FAILS(bind(tcp, (struct sockaddr *)&any, sizeof(any)), EACCES);
	}
	if (features.landlock_abi >= 6)
		FAILS(kill(getppid(), 0), EPERM);
	MUST(kill(getpid(), 0) == 0);
}

START_TEST(landlock_bounds_files_ports_and_signals)
{
	in_child(restricted_files);
}
END_TEST

static void bad_domain(void)
{
	struct path_access path = {.path = folder, .access = 1ULL << 60};
	struct domain domain = domain_of(&path, 1);
	MUST(kernel_landlock(&domain) == -EINVAL);
	MUST(try_open(at("out/file"), O_RDWR) >= 0);
}

/* What the gate answers to a handle that is asked of openat2(). */
static void refuse_openat2(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = code};
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
}

static bool plainly_is(const char *path, const char *there)
{
	struct stat a, b;
	int fd = kernel_open_plain(path);
	MUST(fd >= 0 && fstat(fd, &a) == 0 && stat(there, &b) == 0);
	MUST((fcntl(fd, F_GETFL) & O_PATH) && close(fd) == 0);
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void open_plainly(void)
{
	char text[600];
	MUST(symlink("file", at("in/link")) == 0 && symlink("in", at("link")) == 0);
	for (int round = 0; round < 2; round++) {
		MUST(plainly_is("/", "/") && plainly_is(at("in"), at("in")));
		MUST(plainly_is(at("in/file"), at("in/file")));
		MUST(kernel_open_plain(at("in/link")) == -ELOOP);
		MUST(kernel_open_plain(at("link/file")) == -ELOOP);
		MUST(kernel_open_plain(at("in/none")) == -ENOENT);
		MUST(kernel_open_plain(at("in/file/none")) == -ENOTDIR);
		MUST(kernel_open_plain("in/file") == -EINVAL);
		snprintf(text, sizeof(text), "%s/%0300d", folder, 0);
		MUST(kernel_open_plain(text) == -ENAMETOOLONG);
		refuse_openat2();
	}
}

START_TEST(plain_paths_have_no_links)
{
	in_child(open_plainly);
}
END_TEST

START_TEST(landlock_all_or_nothing)
{
	in_child(bad_domain);
}
END_TEST

static int load_filter(unsigned int gated_forks)
{
	struct filter_terms terms = {.fast_lane = true,
				     .exec_fast_lane = true,
				     .scoped_signals = true,
				     .traced = true,
				     .gated_forks = gated_forks};
	struct plan plan = {0};
	struct sock_filter *program = NULL;
	size_t count = 0;
	MUST(filter_build(&terms, &plan) == 0);
	MUST(kernel_filter_build(&plan, &program, &count) == 0);
	int listener = kernel_filter_load(&features, program, count);
	MUST(listener >= 0);
	MUST(fcntl(listener, F_GETFD) & FD_CLOEXEC);
	free(program);
	plan_free(&plan);
	return listener;
}

static void filtered(void)
{
	/* Nobody serves here: what goes to the gate, as unknown numbers do, the kernel refuses. */
	close(load_filter(0));
	for (long nr = 500; nr < 1024; nr += 31)
		FAILS(syscall(nr), ENOSYS);
	FAILS(syscall(SYS_clone3, NULL, 0), ENOSYS);
	FAILS(syscall(SYS_io_uring_setup, 1, NULL), ENOSYS);
	FAILS(syscall(0x40000000L | SYS_getpid), ENOSYS);
	FAILS(syscall(SYS_sysfs, 3), ENOSYS);
	MUST(socket(AF_INET, SOCK_STREAM, 0) >= 0);
	MUST(getpid() > 0);
	/* tagged: native */
	long tagged = syscall(SYS_openat, AT_FDCWD, at("in/file"), O_RDONLY, 0, 0, REMIT_TAG);
	MUST(tagged >= 0);
	MUST(syscall(SYS_openat, AT_FDCWD, at("in"), O_PATH, 0, 0, 0) >= 0);
}

START_TEST(filter_refuses_and_lets_pass)
{
	in_child(filtered);
}
END_TEST

/* `int $0x80` is the other architecture: getpid there is number 20. */
static void other_architecture(void)
{
	long result;
	load_filter(0);
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
	MUST(result == -ENOSYS);
}

START_TEST(filter_refuses_the_other_architecture)
{
	in_child(other_architecture);
}
END_TEST

static void answer(int listener, int error, int expected_nr)
{
	struct seccomp_notif notif = {0};
	struct pollfd ready = {.fd = listener, .events = POLLIN};
	MUST(poll(&ready, 1, 5000) == 1);
	MUST(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notif) == 0);
	MUST(notif.data.nr == expected_nr);
	struct seccomp_notif_resp response = {.id = notif.id, .error = -error};
	MUST(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0);
}

static void gated(void)
{
	int listener = load_filter(0);
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	int status;
	MUST(pid >= 0);
	if (pid == 0) {
		close(listener);
		FAILS(syscall(SYS_openat, AT_FDCWD, at("in/file"), O_RDONLY, 0, 0, 0), EXFULL);
		FAILS(prctl(REMIT_HYPERCALL, 1, 0, 0, 0), EXFULL);
		FAILS(socket(AF_INET, SOCK_DGRAM, 0), EXFULL);
		_exit(0);
	}
	answer(listener, EXFULL, SYS_openat);
	answer(listener, EXFULL, SYS_prctl);
	answer(listener, EXFULL, SYS_socket);
	MUST(waitpid(pid, &status, 0) == pid && status == 0);
}

START_TEST(filter_notifies_the_listener)
{
	in_child(gated);
}
END_TEST

static void orphaned(void)
{
	int listener = load_filter(0);
	close(listener);
	FAILS(syscall(SYS_openat, AT_FDCWD, at("in/file"), O_RDONLY, 0, 0, 0), ENOSYS);
	/* What is never allowed asks the gate too, which only refuses; without one it is no more.
	 */
	FAILS(syscall(SYS_bpf, 0, NULL, 0), ENOSYS);
	FAILS(syscall(SYS_chroot, "/"), ENOSYS);
	FAILS(unshare(CLONE_NEWUSER), ENOSYS);
	FAILS(ioctl(0, 0x5412, "x"), ENOSYS);
	FAILS(syscall(SYS_ioctl, 0, 0xdead000000005412UL, "x"), ENOSYS);
	FAILS(socket(AF_INET, SOCK_STREAM, 262), ENOSYS);
	FAILS(socket(AF_PACKET, SOCK_RAW, 0), ENOSYS);
	FAILS(syscall(SYS_shmget, 1, 0, 0), ENOSYS);
}

START_TEST(without_a_broker_nothing_opens)
{
	in_child(orphaned);
}
END_TEST

static uint64_t capabilities_line(const char *name)
{
	char line[256];
	unsigned long long value = 0;
	FILE *status = fopen("/proc/self/status", "re");
	MUST(status);
	while (fgets(line, sizeof(line), status)) {
		if (!strncmp(line, name, strlen(name)))
			value = strtoull(line + strlen(name), NULL, 16);
	}
	fclose(status);
	return value;
}

static void dropped(void)
{
	bool root = geteuid() == 0;
	const uint64_t keep = 1ULL << CAP_NET_BIND_SERVICE;
	MUST(kernel_drop_capabilities(keep) == 0);
	uint64_t want = root ? keep : 0;
	MUST(capabilities_line("CapEff:") == want);
	MUST(capabilities_line("CapPrm:") == want);
	MUST(capabilities_line("CapInh:") == want);
	MUST(capabilities_line("CapAmb:") == want);
	if (root)
		MUST(capabilities_line("CapBnd:") == want);
	FAILS(syscall(SYS_chroot, folder), EPERM);
	FAILS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0), EPERM);
	/* and after exec, where root would get all back */
	int ends[2];
	char text[64] = "";
	MUST(pipe(ends) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], 1);
		execl("/bin/sh", "sh", "-c",
		      "while read n v; do [ $n = CapEff: ] && echo $v; done "
		      "</proc/self/status",
		      NULL);
		_exit(127);
	}
	close(ends[1]);
	MUST(read(ends[0], text, sizeof(text) - 1) > 0);
	MUST(strtoull(text, NULL, 16) == want);
	waitpid(pid, NULL, 0);
}

START_TEST(capabilities_stay_dropped)
{
	in_child(dropped);
}
END_TEST

static void limited(void)
{
	struct scope_about about = {.open_files = 40, .file_bytes = 4096, .cpu_seconds = 7};
	struct rlimit now;
	MUST(kernel_limits(&about) == 0);
	MUST(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 40 && now.rlim_max == 40);
	MUST(getrlimit(RLIMIT_CPU, &now) == 0 && now.rlim_cur == 7 && now.rlim_max == 8);
	MUST(getrlimit(RLIMIT_CORE, &now) == 0 && now.rlim_max == 0);
	signal(SIGXFSZ, SIG_IGN);
	FAILS(truncate(at("in/file"), 8192), EFBIG);
	MUST(truncate(at("in/file"), 4096) == 0);
	/* a higher number does not raise what is lower already */
	about.open_files = 4000;
	MUST(kernel_limits(&about) == 0);
	MUST(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 40);
}

START_TEST(limits_hold)
{
	in_child(limited);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("kernel");
	Suite *suite = suite_create("kernel");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_set_timeout(cases, 30);
	tcase_add_test(cases, probe_finds_this_kernel);
	tcase_add_test(cases, view_sees_the_file_system);
	tcase_add_test(cases, landlock_bounds_files_ports_and_signals);
	tcase_add_test(cases, plain_paths_have_no_links);
	tcase_add_test(cases, landlock_all_or_nothing);
	tcase_add_test(cases, filter_refuses_and_lets_pass);
	tcase_add_test(cases, filter_refuses_the_other_architecture);
	tcase_add_test(cases, filter_notifies_the_listener);
	tcase_add_test(cases, without_a_broker_nothing_opens);
	tcase_add_test(cases, capabilities_stay_dropped);
	tcase_add_test(cases, limits_hold);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
