/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session's private folder and who removes it. The launcher cannot: its hull reaches no further
 * than the folder itself, and it may be killed. So a process is split off before the hull is on: no
 * child of the launcher (the session must not see, signal or wait for it), without files, terminal
 * or standard streams, waiting for the other end of a socket to close.
 */
#ifndef REMIT_TOOLS_JANITOR_H
#define REMIT_TOOLS_JANITOR_H

struct janitor {
	char *
	    folder; /* 0700, real path; holds only tmp; the hull must let the launcher write here */
	char *tmp;  /* folder/tmp: the private ${TMP} */
	int socket; /* close-on-exec; closing it, by whatever death, has the folder and the IPC
		       objects removed that were written to it (janitor_ipc.c) */
	const char *session_id; /* borrowed */
};

/* Makes both folders below $TMPDIR, else /tmp. Must be called while single-threaded. 0 or a
 * negative errno; *what then names what failed. */
int janitor_start(struct janitor *out, const char *session_id, const char **what);
/* Has the folder removed and waits until that is done. Fine when never started. */
void janitor_finish(struct janitor *janitor);

#endif
