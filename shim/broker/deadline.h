/* SPDX-License-Identifier: Apache-2.0 */
/* When a session has to end: limits.wall_time after its start, or at agent.expires. First a chance
 * to end by itself (SIGTERM), DEADLINE_GRACE seconds later SIGKILL. No system calls but the clocks.
 */
#ifndef REMIT_BROKER_DEADLINE_H
#define REMIT_BROKER_DEADLINE_H

#include <stdint.h>
#include <time.h>

#include "policy/core/scope.h"

#define DEADLINE_GRACE 5

enum deadline_act { DEADLINE_WAIT, DEADLINE_TERMINATE, DEADLINE_KILL };

struct deadline {
	int64_t wall_end;   /* CLOCK_BOOTTIME ms, so that a suspended machine counts; 0: none */
	int64_t expires;    /* CLOCK_REALTIME s; 0: none */
	int64_t terminated; /* CLOCK_BOOTTIME ms of the SIGTERM; 0: not yet */
	const char *why;    /* "wall_time" or "expired" once it has passed, else NULL */
};

/* What a clock says, in milliseconds. */
int64_t deadline_now_ms(clockid_t clock);

void deadline_start(struct deadline *deadline, const struct scope_about *about);
/* What is due now. TERMINATE is said once, KILL from then on each time. */
enum deadline_act deadline_check(struct deadline *deadline);
/* Milliseconds until something may be due, at most `most`. */
int deadline_wait(const struct deadline *deadline, int most);

#endif
