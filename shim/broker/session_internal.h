/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of a session's life: session.c has the order, session_image.c the scope,
 * session_agent.c the start of the agent, session_end.c what follows it. */
#ifndef REMIT_BROKER_SESSION_INTERNAL_H
#define REMIT_BROKER_SESSION_INTERNAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "policy/core/scope.h"
#include "shim/broker/gate.h"
#include "shim/broker/launch.h"
#include "shim/broker/session.h"
#include "shim/broker/terminal.h"
#include "shim/broker/watch.h"

struct session {
	const struct session_options *options;
	int image_fd;
	const void *image; /* the mapping */
	struct scope scope;
	struct scope_about about;
	struct records *records;
	struct broker *broker;
	struct ipc *ipc;
	struct usage *usage;
	struct sock_filter *program;
	size_t program_count;
	struct launch_signals signals;
	int warden; /* warden.h; -1: none */
	struct terminal terminal;
	struct launch launch;
	bool begun; /* the log has its first line */
	pid_t agent;
	struct watch watch;
	char **error;
};

/* Keeps the first message for the caller of session_run(), and is STATUS_FAILED. */
int session_fail(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Seals the image, maps what was sealed and opens the scope in it. 0 or a status. */
int session_open_scope(struct session *session);
/* Forks the agent, confines the gate, serves, and lets the agent go on: 0 once its program runs,
 * else a status. */
int session_start_agent(struct session *session);
/* After the agent: its survivors, the gate, the janitor's word, the logs. status is the agent's for
 * the shell. */
void session_finish(struct session *session, int status);

#endif
