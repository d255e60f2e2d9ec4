/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that name another process: signals and tracing here, the rest in process_set.c. Only what
 * belongs to the session may be named.
 *
 * Between the gate's look at a number and the kernel's own the process can end and its number be
 * given to a stranger: the agent can make processes until the next number is the one, and keep the
 * calling thread from running meanwhile. So after a look the kernel goes on by itself (CONTINUE)
 * only
 *  - where Landlock has the last word: signals where it scopes them (ABI 6), and all that asks for
 *    the right to trace (ABI 1);
 *  - where the number cannot be given away: the caller's own thread, process and group.
 * Everything else the gate does itself: by pidfd where the kernel has such a call, else by number
 * with the process held by a pidfd and alive just before. What then remains is the time between two
 * neighbouring system calls of the gate, which the agent cannot stretch, and in which the process
 * would have to end, be reaped, and its number come round.
 */
#include "shim/broker/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "policy/plan/access.h"
#include "shim/broker/gate.h"
#include "shim/broker/nest.h"
#include "shim/broker/performers.h"
#include "shim/broker/process_tree.h"

#define PIDFD_THREAD_FLAG O_EXCL /* linux/pidfd.h, Linux 6.9 */

bool process_in_session(struct request *request, pid_t pid)
{
	return nest_holds(request->broker, request->nested, pid);
}

bool process_signals_scoped(const struct request *request)
{
	return (broker_plan(request->broker)->wall.scoped & SCOPE_SIGNAL) != 0;
}

static bool is_traced(const struct request *request)
{
	return broker_features(request->broker)->landlock_abi >= 1;
}

bool process_is_callers(struct request *request, pid_t pid)
{
	return pid == 0 || pid == request->tid || pid == request_tgid(request);
}

pid_t process_own_group(struct request *request)
{
	pid_t tgid = request_tgid(request), group = tgid > 0 ? getpgid(tgid) : -1;

	return group >= 0 && request_alive(request) ? group : -ESRCH;
}

int process_refuse(struct request *request, pid_t pid)
{
	char object[32];

	snprintf(object, sizeof(object), "process %d", (int)pid);
	return judge_never(request, request->name, object, "it does not belong to this session",
			   EPERM);
}

int process_refuse_group(struct request *request, pid_t group)
{
	char object[32];

	snprintf(object, sizeof(object), "process group %d", (int)group);
	return judge_never(request, request->name, object,
			   "it has processes that do not belong to this session", EPERM);
}

int process_refuse_user(struct request *request)
{
	return judge_never(request, request->name, "all processes of a user",
			   "they do not all belong to this session", EPERM);
}

/* 0, -ESRCH, or the refusal. Of this moment only. */
static int look(struct request *request, pid_t pid)
{
	struct process process;

	if (pid < 0)
		return -ESRCH;
	if (process_is_callers(request, pid) || process_in_session(request, pid))
		return 0;
	if (process_read(pid, &process) == -ESRCH || !request_alive(request))
		return -ESRCH;
	/* Its number, or that of a parent, may have come round between the looks. */
	return process_in_session(request, pid) ? 0 : process_refuse(request, pid);
}

/* The process that a thread belongs to. */
static pid_t process_of(pid_t tid)
{
	char path[32], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	const char *line = strstr(text, "\nTgid:\t");

	return line ? (pid_t)strtol(line + 7, NULL, 10) : -ESRCH;
}

bool target_alive(const struct target *target)
{
	struct pollfd ended = {.fd = target->pidfd, .events = POLLIN};

	return poll(&ended, 1, 0) == 0;
}

void target_close(struct target *target)
{
	if (target->pidfd >= 0)
		close(target->pidfd);
	target->pidfd = -1;
}

/* What is alive after the look was there all the while, so the look was at it. */
int target_open(struct request *request, pid_t pid, struct target *out)
{
	/* Before 6.9 a thread is held by its process. */
	int fd = broker_features(request->broker)->pidfd_thread
		     ? (int)syscall(SYS_pidfd_open, pid, PIDFD_THREAD_FLAG)
		     : (int)syscall(SYS_pidfd_open, process_of(pid), 0);
	*out = (struct target){.pid = pid, .pidfd = fd};
	int error = fd < 0 ? -ESRCH : look(request, pid);

	if (!error && !target_alive(out))
		error = -ESRCH;
	if (error)
		target_close(out);
	return error;
}

/* A group has its members in one login session, which began outside unless its leader is ours: the
 * leader's number is the group's. */
bool process_group_inside(struct request *request, pid_t group)
{
	struct process *inside;
	size_t count, members = 0;

	if (process_tree(broker_pid(request->broker), &inside, &count) != 0)
		return false;
	for (size_t i = 0; i < count; i++)
		members += inside[i].pid == group;
	free(inside);
	return members > 0 && (!request->nested || process_in_session(request, group));
}

/* By pidfd: never anybody else. The receiver sees the gate as the sender of what has no siginfo. */
static struct reply send_signal(struct request *request, pid_t pid, int number, siginfo_t *info)
{
	struct target target;

	if (process_is_callers(request, pid))
		return reply_continue();
	int error = target_open(request, pid, &target);

	if (error)
		return reply_error(-error);
	struct reply reply =
	    reply_result(syscall(SYS_pidfd_send_signal, target.pidfd, number, info, 0));

	/* A thread's pidfd without PIDFD_SIGNAL_THREAD signals its process, as kill(2) does. */
	target_close(&target);
	return reply;
}

static struct reply kill_group(struct request *request, pid_t group, int number)
{
	pid_t own = process_own_group(request);

	if (group == 0)
		group = own;
	if (own < 0)
		return reply_error(ESRCH);
	if (group <= 1 || !process_group_inside(request, group))
		return reply_error(-process_refuse_group(request, group));
	return group == own ? reply_continue() : reply_result(kill(-group, number));
}

static struct reply act_kill(struct request *request)
{
	pid_t pid = (pid_t)request->notif.data.args[0];
	int number = (int)request->notif.data.args[1];

	if (process_signals_scoped(request)) {
		int error = pid > 0 ? look(request, pid) : 0;

		return error ? reply_error(-error) : reply_continue();
	}
	if (pid > 0)
		return send_signal(request, pid, number, NULL);
	if (pid == -1)
		return reply_error(-process_refuse_user(request));
	return kill_group(request, pid == INT32_MIN ? -1 : -pid, number);
}

/* What the kernel asks of a siginfo for another process (do_rt_sigqueueinfo(), kernel/signal.c). */
static int read_info(struct request *request, uint64_t address, int number, siginfo_t *out)
{
	int error = memory_read(request, address, out, sizeof(*out));

	if (error)
		return error == -EPERM ? -EACCES : error;
	out->si_signo = number;
	return out->si_code >= 0 || out->si_code == SI_TKILL ? -EPERM : 0;
}

static struct reply act_queue(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	pid_t pid = (pid_t)args[0];
	siginfo_t info;

	if (process_signals_scoped(request) || process_is_callers(request, pid)) {
		int error = look(request, pid);

		return error ? reply_error(-error) : reply_continue();
	}
	int error = read_info(request, args[2], (int)args[1], &info);

	return error ? reply_error(-error) : send_signal(request, pid, (int)args[1], &info);
}

/* The kernel sends only to a thread of the process that is named with it. */
static struct reply signal_thread(struct request *request, pid_t process, pid_t thread, int number)
{
	struct target target;

	if (process <= 0 || thread <= 0)
		return reply_error(EINVAL);
	int error = target_open(request, process, &target);

	if (error)
		return reply_error(-error);
	struct reply reply = reply_result(syscall(SYS_tgkill, process, thread, number));

	target_close(&target);
	return reply;
}

static struct reply act_thread(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	bool named = request->notif.data.nr != SYS_tkill; /* the process, too */
	pid_t thread = (pid_t)args[named ? 1 : 0];
	pid_t process = named ? (pid_t)args[0] : process_of(thread);

	if (process_signals_scoped(request)) {
		int error = look(request, thread);

		return error ? reply_error(-error) : reply_continue();
	}
	if (thread == request->tid || (named && process == request_tgid(request)))
		return reply_continue();
	/* A siginfo for one thread of another process: nothing but debuggers makes one. */
	if (request->notif.data.nr == SYS_rt_tgsigqueueinfo)
		return reply_error(-judge_never(request, request->name, "another process's thread",
						"this kernel cannot keep it within the session",
						EPERM));
	return signal_thread(request, process, thread, (int)args[named ? 2 : 1]);
}

/* The kernel takes an open /proc/PID for a pidfd. The number of an ended process may be another's
 * by now, but then the folder is nobody's any more. -EBADF: it is none. */
static int process_of_folder(int fd)
{
	char link[40], text[40];
	struct statfs fs;
	int pid, end = 0;

	if (fstatfs(fd, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC)
		return -EBADF;
	ssize_t n = readlink(object_self_path(fd, link), text, sizeof(text) - 1);

	if (n <= 0)
		return -EBADF;
	text[n] = '\0';
	return sscanf(text, "/proc/%d%n", &pid, &end) == 1 && text[end] == '\0' && pid > 0 ? pid
											   : -EBADF;
}

/* What a pidfd of the caller stands for. *ret_fd is the gate's own. -ESRCH when it has ended. */
static int read_pidfd(struct request *request, int number, int *ret_fd)
{
	int fd = request_getfd(request, number);
	char path[48], text[1024];
	long pid = 0;

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	int info = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = info < 0 ? -1 : read(info, text, sizeof(text) - 1);

	if (info >= 0)
		close(info);
	text[n > 0 ? n : 0] = '\0';
	const char *line = strstr(text, "\nPid:\t");

	if (line)
		pid = strtol(line + 6, NULL, 10);
	*ret_fd = fd;
	return line ? (pid > 0 ? (int)pid : -ESRCH) : process_of_folder(fd);
}

/* The number behind the caller's descriptor can be swapped under us, so the gate sends the signal
 * itself where Landlock would not notice. */
static struct reply act_pidfd_signal(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	int fd = -1, pid = read_pidfd(request, (int)args[0], &fd);
	int error = pid < 0 ? pid : look(request, pid);
	struct reply reply = reply_error(-error);
	siginfo_t info;

	if (error)
		goto out;
	reply = reply_continue();
	if (process_signals_scoped(request))
		goto out;
	if (args[2] != 0)
		error = read_info(request, args[2], (int)args[1], &info);
	reply = error ? reply_error(-error)
		      : reply_result(syscall(SYS_pidfd_send_signal, fd, (int)args[1],
					     args[2] ? &info : NULL, (unsigned int)args[3]));
out:
	if (fd >= 0)
		close(fd);
	return reply;
}

/* The right to trace is Landlock's to refuse; the gate only writes down that it was asked for. */
static struct reply act_trace(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	int fd = -1, pid = (pid_t)args[0];

	if (!is_traced(request))
		return reply_error(-judge_never(request, request->name, "tracing",
						"this kernel cannot keep it within the session",
						EPERM));
	switch (request->notif.data.nr) {
	case SYS_ptrace:
		pid = (pid_t)args[1];
		break;
	case SYS_pidfd_getfd:
	case SYS_process_madvise:
		pid = read_pidfd(request, (int)args[0], &fd);
		break;
	default:
		break;
	}
	if (fd >= 0)
		close(fd);
	int error = pid < 0 ? pid : look(request, pid);

	if (!error && request->notif.data.nr == SYS_kcmp)
		error = look(request, (pid_t)args[1]);
	return error ? reply_error(-error) : reply_continue();
}

struct reply perform_signal(struct request *request)
{
	switch (request->notif.data.nr) {
	case SYS_kill:
		return act_kill(request);
	case SYS_rt_sigqueueinfo:
		return act_queue(request);
	case SYS_pidfd_send_signal:
		return act_pidfd_signal(request);
	default: /* tkill, tgkill, rt_tgsigqueueinfo */
		return act_thread(request);
	}
}

struct reply perform_trace(struct request *request)
{
	return act_trace(request);
}
