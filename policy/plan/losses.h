/* SPDX-License-Identifier: Apache-2.0 */
/* What this kernel does not enforce, or what does not work on it, one sentence each. */
#ifndef REMIT_PLAN_LOSSES_H
#define REMIT_PLAN_LOSSES_H

#include "policy/plan/plan.h"

/* Fills losses and loss_count of the plan. 0 or -ENOMEM. */
int losses_build(const struct features *features, struct plan *plan);

#endif
