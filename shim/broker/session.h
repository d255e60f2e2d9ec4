/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session: one `remit run`. session_run() puts the hull on the calling process, forks the agent
 * into the wall and the filter, serves the gate until the agent ends, ends what it left running,
 * tells the janitor to remove the private tmp and returns the exit status. The calling process is
 * the broker from then on: it must be single-threaded when it calls.
 */
#ifndef REMIT_BROKER_SESSION_H
#define REMIT_BROKER_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/core/scope.h"
#include "policy/plan/features.h"

#define SESSION_ID_MAX 40
#define SESSION_KEEP_MAX 64 /* descriptors that the agent is handed beside the standard ones */

struct session_options {
	const void *image; /* the scope image; copied into a sealed memfd */
	size_t image_size;
	const struct features *features;
	const struct plan *plan;
	const char *id;	     /* session id: names the log and the records */
	const char *program; /* what to execute: absolute path, already looked up on PATH */
	char *const *argv;
	/* The operator's: the session filters it through the scope's env rules. */
	char *const *environment;
	const char *tmp; /* the private folder, the caller's and its janitor's; also set as TMPDIR */
	const char *shim; /* absolute path of libremit.so, NULL: no shim */
	const int *keep_fds;
	size_t keep_fd_count;
	int audit_fd;		/* owned */
	const char *audit_name; /* for the summary; NULL when it is a bare fd */
	int janitor; /* socket of the janitor that keeps IPC objects (ipc_ledger.h); shut down for
			writing once nothing of the session is left that could use tmp; -1: none */
	bool quiet;
	bool usage; /* count the uses of each rule, for the log and the summary */
};

/* A sealed memfd with these bytes, open for reading only, or a negative errno. */
int session_seal_image(const void *image, size_t size, bool no_exec);

/*
 * The exit status for the shell: the agent's own, 128+n when a signal ended it, 126/127 when the
 * program cannot be executed/found, 125 when remit itself failed: then *error holds a malloc'ed
 * sentence that says what and what would mend it.
 */
int session_run(const struct session_options *options, char **error);

/* session_run() where the calling process is itself in a session: nest_launch.c. audit_fd may be
 * -1: the records are then only in the log of the session around it. */
int session_run_inner(const struct session_options *options, char **error);

#endif
