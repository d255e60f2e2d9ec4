/* SPDX-License-Identifier: Apache-2.0 */
/* The table that nest.c reads and nest_table.c fills. One session in a process, so one table. */
#ifndef REMIT_BROKER_NEST_INTERNAL_H
#define REMIT_BROKER_NEST_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "shim/broker/nest.h"

/* Far above what any program sets or takes for a bound, below RLIM_INFINITY. */
#define NEST_BASE (UINT64_C(1) << 61)
#define NEST_SPACE (UINT64_C(1) << 60)
#define NEST_TOP (NEST_BASE + NEST_SPACE)

struct nest_table {
	pthread_mutex_t lock;
	atomic_bool used; /* some process may be marked */
	struct nested *at[NEST_COUNT];
	uint64_t children_made; /* cells given out directly inside the broker's session */
	size_t reserved;	/* bytes of images that are not in a session of the table yet */
};
extern struct nest_table nest_table;

/* 1 and the cell when the process is marked, 0 when not, or a negative errno. */
int nest_cell(pid_t pid, struct cell *out);
/* The two limits themselves. 0 or a negative errno. */
int nest_limits(pid_t pid, uint64_t *resident, uint64_t *locks);
/* Under the lock: frees it and those around it that only waited for it. */
void nest_free_unused(struct nested *nested);

#endif
