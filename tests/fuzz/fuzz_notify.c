/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A notification of any bytes, with any memory behind it, to every performer of the gate's table.
 * The caller is a real process that sleeps, so that its memory, descriptors, folder and status are
 * read as those of an agent; only the answer to "is it still waiting?" is made up. What the gate
 * would do to processes and to the machine's own objects is not done; what it does to files is done
 * for real, in a scratch folder and as an ordinary user.
 *
 * After each call: a descriptor that was handed out leads to nothing that is denied, nothing denied
 * has changed, what no wall covers was not left to the kernel, and no descriptor is left open.
 *
 * Input: the number's low byte picks a row of the table; six arguments of eight bytes; the memory,
 * which lies at MEMORY and ends before a page that is not there.
 */
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "shim/broker/gate.c"				  // NOLINT: its dispatcher is static
#define ioctl(fd, what, arg) ((void)(fd), (void)(arg), 0) /* the caller always still waits */
#include "shim/broker/request.c"			  // NOLINT: for that
#undef ioctl

#include "policy/compile/model.h"

#define MEMORY 0x10000000UL
#define MEMORY_SIZE 65536UL
#define TICK_NS 20000000L /* a call that blocks is interrupted, as the reaper would */
#define HEAD (8UL + 6 * 8)
#define CLEAN_EVERY 4096
#define SECRETS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
long __wrap_syscall(long nr, ...);
long __real_syscall(long nr, ...);

static struct broker *broker;
static pid_t caller;
static char root[64];
static struct stat secrets[SECRETS];
static int secret_handles[SECRETS]; /* folders on the way may lose their modes */
static const char *const secret_names[SECRETS] = {"out/file", "out", "in/secret"};

static void require_at(bool truth, int line)
{
	if (truth)
		return;
	fprintf(stderr, "fuzz_notify.c:%d does not hold (%s)\n", line, strerror(errno));
	abort();
}
#define require(truth) require_at(truth, __LINE__)

/* What acts on processes and on objects that all processes share is made up. As syscall(2) itself
 * it takes six arguments, given or not, which the sanitizer would object to. */
__attribute__((no_sanitize("address"))) long __wrap_syscall(long nr, ...)
{
	long args[6];
	va_list list;

	va_start(list, nr);
	for (int i = 0; i < 6; i++)
		args[i] = va_arg(list, long);
	va_end(list);
	switch (nr) {
	case SYS_pidfd_open:
	case SYS_pidfd_getfd:
	case SYS_openat2:
	case SYS_renameat2:
		return __real_syscall(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	case SYS_tgkill:
	case SYS_pidfd_send_signal:
		return 0;
	default:
		errno = EPERM;
		return -1;
	}
}

static void tick(int signal)
{
	(void)signal;
}

static void start_ticking(void)
{
	struct sigaction action = {.sa_handler = tick};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 5};
	struct itimerspec every = {.it_interval.tv_nsec = TICK_NS, .it_value.tv_nsec = TICK_NS};
	timer_t timer;

	sigaction(SIGRTMIN + 5, &action, NULL);
	require(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	require(timer_settime(timer, 0, &every, NULL) == 0);
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	require(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void fingerprint(struct stat out[SECRETS])
{
	for (int i = 0; i < SECRETS; i++)
		require(fstat(secret_handles[i], &out[i]) == 0);
}

static void remove_stage(void)
{
	char command[128];

	snprintf(command, sizeof(command), "chmod -R u+rwx %s; rm -rf %s", root, root);
	if (system(command) != 0)
		fprintf(stderr, "%s is left behind\n", root);
}

/* Only the scratch folder is this user's; its own folder is where the calls begin. */
static void make_stage(void)
{
	snprintf(root, sizeof(root), "/tmp/fuzz-notify-XXXXXX");
	require(mkdtemp(root) != NULL && chdir(root) == 0);
	require(atexit(remove_stage) == 0);
	require(mkdir("in", 0755) == 0 && mkdir("out", 0755) == 0 && mkdir("ro", 0755) == 0);
	put("in/file", "fine\n");
	put("ro/file", "fine\n");
	put("in/secret", "secret\n");
	put("out/file", "secret\n");
	require(symlink("../out/file", "ro/link") == 0 && symlink("../ro", "ro/folder") == 0);
	for (int i = 0; i < SECRETS; i++) {
		secret_handles[i] = open(secret_names[i], O_PATH | O_CLOEXEC);
		require(secret_handles[i] >= 0);
	}
	fingerprint(secrets);
}

static void leave_privileges(void)
{
	struct rlimit files = {.rlim_cur = 1U << 20, .rlim_max = 1U << 20};

	if (getuid() == 0)
		require(setgroups(0, NULL) == 0 && setresgid(65534, 65534, 65534) == 0 &&
			setresuid(65534, 65534, 65534) == 0);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &files);
	umask(022);
}

static const void *make_scope(struct scope *scope)
{
	static const char form[] =
	    "remit: 1\nagent: {id: fuzz, purpose: Anything}\n"
	    "files: {read: [%s/ro], write: [%s/in, /dev/null], deny: [\"%s/in/**/secret\"]}\n"
	    "exec: {allow: [%s/ro/file]}\n"
	    "network: {connect: [\"127.0.0.1:9\", \"udp:127.0.0.1:9\", \"unix:%s/in\"],"
	    " listen: [\"127.0.0.1:9\", \"unix:%s/in\"]}\n";
	struct compile_options options = {.workspace = root,
					  .home = "/nonexistent",
					  .user = "u",
					  .uid = "65534",
					  .tmp = "/nonexistent"};
	struct diagnostics diagnostics = {0};
	uint8_t digest[SCOPE_DIGEST_SIZE] = {0};
	struct model model;
	char text[1024];
	void *image;
	size_t size;

	snprintf(text, sizeof(text), form, root, root, root, root, root, root);
	if (manifest_read("fuzz.yaml", text, strlen(text), &options, &model, &diagnostics) != 0)
		diagnostics_print(&diagnostics, stderr, false);
	require(diagnostics.errors == 0);
	require(image_build(&model, digest, &image, &size) == 0);
	require(scope_open(scope, image, size, NULL) == 0);
	model_free(&model);
	diagnostics_free(&diagnostics);
	return image;
}

/* Descriptors of all kinds, under the small numbers that an input will try. */
static void make_descriptors(void)
{
	int pair[2];

	for (int fd = 0; fd < 3; fd++)
		dup2(open("/dev/null", O_RDWR), fd);
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	require(socket(AF_INET, SOCK_STREAM, 0) == 3 && socket(AF_INET, SOCK_DGRAM, 0) == 4);
	require(socket(AF_INET6, SOCK_DGRAM, 0) == 5 && socket(AF_UNIX, SOCK_DGRAM, 0) == 6);
	require(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	require(open("in", O_RDONLY) == 9 && open("in/file", O_RDWR) == 10);
	require(open("ro/file", O_RDONLY) == 11 && open("out", O_RDONLY) == 12);
	require(syscall(SYS_inotify_init1, 0) != 13 && open("out/file", O_RDONLY) == 13);
}

static void make_caller(void)
{
	void *memory = mmap((void *)MEMORY, MEMORY_SIZE + 4096, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	require(memory == (void *)MEMORY);
	require(mprotect((char *)memory + MEMORY_SIZE, 4096, PROT_NONE) == 0);
	caller = fork();
	require(caller >= 0);
	if (caller == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		make_descriptors();
		for (;;)
			pause();
	}
	usleep(100000); /* its descriptors */
}

static void setup(void)
{
	static struct features features = {.pidfd_getfd = true,
					   .pidfd_thread = true,
					   .process_vm = true,
					   .proc_mem = true,
					   .unshare_fs = true,
					   .openat2 = true,
					   .memfd_noexec = true};
	static struct plan plan; /* nothing in the wall: the gate does it all */
	static struct scope scope;
	struct ipc_options ipc = {.ledger = -1};
	struct broker_options options = {
	    .scope = &scope, .scope_fd = -1, .plan = &plan, .features = &features, .tty_index = -1};

	leave_privileges();
	make_stage();
	make_scope(&scope);
	require(records_open(open("/dev/null", O_WRONLY | O_CLOEXEC), "fuzz", &scope,
			     &options.records) == 0);
	options.ipc = ipc_create(&ipc);
	require(options.ipc && broker_create(&options, &broker) == 0);
	make_caller();
	start_ticking();
}

/* A folder that fills up makes each call slower than the one before. */
static void clean(void)
{
	char command[192];

	snprintf(command, sizeof(command),
		 "cd %s/in && find . -type d -exec chmod u+rwx {} \\; && find . -mindepth 1 "
		 "! -path ./file ! -path ./secret -delete 2>/dev/null",
		 root);
	require(system(command) >= 0);
}

static bool never_left_to_the_kernel(int nr)
{
	switch (nr) {
	case SYS_connect:
	case SYS_bind:
	case SYS_chmod:
	case SYS_fchmodat:
	case SYS_chown:
	case SYS_fchownat:
	case SYS_utimensat:
	case SYS_setxattr:
	case SYS_inotify_add_watch:
	case SYS_memfd_create:
		return true;
	default:
		return false;
	}
}

static void check_reply(const struct reply *reply, int nr)
{
	char link[64], path[4096];

	require(reply->kind != REPLY_CONTINUE || !never_left_to_the_kernel(nr));
	if (reply->kind != REPLY_FD)
		return;
	require(reply->fd >= 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", reply->fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);

	require(n > 0);
	path[n] = '\0';
	/* The caller holds out/file for reading itself, and may read it again. */
	if (strncmp(path, root, strlen(root)) == 0) {
		const char *beneath = path + strlen(root);
		bool own = strcmp(beneath, "/out/file") == 0 &&
			   (fcntl(reply->fd, F_GETFL) & O_ACCMODE) == O_RDONLY;

		require(own || strncmp(beneath, "/out", 4) != 0);
		require(strcmp(beneath, "/in/secret") != 0);
	}
	close(reply->fd);
}

static void check_secrets(void)
{
	struct stat now[SECRETS];

	fingerprint(now);
	for (int i = 0; i < SECRETS; i++)
		require(now[i].st_ino == secrets[i].st_ino &&
			now[i].st_mode == secrets[i].st_mode &&
			now[i].st_size == secrets[i].st_size &&
			now[i].st_nlink == secrets[i].st_nlink &&
			now[i].st_ctim.tv_sec == secrets[i].st_ctim.tv_sec &&
			now[i].st_ctim.tv_nsec == secrets[i].st_ctim.tv_nsec);
}

static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned int runs;
	struct request request = {.pidfd = -1, .umask = -1};

	if (!broker)
		setup();
	if (size < HEAD || size - HEAD > MEMORY_SIZE)
		return 0;
	if (++runs % CLEAN_EVERY == 0)
		clean();
	request.broker = broker;
	request.tid = caller;
	request.notif.id = runs;
	request.notif.pid = (uint32_t)caller;
	request.notif.data.arch = AUDIT_ARCH_X86_64;
	request.notif.data.instruction_pointer = MEMORY;
	request.notif.data.nr = gate_table[data[0] % gate_table_size].nr;
	memcpy(request.notif.data.args, data + 8, sizeof(request.notif.data.args));
	memset((void *)MEMORY, 0, MEMORY_SIZE);
	memcpy((void *)MEMORY, data + HEAD, size - HEAD);

	int before = lowest_free();
	struct reply reply = gate_serve(&request);

	check_reply(&reply, request.notif.data.nr);
	if (request.pidfd >= 0)
		close(request.pidfd);
	require(lowest_free() == before);
	check_secrets();
	return 0;
}
