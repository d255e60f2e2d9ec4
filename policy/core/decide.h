/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision: one function that shim, broker and `remit check` all call on the same bytes.
 *
 * Guarantees: allocates nothing, locks nothing, touches no global, makes no system call, and is
 * safe in a signal handler. Cost is bounded by the number of components of the path, not by the
 * number of rules; only patterns that hang on the same folder are tried one by one (scope_cost.c
 * bounds them). Relies on: a scope that scope_open() has validated.
 *
 * Allowed iff some grant covers the object and no denial does. A condition narrows its rule: a grant
 * whose condition is not met does not cover, nor does a denial; a denial of which that cannot be
 * known refuses.
 */
#ifndef REMIT_CORE_DECIDE_H
#define REMIT_CORE_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/core/address.h"
#include "policy/core/scope.h"

/* The verbs of the query language (`read P`, `exec P`, `connect A`, …); names by verb_name(). */
enum verb {
	VERB_READ,
	VERB_WRITE,
	VERB_EXEC,
	VERB_CONNECT,
	VERB_LISTEN,
	VERB_ENV,
	VERB_COUNT,
};

enum object_kind {
	OBJECT_PATH,	/* read, write, exec, and unix sockets by path: `text` is absolute and clean
			   (path_is_clean) */
	OBJECT_ADDRESS, /* connect, listen: `address` */
	OBJECT_ABSTRACT, /* connect, listen: `text` is the abstract unix name without its leading
			    NUL; any bytes */
	OBJECT_NAME,	 /* env: `text` is the variable's name */
};

/* What only a caller with a kernel at hand can know of an object; a condition whose fact is absent
 * is not met. */
struct facts {
	const uint8_t *sha256; /* 32 bytes of the program's content, or NULL: not computed */
	const char *args;      /* exec: argv[1] and on, a NUL after each (arguments.h); NULL: not
				  known */
	size_t args_len;
	bool session_terminal; /* the session's own terminal or a pty made inside it */
};

struct query {
	enum verb verb;
	enum object_kind object;
	const char *text;
	size_t len;
	struct address address;
	struct facts facts;
};

enum verdict {
	VERDICT_REFUSED = 0, /* zero, so that a forgotten initialiser refuses */
	VERDICT_ALLOWED = 1,
};

/*
 * Which lane a call on the object may take at best: the best of all grants that cover it; a static
 * property of the scope, so it is the same on every kernel. The plan decides what really is in the
 * wall; a caller that tries the wall first and falls back to the gate is always right.
 */
enum lane {
	LANE_REFUSED = 0,
	LANE_GATE =
	    1, /* glob, condition, address, or a wildcard denial may match beneath the grant */
	LANE_CARVE = 2, /* literal grant with literal denials beneath: most of it is in the wall */
	LANE_WALL = 3,	/* literal grant with no denial beneath */
};

enum condition {
	CONDITION_SHA256 = 1 << 0,
	CONDITION_SESSION_TERMINAL = 1 << 1,
	CONDITION_ARGS = 1 << 2, /* of grants and denials of exec; asks nothing of reading */
};

struct decision {
	enum verdict verdict;
	int error;     /* positive errno the agent gets when refused (EACCES), 0 when allowed */
	uint32_t rule; /* the rule that decided: the deepest denial, else the deepest grant, the
			  lowest of those equally deep; refused with a grant's number: that grant's
			  condition is not met; with a denial's and conditions: whether it applies
			  is not known; RULE_NONE: no grant covers the object */
	enum lane lane;
	uint32_t conditions; /* refused only for want of these facts: collect them and ask again;
				else 0 */
	bool quiet;	     /* refused by a denial marked quiet: record it, do not show it */
};

/* Every input gives an answer: a text that is not clean, too long or of the wrong kind is refused
 * with RULE_NONE. */
struct decision decide(const struct scope *scope, const struct query *query);

/* decide() for a path with no facts. */
struct decision decide_path(const struct scope *scope, enum verb verb, const char *path,
			    size_t len);

/*
 * What lies strictly beneath `path` (absolute, clean): whether moving the folder could change what
 * is allowed there. A wildcard denial such as /w/ ** /.env (without the blanks) says BENEATH_DENIAL
 * for /w and everything under it, plus BENEATH_SUFFIX_ONLY when every denial that may match beneath
 * is of the form PREFIX/ ** /TAIL with a wildcard-free PREFIX: such a denial follows the folder to
 * any place under the same PREFIX (see decide_moves_safely).
 */
enum beneath {
	BENEATH_GRANT = 1 << 0,
	BENEATH_DENIAL = 1 << 1,
	BENEATH_SUFFIX_ONLY = 1 << 2,
};
uint32_t decide_beneath(const struct scope *scope, const char *path, size_t len);

/*
 * The rights (enum right) that denials take away strictly beneath `path` as long as it is a folder:
 * were it a symbolic link, what is denied would get another name. All when the text is not clean.
 * Not among them: a denial such as /w/ ** /.env, which names what lies beneath /w wherever in /w it
 * is, so that a link within /w changes nothing.
 */
uint32_t decide_pinned_beneath(const struct scope *scope, const char *path, size_t len);

/*
 * True when renaming the folder `from` to `to` leaves every object in it with no right that it did
 * not have: no denial beneath `from` is lost and no grant beneath `to` is won. For files the caller
 * compares the rights of both names instead.
 */
bool decide_moves_safely(const struct scope *scope, const char *from, size_t from_len,
			 const char *to, size_t to_len);

const char *verb_name(enum verb verb); /* "read", …; "?" for what is no verb */
const char *lane_name(enum lane lane); /* "refused", "gate", "carve", "wall" */

#endif
