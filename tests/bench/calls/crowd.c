/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An act repeated by one worker or by many at once. The many get ready, wait until all are, and
 * start together: a pipe tells that one is ready, the end of another lets them go, a third tells
 * that one is done.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/calls/calls.h"

#define STACK (256 * 1024)

struct crowd_pipes {
	int ready[2], go[2], done[2];
};

struct member {
	const struct task *task;
	const struct crowd_pipes *pipes;
	unsigned int number;
	pthread_t thread;
	pid_t process;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static int repeat(const struct task *task, struct worker *worker)
{
	for (unsigned int i = 0; i < task->count; i++) {
		int error = task->act->run(worker);

		if (error)
			return error;
	}
	return 0;
}

static int run_alone(const struct task *task, uint64_t *ret_ns)
{
	struct worker worker;
	int error = worker_prepare(&worker, 0, task->depth);
	uint64_t start = now_ns();

	if (!error)
		error = repeat(task, &worker);
	*ret_ns = now_ns() - start;
	worker_end(&worker);
	return error;
}

static void say(int fd, int error)
{
	unsigned char byte = (unsigned char)error;

	if (write(fd, &byte, 1) != 1)
		abort();
}

static void *member_run(void *argument)
{
	struct member *member = argument;
	struct worker worker;
	char byte;
	int error = worker_prepare(&worker, member->number, member->task->depth);

	say(member->pipes->ready[1], error);
	if (read(member->pipes->go[0], &byte, 1) == 0)
		say(member->pipes->done[1], repeat(member->task, &worker));
	worker_end(&worker);
	return NULL;
}

static int member_start(struct member *member)
{
	pthread_attr_t attr;
	int error;

	if (member->task->crowd == CROWD_PROCESSES) {
		member->process = fork();
		if (member->process == 0) {
			close(member->pipes->go[1]);
			member_run(member);
			_exit(0);
		}
		return member->process < 0 ? errno : 0;
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	error = pthread_create(&member->thread, &attr, member_run, member);
	pthread_attr_destroy(&attr);
	return error;
}

/* The first error that any of them tells, or 0. */
static int hear(int fd, unsigned int count)
{
	int first = 0;

	while (count--) {
		unsigned char byte;

		if (read(fd, &byte, 1) != 1)
			return EIO;
		if (byte && !first)
			first = byte;
	}
	return first;
}

static void member_join(struct member *member)
{
	if (member->task->crowd == CROWD_PROCESSES)
		waitpid(member->process, NULL, 0);
	else
		pthread_join(member->thread, NULL);
}

static int run_crowd(const struct task *task, struct crowd_pipes *pipes, struct member *members,
		     uint64_t *ret_ns)
{
	unsigned int started = 0;
	int error = 0, late;
	uint64_t start;

	while (!error && started < task->workers) {
		members[started] = (struct member){task, pipes, started, 0, 0};
		error = member_start(&members[started]);
		started += !error;
	}
	late = hear(pipes->ready[0], started);
	start = now_ns();
	close(pipes->go[1]);
	if (!error)
		error = late;
	late = hear(pipes->done[0], started);
	*ret_ns = now_ns() - start;
	while (started)
		member_join(&members[--started]);
	return error ? error : late;
}

int task_run(const struct task *task, uint64_t *ret_ns)
{
	struct crowd_pipes pipes;
	struct member *members;
	int error;

	errno = 0;
	if (task->workers == 1)
		return run_alone(task, ret_ns);
	if (pipe(pipes.ready) < 0 || pipe(pipes.go) < 0 || pipe(pipes.done) < 0)
		return errno;
	members = calloc(task->workers, sizeof(*members));
	error = members ? run_crowd(task, &pipes, members, ret_ns) : ENOMEM;
	free(members);
	close(pipes.ready[0]);
	close(pipes.ready[1]);
	close(pipes.go[0]);
	close(pipes.done[0]);
	close(pipes.done[1]);
	return error;
}
