/* SPDX-License-Identifier: Apache-2.0 */
/* The filter table of a plan: syscalls.c's treatments turned into clauses. */
#ifndef REMIT_PLAN_FILTER_H
#define REMIT_PLAN_FILTER_H

#include "policy/plan/plan.h"

/* What a treatment may depend on. */
struct filter_terms {
	bool fast_lane;	     /* the tag is honoured */
	bool exec_fast_lane; /* and for programs */
	bool scoped_signals; /* Landlock keeps signals within the session */
	bool traced;	     /* Landlock keeps tracing within the session */
	bool gated_sends, gated_forks;
	bool native_read, native_write, native_exec; /* also without the tag (enum native); write
							only with read */
};

/* Fills filter, filter_count and clauses of the plan. 0 or -ENOMEM. */
int filter_build(const struct filter_terms *terms, struct plan *plan);

#endif
