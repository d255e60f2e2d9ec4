/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session's table of IPC objects, shared by ipc.c (the table), ipc_sysv.c and ipc_mqueue.c (the
 * calls). Everything here is under ipc_lock(). The one wait under it is for the janitor's answer,
 * and who does not answer is not asked again.
 */
#ifndef REMIT_BROKER_IPC_INTERNAL_H
#define REMIT_BROKER_IPC_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <sys/ipc.h>

#include "shim/broker/ipc.h"
#include "shim/broker/ipc_ledger.h"

struct ipc_object {
	enum ipc_kind kind;
	int id;
	key_t key;     /* as the session knows it; IPC_PRIVATE: by its id alone */
	pid_t creator; /* the process that asked for it */
	uint64_t size; /* bytes of memory, number of semaphores */
	char *name;    /* of a queue, as the session knows it */
};

void ipc_lock(struct ipc *ipc);
void ipc_unlock(struct ipc *ipc);

/* The object, if it is in the table and still the one that was made; what is gone is dropped. NULL
 * when there is none. Good until the next call with the same ipc. */
struct ipc_object *ipc_by_id(struct ipc *ipc, enum ipc_kind kind, int id, struct ipc_about *about);
struct ipc_object *ipc_by_key(struct ipc *ipc, enum ipc_kind kind, key_t key,
			      struct ipc_about *about);
struct ipc_object *ipc_by_name(struct ipc *ipc, const char *name);

/* 0 when one more of the kind and size is within the bounds, else -ENOSPC. */
int ipc_has_room(struct ipc *ipc, enum ipc_kind kind, uint64_t size);
/* The number that the next queue gets. */
int32_t ipc_next_queue(struct ipc *ipc);
/* Has the janitor do it. For IPC_OPEN *ret_fd is the descriptor. 0 or a negative errno; -ENOSYS
 * when there is no janitor. */
int ipc_ask(struct ipc *ipc, const struct ipc_message *message, int *ret_fd);
/* Takes what was just made into the table (name is copied) and tells the ledger. On failure it is
 * removed again and a negative errno returned. */
int ipc_add(struct ipc *ipc, const struct ipc_object *object);
/* The object no longer exists, or for shared memory: no longer has a key. */
void ipc_drop(struct ipc *ipc, struct ipc_object *object);

#endif
