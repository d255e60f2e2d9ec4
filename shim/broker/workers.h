/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads of the gate. Two classes: general workers receive notifications and must come back
 * soon; a worker whose call may block leaves that class (request_may_block) and is replaced, within
 * a bound for each process, so that no process holds up another.
 */
#ifndef REMIT_BROKER_WORKERS_H
#define REMIT_BROKER_WORKERS_H

#include "shim/broker/broker.h"

struct workers;

/* Performs one request: the gate's part. Must not send anything. */
typedef struct reply (*workers_serve)(struct request *request);

/* Makes the threads, which wait for workers_open(). 0 or a negative errno. */
int workers_start(struct broker *broker, const struct features *features, workers_serve serve,
		  struct workers **out);
/* The first call may come. Owns listener from here on. */
void workers_open(struct workers *workers, int listener);
void workers_stop(struct workers *workers); /* NULL is fine; joins every thread and frees */
bool workers_failed(const struct workers *workers);

/* Brackets a short write that must not block: ended by EINTR after about 50 ms at most. */
void workers_hurry_begin(void);
void workers_hurry_end(void);

/* For a worker that can no longer keep a promise: the session ends. */
void workers_fail(void);

#endif
