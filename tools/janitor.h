/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session's private folder and who removes it. The launcher cannot: its hull reaches no further
 * than the folder itself, and it may be killed. So a process is split off before the hull is on: no
 * child of the launcher (the session must not see, signal or wait for it), without files, terminal
 * or standard streams, waiting for the other end of a socket to close.
 */
#ifndef REMIT_TOOLS_JANITOR_H
#define REMIT_TOOLS_JANITOR_H

#include <sys/types.h>

/* The launcher, and the janitor with other numbers. */
struct janitor {
	char *folder; /* 0700, real path; holds only tmp; the hull lets the launcher write here */
	char *tmp;    /* folder/tmp: the private ${TMP} */
	/* The two themselves, close-on-exec: an agent may put others in their places. -1: none. */
	int folder_fd, tmp_fd;
	int socket;  /* close-on-exec; closing it, by whatever death, has the folder and the IPC
			objects removed that were written to it (janitor_ipc.c) */
	const char *session_id; /* borrowed */
	pid_t child;		/* on its way to be nobody's child; 0: it has been waited for */
};

/* Makes both folders below $TMPDIR, else /tmp, and sets the janitor off. Must be called while
 * single-threaded. 0 or a negative errno; *what then names what failed. */
int janitor_start(struct janitor *out, const char *session_id, const char **what);
/* Waits until it stands ready; before that nobody may be given the folder. Without it both are
 * removed. 0 or a negative errno. */
int janitor_await(struct janitor *janitor);
/* Has the folder removed, and does not wait. */
void janitor_release(struct janitor *janitor);
/* The same, and waits until that is done. What a janitor that was killed before has left is removed
 * here as far as the hull reaches, and the operator is told of the rest. Fine when never started.
 */
void janitor_finish(struct janitor *janitor);

#endif
