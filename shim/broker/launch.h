/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's side of the launch: from the fork to its execve. The broker reads struct
 * launch_message from `up`: first LAUNCH_READY with the number of the listener fd in the child (or
 * the stage that failed), then, when the program runs, the end of the file (`up` is close-on-exec),
 * or LAUNCH_EXEC with the errno.
 */
#ifndef REMIT_BROKER_LAUNCH_H
#define REMIT_BROKER_LAUNCH_H

#include <linux/filter.h>
#include <signal.h>
#include <stdint.h>

#include "shim/broker/session.h"

/* What `remit run` exits with when it is not the agent's own status; as shells have it. */
#define STATUS_FAILED 125 /* remit failed, nothing was started */
#define STATUS_CANNOT_EXECUTE 126
#define STATUS_NOT_FOUND 127

/* The agent's status of waitpid() as a shell says it: 128 + N when signal N ended it. */
int launch_status(int status);

enum launch_stage {
	LAUNCH_READY = 1,
	LAUNCH_DESCRIPTORS,
	LAUNCH_WALL,
	LAUNCH_FILTER,
	LAUNCH_LIMITS,
	LAUNCH_GO,
	LAUNCH_INNER,
	LAUNCH_EXEC,
};

struct launch_message {
	int32_t stage; /* enum launch_stage */
	int32_t value; /* READY: the listener; else a positive errno */
};

/* What the agent must find as if the broker had never touched it. */
struct launch_signals {
	struct sigaction action[NSIG];
	sigset_t mask;
};

struct launch {
	const struct session_options *options;
	const struct scope_about *about;
	const struct sock_filter *program;
	size_t program_count;
	char **environment;
	const struct launch_signals *signals;
	/* Of a session within another, called behind the wall instead of loading a filter with a
	 * listener; 0 or a negative errno. NULL: the broker's own session. */
	int (*enter)(const struct launch *launch);
	int up[2], go[2];
};

/* Makes both pipes, close-on-exec. */
int launch_pipes(struct launch *launch);
/* In the child, forked from a process of one thread. Never returns. */
void launch_child(struct launch *launch) __attribute__((noreturn));
/* In the broker. 1: a message; 0: the end of the file; negative errno. */
int launch_read(struct launch *launch, struct launch_message *out);

/* After LAUNCH_EXEC: until the child has ended, which is not the agent that it would have become. */
void launch_await_end(pid_t child);

/* What failed, in words: "put the wall around the agent". */
const char *launch_stage_text(int stage);

#endif
