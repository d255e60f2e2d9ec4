/* SPDX-License-Identifier: Apache-2.0 */
/* The broker's main thread while the agent lives: its children, its signals, its clock. */
#ifndef REMIT_BROKER_WATCH_H
#define REMIT_BROKER_WATCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "shim/broker/deadline.h"
#include "shim/broker/gate.h"
#include "shim/broker/launch.h"
#include "shim/broker/terminal.h"

struct watch {
	struct deadline deadline;
	int stopped;	    /* the agent stopped by this signal and we have not yet; 0: no */
	bool inner;	    /* a session within another: its processes are the gate's to look at */
	const char *ending; /* "exit", "signal", "wall_time", "expired", "gate" */
};

/* Remembers the operator's signals for the agent in *out and makes the broker's own: the terminal's
 * signals are the agent's business, the others wait for watch_run(). */
void watch_signals(struct launch_signals *out);
void watch_signals_restore(const struct launch_signals *from);

/* Says on stderr what ended the agent, if its time did, and how many processes it left. */
void watch_print_end(const struct watch *watch, unsigned long long left);

/* Returns the agent's wait status; SIGKILL when another process of the session, which traces it,
 * keeps it to itself. broker is NULL for an inner session. */
int watch_run(struct watch *watch, pid_t agent, struct broker *broker,
	      const struct terminal *terminal);

#endif
