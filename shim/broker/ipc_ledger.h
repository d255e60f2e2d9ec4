/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the gate and the janitor say to each other about IPC objects, over the janitor's socket.
 *
 * System V objects are made by the gate and told to the janitor after they were made and before
 * anybody in the session hears of them, so that they do not outlive a killed gate; one that is
 * killed between the two leaves that one object behind. POSIX queues are opened by the janitor
 * itself: the gate's Landlock domain reaches no queue, and the janitor opens none but the
 * session's.
 */
#ifndef REMIT_BROKER_IPC_LEDGER_H
#define REMIT_BROKER_IPC_LEDGER_H

#include <linux/mqueue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum ipc_kind { IPC_SHM, IPC_SEM, IPC_MSG, IPC_QUEUE, IPC_KINDS };

enum ipc_word {
	IPC_MADE,   /* no answer */
	IPC_GONE,   /* no answer */
	IPC_OPEN,   /* a queue; answered with an int32_t, 0 and a descriptor or a negative errno */
	IPC_UNLINK, /* a queue; answered with an int32_t */
};

struct ipc_message {
	uint8_t word; /* enum ipc_word */
	uint8_t kind; /* enum ipc_kind */
	uint16_t has_attributes;
	int32_t id; /* the kernel's; of a queue: its number in the session */
	/* Of IPC_OPEN, as for mq_open(2). */
	uint32_t flags, mode, umask, zero;
	uint64_t limit; /* RLIMIT_MSGQUEUE of who asks */
	struct mq_attr attributes;
};

/* How many of a kind a session may have at once. */
extern const unsigned int ipc_bounds[IPC_KINDS];

struct ipc_about {
	unsigned int mode; /* the nine bits */
	uint64_t size;	   /* bytes, or semaphores */
	bool destroyed;	   /* removed, and still attached somewhere */
};

/* 0 when `broker` has made the object under this id and it still exists, else -ENOENT. Asks no
 * permission of the object. Not for queues. */
int ipc_look(enum ipc_kind kind, int id, pid_t broker, struct ipc_about *out);
/* True when anybody's object has this id. */
bool ipc_exists(enum ipc_kind kind, int id);
/* Removes it, if it is still the one that broker made. Not for queues. */
void ipc_remove(enum ipc_kind kind, int id, pid_t broker);

#endif
