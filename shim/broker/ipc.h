/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System V IPC and POSIX message queues of one session. The kernel has one space of keys and one of
 * names for everybody; here each session has its own of both: the gate makes every object itself,
 * under no key (IPC_PRIVATE) or under a name of its own, and keeps the session's keys and names in
 * a table. An id that is not in the table is not reachable, and no object outlives the session.
 */
#ifndef REMIT_BROKER_IPC_H
#define REMIT_BROKER_IPC_H

#include <stddef.h>
#include <stdint.h>

struct ipc;

struct ipc_options {
	uint64_t memory; /* bytes of shared memory in all, 0: no bound but the kernel's */
	int ledger;	 /* the janitor's socket (ipc_ledger.h); borrowed, -1: none, so no queues */
};

/* NULL when out of memory. */
struct ipc *ipc_create(const struct ipc_options *options);
/* Removes every object. After the last process of the session has ended and the gate has stopped.
 */
void ipc_end(struct ipc *ipc);
void ipc_free(struct ipc *ipc); /* NULL is fine */

#endif
