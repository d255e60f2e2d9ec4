/* SPDX-License-Identifier: Apache-2.0 */
/* The file system as the plan is to see it: as it is, asked as seldom as can be. */
#ifndef REMIT_TOOLS_SIGHT_H
#define REMIT_TOOLS_SIGHT_H

#include "policy/compile/siblings.h"
#include "policy/plan/plan.h"

struct sight {
	struct siblings *siblings; /* NULL: each name is looked at by itself */
	/* Where there is no session, ${TMP} stands for a folder that is not there; a plan that said
	 * so would be about no session at all. This one is added, empty; or NULL. */
	const char *tmp;
};

/* Borrows the sight. Who is told the names of a folder asks for those of no other meanwhile. */
struct plan_view sight_view(const struct sight *sight);

#endif
