/* SPDX-License-Identifier: Apache-2.0 */
/* Signals and tracing. What naming a process takes is in process_target.c. */
#include "shim/broker/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "policy/plan/access.h"
#include "shim/broker/gate.h"
#include "shim/broker/nest.h"
#include "shim/broker/performers.h"
#include "shim/broker/process_tree.h"

static bool is_traced(const struct request *request)
{
	return broker_features(request->broker)->landlock_abi >= 1;
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
		int error = pid > 0 ? process_look(request, pid) : 0;

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
		int error = process_look(request, pid);

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
	pid_t process = named ? (pid_t)args[0] : process_of_thread(thread);

	if (process_signals_scoped(request)) {
		int error = process_look(request, thread);

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
	char path[48];
	pid_t pid;

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	*ret_fd = fd;
	if (!process_number_of(path, "\nPid:\t", &pid))
		return process_of_folder(fd);
	return pid > 0 ? pid : -ESRCH;
}

/* The number behind the caller's descriptor can be swapped under us, so the gate sends the signal
 * itself where Landlock would not notice. */
static struct reply act_pidfd_signal(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	int fd = -1, pid = read_pidfd(request, (int)args[0], &fd);
	int error = pid < 0 ? pid : process_look(request, pid);
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
struct reply perform_trace(struct request *request)
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
	int error = pid < 0 ? pid : process_look(request, pid);

	if (!error && request->notif.data.nr == SYS_kcmp)
		error = process_look(request, (pid_t)args[1]);
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
