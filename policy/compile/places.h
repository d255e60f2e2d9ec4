/* SPDX-License-Identifier: Apache-2.0 */
/* What a compilation has learned of the file system: resolve.c walks by it, spellings.c makes it.
 */
#ifndef REMIT_COMPILE_PLACES_H
#define REMIT_COMPILE_PLACES_H

#include "policy/compile/path_map.h"
#include "policy/compile/siblings.h"
#include "policy/compile/writes.h"

struct places {
	struct path_map seen;	   /* each place that a walk has looked at */
	struct siblings *siblings; /* or NULL */
	struct writes writes;
	struct path_map followed; /* what stands in the guards' lists */
};

/* The whole walk for a path that is spelled as it is: true when no link is on it, so that it
 * resolves to itself whoever asks. */
bool resolve_is_real(struct places *places, const char *path);

#endif
