/* SPDX-License-Identifier: Apache-2.0 */
/* F6, F7, F9: other processes and what they share. The stranger runs outside every session; it
 * holds the token in its environment and in System V shared memory, and writes "SIGNALLED" into
 * out/victim when SIGUSR1 reaches it. */
#include "tests/live/escapes/harness.h"

#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/uio.h>

#define NR_PIDFD_SEND_SIGNAL 424
#define NR_PIDFD_OPEN 434
#define NR_PIDFD_GETFD 438
#define NR_PROCESS_MADVISE 440

static pid_t stranger(void)
{
	return (pid_t)harness_number("stranger");
}

static void trace(pid_t pid)
{
	int traced = sys_call(SYS_ptrace, PTRACE_SEIZE, pid, 0, 0) == 0;

	if (traced)
		sys_call(SYS_ptrace, PTRACE_INTERRUPT, pid, 0, 0);
	did(traced);
}

static void trace_stranger(void)
{
	trace(stranger());
}

static void trace_broker(void)
{
	trace(getppid());
}

static void read_memory(pid_t pid)
{
	char buf[4096];
	struct iovec here = {buf, sizeof(buf)};
	struct iovec there = {(void *)(uintptr_t)strtoul(harness_fact("env_start"), NULL, 0),
			      sizeof(buf)};
	long got = sys_call(SYS_process_vm_readv, pid, &here, 1, &there, 1, 0);

	if (got > 0 && write(STDOUT_FILENO, buf, (size_t)got) < 0)
		exit(3);
}

static void read_stranger(void)
{
	read_memory(stranger());
}

static void take_fd(pid_t pid, int fd)
{
	long pidfd = sys_call(NR_PIDFD_OPEN, pid, 0);
	long got = sys_call(NR_PIDFD_GETFD, pidfd, fd, 0);

	if (got >= 0)
		lseek((int)got, 0, SEEK_SET);
	show_fd(got);
}

static void take_stranger_fd(void)
{
	take_fd(stranger(), 7);
}

static void take_broker_fds(void)
{
	long pidfd = sys_call(NR_PIDFD_OPEN, getppid(), 0);
	int taken = 0;

	for (int fd = 0; fd < 64; fd++)
		taken |= sys_call(NR_PIDFD_GETFD, pidfd, fd, 0) >= 0;
	did(taken);
}

static void compare(void)
{
	did(sys_call(SYS_kcmp, getpid(), stranger(), 0 /* KCMP_FILE */, 1, 1) >= 0);
}

static void advise(void)
{
	long pidfd = sys_call(NR_PIDFD_OPEN, stranger(), 0);
	struct iovec there = {(void *)(uintptr_t)strtoul(harness_fact("env_start"), NULL, 0), 1};

	there.iov_base = (void *)((uintptr_t)there.iov_base & ~4095UL);
	there.iov_len = 4096;
	did(sys_call(NR_PROCESS_MADVISE, pidfd, &there, 1, 20 /* MADV_COLD */, 0) > 0);
}

/* F7: signals and the rest of what one process may do to another. */

static void signal_kill(void)
{
	sys_kill(stranger(), SIGUSR1);
}

static void signal_tkill(void)
{
	sys_call(SYS_tkill, stranger(), SIGUSR1);
}

static void signal_tgkill(void)
{
	sys_call(SYS_tgkill, stranger(), stranger(), SIGUSR1);
}

static void signal_queue(void)
{
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};

	sys_call(SYS_rt_sigqueueinfo, stranger(), SIGUSR1, &info);
}

static void signal_tgqueue(void)
{
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};

	sys_call(SYS_rt_tgsigqueueinfo, stranger(), stranger(), SIGUSR1, &info);
}

static void signal_pidfd(void)
{
	long pidfd = sys_call(NR_PIDFD_OPEN, stranger(), 0);

	sys_call(NR_PIDFD_SEND_SIGNAL, pidfd, SIGUSR1, NULL, 0);
}

static void signal_group(void)
{
	sys_kill(-stranger(), SIGUSR1);
}

static void signal_owner(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return;
	fcntl(pair[0], F_SETOWN, stranger());
	fcntl(pair[0], F_SETSIG, SIGUSR1);
	fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK);
	if (write(pair[1], "x", 1) != 1)
		return;
	usleep(50000);
}

static void signal_broker(void)
{
	/* SIGWINCH is ignored by default: it is enough that it may be sent. */
	did(sys_kill(getppid(), SIGWINCH) == 0);
}

static void priority(void)
{
	did(sys_call(SYS_setpriority, PRIO_PROCESS, stranger(), 19) == 0);
}

static void affinity(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	CPU_SET(1, &set);
	did(sys_call(SYS_sched_setaffinity, stranger(), sizeof(set), &set) == 0);
}

static void scheduler(void)
{
	struct sched_param none = {0};

	did(sys_call(SYS_sched_setscheduler, stranger(), SCHED_BATCH, &none) == 0);
}

static void limits(void)
{
	struct rlimit limit = {0, 0};

	did(sys_call(SYS_prlimit64, stranger(), RLIMIT_CORE, &limit, NULL) == 0);
}

static void limits_read(void)
{
	struct rlimit limit;

	did(sys_call(SYS_prlimit64, stranger(), RLIMIT_CORE, NULL, &limit) == 0);
}

static void io_priority(void)
{
	/* Class best effort, level 7. */
	did(sys_call(SYS_ioprio_set, 1, stranger(), (2 << 13) | 7) == 0);
}

static void oom_score(void)
{
	long fd = sys_open(text("/proc/%d/oom_score_adj", stranger()), O_WRONLY, 0);

	did(fd >= 0 && write((int)fd, "1", 1) == 1);
}

/* F9: shared without a path. */

static void shared_memory(void)
{
	long id = sys_call(SYS_shmget, harness_number("shm_key"), 0, 0);
	char *map = (char *)sys_call(SYS_shmat, id, NULL, SHM_RDONLY);

	if (id >= 0 && (long)map > 0 && write(STDOUT_FILENO, map, 64) < 0)
		exit(3);
}

static void message_queue(void)
{
	did(sys_call(SYS_msgget, harness_number("shm_key"), 0) >= 0);
}

static void semaphores(void)
{
	did(sys_call(SYS_semget, harness_number("shm_key"), 0, 0) >= 0);
}

/* By the id, which anybody can guess. */

static void shared_memory_by_id(void)
{
	const char *map = (char *)sys_call(SYS_shmat, harness_number("shm_id"), NULL, SHM_RDONLY);

	if ((long)map > 0 && write(STDOUT_FILENO, map, 64) < 0)
		exit(3);
}

static void message_queue_by_id(void)
{
	struct {
		long type;
		char text;
	} letter = {1, 'x'};

	did(sys_call(SYS_msgsnd, harness_number("msg_id"), &letter, 1, IPC_NOWAIT) == 0);
}

static void semaphores_by_id(void)
{
	struct sembuf up = {.sem_op = 1};

	did(sys_call(SYS_semop, harness_number("sem_id"), &up, 1) == 0);
}

static void segments_listed(void)
{
	struct shmid_ds about;

	for (int i = 0; i < 64; i++) {
		if (sys_call(SYS_shmctl, i, 15 /* SHM_STAT_ANY */, &about) ==
		    harness_number("shm_id"))
			did(1);
	}
}

static void posix_queue(void)
{
	did(sys_call(SYS_mq_open, harness_fact("queue"), O_RDONLY, 0, NULL) >= 0);
}

static void posix_memory(void)
{
	show_file(text("/dev/shm/%s", harness_fact("queue")));
}

static const struct escape cases[] = {
    {"F6-ptrace-stranger", "process", 0, trace_stranger},
    {"F6-ptrace-broker", "process", NO_CONTROL, trace_broker},
    {"F6-process-vm-readv", "process", 0, read_stranger},
    {"F6-pidfd-getfd", "process", 0, take_stranger_fd},
    {"F6-pidfd-getfd-broker", "process", 0, take_broker_fds},
    {"F6-kcmp", "process", 0, compare},
    {"F6-process-madvise", "process", MAY_LACK, advise},
    {"F7-kill", "process", 0, signal_kill},
    {"F7-tkill", NULL, 0, signal_tkill},
    {"F7-tgkill", NULL, 0, signal_tgkill},
    {"F7-sigqueue", "process", 0, signal_queue},
    {"F7-tgsigqueue", NULL, 0, signal_tgqueue},
    {"F7-pidfd-send-signal", "process", 0, signal_pidfd},
    {"F7-kill-group", NULL, 0, signal_group},
    {"F7-sigio", NULL, 0, signal_owner},
    {"F7-kill-broker", "process", NO_CONTROL, signal_broker},
    {"F7-setpriority", "", 0, priority},
    {"F7-setaffinity", "", 0, affinity},
    {"F7-setscheduler", "", 0, scheduler},
    {"F7-prlimit", "", 0, limits},
    {"F7-prlimit-read", "", 0, limits_read},
    {"F7-ioprio", "", 0, io_priority},
    {"F7-oom-score", "oom_score_adj", 0, oom_score},
    {"F9-shm", NULL, 0, shared_memory},
    {"F9-msg", NULL, 0, message_queue},
    {"F9-sem", NULL, 0, semaphores},
    {"F9-shm-id", "shared memory", 0, shared_memory_by_id},
    {"F9-msg-id", "message queue", 0, message_queue_by_id},
    {"F9-sem-id", "semaphores", 0, semaphores_by_id},
    {"F9-shm-list", "shared memory", 0, segments_listed},
    {"F9-mq", NULL, MAY_LACK, posix_queue},
    {"F9-dev-shm", "/dev/shm/", 0, posix_memory},
};
ESCAPE_TABLE(process_table, cases);
