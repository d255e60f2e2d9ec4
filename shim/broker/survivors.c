/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guarantees: no signal ever reaches a process outside the session (the handle is opened first and
 * the parents are looked up after, so a pid that was given out again is not taken for the old
 * process), and a program that forks without end cannot outrun it: everything is stopped before
 * anything is killed.
 */
#include "shim/broker/survivors.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/broker/process_tree.h"

#define FREEZE_PASSES 64

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int signal_descendant(pid_t pid, int signal)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (!process_descends(pid, getpid()))
		error = -ESRCH;
	else if (syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) != 0)
		error = -errno;
	close(fd);
	return error;
}

static bool runs(const struct process *process)
{
	return process->state != 'T' && process->state != 't' && process->state != 'Z' &&
	       process->state != 'X';
}

static int remember(pid_t **list, size_t *count, pid_t pid)
{
	for (size_t i = 0; i < *count; i++) {
		if ((*list)[i] == pid)
			return 0;
	}
	pid_t *grown = reallocarray(*list, *count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*list = grown;
	grown[(*count)++] = pid;
	return 0;
}

/* One look at all; *running gets how many had to be told to stop. */
static int freeze_pass(pid_t **list, size_t *count, size_t *running)
{
	struct process *all;
	size_t total;
	int error = process_tree(getpid(), &all, &total);

	*running = 0;
	if (error)
		return error;
	for (size_t i = 0; i < total && !error; i++) {
		if (!runs(&all[i]))
			continue;
		(*running)++;
		if (list)
			error = remember(list, count, all[i].pid);
		if (!error)
			signal_descendant(all[i].pid, SIGSTOP);
	}
	free(all);
	return error;
}

/* A stop takes effect when the process next leaves the kernel: a process in the middle of a call
 * that waits for the gate is looked at a few times, not for ever. */
static int freeze(pid_t **list, size_t *count)
{
	size_t running = 1;
	int error = 0;

	for (int pass = 0; pass < FREEZE_PASSES && running > 0 && !error; pass++) {
		error = freeze_pass(list, count, &running);
		if (running > 0)
			nanosleep(&(struct timespec){.tv_nsec = pass < 8 ? 100000L : 2000000L},
				  NULL);
	}
	if (error)
		return error;
	return running > 0 ? -EBUSY : 0;
}

int survivors_freeze(pid_t **out, size_t *count)
{
	*out = NULL;
	*count = 0;
	int error = freeze(out, count);

	if (error) {
		survivors_thaw(*out, *count);
		*out = NULL;
		*count = 0;
	}
	return error;
}

void survivors_thaw(pid_t *pids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		signal_descendant(pids[i], SIGCONT);
	free(pids);
}

/* Returns true when no child is left at all. */
static bool reap(void)
{
	pid_t pid;

	do
		pid = waitpid(-1, NULL, WNOHANG);
	while (pid > 0 || (pid < 0 && errno == EINTR));
	return pid < 0 && errno == ECHILD;
}

static size_t kill_all(void)
{
	struct process *all;
	size_t total, ended = 0;

	if (process_tree(getpid(), &all, &total) != 0)
		return 0;
	for (size_t i = 0; i < total; i++) {
		if (all[i].state != 'Z')
			ended += signal_descendant(all[i].pid, SIGKILL) == 0;
	}
	free(all);
	return ended;
}

int survivors_end(size_t *count)
{
	int64_t end = now_ms() + SURVIVORS_SECONDS * 1000;
	bool first = true;

	if (count)
		*count = 0;
	while (!reap()) {
		if (now_ms() > end)
			return -ETIME;
		size_t running;

		for (int pass = 0; pass < FREEZE_PASSES; pass++) {
			if (freeze_pass(NULL, NULL, &running) != 0 || running == 0)
				break;
		}
		size_t killed = kill_all();

		if (first && count)
			*count = killed;
		first = false;
		nanosleep(&(struct timespec){.tv_nsec = 500000L}, NULL);
	}
	return 0;
}
