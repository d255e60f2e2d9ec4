/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rules of the wall still stand. Landlock hangs a rule on an inode: when a path that has a
 * rule of its own is replaced (an editor's rename, a folder that is removed and made again), the
 * kernel knows the new object as little as any other, and only the gate can open it.
 */
#ifndef REMIT_BROKER_STANDING_H
#define REMIT_BROKER_STANDING_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/plan/plan.h"

struct standing;

/* What stands at each path of the wall now; taken before the agent starts. The plan is borrowed.
 * NULL when out of memory. */
struct standing *standing_take(const struct plan *plan);
/* plan_in_wall() as of this moment. */
bool standing_in_wall(const struct standing *standing, const char *path, size_t len,
		      uint32_t rights);
void standing_free(struct standing *standing); /* NULL is fine */

#endif
