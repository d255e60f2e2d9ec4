/* SPDX-License-Identifier: Apache-2.0 */
/* F1–F9, P15, M8: other doors into the kernel, other processes, namespaces, the environment. */
#include <fcntl.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tools/probe/call.h"
#include "tools/probe/probe.h"

#define S const struct probe_stage *s

/* By number: the headers may be older than the kernel (asm/unistd_64.h). */
#define NR_PIDFD_SEND_SIGNAL 424
#define NR_IO_URING_SETUP 425
#define NR_OPEN_TREE 428
#define NR_PIDFD_OPEN 434
#define NR_PIDFD_GETFD 438
#define X32_BIT 0x40000000L

static void ring(S)
{
	unsigned char parameters[120] = {0}; /* struct io_uring_params */

	probe_did(s, RAW_CALL(NR_IO_URING_SETUP, 4, parameters) >= 0);
}

static void other_numbers(S)
{
	probe_did(s, RAW_CALL(X32_BIT | SYS_getpid, 0) > 0);
}

static void other_machine(S)
{
	long result;

	/* getpid of asm/unistd_32.h */
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(20L)
			 : "r8", "r9", "r10", "r11", "memory");
	probe_did(s, (int)result == getpid());
}

static long program_in_memory(S, unsigned int flags)
{
	static char buf[1 << 16];
	long in = CALL(open(probe_text("%s/ro/tool", s->root), O_RDONLY), SYS_open,
		       probe_text("%s/ro/tool", s->root), O_RDONLY);
	long fd = CALL(memfd_create("tool", flags), SYS_memfd_create, "tool", flags);
	ssize_t n = -1;

	while (in >= 0 && fd >= 0 && (n = read((int)in, buf, sizeof(buf))) > 0) {
		if (write((int)fd, buf, (size_t)n) != n)
			return -1;
	}
	return n == 0 ? fd : -1;
}

static void memory_execute(S)
{
	const char *argv[] = {"tool", "--did", s->name, NULL};
	long fd = program_in_memory(s, 0);

	RAW_CALL(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
}

static void memory_execute_path(S)
{
	const char *argv[] = {"tool", "--did", s->name, NULL};
	const char *path = probe_text("/proc/self/fd/%ld", program_in_memory(s, 0));

	(void)!CALL(execve(path, (char **)(uintptr_t)argv, environ), SYS_execve, path, argv,
		    environ);
}

static void trace(S)
{
	int traced = ptrace(PTRACE_SEIZE, s->stranger, 0, 0) == 0;

	probe_did(s, traced);
}

static void memory_read(S)
{
	char buf[4096];
	struct iovec here = {buf, sizeof(buf)};
	struct iovec there = {(void *)(uintptr_t)s->memory, sizeof(buf)}; // NOLINT: its address
	long n = RAW_CALL(SYS_process_vm_readv, s->stranger, &here, 1, &there, 1, 0);

	if (n > 0)
		(void)!write(STDOUT_FILENO, buf, (size_t)n);
}

static void take_descriptor(S)
{
	long pidfd = RAW_CALL(NR_PIDFD_OPEN, s->stranger, 0);
	long fd = RAW_CALL(NR_PIDFD_GETFD, pidfd, 7, 0);

	if (fd >= 0)
		lseek((int)fd, 0, SEEK_SET);
	probe_show(fd);
}

static void send_signal(S)
{
	(void)!CALL(kill(s->stranger, (int)s->port), SYS_kill, s->stranger, s->port);
}

static void queue_signal(S)
{
	siginfo_t info = {.si_signo = (int)s->port, .si_code = SI_QUEUE};

	RAW_CALL(SYS_rt_sigqueueinfo, s->stranger, s->port, &info);
}

static void handle_signal(S)
{
	RAW_CALL(NR_PIDFD_SEND_SIGNAL, RAW_CALL(NR_PIDFD_OPEN, s->stranger, 0), s->port, NULL, 0);
}

static void set_priority(S)
{
	probe_did(s, CALL(setpriority(PRIO_PROCESS, (id_t)s->stranger, 1), SYS_setpriority,
			  PRIO_PROCESS, s->stranger, 1) == 0);
}

static void set_limit(S)
{
	struct rlimit limit = {0, 0};

	probe_did(s, CALL(prlimit(s->stranger, RLIMIT_CORE, &limit, NULL), SYS_prlimit64,
			  s->stranger, RLIMIT_CORE, &limit, NULL) == 0);
}

static void set_affinity(S)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		probe_did(s, CALL(sched_setaffinity(s->stranger, sizeof(set), &set),
				  SYS_sched_setaffinity, s->stranger, sizeof(set), &set) >= 0);
}

static void keyring(S)
{
	probe_did(s, RAW_CALL(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3 /* process */, 1) > 0);
}

static void program_for_kernel(S)
{
	/* BPF_MAP_CREATE of an array of one element. */
	uint32_t attr[18] = {2, 4, 4, 1};

	probe_did(s, RAW_CALL(SYS_bpf, 0, attr, sizeof(attr)) >= 0);
}

static void counters(S)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_TASK_CLOCK,
				       .exclude_kernel = 1};

	probe_did(s, RAW_CALL(SYS_perf_event_open, &attr, 0, -1, -1, 0) >= 0);
}

static void faults(S)
{
	probe_did(s, RAW_CALL(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */) >= 0);
}

static void kernel_log(S)
{
	probe_did(s, RAW_CALL(SYS_syslog, 10 /* SIZE_BUFFER */, NULL, 0) > 0);
}

static void shared_memory(S)
{
	int id = shmget((key_t)s->key, 0, 0);
	char *map = id < 0 ? NULL : shmat(id, NULL, SHM_RDONLY);

	if (map && map != (void *)-1) {
		(void)!write(STDOUT_FILENO, map, strnlen(map, 256));
		shmdt(map);
	}
}

static void new_user(S)
{
	probe_did(s, CALL(unshare(CLONE_NEWUSER), SYS_unshare, CLONE_NEWUSER) == 0);
}

static void new_user_child(S)
{
	uint64_t args[11] = {CLONE_NEWUSER, [4] = SIGCHLD};
	long pid = RAW_CALL(SYS_clone3, args, sizeof(args));

	if (pid == 0)
		_exit(0);
	probe_did(s, pid > 0);
}

static void change_root(S)
{
	const char *path = probe_path(s, "out", NULL);

	if (CALL(chroot(path), SYS_chroot, path) == 0 && chdir("/") == 0)
		probe_show(CALL(open("/secret", O_RDONLY), SYS_open, "/secret", O_RDONLY));
}

static void tree(S)
{
	const char *path = probe_path(s, "out", NULL);
	long fd = RAW_CALL(NR_OPEN_TREE, AT_FDCWD, path, O_CLOEXEC);

	if (fd >= 0)
		probe_show(
		    CALL(openat((int)fd, "secret", O_RDONLY), SYS_openat, fd, "secret", O_RDONLY));
}

static void environment(S)
{
	char name[] = "REMIT_SELF_TEST";
	const char *found = getenv(name);

	if (found)
		printf("%s", found);
	fflush(stdout);
	probe_show(
	    CALL(open("/proc/self/environ", O_RDONLY), SYS_open, "/proc/self/environ", O_RDONLY));
	(void)s;
}

static const struct probe items[] = {
    {"F1-io-uring", "calls through io_uring", 0, ring},
    {"F2-x32-getpid", "calls by x32 numbers", 0, other_numbers},
    {"F3-int80-getpid", "calls of 32-bit programs", 0, other_machine},
    {"F5-memfd-execveat", "running a program that is only in memory", 0, memory_execute},
    {"F5-memfd-proc", "the same, by /proc/self/fd", 0, memory_execute_path},
    {"F6-ptrace-stranger", "tracing another process", 0, trace},
    {"F6-process-vm-readv", "reading another process's memory", 0, memory_read},
    {"F6-pidfd-getfd", "taking another process's open file", 0, take_descriptor},
    {"F7-kill", "a signal to another process", PROBE_SIGNAL, send_signal},
    {"F7-sigqueue", "a queued signal", PROBE_SIGNAL, queue_signal},
    {"F7-pidfd-send-signal", "a signal by handle", PROBE_SIGNAL, handle_signal},
    {"F7-setpriority", "another process's priority", 0, set_priority},
    {"F7-setaffinity", "another process's processors", 0, set_affinity},
    {"F7-prlimit", "another process's limits", 0, set_limit},
    {"F8-keys", "the kernel's keyrings", 0, keyring},
    {"F8-bpf", "programs in the kernel", PROBE_ROOT, program_for_kernel},
    {"F8-perf", "performance counters", 0, counters},
    {"F8-userfaultfd", "answering page faults", 0, faults},
    {"F8-syslog", "the kernel's log", PROBE_ROOT, kernel_log},
    {"F9-shm", "System V shared memory of another process", 0, shared_memory},
    {"P15-unshare-user", "a user namespace", 0, new_user},
    {"P15-clone3-user", "a child in one", 0, new_user_child},
    {"P15-chroot", "another root", PROBE_ROOT, change_root},
    {"P15-open-tree-handle", "a handle of a mount", 0, tree},
    {"M8-environment", "a variable that is not passed", 0, environment},
};
const struct probe_table probe_kernel = {items, sizeof(items) / sizeof(*items)};
