/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Following one exec with ptrace(2).
 *
 * Guarantees: between the answer and exec_trace_release() the new program does not run, and if this
 * thread or the whole broker dies meanwhile the kernel kills it (PTRACE_O_EXITKILL). An exec that
 * fails, a signal that arrives, a stop by job control are seen by the caller as without us.
 *
 * How a failed exec is noticed: the caller was told to stop (PTRACE_INTERRUPT) before the call is
 * answered. It sleeps in the kernel where only a killing signal ends the sleep, so it can obey only
 * at its next return to user mode: after a failed exec. A successful one stops earlier, in the exec
 * itself, and what was asked for is forgotten with the trace. Where the kernel cannot hold that
 * sleep (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 5.19) the caller is told after the answer.
 *
 * Relies on: one tracee at a time for each thread, so that whatever this thread's own wait
 * (__WNOTHREAD) finds is the tracee, also after its number has become that of its process; on the
 * session's main loop leaving traps alone (watch.c); on nothing else waiting without __WNOTHREAD.
 */
#include "shim/broker/exec_trace.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/broker/gate.h"
#include "shim/broker/workers.h"

#define TRIES 50

static long trace(long what, pid_t pid, uintptr_t address, uintptr_t data)
{
	/* The raw call: glibc's is variadic and its prototype differs between libcs. */
	return syscall(SYS_ptrace, what, pid, address, data) < 0 ? -errno : 0;
}

static bool is_stop(const siginfo_t *info)
{
	return info->si_code == CLD_TRAPPED;
}

/* What this thread's tracee did last. An end is left where it is; a stop is taken, else the kernel
 * would let nobody act on a thread whose number changed by the exec (looks_like_a_spurious_pid() in
 * kernel/ptrace.c). False: there is no tracee, or the gate ends. */
static bool look(struct request *request, siginfo_t *out)
{
	for (;;) {
		out->si_pid = 0;
		if (waitid(P_ALL, 0, out, WEXITED | WSTOPPED | WNOWAIT | __WALL | __WNOTHREAD) ==
		    0) {
			if (!is_stop(out))
				return true;
			pid_t pid = out->si_pid;

			out->si_pid = 0;
			int error = waitid(P_PID, (id_t)pid, out,
					   WSTOPPED | WNOHANG | __WALL | __WNOTHREAD);

			if (error == 0 && out->si_pid == pid)
				return true;
			if (error != 0 && errno != EINTR)
				return false;
			/* Killed in between: what it is now shows at the next look. */
			continue;
		}
		if (errno != EINTR || request_ends(request))
			return false;
	}
}

/* The end of the first program is its session's main loop's to see. Every other end is passed on to
 * the parent by our having seen it. */
static void bury(struct request *request, pid_t pid)
{
	siginfo_t info;

	if (pid != broker_agent_pid(request->broker))
		waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | __WALL | __WNOTHREAD);
}

/* The trace cannot be followed, and nobody else could let the tracee go on: it is ended. Whether a
 * number is still our tracee's, the kernel says. Where its end cannot be seen either, its parent
 * would wait for it as long as this thread lives. */
static void abandon(struct request *request)
{
	const pid_t numbers[] = {request->tid, request->tgid};
	bool ended = false;
	siginfo_t info;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (numbers[i] > 0 && trace(PTRACE_INTERRUPT, numbers[i], 0, 0) == 0 &&
		    kill(numbers[i], SIGKILL) == 0)
			ended = true;
	}
	while (ended && !request_ends(request)) {
		if (!look(request, &info)) {
			workers_fail();
			return;
		}
		if (!is_stop(&info)) {
			bury(request, info.si_pid);
			return;
		}
	}
}

/* A stop on the way to a signal's delivery: the signal is handed on with the release. */
static void let_go(const siginfo_t *info)
{
	bool event = info->si_status >> 8;

	trace(PTRACE_DETACH, info->si_pid, 0, event ? 0 : (uintptr_t)info->si_status);
}

/* Ends a trace whose caller was never answered. */
static void undo(struct request *request)
{
	siginfo_t info;

	trace(PTRACE_INTERRUPT, request->tid, 0, 0);
	if (!look(request, &info))
		abandon(request);
	else if (is_stop(&info))
		let_go(&info);
	else
		bury(request, info.si_pid);
}

int exec_trace_begin(struct request *request)
{
	long error = -EPERM;

	/* A failed exec of a moment ago may still be on its way out of our own trace. */
	for (int i = 0; error == -EPERM && i < TRIES; i++) {
		if (i > 0)
			nanosleep(&(struct timespec){.tv_nsec = 1000000L}, NULL);
		if (!request_alive(request))
			return -ESRCH;
		error =
		    trace(PTRACE_SEIZE, request->tid, 0, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
	}
	if (error)
		return (int)error;
	if (!request_alive(request)) {
		undo(request);
		return -ESRCH;
	}
	return 0;
}

enum exec_outcome exec_trace_start(struct request *request)
{
	bool early = broker_features(request->broker)->seccomp_wait_killable;
	pid_t caller = request->tid;
	siginfo_t info;

	if (early)
		trace(PTRACE_INTERRUPT, caller, 0, 0);
	request_continue(request);
	if (!early)
		trace(PTRACE_INTERRUPT, caller, 0, 0);
	if (!look(request, &info)) {
		abandon(request);
		return EXEC_FAILED;
	}
	if (!is_stop(&info)) {
		bury(request, info.si_pid);
		return EXEC_FAILED;
	}
	if (info.si_status != (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
		let_go(&info);
		return EXEC_FAILED;
	}
	/* A thread that executes takes over the number of its process. */
	request_is_now(request, info.si_pid);
	return EXEC_STARTED;
}

void exec_trace_kill(struct request *request)
{
	siginfo_t info;

	kill(request->tid, SIGKILL);
	while (look(request, &info)) {
		if (!is_stop(&info)) {
			bury(request, info.si_pid);
			return;
		}
	}
	abandon(request);
}

void exec_trace_release(struct request *request)
{
	/* Killed while it was held: it can no longer be released, only seen off. */
	if (trace(PTRACE_DETACH, request->tid, 0, 0) != 0)
		exec_trace_kill(request);
}
