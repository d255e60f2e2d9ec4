/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guarantees: no signal ever reaches a process outside the session (the handle is opened first and
 * the parents are looked up after, so a pid that was given out again is not taken for the old
 * process), and a program that forks without end cannot outrun it: everything is stopped before
 * anything is killed. Where /proc hides those that may not be traced (hidepid), they are found when
 * they have become our children; they are killed one generation after another.
 */
#include "shim/broker/survivors.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/broker/deadline.h"
#include "shim/broker/process_tree.h"

/* PID_MAX_LIMIT, linux/threads.h. */
#define NUMBERS (4 * 1024 * 1024)
#define HIDDEN_PASSES 8
#define FREEZE_PASSES 64
#define CLEAN_PASSES 3

/* Which of the descendants are meant; belongs NULL: all. */
struct selection {
	bool (*belongs)(void *context, pid_t pid);
	void *context;
};

static const struct selection everybody;

static bool selects(const struct selection *selection, pid_t pid)
{
	return !selection->belongs || selection->belongs(selection->context, pid);
}

static int signal_descendant(const struct selection *selection, pid_t pid, int signal)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (!process_descends(pid, getpid()) || !selects(selection, pid))
		error = -ESRCH;
	else if (syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) != 0)
		error = -errno;
	close(fd);
	return error;
}

/* What is traced ('t') is about to: the gate holds a program only until it has looked at it. Where
 * the first thread has ended, it does not show whether the others are stopped. */
static bool runs(const struct process *process)
{
	return process->state != 'T' && !process_has_ended(process);
}

/* 1: it was not in the list; 0: it was. */
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
	return 1;
}

/* One look at all: tells what runs to stop. The number of those not told before, or a negative
 * errno. */
static int freeze_pass(const struct selection *selection, pid_t **list, size_t *count)
{
	struct process *all;
	size_t total;
	int added = process_tree(getpid(), &all, &total), fresh = 0;

	if (added)
		return added;
	for (size_t i = 0; i < total && added >= 0; i++) {
		if (!runs(&all[i]) || !selects(selection, all[i].pid))
			continue;
		signal_descendant(selection, all[i].pid, SIGSTOP);
		added = remember(list, count, all[i].pid);
		fresh += added == 1;
	}
	free(all);
	return added < 0 ? added : fresh;
}

/*
 * A process that was told to stop runs none of its own code any more, also where it still shows as
 * running or waits in the kernel (a parent in vfork waits there for a child that has stopped). What
 * was in the middle of fork, or of waking another, shows in the passes after: a few that find
 * nothing new are the end.
 */
static int freeze(const struct selection *selection, pid_t **list, size_t *count)
{
	int clean = 0;

	for (int pass = 0; pass < FREEZE_PASSES && clean < CLEAN_PASSES; pass++) {
		int fresh = freeze_pass(selection, list, count);

		if (fresh < 0)
			return fresh;
		clean = fresh ? 0 : clean + 1;
		if (clean < CLEAN_PASSES)
			nanosleep(&(struct timespec){.tv_nsec = 500000L}, NULL);
	}
	return clean < CLEAN_PASSES ? -EBUSY : 0;
}

int survivors_freeze(pid_t **out, size_t *count)
{
	*out = NULL;
	*count = 0;
	int error = freeze(&everybody, out, count);

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
		signal_descendant(&everybody, pids[i], SIGCONT);
	free(pids);
}

/* Returns true when no child is left at all. */
static bool reap(void)
{
	pid_t pid;

	do
		pid = waitpid(-1, NULL, WNOHANG);
	while (pid > 0 || (pid < 0 && errno == EINTR));
	if (pid == 0 || errno != ECHILD)
		return false;
	siginfo_t info;

	/* Too much hangs on it to be believed once. */
	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 &&
	       errno == ECHILD;
}

/* The number that was told; *left: how many there were. */
static size_t kill_all(const struct selection *selection, size_t *left)
{
	struct process *all;
	size_t total, ended = 0;

	*left = SIZE_MAX;
	if (process_tree(getpid(), &all, &total) != 0)
		return 0;
	*left = 0;
	for (size_t i = 0; i < total; i++) {
		if (process_has_ended(&all[i]) || !selects(selection, all[i].pid))
			continue;
		ended += signal_descendant(selection, all[i].pid, SIGKILL) == 0;
		(*left)++;
	}
	free(all);
	return ended;
}

static bool is_running_child(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
	       info.si_pid == 0;
}

/* The number that was told. */
static size_t kill_children(void)
{
	size_t ended = 0;

	for (pid_t pid = 2; pid < NUMBERS; pid++) {
		if (!is_running_child(pid))
			continue;
		int fd = (int)syscall(SYS_pidfd_open, pid, 0);

		if (fd < 0)
			continue;
		if (is_running_child(pid))
			ended += syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
		close(fd);
	}
	return ended;
}

int survivors_end(size_t *count)
{
	int64_t end = deadline_now_ms(CLOCK_MONOTONIC) + SURVIVORS_SECONDS * 1000;
	unsigned int unseen = 0;
	bool first = true;

	if (count)
		*count = 0;
	while (!reap()) {
		if (deadline_now_ms(CLOCK_MONOTONIC) > end)
			return -ETIME;
		pid_t *list = NULL;
		size_t told = 0, there;

		freeze(&everybody, &list, &told);
		free(list);
		size_t killed = kill_all(&everybody, &there);

		if (first && count)
			*count = killed;
		first = false;
		/* There are children, and none is to be seen: not just one on its way out. Towards
		 * the end they are looked for whatever else is left. */
		unseen = there && there != SIZE_MAX ? 0 : unseen + 1;
		if (unseen >= HIDDEN_PASSES ||
		    deadline_now_ms(CLOCK_MONOTONIC) > end - SURVIVORS_SECONDS * 500) {
			killed = kill_children();
			if (count)
				*count += killed;
		}
		nanosleep(&(struct timespec){.tv_nsec = 500000L}, NULL);
	}
	return 0;
}

int survivors_end_some(bool (*belongs)(void *context, pid_t pid), void *context, int seconds,
		       size_t *count)
{
	const struct selection selection = {.belongs = belongs, .context = context};
	int64_t end = deadline_now_ms(CLOCK_MONOTONIC) + seconds * 1000;
	size_t left = 1;

	*count = 0;
	for (bool first = true; left; first = false) {
		pid_t *list = NULL;
		size_t told = 0;

		freeze(&selection, &list, &told);
		free(list);
		size_t killed = kill_all(&selection, &left);

		if (first)
			*count = killed;
		if (left && deadline_now_ms(CLOCK_MONOTONIC) > end)
			return -ETIME;
		if (left)
			nanosleep(&(struct timespec){.tv_nsec = 500000L}, NULL);
	}
	return 0;
}
