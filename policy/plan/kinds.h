/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of paths that a plan has asked its view for, so that each is asked once. */
#ifndef REMIT_PLAN_KINDS_H
#define REMIT_PLAN_KINDS_H

#include "policy/plan/plan.h"

struct kind_entry;

struct kinds {
	struct kind_entry *entries; /* a power of two of them, or NULL */
	size_t count, room;
};

/* The kind of the first len bytes of path; asks where it is not known. Without memory it asks again
 * the next time. */
enum view_kind kinds_of(struct kinds *kinds, const struct plan_view *view, const char *path,
			size_t len);
/* False when it has not been asked for. */
bool kinds_known(const struct kinds *kinds, const char *path, size_t len, enum view_kind *ret_kind);
void kinds_free(struct kinds *kinds);

#endif
