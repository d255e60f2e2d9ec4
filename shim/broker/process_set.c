/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits, priorities, scheduling, jobs and signal owners of other processes of the session. No
 * kernel interface names these by pidfd and Landlock knows none of them, so the gate copies the
 * arguments and makes the call itself, with the process held (process_target.c says what that
 * leaves open). What asks for the right to trace is left to Landlock.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/broker/gate.h"
#include "shim/broker/nest.h"
#include "shim/broker/performers.h"
#include "shim/broker/process.h"
#include "shim/broker/process_tree.h"

#define IOPRIO_WHO_PROCESS 1 /* linux/ioprio.h */
#define IOPRIO_WHO_PGRP 2
#define CPUSET_MAX 8192	   /* bytes of a CPU mask: far more than any kernel's */
#define SCHED_ATTR_MAX 256 /* linux/sched/types.h has 56 */

/* What one call points to, copied. */
struct act {
	struct request *request;
	pid_t pid;
	union {
		struct rlimit limit;
		int priority; /* struct sched_param */
		struct sched_attr attr;
		unsigned char bytes[CPUSET_MAX];
	} in;
	size_t size;
};

static int fault(int error)
{
	return error == -EPERM ? -EACCES : error;
}

static int copy(struct act *act, uint64_t address, size_t size)
{
	act->size = size;
	return fault(memory_read(act->request, address, &act->in, size));
}

/* sched_copy_attr() in kernel/sched/syscalls.c: a size of 0 means the first one that there was. */
static int copy_attr(struct act *act, uint64_t address)
{
	uint32_t size;

	if (address == 0)
		return -EINVAL;
	int error = fault(memory_read(act->request, address, &size, sizeof(size)));

	if (error)
		return error;
	if (size == 0)
		size = SCHED_ATTR_SIZE_VER0;
	if (size < SCHED_ATTR_SIZE_VER0 || size > SCHED_ATTR_MAX)
		return -E2BIG;
	error = copy(act, address, size);
	/* It may have been rewritten since. */
	act->in.attr.size = size;
	return error;
}

static int read_act(struct act *act)
{
	const __u64 *args = act->request->notif.data.args;

	switch (act->request->notif.data.nr) {
	case SYS_prlimit64:
		return args[2] ? copy(act, args[2], sizeof(act->in.limit)) : 0;
	case SYS_sched_setparam:
		return args[1] ? copy(act, args[1], sizeof(act->in.priority)) : -EINVAL;
	case SYS_sched_setscheduler:
		return args[2] ? copy(act, args[2], sizeof(act->in.priority)) : -EINVAL;
	case SYS_sched_setaffinity:
		return copy(act, args[2],
			    (uint32_t)args[1] < CPUSET_MAX ? (uint32_t)args[1] : CPUSET_MAX);
	case SYS_sched_setattr:
		return copy_attr(act, args[1]);
	default:
		return 0;
	}
}

static long prlimit_of(const struct act *act, struct rlimit *old)
{
	const __u64 *args = act->request->notif.data.args;

	return syscall(SYS_prlimit64, act->pid, (unsigned int)args[1],
		       args[2] ? &act->in.limit : NULL, args[3] ? old : NULL);
}

static struct reply perform_act(const struct act *act)
{
	const __u64 *args = act->request->notif.data.args;
	struct rlimit old;
	long result;

	switch (act->request->notif.data.nr) {
	case SYS_prlimit64:
		result = prlimit_of(act, &old);
		if (result == 0 && args[3]) {
			int error = fault(memory_write(act->request, args[3], &old, sizeof(old)));

			return error ? reply_error(-error) : reply_value(0);
		}
		return reply_result(result);
	case SYS_sched_setparam:
		return reply_result(syscall(SYS_sched_setparam, act->pid, &act->in));
	case SYS_sched_setscheduler:
		return reply_result(
		    syscall(SYS_sched_setscheduler, act->pid, (int)args[1], &act->in));
	case SYS_sched_setaffinity:
		return reply_result(
		    syscall(SYS_sched_setaffinity, act->pid, (unsigned int)act->size, &act->in));
	case SYS_sched_setattr:
		return reply_result(
		    syscall(SYS_sched_setattr, act->pid, &act->in, (unsigned int)args[2]));
	case SYS_setpriority:
		return reply_result(syscall(SYS_setpriority, PRIO_PROCESS, act->pid, (int)args[2]));
	case SYS_ioprio_set:
		return reply_result(
		    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, act->pid, (int)args[2]));
	default:
		return reply_error(EPERM);
	}
}

static bool is_scheduling(int nr)
{
	return nr == SYS_sched_setparam || nr == SYS_sched_setscheduler ||
	       nr == SYS_sched_setaffinity || nr == SYS_sched_setattr;
}

static struct reply act_on(struct request *request, pid_t pid)
{
	struct act act = {.request = request, .pid = pid};
	struct target target;

	if (pid < 0)
		return reply_error(is_scheduling(request->notif.data.nr) ? EINVAL : ESRCH);
	if (process_is_callers(request, pid))
		return reply_continue();
	int error = read_act(&act);

	if (!error)
		error = target_open(request, pid, &target);
	if (error)
		return reply_error(-error);
	/* Reading may have taken its time. */
	struct reply reply = target_alive(&target) ? perform_act(&act) : reply_error(ESRCH);

	target_close(&target);
	return reply;
}

static struct reply act_on_group(struct request *request, int which, pid_t group)
{
	const __u64 *args = request->notif.data.args;
	pid_t own = process_own_group(request);

	if (own < 0)
		return reply_error(ESRCH);
	if (group == 0)
		group = own;
	if (group <= 1 || !process_group_inside(request, group))
		return reply_error(-process_refuse_group(request, group));
	if (group == own)
		return reply_continue();
	return reply_result(syscall(request->notif.data.nr, which, group, (int)args[2]));
}

/* Behind the two comes the user: PRIO_USER, IOPRIO_WHO_USER. */
static struct reply act_on_some(struct request *request, int process, int group)
{
	int which = (int)request->notif.data.args[0];
	pid_t who = (pid_t)request->notif.data.args[1];

	if (which == process)
		return act_on(request, who);
	if (which == group)
		return act_on_group(request, which, who);
	return which == group + 1 ? reply_error(-process_refuse_user(request))
				  : reply_error(EINVAL);
}

/* Both need the right to trace (ptrace_may_access() in mm/), which Landlock keeps inside. */
static struct reply act_on_pages(struct request *request, pid_t pid)
{
	struct target target;

	if (process_is_callers(request, pid))
		return reply_continue();
	int error = pid < 0 ? -ESRCH : target_open(request, pid, &target);

	if (error)
		return reply_error(-error);
	target_close(&target);
	if (broker_features(request->broker)->landlock_abi >= 1)
		return reply_continue();
	return reply_error(-judge_never(request, request->name, "another process",
					"this kernel cannot keep it within the session", EPERM));
}

struct reply perform_set(struct request *request)
{
	const __u64 *args = request->notif.data.args;

	switch (request->notif.data.nr) {
	case SYS_setpriority:
		return act_on_some(request, PRIO_PROCESS, PRIO_PGRP);
	case SYS_ioprio_set:
		return act_on_some(request, IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP);
	case SYS_migrate_pages:
	case SYS_move_pages:
	case SYS_get_robust_list:
		return act_on_pages(request, (pid_t)args[0]);
	default: /* sched_set*, prlimit64 */
		return act_on(request, (pid_t)args[0]);
	}
}

/*
 * Who gets the signals of a descriptor; only asked where Landlock does not scope signals. Nobody is
 * no harm, and the caller's own process and group cannot come to mean others; F_SETOWN_EX keeps its
 * number in memory, which can be rewritten.
 */
struct reply perform_fcntl(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	int who = (int)args[2];
	pid_t own = process_own_group(request);
	bool known = (int)args[1] == F_SETOWN;

	if (known && who >= 0 && process_is_callers(request, who))
		return reply_continue();
	if (known && who < 0 && own > 0 && who == -own && process_group_inside(request, own))
		return reply_continue();
	return reply_error(-judge_never(request, request->name, known ? "F_SETOWN" : "F_SETOWN_EX",
					"this kernel cannot keep the signals within the session",
					EPERM));
}

/* The group that the caller's session was begun in: who left it for a while may come back. */
static pid_t first_group(const struct request *request)
{
	return request->nested ? getpgid(request->nested->owner) : getpgrp();
}

static bool is_member_inside(struct request *request, pid_t group)
{
	struct process *inside;
	size_t count;
	bool found = false;

	if (process_tree(broker_pid(request->broker), &inside, &count) != 0)
		return false;
	for (size_t i = 0; i < count && !found; i++)
		found = getpgid(inside[i].pid) == group &&
			(!request->nested || process_in_session(request, inside[i].pid));
	free(inside);
	return found;
}

/*
 * What a terminal does to one member of a group that reads from it in the background it does to
 * all: they stop, and Landlock is not asked. So nobody joins the job of a process outside. A group
 * that some process of the session is in was made inside, or is the one that the session was begun
 * in: nobody comes into another. The kernel alone can make the call; that the group ends meanwhile
 * and its number comes to be a stranger's, in the same login session, would cost that one a stop.
 */
struct reply perform_setpgid(struct request *request)
{
	pid_t pid = (pid_t)request->notif.data.args[0], group = (pid_t)request->notif.data.args[1];

	if (group < 0)
		return reply_error(EINVAL);
	if (pid == 0)
		pid = request_tgid(request);
	if (group == 0 || group == pid || group == first_group(request) ||
	    is_member_inside(request, group))
		return reply_continue();
	if (kill(-group, 0) != 0 && errno == ESRCH)
		return reply_error(EPERM); /* as of the kernel: there is none such */
	return reply_error(-process_refuse_group(request, group));
}
