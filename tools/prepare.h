/* SPDX-License-Identifier: Apache-2.0 */
/* From a loaded scope to a plan on this machine: what `run`, `plan` and `doctor` share, so that
 * what they print is what is run. */
#ifndef REMIT_TOOLS_PREPARE_H
#define REMIT_TOOLS_PREPARE_H

#include "policy/plan/plan.h"
#include "tools/load.h"

struct prepared {
	struct features features;
	struct plan plan;
	char **interpreters;
	size_t interpreter_count;
};

/* Probes the kernel and plans. `private` is the folder that holds the private tmp, NULL where there
 * is no session. 0 or a negative errno, said on stderr. */
int prepare(const struct loaded *loaded, const char *private, struct prepared *out);
void prepare_free(struct prepared *prepared);

#endif
