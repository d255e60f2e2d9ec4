/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths as the caller means them. A child whose openat is notified asks a gate that has no wall, so
 * that every answer is the gate's own: whose /proc/self it is, where links lead, what may be
 * reached through them. Relies on seccomp notifications; where there are none, says so and skips.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/broker/gate.h"
#include "shim/broker/record.h"
#include "tests/unit/model_builder.h"

static char top[64];
static pid_t gate_pid;

/* What the child asks; a path without '/' is beneath the test's folder. 0 or a positive errno. */
static int try_open(const char *path, int flags)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static bool opens_as(const char *path, int flags, const char *real)
{
	char link[32], name[256];
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);

	if (fd < 0)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, name, sizeof(name) - 1);

	close(fd);
	if (n < 0)
		return false;
	name[n] = '\0';
	return strcmp(name, real) == 0;
}

static const char *beneath(const char *name)
{
	static char path[4][256];
	static unsigned int next;
	char *out = path[next++ % 4];

	snprintf(out, sizeof(path[0]), "%s/%s", top, name);
	return out;
}

static int load_filter(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &program);
}

static void child_run(const int *say, const int *go, int (*ask)(void))
{
	char byte;
	int listener = load_filter();

	if (write(say[1], &listener, sizeof(listener)) != sizeof(listener) ||
	    read(go[0], &byte, 1) != 1)
		_exit(98);
	_exit(ask());
}

/* The grants and denials of every case. */
static struct builder scope_here(void)
{
	struct builder b = builder_new();

	builder_rule(&b, SECTION_FILES_WRITE, beneath("in"));
	builder_rule(&b, SECTION_FILES_READ, beneath("ro"));
	builder_rule(&b, SECTION_FILES_DENY, beneath("in/secret"));
	builder_rule(&b, SECTION_FILES_READ, "/proc/self");
	builder_open(&b);
	return b;
}

static void make_world(void)
{
	static const char *const folders[] = {"in", "in/secret", "in/sub", "ro", "out"};
	static const char *const files[] = {"in/a", "in/secret/s", "ro/r", "out/o"};

	strcpy(top, "/tmp/remit-resolve-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		ck_assert_int_eq(mkdir(beneath(folders[i]), 0700), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		ck_assert_int_ge(close(creat(beneath(files[i]), 0600)), 0);
	ck_assert_int_eq(symlink("a", beneath("in/to_a")), 0);
	ck_assert_int_eq(symlink("../out/o", beneath("in/to_out")), 0);
	ck_assert_int_eq(symlink("../out/new", beneath("in/to_new")), 0);
	ck_assert_int_eq(symlink("fresh", beneath("in/to_fresh")), 0);
	ck_assert_int_eq(symlink("loop", beneath("in/loop")), 0);
	ck_assert_int_eq(symlink("/proc/self/cwd", beneath("in/to_cwd")), 0);
	ck_assert_int_eq(symlink("../in", beneath("out/back")), 0);
	ck_assert_int_eq(chdir(beneath("in")), 0);
}

static void remove_world(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(system(command), 0);
}

static int serve_child(int listener_of, pid_t child, int go, const struct builder *b)
{
	struct features features = {.seccomp_addfd_send = true,
				    .process_vm = true,
				    .pidfd_getfd = true,
				    .openat2 = true,
				    .unshare_fs = true};
	struct plan plan = {0};
	struct records *records;
	struct broker *broker;
	int status, pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	int listener = (int)syscall(SYS_pidfd_getfd, pidfd, listener_of, 0);

	close(pidfd);
	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(records_open(open("/dev/null", O_WRONLY), "s", &b->scope, &records), 0);

	struct broker_options options = {.scope = &b->scope,
					 .scope_fd = -1,
					 .plan = &plan,
					 .features = &features,
					 .records = records,
					 .session_flags = 1, /* quiet */
					 .tty_index = -1};

	ck_assert_int_eq(broker_create(&options, &broker), 0);
	ck_assert_int_eq(broker_serve_start(broker, child), 0);
	broker_serve_open(broker, listener);
	ck_assert_int_eq(write(go, "x", 1), 1);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	broker_serve_stop(broker);
	broker_free(broker);
	records_close(records);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

/* Runs `ask` in a child; it returns the line of the first thing that is wrong, 0: all is well. */
static int asked(int (*ask)(void))
{
	int say[2], go[2], listener;

	make_world();
	struct builder b = scope_here();

	gate_pid = getpid();
	ck_assert_int_eq(pipe(say), 0);
	ck_assert_int_eq(pipe(go), 0);
	pid_t child = fork();

	if (child == 0)
		child_run(say, go, ask);
	ck_assert_int_eq(read(say[0], &listener, sizeof(listener)), sizeof(listener));
	ck_assert_msg(listener >= 0, "no seccomp notifications");
	int result = serve_child(listener, child, go[1], &b);

	for (int i = 0; i < 2; i++) {
		close(say[i]);
		close(go[i]);
	}
	builder_free(&b);
	remove_world();
	return result;
}

/* An exit status holds lines up to 255 from the case's first. */
#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__ % 250 + 1;                                                 \
	} while (0)

static int ask_links(void)
{
	HOLDS(opens_as("to_a", O_RDWR, beneath("in/a")));
	HOLDS(opens_as(beneath("out/back/a"), O_RDWR, beneath("in/a")));
	HOLDS(try_open("to_a", O_RDONLY | O_NOFOLLOW) == ELOOP);
	HOLDS(try_open("to_out", O_RDONLY) == EACCES);
	HOLDS(try_open("to_new", O_WRONLY | O_CREAT) == EACCES);
	HOLDS(access(beneath("out/new"), F_OK) != 0);
	HOLDS(opens_as("to_fresh", O_WRONLY | O_CREAT, beneath("in/fresh")));
	HOLDS(try_open("to_fresh", O_WRONLY | O_CREAT | O_EXCL) == EEXIST);
	HOLDS(try_open("loop", O_RDONLY) == ELOOP);
	return 0;
}

static int ask_spellings(void)
{
	char name[5000];

	HOLDS(opens_as("./sub/..//a", O_RDONLY, beneath("in/a")));
	HOLDS(try_open("a/", O_RDONLY) == ENOTDIR);
	HOLDS(try_open("a/x", O_RDONLY) == ENOTDIR);
	HOLDS(try_open("new/", O_WRONLY | O_CREAT) == EISDIR);
	HOLDS(try_open("sub/", O_RDONLY) == 0);
	HOLDS(try_open("", O_RDONLY) == ENOENT);
	HOLDS(try_open("none", O_RDONLY) == ENOENT);
	HOLDS(try_open("sub/../secret/s", O_RDONLY) == EACCES);
	HOLDS(try_open("../out/o", O_RDONLY) == EACCES);
	memset(name, 'x', 256);
	name[256] = '\0';
	HOLDS(try_open(name, O_RDONLY) == ENAMETOOLONG);
	memset(name, '/', 4096);
	name[4096] = '\0';
	HOLDS(try_open(name, O_RDONLY) == ENAMETOOLONG);
	HOLDS(syscall(SYS_openat, 77, "a", O_RDONLY) < 0 && errno == EBADF);
	HOLDS(syscall(SYS_openat, AT_FDCWD, NULL, O_RDONLY) < 0 && errno == EFAULT);
	return 0;
}

static int ask_own_proc(void)
{
	char path[64], text[64];
	int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/stat", O_RDONLY);

	HOLDS(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && atoi(text) == getpid());
	fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/thread-self/stat", O_RDONLY);
	HOLDS(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && atoi(text) == getpid());
	snprintf(path, sizeof(path), "/proc/%d/comm", getpid());
	HOLDS(try_open(path, O_RDONLY) == 0);
	HOLDS(opens_as("/proc/self/cwd/a", O_RDWR, beneath("in/a")));
	HOLDS(opens_as("to_cwd/a", O_RDWR, beneath("in/a")));
	HOLDS(try_open("/proc/self/cwd/secret/s", O_RDONLY) == EACCES);
	snprintf(path, sizeof(path), "/proc/self/root%s", beneath("out/o"));
	HOLDS(try_open(path, O_RDONLY) == EACCES);
	HOLDS(try_open("/proc/self", O_RDONLY | O_DIRECTORY) == 0);
	return 0;
}

static int ask_other_proc(void)
{
	static const char *const entries[] = {"environ", "mem", "status",  "fd/0",
					      "cwd",	 "exe", "root/tmp"};
	char path[64];

	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", gate_pid, entries[i]);
		HOLDS(try_open(path, O_RDONLY) == EACCES);
		snprintf(path, sizeof(path), "/proc/1/%s", entries[i]);
		HOLDS(try_open(path, O_RDONLY) == EACCES);
	}
	return 0;
}

static int ask_own_fds(void)
{
	char path[64], byte;
	int ends[2], fd = (int)syscall(SYS_openat, AT_FDCWD, beneath("ro/r"), O_RDONLY);

	HOLDS(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	HOLDS(try_open(path, O_RDONLY) == 0);
	HOLDS(try_open(path, O_RDWR) == EACCES);
	HOLDS(try_open(path, O_RDONLY | O_TRUNC) == EACCES);
	HOLDS(try_open(path, O_RDONLY | O_NOFOLLOW) == ELOOP);
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	HOLDS(try_open(path, O_WRONLY) == EACCES);
	HOLDS(pipe(ends) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY);
	HOLDS(fd >= 0 && write(fd, "x", 1) == 1 && read(ends[0], &byte, 1) == 1);
	return 0;
}

static int ask_umask_and_flags(void)
{
	struct stat st;

	umask(027);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, "u1", O_CREAT | O_RDWR | O_APPEND, 0666);

	HOLDS(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0640);
	HOLDS((fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK)) == (O_RDWR | O_APPEND));
	HOLDS(fcntl(fd, F_GETFD) == 0);
	umask(077);
	fd = (int)syscall(SYS_openat, AT_FDCWD, "u2", O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
	HOLDS(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600);
	HOLDS(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	return 0;
}

START_TEST(links_lead_where_the_kernel_says)
{
	ck_assert_int_eq(asked(ask_links), 0);
}
END_TEST

START_TEST(every_spelling_of_a_path)
{
	ck_assert_int_eq(asked(ask_spellings), 0);
}
END_TEST

START_TEST(proc_self_is_the_callers)
{
	ck_assert_int_eq(asked(ask_own_proc), 0);
}
END_TEST

START_TEST(proc_of_others_is_closed)
{
	ck_assert_int_eq(asked(ask_other_proc), 0);
}
END_TEST

START_TEST(an_own_fd_opens_again_with_no_more_access)
{
	ck_assert_int_eq(asked(ask_own_fds), 0);
}
END_TEST

START_TEST(new_files_have_the_callers_umask_and_flags)
{
	ck_assert_int_eq(asked(ask_umask_and_flags), 0);
}
END_TEST

static bool has_notifications(void)
{
	uint32_t action = SECCOMP_RET_USER_NOTIF;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int main(void)
{
	if (!has_notifications()) {
		puts("skipped: no seccomp notifications here");
		return EXIT_SUCCESS;
	}
	Suite *suite = suite_create("resolve");
	TCase *cases = tcase_create("resolve");

	tcase_set_timeout(cases, 30);
	tcase_add_test(cases, links_lead_where_the_kernel_says);
	tcase_add_test(cases, every_spelling_of_a_path);
	tcase_add_test(cases, proc_self_is_the_callers);
	tcase_add_test(cases, proc_of_others_is_closed);
	tcase_add_test(cases, an_own_fd_opens_again_with_no_more_access);
	tcase_add_test(cases, new_files_have_the_callers_umask_and_flags);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
