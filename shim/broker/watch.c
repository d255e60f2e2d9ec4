/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals. The agent shares our process group and terminal, so the terminal signals it itself: we
 * ignore SIGINT, SIGQUIT and the stop signals and pass on what was sent to us alone. When the agent
 * stops and a shell with job control watches, everything in the session is stopped, then we stop by
 * the same signal: the shell sees its job stop, and no limit of time runs out unseen meanwhile,
 * because nothing runs. A process of the session that cannot be stopped keeps us awake.
 */
#include "shim/broker/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/broker/nest.h"
#include "shim/broker/process_tree.h"
#include "shim/broker/survivors.h"

/* A tracer hears of the end first, and has that long to take it. */
#define UNSEEN_MS 2000
/* How often the gate's health is looked at when nothing else happens. */
#define TICK_MS 1000

static const int ignored[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE};
static const int waited[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD};

static void waited_set(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof(waited) / sizeof(*waited); i++)
		sigaddset(set, waited[i]);
}

void watch_signals(struct launch_signals *out)
{
	struct sigaction act = {.sa_handler = SIG_IGN};
	sigset_t set;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, NULL, &out->action[i]);
	waited_set(&set);
	sigprocmask(SIG_BLOCK, &set, &out->mask);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		sigaction(ignored[i], &act, NULL);
	/* An ignored SIGCHLD would reap the agent behind our back; a blocked and ignored signal
	 * would never be seen. */
	act.sa_handler = SIG_DFL;
	for (size_t i = 0; i < sizeof(waited) / sizeof(*waited); i++)
		sigaction(waited[i], &act, NULL);
}

void watch_signals_restore(const struct launch_signals *from)
{
	for (int i = 1; i < NSIG; i++)
		sigaction(i, &from->action[i], NULL);
	sigprocmask(SIG_SETMASK, &from->mask, NULL);
}

/* What the kernel or the terminal sends goes to whole groups: the agent has it already unless it
 * left ours. */
static void forward(pid_t agent, const siginfo_t *info)
{
	if (info->si_code > 0 && getpgid(agent) == getpgrp())
		return;
	kill(agent, info->si_signo);
}

static void stop_like(int signal)
{
	struct sigaction act = {.sa_handler = SIG_DFL}, before;
	sigset_t set, mask;

	sigemptyset(&set);
	sigaddset(&set, signal);
	if (signal != SIGSTOP)
		sigaction(signal, &act, &before);
	sigprocmask(SIG_UNBLOCK, &set, &mask);
	raise(signal);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (signal != SIGSTOP)
		sigaction(signal, &before, NULL);
}

/* Where its first thread has ended, waitid(2) alone knows. */
static bool is_stopped(pid_t agent)
{
	struct process process;

	return process_read(agent, &process) == 0 &&
	       (process.state == 'T' || (process.state == 'Z' && process.others));
}

/* Stops with the agent, unless it goes on by itself meanwhile; tried again when something would not
 * be held. */
static void stop_with(struct watch *watch, pid_t agent, const struct terminal *terminal)
{
	int signal = watch->stopped;
	pid_t *frozen;
	size_t count;

	if ((!watch->inner && !is_stopped(agent)) || !terminal_has_shell(terminal)) {
		watch->stopped = 0;
		return;
	}
	if (watch->inner) {
		watch->stopped = 0;
		stop_like(signal);
		kill(agent, SIGCONT);
		return;
	}
	if (survivors_freeze(&frozen, &count) != 0)
		return;
	watch->stopped = 0;
	stop_like(signal);
	survivors_thaw(frozen, count);
	kill(agent, SIGCONT);
}

/*
 * A child that asked its parent to trace it (PTRACE_TRACEME) is traced by this very thread: the
 * agent, or an orphan. The parent's death comes before the request or just after, so nobody can
 * refuse it in time. No debugger is here, so it goes on as it would without one, with its signal.
 * False: another thread traces it, for its exec, and the kernel says so.
 */
static bool let_go(const siginfo_t *info)
{
	bool event = info->si_status >> 8;
	unsigned long signal = event ? 0 : (unsigned long)info->si_status;

	return syscall(SYS_ptrace, PTRACE_DETACH, info->si_pid, 0UL, signal) == 0;
}

/*
 * Looks at the next child that has something to say. A child that the gate traces for its exec
 * shows its traps here too, because this is its parent's process: those are left for the thread
 * that traces. 1: it is in *info, and taken; 0: nothing; a negative errno: there is no such child.
 */
static int next_child(idtype_t which, pid_t pid, siginfo_t *info)
{
	const int events = WEXITED | WSTOPPED | WNOHANG | __WNOTHREAD;

	info->si_pid = 0;
	if (waitid(which, (id_t)pid, info, events | WNOWAIT) != 0)
		return errno == EINTR ? 0 : -errno;
	if (info->si_pid == 0)
		return 0;
	if (info->si_code == CLD_TRAPPED)
		return let_go(info);
	pid = info->si_pid;
	info->si_pid = 0;
	if (waitid(P_PID, (id_t)pid, info, events) != 0)
		return errno == EINTR ? 0 : -errno;
	if (info->si_pid == 0)
		return 0;
	/* It went on and came to its exec between the two looks: nobody would let it go on. */
	if (info->si_code == CLD_TRAPPED && !let_go(info))
		kill(pid, SIGKILL);
	return 1;
}

static int wait_status(const siginfo_t *info)
{
	if (info->si_code == CLD_EXITED)
		return (info->si_status & 0xff) << 8;
	return (info->si_status & 0x7f) | (info->si_code == CLD_DUMPED ? 0x80 : 0);
}

/* Reaps what there is, the agent first. True when the agent has ended, with its status. */
static bool reap(struct watch *watch, pid_t agent, int *status)
{
	siginfo_t info;

	for (;;) {
		int found = next_child(P_PID, agent, &info);

		/* The agent's end will never be seen: it is ended, and its status lost. */
		if (found < 0) {
			watch->ending = "gate";
			kill(agent, SIGKILL);
			*status = SIGKILL;
			return true;
		}
		if (!found && next_child(P_ALL, 0, &info) <= 0)
			break;
		if (info.si_pid != agent || info.si_code == CLD_TRAPPED)
			continue;
		if (info.si_code == CLD_STOPPED) {
			watch->stopped = info.si_status;
			continue;
		}
		*status = wait_status(&info);
		return true;
	}
	return false;
}

static void enforce(struct watch *watch, pid_t agent, const struct broker *broker)
{
	if (!watch->inner)
		nest_tick();
	if (!watch->inner && broker_failed(broker)) {
		watch->ending = "gate";
		kill(agent, SIGKILL);
		return;
	}
	switch (deadline_check(&watch->deadline)) {
	case DEADLINE_TERMINATE:
		watch->ending = watch->deadline.why;
		kill(agent, SIGTERM);
		/* A stopped process would only see it when continued. */
		kill(agent, SIGCONT);
		break;
	case DEADLINE_KILL:
		kill(agent, SIGKILL);
		break;
	case DEADLINE_WAIT:
		break;
	}
}

void watch_print_end(const struct watch *watch, unsigned long long left)
{
	const char *why = watch->deadline.why;

	if (why)
		fprintf(stderr, "remit: ended the agent: %s\n",
			strcmp(why, "expired") == 0 ? "agent.expires has passed"
						    : "limits.wall_time is used up");
	if (left > 0)
		fprintf(stderr, "remit: ended %llu process%s that the agent left running\n", left,
			left == 1 ? "" : "es");
}

/*
 * The agent's end comes to us when whoever traces it has taken it. A process of the session that
 * seizes the agent and then never waits would outlive every limit: its time is over as well.
 */
static bool is_kept_back(int pidfd, int64_t *since)
{
	struct pollfd end = {.fd = pidfd, .events = POLLIN};

	if (pidfd < 0 || poll(&end, 1, 0) <= 0)
		return false;
	int64_t now = deadline_now_ms(CLOCK_MONOTONIC);

	if (!*since)
		*since = now;
	return now - *since >= UNSEEN_MS;
}

int watch_run(struct watch *watch, pid_t agent, struct broker *broker,
	      const struct terminal *terminal)
{
	sigset_t set;
	int status = 0, pidfd = (int)syscall(SYS_pidfd_open, agent, 0);
	int64_t unseen = 0; /* when the end was first seen and not heard */

	waited_set(&set);
	while (!reap(watch, agent, &status)) {
		if (is_kept_back(pidfd, &unseen)) {
			status = SIGKILL;
			break;
		}
		if (watch->stopped)
			stop_with(watch, agent, terminal);
		enforce(watch, agent, broker);
		int wait = deadline_wait(&watch->deadline, TICK_MS);
		struct timespec timeout = {.tv_sec = wait / 1000,
					   .tv_nsec = (wait % 1000) * 1000000L};
		siginfo_t info;

		if (sigtimedwait(&set, &info, &timeout) > 0 && info.si_signo != SIGCHLD)
			forward(agent, &info);
	}
	if (pidfd >= 0)
		close(pidfd);
	if (!watch->ending)
		watch->ending = WIFSIGNALED(status) ? "signal" : "exit";
	return status;
}
