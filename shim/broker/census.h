/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many processes the gate has met, and how many of them never said hello: programs without the
 * shim (static, or started with an emptied environment), contained all the same. For the last line
 * of the log. Counted by process id: a number that was given out twice counts once.
 */
#ifndef REMIT_BROKER_CENSUS_H
#define REMIT_BROKER_CENSUS_H

#include "shim/broker/broker.h"

/* Each call that the gate has served passes here; looks at a thread only once, and not at one that
 * the functions below have told of. An exec passes here before. */
void census_met(struct request *request);
/* The caller opens a file. A program's loader opens the shim before anything else, so that it need
 * not be looked at. */
void census_open(struct request *request, const char *path);
/* The caller's program has said hello: its loader does, in the first thread. */
void census_hello(struct request *request);
/* The caller is about to become another program. */
void census_exec(struct request *request);

struct census {
	uint64_t processes, unshimmed;
};
struct census census_count(void);

#endif
