/* SPDX-License-Identifier: Apache-2.0 */
/* What the performers of file calls share. */
#ifndef REMIT_BROKER_FILES_H
#define REMIT_BROKER_FILES_H

#include <pthread.h>

#include "shim/broker/broker.h"

/* Reads a path argument into buf of PATH_TEXT_MAX, as memory_peek_string(): resolve() of it asks
 * whether it was the caller's. 0; or *reply is the answer: a file call whose
 * memory cannot be read at all is left to the wall when it covers the call, else refused. */
int files_read_path(struct request *request, uint64_t address, bool wall_covers, char *buf,
		    struct reply *reply);

/* The absolute name that a plain text (resolve_is_plain()) means, into out of PATH_TEXT_MAX, as
 * long as no link is on the way. Its length, or a negative errno: not to be known. */
long files_full_name(const struct request *request, int dirfd, const char *path, char *out);

/* Whether a link is on the way to the name. 0: none; -ENOENT: none so far, and then nothing; -ELOOP
 * and others: there may be. flags: O_NOFOLLOW when the last component may be one. */
int files_seek_links(const char *name, uint64_t flags);

/* True when the kernel may make, remove or rename at the name by itself: no link is on the way, all
 * scopes allow it and the wall covers it. judge_allowed() has to be told then. */
struct quick_name {
	size_t len;
	char text[PATH_TEXT_MAX];
};
bool files_kernel_may(struct request *request, int dirfd, const char *path, struct quick_name *out);

/* The answer for a negative errno. */
struct reply files_error(int error);

/* A name that no call creates, removes or moves: ".", "..", "/". */
bool files_is_dots(const struct object *object);

/* object.name with its trailing slash, as the kernel should see it. buf of NAME_MAX + 2. */
const char *files_name(const struct object *object, char *buf);

/* Held while a name is looked at and moved, and while a folder is made: files_move.c says why. */
extern pthread_mutex_t files_move_lock;

/* Sets this thread's umask to the caller's; 0 or a negative errno. After a 0: make what is to be
 * made without waiting, then files_give_umask(), which leaves errno alone. */
int files_take_umask(struct request *request);
void files_give_umask(const struct request *request);

/* The wall sees that a file is emptied, not only that it is opened for writing (ABI 3). Where it
 * does not, CONTINUE is no answer to what may empty a file. */
bool files_truncation_bounded(const struct request *request);

/* The calling thread's resource limit, soft; UINT64_MAX when it has none or is gone. */
uint64_t files_limit(const struct request *request, int resource);

/*
 * Why no call may put a symbolic link at the object's name, or NULL when one may. It would become
 * the operator's word: the next session follows a link at the very place that a grant names, unless
 * the agent may write what is around it (policy/compile/spellings.c). Or it would lead past a denial:
 * what others put at a denied name beneath it would come to lie where nothing is denied.
 */
const char *files_why_no_link(struct request *request, const struct object *object);
/* F_GETFL of fd, a descriptor of the caller's, where it holds this very object open; -1 where not,
 * and for a handle (O_PATH), which has it open for nothing. */
int files_held_flags(const struct object *object, int fd);
/*
 * What has no name (object->anonymous) for reading or writing. It is its holder's own when that has
 * it open for as much, or when it never had a name. Else it may be another's, whose name somebody
 * removed: judged by that name. by_fd: the object's handle is the caller's own fd. 0, or a negative
 * errno.
 */
int files_judge_nameless(struct request *request, enum verb verb, const struct object *object,
			 bool by_fd);

/* 0; or, such a link having been refused and recorded, a negative errno. */
int files_judge_link(struct request *request, const struct object *object);

#endif
