/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guarantees: the agent starts with descriptors 0 to 2 and what --keep-fd names and nothing else;
 * with the operator's signal mask and handlers; behind the wall and the filter, whose listener it
 * does not hold. The child does nothing after the filter is loaded that the gate would have to
 * answer before the broker says that it serves.
 */
#include "shim/broker/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/kernel/kernel.h"

int launch_pipes(struct launch *launch)
{
	if (pipe2(launch->up, O_CLOEXEC) != 0)
		return -errno;
	if (pipe2(launch->go, O_CLOEXEC) != 0) {
		int error = -errno;

		close(launch->up[0]);
		close(launch->up[1]);
		return error;
	}
	return 0;
}

int launch_read(struct launch *launch, struct launch_message *out)
{
	ssize_t n;

	do
		n = read(launch->up[0], out, sizeof(*out));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0)
		return 0;
	/* Shorter than PIPE_BUF: written whole. */
	return n == (ssize_t)sizeof(*out) ? 1 : -EPROTO;
}

/* False when the broker cannot be told. */
static bool report(const struct launch *launch, enum launch_stage stage, int value)
{
	struct launch_message message = {.stage = (int32_t)stage, .value = value};
	ssize_t n;

	do
		n = write(launch->up[1], &message, sizeof(message));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(message);
}

static void give_up(const struct launch *launch, enum launch_stage stage, int error)
    __attribute__((noreturn));
static void give_up(const struct launch *launch, enum launch_stage stage, int error)
{
	report(launch, stage, error < 0 ? -error : error);
	_exit(STATUS_FAILED);
}

static void restore_signals(const struct launch_signals *signals)
{
	for (int i = 1; i < NSIG; i++)
		sigaction(i, &signals->action[i], NULL);
	sigprocmask(SIG_SETMASK, &signals->mask, NULL);
}

static int compare(const void *a, const void *b)
{
	int left = *(const int *)a, right = *(const int *)b;

	return left < right ? -1 : left > right;
}

/* The raw call: 0 when every descriptor in the range is closed. */
static int close_between(unsigned int low, unsigned int high)
{
	return low > high || syscall(SYS_close_range, low, high, 0) == 0 ? 0 : -errno;
}

static int close_others(const struct launch *launch)
{
	const struct session_options *options = launch->options;
	size_t count = options->keep_fd_count;
	int *kept = calloc(count + 2, sizeof(*kept));
	int error = 0;
	unsigned int from = 3;

	if (!kept)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		kept[i] = options->keep_fds[i];
		int flags = fcntl(kept[i], F_GETFD);

		if (flags < 0 || fcntl(kept[i], F_SETFD, flags & ~FD_CLOEXEC) != 0) {
			error = -errno;
			goto out;
		}
	}
	kept[count] = launch->up[1];
	kept[count + 1] = launch->go[0];
	qsort(kept, count + 2, sizeof(*kept), compare);
	for (size_t i = 0; i < count + 2 && !error; i++) {
		if (kept[i] < (int)from)
			continue;
		error = close_between(from, (unsigned int)kept[i] - 1);
		from = (unsigned int)kept[i] + 1;
	}
	if (!error)
		error = close_between(from, ~0U);
out:
	free(kept);
	return error;
}

static void load_filter(const struct launch *launch)
{
	int listener =
	    kernel_filter_load(launch->options->features, launch->program, launch->program_count);
	char byte;

	if (listener < 0)
		give_up(launch, LAUNCH_FILTER, listener);
	/* Untold, the broker would wait for us and we for it. */
	if (!report(launch, LAUNCH_READY, listener))
		_exit(STATUS_FAILED);
	/* The broker closes its end without a byte when it could not take the listener. */
	if (read(launch->go[0], &byte, 1) != 1)
		give_up(launch, LAUNCH_GO, EPIPE);
	close(listener);
}

void launch_child(struct launch *launch)
{
	const struct session_options *options = launch->options;

	/* The broker's own bit came along; with it nobody could take our listener. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	int error = close_others(launch);

	if (error)
		give_up(launch, LAUNCH_DESCRIPTORS, error);
	restore_signals(launch->signals);
	error = kernel_landlock(&options->plan->wall);
	if (error)
		give_up(launch, LAUNCH_WALL, error);
	if (launch->enter) {
		error = launch->enter(launch);
		if (error)
			give_up(launch, LAUNCH_INNER, error);
	} else {
		load_filter(launch);
	}
	close(launch->go[0]);
	error = kernel_limits(launch->about);
	if (error)
		give_up(launch, LAUNCH_LIMITS, error);
	execve(options->program, options->argv, launch->environment);
	report(launch, LAUNCH_EXEC, errno);
	_exit(STATUS_CANNOT_EXECUTE);
}

void launch_await_end(pid_t child)
{
	siginfo_t info;

	while (waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
		;
}

int launch_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

const char *launch_stage_text(int stage)
{
	switch (stage) {
	case LAUNCH_DESCRIPTORS:
		return "close the descriptors that the agent must not have";
	case LAUNCH_WALL:
		return "put the wall (Landlock) around the agent";
	case LAUNCH_FILTER:
		return "load the system call filter (seccomp)";
	case LAUNCH_LIMITS:
		return "set the agent's limits";
	case LAUNCH_INNER:
		return "put the agent into a session within this one";
	case LAUNCH_GO:
		return "start the gate";
	default:
		return "start the agent";
	}
}
