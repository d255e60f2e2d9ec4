/* SPDX-License-Identifier: Apache-2.0 */
/* Programs and threads started. */
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/calls/calls.h"

#define PROGRAM "/bin/true"

extern char **environ;

static int ended(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) < 0)
		return errno;
	return status ? EACCES : 0;
}

static int fork_exec(struct worker *worker)
{
	pid_t child = fork();

	(void)worker;
	if (child == 0) {
		execl(PROGRAM, "true", (char *)NULL);
		_exit(127);
	}
	return child < 0 ? errno : ended(child);
}

static int spawn(struct worker *worker)
{
	char name[] = "true", *argv[] = {name, NULL};
	pid_t child;
	int error = posix_spawn(&child, PROGRAM, NULL, NULL, argv, environ);

	(void)worker;
	return error ? error : ended(child);
}

static int fork_exit(struct worker *worker)
{
	pid_t child = fork();

	(void)worker;
	if (child == 0)
		_exit(0);
	return child < 0 ? errno : ended(child);
}

static void *nothing(void *argument)
{
	return argument;
}

static int thread_start(struct worker *worker)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, nothing, worker);

	return error ? error : pthread_join(thread, NULL);
}

const struct act process_acts[] = {
    {"fork_exit", fork_exit},
    {"fork_exec_true", fork_exec},
    {"posix_spawn_true", spawn},
    {"thread_start", thread_start},
    {NULL, NULL},
};
