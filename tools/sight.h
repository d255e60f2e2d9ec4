/* SPDX-License-Identifier: Apache-2.0 */
/* The file system as the plan is to see it: as it is, asked as seldom as can be. */
#ifndef REMIT_TOOLS_SIGHT_H
#define REMIT_TOOLS_SIGHT_H

#include <stddef.h>

#include "policy/compile/siblings.h"
#include "policy/core/path.h"
#include "policy/plan/plan.h"

struct sight {
	struct siblings *siblings; /* NULL: each name is looked at by itself */
	/* Where there is no session, ${TMP} stands for a folder that is not there; a plan that said
	 * so would be about no session at all. This one is added, empty; or NULL. */
	const char *tmp;

	/* The folder that was listed last: patterns often search the same. */
	char folder[PATH_TEXT_MAX]; /* "": none */
	char *names;		    /* each with its NUL */
	size_t len, room, count;
};

/* The view of a sight whose first two members are set and the others 0; it lives as long. Who is
 * told the names of a folder asks for those of no other meanwhile. */
struct plan_view sight_view(struct sight *sight);
void sight_free(struct sight *sight);

#endif
