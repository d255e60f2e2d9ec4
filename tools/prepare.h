/* SPDX-License-Identifier: Apache-2.0 */
/* From a loaded scope to a plan on this machine: what `run`, `plan` and `doctor` share, so that
 * what they print is what is run. */
#ifndef REMIT_TOOLS_PREPARE_H
#define REMIT_TOOLS_PREPARE_H

#include "policy/plan/plan.h"
#include "shim/kernel/kernel.h"
#include "tools/load.h"

struct prepared {
	bool started, inner; /* prepare_start() was called; there is a session around this one */
	struct kernel_probe probe;
	struct features features;
	struct plan plan;
	char **interpreters;
	size_t interpreter_count;
};

/* --without LIST: features to do without; checked here so that a wrong word is told at once. The
 * target is a struct without. */
struct without {
	const char *lists[16];
	size_t count;
};
int prepare_without(void *without, const char *list);
#define PREPARE_FLAGS(without)                                                                     \
	{                                                                                          \
		"without", 0, FLAG_EACH, (without), prepare_without                                \
	}
#define PREPARE_USAGE                                                                              \
	"      --without LIST    do without features of the kernel (`remit doctor` names them)\n"

/* Sets a process off that probes the kernel, to be used by prepare(), which does without where this
 * was not called. 0 or a negative errno, said on stderr. */
int prepare_start(struct prepared *out);
/* Probes the kernel and plans. `private` is the folder that holds the private tmp, NULL where there
 * is no session. *out is zeroed, or started. 0 or a negative errno, said on stderr. */
int prepare(const struct loaded *loaded, const struct without *without, const char *private,
	    struct prepared *out);
void prepare_free(struct prepared *prepared);

#endif
