/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that name another process, and the counting of processes.
 *
 * A call on another process has its target in a register, which nobody can rewrite, so it is let
 * through when the target belongs to the session. (Between our look and the kernel's the number
 * would have to be given out again to a stranger of the same user: a whole round of all numbers.)
 *
 * Counting: what the gate lets through is added at once, what ends is not subtracted but found by
 * counting anew, and only when the count has reached the limit. So the count is never too low: a
 * granted fork whose child is not to be seen yet stands in a list until its caller has left the
 * call.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shim/broker/broker.h"
#include "shim/broker/performers.h"
#include "shim/broker/process_tree.h"

#define IOPRIO_WHO_PROCESS 1 /* linux/ioprio.h */
#define IOPRIO_WHO_PGRP 2
/* How long a thread may be on its way through fork while it counts as running and not as being in a
 * call; the scheduler may keep it waiting. */
#define GRANT_SECONDS 5

bool process_in_session(struct broker *broker, pid_t pid)
{
	return process_descends(pid, broker_pid(broker));
}

static struct reply act_on(struct request *request, pid_t pid)
{
	struct process process;
	char object[32];

	if (pid == 0 || pid == request->tid)
		return reply_continue();
	if (pid < 0)
		return reply_error(ESRCH);
	if (process_in_session(request->broker, pid))
		return reply_continue();
	if (process_read(pid, &process) == -ESRCH)
		return reply_error(ESRCH);
	snprintf(object, sizeof(object), "process %d", (int)pid);
	return reply_error(-judge_never(request, request->name, object,
					"it does not belong to this session", EPERM));
}

/* A group may hold processes of both sides; only one that is all inside may be acted on. */
static bool group_in_session(struct request *request, pid_t group)
{
	struct process *inside;
	size_t count, members = 0;

	if (process_tree(broker_pid(request->broker), &inside, &count) != 0)
		return false;
	/* A group has its members in one login session, which began outside unless its leader is
	 * ours: the leader's number is the group's. */
	for (size_t i = 0; i < count; i++)
		members += inside[i].pid == group;
	free(inside);
	return members > 0;
}

static struct reply act_on_group(struct request *request, pid_t group)
{
	char object[32];

	if (group == 0) {
		pid_t tgid = request_tgid(request);

		group = tgid > 0 ? getpgid(tgid) : -1;
	}
	if (group > 1 && group_in_session(request, group))
		return reply_continue();
	snprintf(object, sizeof(object), "process group %d", (int)group);
	return reply_error(-judge_never(request, request->name, object,
					"it has processes that do not belong to this session",
					EPERM));
}

static struct reply act_on_user(struct request *request)
{
	return reply_error(-judge_never(request, request->name, "all processes of a user",
					"they do not all belong to this session", EPERM));
}

static struct reply act_on_some(struct request *request, int which, int process, int group,
				pid_t who)
{
	if (which == process)
		return act_on(request, who);
	if (which == group)
		return act_on_group(request, who);
	return act_on_user(request);
}

static struct reply act_kill(struct request *request, pid_t pid)
{
	if (pid > 0)
		return act_on(request, pid);
	if (pid == -1)
		return act_on_user(request);
	return act_on_group(request, pid == INT32_MIN ? -1 : -pid);
}

/* The number behind a pidfd can be swapped under us, so the gate sends the signal itself. */
static struct reply act_pidfd(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	int fd = request_getfd(request, (int)args[0]);
	char path[48], text[1024];
	long pid = 0;

	if (fd < 0)
		return reply_error(-fd);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	int info = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = info < 0 ? -1 : read(info, text, sizeof(text) - 1);

	if (info >= 0)
		close(info);
	text[n > 0 ? n : 0] = '\0';
	const char *line = strstr(text, "\nPid:\t");

	if (line)
		pid = strtol(line + 6, NULL, 10);
	struct reply reply = reply_error(line ? ESRCH : EBADF);

	if (pid > 0)
		reply = act_on(request, (pid_t)pid);
	if (reply.kind == REPLY_CONTINUE)
		reply = reply_result(
		    syscall(SYS_pidfd_send_signal, fd, (int)args[1], NULL, (unsigned int)args[3]));
	close(fd);
	return reply;
}

struct reply perform_pid(struct request *request)
{
	const __u64 *args = request->notif.data.args;

	switch (request->notif.data.nr) {
	case SYS_kill:
		return act_kill(request, (pid_t)args[0]);
	case SYS_tgkill:
	case SYS_rt_tgsigqueueinfo:
		return act_on(request, (pid_t)args[1]);
	case SYS_pidfd_send_signal:
		return act_pidfd(request);
	case SYS_setpriority:
		return act_on_some(request, (int)args[0], PRIO_PROCESS, PRIO_PGRP, (pid_t)args[1]);
	case SYS_ioprio_set:
		return act_on_some(request, (int)args[0], IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP,
				   (pid_t)args[1]);
	default:
		/* tkill, rt_sigqueueinfo, sched_set*, prlimit64, migrate_pages, move_pages */
		return act_on(request, (pid_t)args[0]);
	}
}

struct grant {
	struct grant *next;
	pid_t tid;
	time_t when;
};

/* One session in a process, so one count. */
static struct {
	pthread_mutex_t lock;
	uint64_t count; /* never below the truth */
	bool counted;
	bool told;
	struct grant *grants;
} forks = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* True when the thread can no longer be on its way through the fork that it was granted. */
static bool grant_is_over(const struct grant *grant, time_t now)
{
	char path[32], text[32];
	ssize_t n = -1;

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)grant->tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ESRCH || now - grant->when > GRANT_SECONDS;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return errno == ESRCH || now - grant->when > GRANT_SECONDS;
	text[n] = '\0';
	if (strncmp(text, "running", 7) == 0)
		return now - grant->when > GRANT_SECONDS;
	long nr = strtol(text, NULL, 10);

	return nr != SYS_clone && nr != SYS_fork && nr != SYS_vfork;
}

static uint64_t drop_grants(time_t now)
{
	uint64_t left = 0;

	for (struct grant **at = &forks.grants; *at;) {
		struct grant *grant = *at;

		if (grant_is_over(grant, now)) {
			*at = grant->next;
			free(grant);
		} else {
			left++;
			at = &grant->next;
		}
	}
	return left;
}

static time_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Under the lock. The grants are looked at first: a child that appears after is counted twice,
 * never not at all. */
static int count_anew(struct broker *broker)
{
	uint64_t grants = drop_grants(now_seconds());
	struct process *all;
	size_t count;
	int error = process_tree(broker_pid(broker), &all, &count);

	if (error)
		return error;
	free(all);
	forks.count = count + grants;
	forks.counted = true;
	return 0;
}

/* Under the lock. 0 or a negative errno. */
static int take_place(struct request *request, uint64_t limit)
{
	int error = 0;

	if (!forks.counted || forks.count >= limit)
		error = count_anew(request->broker);
	if (!error && forks.count >= limit)
		error = -EAGAIN;
	if (error)
		return error;
	struct grant *grant = malloc(sizeof(*grant));

	if (!grant)
		return -EAGAIN;
	*grant = (struct grant){.next = forks.grants, .tid = request->tid, .when = now_seconds()};
	/* One call at a time for each thread: what it was granted before is over. */
	for (struct grant **at = &grant->next; *at; at = &(*at)->next) {
		if ((*at)->tid == request->tid) {
			struct grant *old = *at;

			*at = old->next;
			free(old);
			break;
		}
	}
	forks.grants = grant;
	forks.count++;
	return 0;
}

struct reply perform_fork(struct request *request)
{
	struct scope_about about;
	char object[48];

	scope_about(broker_scope(request->broker), &about);
	if (about.processes == 0)
		return reply_continue();
	pthread_mutex_lock(&forks.lock);
	int error = take_place(request, about.processes);
	bool tell = error == -EAGAIN && !forks.told;

	forks.told |= tell;
	pthread_mutex_unlock(&forks.lock);
	if (tell) {
		snprintf(object, sizeof(object), "process %llu",
			 (unsigned long long)about.processes + 1);
		judge_never(request, "fork", object, "limits.processes is reached", EAGAIN);
	}
	return error ? reply_error(-error) : reply_continue();
}
