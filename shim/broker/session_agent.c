/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the fork to the agent's program. The child puts wall and filter on (launch.c) while this
 * side confines itself; nothing of the agent runs before the gate serves.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/broker/session_internal.h"
#include "shim/kernel/kernel.h"

/* How often the gate's health is looked at before the agent runs. */
#define HEALTH_MS 200

static int take_listener(pid_t agent, int number)
{
	int pidfd = (int)syscall(SYS_pidfd_open, agent, 0);

	if (pidfd < 0)
		return -errno;
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	int error = fd < 0 ? -errno : 0;

	close(pidfd);
	return error ? error : fd;
}

/* Every call at the gate costs a few descriptors, and a message may bring 253 more; of what the gate
 * does for a caller, the caller's own time and size of a file are the measure. The agent was forked
 * before and keeps the operator's limits, which it may raise as far. */
static void raise_limits(void)
{
	static const int resources[] = {RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_CPU};

	for (size_t i = 0; i < sizeof(resources) / sizeof(*resources); i++) {
		struct rlimit limit;

		if (getrlimit(resources[i], &limit) != 0)
			continue;
		limit.rlim_cur = limit.rlim_max;
		setrlimit(resources[i], &limit);
	}
}

/* The filter is loaded: take its listener, answer, and only then let the agent go on. */
static int open_gate(struct session *session, int number)
{
	struct launch *launch = &session->launch;
	int listener = take_listener(session->agent, number);

	if (listener < 0)
		return session_fail(
		    session,
		    "cannot take the filter's listener from the agent: %s; a container's "
		    "seccomp profile may refuse pidfd_getfd(2)",
		    strerror(-listener));
	broker_serve_open(session->broker, listener);
	if (write(launch->go[1], "", 1) != 1)
		return session_fail(session, "cannot let the agent go on: %s", strerror(errno));
	return 0;
}

/* Once the agent is forked, and while it puts its own wall and filter on. */
static int make_gate(struct session *session)
{
	raise_limits();
	int error = kernel_broker_filter();

	if (error)
		return session_fail(session,
				    "cannot limit the gate's own system calls (seccomp): %s",
				    strerror(-error));
	error = broker_serve_start(session->broker, session->agent);
	return error ? session_fail(session, "cannot start the gate: %s", strerror(-error)) : 0;
}

/* Like launch_read(): the exec passes the gate, and a gate that fails would never answer it. */
static int hear_exec(struct session *session, struct launch_message *out)
{
	struct pollfd up = {.fd = session->launch.up[0], .events = POLLIN};

	for (;;) {
		int ready = poll(&up, 1, HEALTH_MS);

		if (ready > 0)
			return launch_read(&session->launch, out);
		if (ready < 0 && errno != EINTR)
			return -errno;
		if (broker_failed(session->broker))
			return -ECONNABORTED;
	}
}

/* 0 once the program runs. */
static int await_exec(struct session *session)
{
	struct launch_message message;
	int failed = make_gate(session);

	if (failed)
		return failed;
	int got = launch_read(&session->launch, &message);

	if (got == 1 && message.stage == LAUNCH_READY) {
		int status = open_gate(session, message.value);

		if (status)
			return status;
		got = hear_exec(session, &message);
		/* An end without a message: it runs, or has died so early that its status says
		 * why. */
		if (got == 0)
			return 0;
	}
	if (got == 0)
		return session_fail(session, "the agent ended before it was started");
	if (got == -ECONNABORTED)
		return session_fail(session, "the gate failed before the agent was started");
	if (got < 0)
		return session_fail(session, "cannot hear from the agent: %s", strerror(-got));
	if (message.stage != LAUNCH_EXEC)
		return session_fail(session, "cannot %s: %s", launch_stage_text(message.stage),
				    strerror(message.value));
	launch_await_end(session->agent);
	session_fail(session, "cannot execute %s: %s", session->options->program,
		     strerror(message.value));
	return message.value == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_EXECUTE;
}

int session_start_agent(struct session *session)
{
	struct launch *launch = &session->launch;
	int error = launch_pipes(launch);

	if (error)
		return session_fail(session, "cannot make a pipe: %s", strerror(-error));
	/* Nothing of ours may be in a buffer twice. */
	fflush(NULL);
	session->agent = fork();
	if (session->agent == 0)
		launch_child(launch);
	error = errno;
	close(launch->up[1]);
	close(launch->go[0]);
	int status = 0;

	if (session->agent < 0)
		status = session_fail(session, "cannot fork: %s", strerror(error));
	else
		status = await_exec(session);
	close(launch->up[0]);
	close(launch->go[1]);
	return status;
}
