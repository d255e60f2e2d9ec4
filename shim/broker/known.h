/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker keeps of the thread that called last, so that its next call need not open it again.
 *
 * An fd of this kind stays with its thread, not with the number: once the thread is gone every use
 * says ESRCH, whoever has its number by then. So while a call waits (request_alive()), an fd that
 * was kept under the caller's number and works is the caller's own.
 */
#ifndef REMIT_BROKER_KNOWN_H
#define REMIT_BROKER_KNOWN_H

#include <stdatomic.h>
#include <sys/types.h>

enum known_kind { KNOWN_PIDFD, KNOWN_STATUS, KNOWN_KINDS };

struct known {
	struct {
		atomic_int fd; /* -1: none, or in use */
		pid_t tid;     /* the worker's own */
	} kept[KNOWN_KINDS];
};

void known_init(struct known *known);
/* The fd kept for tid, owned by the caller from here on; -1. known: NULL is fine. */
int known_take(struct known *known, enum known_kind kind, pid_t tid);
/* Gives an fd back; closes it when there is nothing to keep it in. */
void known_keep(struct known *known, enum known_kind kind, pid_t tid, int fd);
/* Closes what is not in use; for any thread. */
void known_forget(struct known *known);

#endif
