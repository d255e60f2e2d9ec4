/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which process a number names, and whether it is of the session: only that may be named.
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
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/plan/access.h"
#include "shim/broker/gate.h"
#include "shim/broker/nest.h"
#include "shim/broker/process_tree.h"
#include "shim/common/uapi.h"

bool process_in_session(struct request *request, pid_t pid)
{
	return nest_holds(request->broker, request->nested, pid);
}

bool process_signals_scoped(const struct request *request)
{
	return (broker_plan(request->broker)->wall.scoped & SCOPE_SIGNAL) != 0;
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

static int refuse(struct request *request, pid_t pid)
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

int process_look(struct request *request, pid_t pid)
{
	struct process process;

	if (pid < 0)
		return -ESRCH;
	if (process_is_callers(request, pid) || process_in_session(request, pid))
		return 0;
	if (process_read(pid, &process) == -ESRCH || !request_alive(request))
		return -ESRCH;
	/* Its number, or that of a parent, may have come round between the looks. */
	return process_in_session(request, pid) ? 0 : refuse(request, pid);
}

bool process_number_of(const char *file, const char *field, pid_t *out)
{
	char text[1024];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	const char *line = strstr(text, field);

	if (line)
		*out = (pid_t)strtol(line + strlen(field), NULL, 10);
	return line != NULL;
}

pid_t process_of_thread(pid_t tid)
{
	char path[32];
	pid_t process;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	return process_number_of(path, "\nTgid:\t", &process) ? process : -ESRCH;
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
		     ? (int)syscall(SYS_pidfd_open, pid, PIDFD_THREAD)
		     : (int)syscall(SYS_pidfd_open, process_of_thread(pid), 0);
	*out = (struct target){.pid = pid, .pidfd = fd};
	int error = fd < 0 ? -ESRCH : process_look(request, pid);

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
