/* SPDX-License-Identifier: Apache-2.0 */
/* What the scope denies, arranged so that the carve can ask of any path: is it denied, and can
 * anything beneath it be? */
#ifndef REMIT_PLAN_DENIALS_H
#define REMIT_PLAN_DENIALS_H

#include "policy/core/scope.h"

struct denial {
	const char *text; /* clean path or pattern; lives as long as the scope */
	size_t len;
	uint32_t rule, rights;
};

struct denials {
	const struct scope *scope;
	struct denial *paths; /* by path_order() */
	size_t path_count;
	struct denial *patterns;
	size_t pattern_count;
	uint32_t *excepting; /* all denials that have exceptions, of whatever kind */
	size_t excepting_count;
};

/* Which rights denials take away, seen from one path. An `except` that covers the whole path lifts
 * its denial here. */
struct reach {
	uint32_t covered;  /* denied on the path itself and all beneath */
	uint32_t inside;   /* denied somewhere beneath, at names that can be walked to */
	uint32_t anywhere; /* a `**` may match anything beneath, also what is made later */
};

/* 0 or -ENOMEM. */
int denials_read(const struct scope *scope, struct denials *out);
void denials_free(struct denials *denials);
/* `wanted`: the rights that matter; others may be left out of the answer. */
struct reach denials_reach(const struct denials *denials, const char *path, uint32_t wanted);

/* Orders paths so that all that lies beneath one follows it directly. */
int path_order(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
