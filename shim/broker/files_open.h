/* SPDX-License-Identifier: Apache-2.0 */
/* One call that opens, whatever its name: files_open_call.c reads it, files_open_quick.c and
 * files_open.c answer it. */
#ifndef REMIT_BROKER_FILES_OPEN_H
#define REMIT_BROKER_FILES_OPEN_H

#include "shim/broker/broker.h"

#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY) /* what O_TMPFILE has of its own */

struct open_call {
	int dirfd;
	uint64_t flags, mode, resolve; /* as struct open_how has them */
	const char *path;	       /* copied, not empty */
	bool linked;		       /* a link is on the way */
	bool rewritable;	       /* flags and all are in the caller's memory (openat2) */
	bool bounded;		       /* the wall holds whatever the kernel makes of it */
};

/* The right that opening what exists needs. */
enum verb open_verb(const struct open_call *call);

/* Takes off an O_NONBLOCK that the caller did not ask for. 0 or a negative errno. */
int open_set_blocking(int fd, uint64_t flags);

/* Answers when the text is lexically clean and no link is on the way; false: do it slowly.
 * *linked: a link was met. */
bool open_quickly(struct request *request, const struct open_call *call, struct reply *reply,
		  bool *linked);

/*
 * Whatever path it has by then, the wall bounds this very open. Before Landlock knew of truncation
 * (ABI 3) it saw that a file is opened for writing, but not that one is emptied without. Access
 * mode 3 opens for commands to devices alone, and Landlock asks for no right then. What openat2()
 * asks for may have become that when the kernel looks.
 */
bool open_bounded(const struct request *request, const struct open_call *call);

/* By a handle of what the path leads to, created where the call says so. */
struct reply open_slowly(struct request *request, const struct open_call *call);

/* What a caller's own RESOLVE_* flags lead to; OPEN_NATIVE: only the kernel can tell. */
#define OPEN_NATIVE 1
int open_resolve_how(struct request *request, const struct open_call *call, struct object *out);

#endif
