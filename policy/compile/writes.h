/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a model lets the agent write, found by a path's folders instead of by asking every rule: a
 * manifest may have thousands of rules, and each link that they go through is judged by this. Says
 * what the rules said when it was made; texts are borrowed from the model.
 */
#ifndef REMIT_COMPILE_WRITES_H
#define REMIT_COMPILE_WRITES_H

#include "policy/compile/model.h"
#include "policy/compile/path_map.h"

struct writes_pattern {
	const char *text;
	bool denial;
};

struct writes {
	struct path_map grants, denials; /* literal places */
	struct writes_pattern *patterns;
	size_t pattern_count, pattern_room;
};

/* 0 or -ENOMEM; out is to be freed in any case. */
int writes_read(struct writes *out, const struct model *model);
/* With itself false, the place that a literal grant names does not count. */
bool writes_allowed(const struct writes *writes, const char *path, bool itself);
void writes_free(struct writes *writes); /* leaves it zeroed */

#endif
