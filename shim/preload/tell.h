/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals that the shim makes itself: one line to the agent, one hypercall to the broker. */
#ifndef REMIT_PRELOAD_TELL_H
#define REMIT_PRELOAD_TELL_H

#include "policy/core/decide.h"

/* Of an address. Never blocks on fd 2 and never raises SIGPIPE; leaves errno alone. */
void tell_refused(const struct query *query, const struct decision *decision);

#endif
