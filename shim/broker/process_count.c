/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counting of processes against limits.processes. What the gate lets through is added at once,
 * what ends is not subtracted but found by counting anew, and only when the count has reached the
 * limit. So the count is never too low: a granted fork whose child is not to be seen yet stands in
 * a list until its caller has left the call.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shim/broker/broker.h"
#include "shim/broker/nest.h"
#include "shim/broker/never.h"
#include "shim/broker/performers.h"
#include "shim/broker/process_forks.h"
#include "shim/broker/process_tree.h"

/* How long a thread may be on its way through fork while it counts as running and not as being in a
 * call; the scheduler may keep it waiting. */
#define GRANT_SECONDS 5

struct grant {
	struct grant *next;
	pid_t tid;
	time_t when;
};

struct forks {
	pthread_mutex_t lock;
	uint64_t count; /* never below the truth */
	bool counted;
	bool told;
	struct grant *grants;
};

/* One session in a process, so one count; inner sessions have their own. */
static struct forks session_forks = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct forks *process_forks_new(void)
{
	struct forks *forks = calloc(1, sizeof(*forks));

	if (forks)
		pthread_mutex_init(&forks->lock, NULL);
	return forks;
}

void process_forks_free(struct forks *forks)
{
	if (!forks)
		return;
	while (forks->grants) {
		struct grant *grant = forks->grants;

		forks->grants = grant->next;
		free(grant);
	}
	pthread_mutex_destroy(&forks->lock);
	free(forks);
}

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
	bool gone = n < 0 && errno == ESRCH;

	close(fd);
	if (n <= 0)
		return gone || now - grant->when > GRANT_SECONDS;
	text[n] = '\0';
	if (strncmp(text, "running", 7) == 0)
		return now - grant->when > GRANT_SECONDS;
	long nr = strtol(text, NULL, 10);

	return nr != SYS_clone && nr != SYS_fork && nr != SYS_vfork;
}

static uint64_t drop_grants(struct forks *forks, time_t now)
{
	uint64_t left = 0;

	for (struct grant **at = &forks->grants; *at;) {
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
static int count_anew(struct forks *forks, struct broker *broker, const struct nested *nested)
{
	uint64_t grants = drop_grants(forks, now_seconds());
	struct process *all;
	size_t count;
	int error = process_tree(broker_pid(broker), &all, &count);

	if (error)
		return error;
	size_t inside = nested ? 0 : count;

	for (size_t i = 0; nested && i < count; i++)
		inside += nest_holds(broker, nested, all[i].pid);
	free(all);
	forks->count = inside + grants;
	forks->counted = true;
	return 0;
}

/* Under the lock. 0 or a negative errno. */
static int take_place(struct forks *forks, struct request *request, const struct nested *nested,
		      uint64_t limit)
{
	int error = 0;

	if (!forks->counted || forks->count >= limit)
		error = count_anew(forks, request->broker, nested);
	if (!error && forks->count >= limit)
		error = -EAGAIN;
	if (error)
		return error;
	struct grant *grant = malloc(sizeof(*grant));

	if (!grant)
		return -EAGAIN;
	*grant = (struct grant){.next = forks->grants, .tid = request->tid, .when = now_seconds()};
	/* One call at a time for each thread: what it was granted before is over. */
	for (struct grant **at = &grant->next; *at; at = &(*at)->next) {
		if ((*at)->tid == request->tid) {
			struct grant *old = *at;

			*at = old->next;
			free(old);
			break;
		}
	}
	forks->grants = grant;
	forks->count++;
	return 0;
}

/* 0 or a negative errno. */
static int count_fork(struct request *request, const struct nested *nested,
		      const struct scope *scope)
{
	struct forks *forks = nested ? nested->forks : &session_forks;
	struct scope_about about;
	char object[48];

	scope_about(scope, &about);
	if (about.processes == 0)
		return 0;
	pthread_mutex_lock(&forks->lock);
	int error = take_place(forks, request, nested, about.processes);
	bool tell = error == -EAGAIN && !forks->told;

	forks->told |= tell;
	pthread_mutex_unlock(&forks->lock);
	if (tell) {
		snprintf(object, sizeof(object), "process %llu",
			 (unsigned long long)about.processes + 1);
		judge_never(request, "fork", object, "limits.processes is reached", EAGAIN);
	}
	return error;
}

struct reply perform_fork(struct request *request)
{
	const struct scope *scope;
	struct reply refusal;
	int error = 0;

	if (never_clone(request, &refusal))
		return refusal;
	for (unsigned int n = 0; !error && (scope = nest_scope(request, n)); n++)
		error = count_fork(request, nest_level(request, n), scope);
	return error ? reply_error(-error) : reply_continue();
}
