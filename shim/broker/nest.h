/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions within the session. A second gate cannot be put under the first (the kernel takes one
 * listener for a chain of filters), so the one gate judges for all: a call of a process of an inner
 * session must be allowed by its scope and by every scope around it.
 *
 * Who belongs where is told by two limits (shim/common/protocol.h) that are inherited and only ever
 * go down. Each session owns a cell of numbers, [low, high], within the cell of the one around it
 * and apart from its siblings'; a process bears RLIMIT_RSS = TOP - low and RLIMIT_LOCKS = BASE +
 * high. To lower one or both leads to a smaller cell within: to a session further inside, or to
 * none. No cell is given out twice, and a process whose cell is no living session's is refused
 * everything.
 */
#ifndef REMIT_BROKER_NEST_H
#define REMIT_BROKER_NEST_H

#include <stdint.h>

#include "shim/broker/broker.h"
#include "shim/broker/private.h"
#include "shim/broker/record.h"
#include "shim/common/protocol.h"

#define NEST_DEPTH 4
#define NEST_COUNT 64
#define NEST_IMAGE_MAX ((size_t)16 << 20)
#define NEST_MEMORY_MAX ((size_t)64 << 20)
#define NEST_PATTERNS_MAX ((uint64_t)64 << 10) /* bytes: a decision of half a second at worst */

struct forks;

struct cell {
	uint64_t low, high;
};

struct nested {
	struct nested *outer; /* NULL: directly inside the broker's session */
	unsigned int depth;   /* 1: directly inside */
	struct broker *broker;
	struct cell cell;
	uint64_t children_made;
	const void *image; /* a mapping of scope_fd */
	size_t image_size;
	int scope_fd;
	struct scope scope;
	struct scope_about about;
	uint32_t flags; /* enum session_flag, of this one and all around it */
	int tty_index;
	struct private_folder private; /* as its launcher says */
	struct record_inner inner; /* how the logs around it name it */
	struct records *records;
	struct forks *forks;
	pid_t owner;
	int pidfd; /* of the owner */
	/* Under the table's lock: */
	unsigned int users;    /* calls being served */
	unsigned int children; /* inner sessions that are not freed */
	bool begun;	       /* its beginning is written: it may be ended */
	bool closing;	       /* no more calls */
	bool claimed;	       /* somebody ends it */
	bool finished;	       /* nothing left to do but to free it */
};

/* --- nest.c: who is judged by what --- */

/* Finds the caller's session and keeps it until nest_leave(). 0, or a negative errno: the call must
 * be refused. */
int nest_enter(struct request *request);
void nest_leave(struct request *request);
/* The scopes that the caller is held to, innermost (0) first, the broker's own last, then NULL. */
const struct scope *nest_scope(const struct request *request, unsigned int n);
/* The session of nest_scope(request, n); NULL for the broker's own. */
const struct nested *nest_level(const struct request *request, unsigned int n);
/* True when pid belongs to the broker's session and, within it, to `nested` or a session further
 * inside. NULL: the broker's own. */
bool nest_holds(struct broker *broker, const struct nested *nested, pid_t pid);
/* True for a call whose objects belong to the whole session (System V IPC, POSIX queues): an inner
 * one has none; *reply then refuses, recorded. */
bool nest_lacks(struct request *request, struct reply *reply);
/* True when some inner session has this private folder. */
bool nest_has_private(const struct private_folder *folder);
/* enum session_flag for the caller. */
uint32_t nest_flags(const struct request *request);

/* --- nest_door.c: what a launcher may ask (HYPERCALL_NEST_*) --- */

struct reply nest_door(struct request *request);

/* --- nest_table.c: their lives --- */

/* Before an image of that size is copied: 0, or -ENOMEM when all together would be too much. What
 * does not come to nest_begin() is taken back by nest_unreserve(). */
int nest_reserve(size_t size);
void nest_unreserve(size_t size);
/* image: a copy of begin->image_size bytes, reserved, that nobody else writes. audit_fd and what was
 * reserved are owned from here on, also on failure. Fills in the answer. 0 or a negative errno. */
int nest_begin(struct request *request, struct nest_begin *begin, const void *image, int audit_fd);
/* The living session that the process began, claimed for its end; NULL, also while it begins. */
struct nested *nest_claim(pid_t owner);
/* Ends the processes of a claimed session, within `seconds`, and its log. The number of processes
 * that still ran. */
size_t nest_finish(struct nested *nested, int status, const char *ending, int seconds);
/* After nest_finish(): frees it when the last call is served. */
void nest_drop(struct nested *nested);
/* Now and then: ends the sessions whose owner has died. */
void nest_tick(void);
/* At the end of the broker's session, when no thread is left. */
void nest_end_all(void);

#endif
