/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an object is known to be the session's. Ids are given out anew, so an id alone proves
 * nothing: somebody outside may have removed ours (ipcrm) and the kernel may have given its id
 * away. What the gate makes has no key and the gate's user as its maker; shared memory also names
 * the process that made it, and that number is the gate's as long as the gate lives.
 *
 * The *_STAT_ANY commands (Linux 4.17) look without asking the object's permission; they take the
 * index in the low bits of an id and return the whole id of what is there.
 */
#include "shim/broker/ipc_ledger.h"

#include <asm/msgbuf.h>
#include <asm/sembuf.h>
#include <asm/shmbuf.h>
#include <errno.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/shm.h: in the mode of shared memory that is removed and still attached. */
#define SHM_DEST_BIT 01000

const unsigned int ipc_bounds[IPC_KINDS] = {
    [IPC_SHM] = 1024, [IPC_SEM] = 1024, [IPC_MSG] = 256, [IPC_QUEUE] = 256};

struct found {
	int id;
	struct ipc64_perm perm;
	uint64_t size;
	pid_t maker; /* 0: the kernel does not say */
};

/* What is at the place that the id names, whoever owns it. */
static bool find(enum ipc_kind kind, int id, struct found *out)
{
	struct shmid64_ds shm = {0};
	struct semid64_ds sem = {0};
	struct msqid64_ds msg = {0};

	switch (kind) {
	case IPC_SHM:
		out->id = (int)syscall(SYS_shmctl, id, SHM_STAT_ANY, &shm);
		out->perm = shm.shm_perm;
		out->size = shm.shm_segsz;
		out->maker = shm.shm_cpid;
		break;
	case IPC_SEM:
		out->id = (int)syscall(SYS_semctl, id, 0, SEM_STAT_ANY, &sem);
		out->perm = sem.sem_perm;
		out->size = sem.sem_nsems;
		break;
	case IPC_MSG:
		out->id = (int)syscall(SYS_msgctl, id, MSG_STAT_ANY, &msg);
		out->perm = msg.msg_perm;
		break;
	default:
		return false;
	}
	return out->id >= 0;
}

bool ipc_exists(enum ipc_kind kind, int id)
{
	struct found found = {0};

	return id >= 0 && find(kind, id, &found) && found.id == id;
}

int ipc_look(enum ipc_kind kind, int id, pid_t broker, struct ipc_about *out)
{
	struct found found = {0};

	*out = (struct ipc_about){0};
	if (!find(kind, id, &found) || found.id != id || found.perm.key != IPC_PRIVATE ||
	    found.perm.cuid != geteuid() || (kind == IPC_SHM && found.maker != broker))
		return -ENOENT;
	out->mode = found.perm.mode & 0777;
	out->size = found.size;
	out->destroyed = kind == IPC_SHM && (found.perm.mode & SHM_DEST_BIT);
	return 0;
}

void ipc_remove(enum ipc_kind kind, int id, pid_t broker)
{
	struct ipc_about about;

	if (ipc_look(kind, id, broker, &about) != 0)
		return;
	if (kind == IPC_SHM)
		syscall(SYS_shmctl, id, IPC_RMID, NULL);
	else if (kind == IPC_SEM)
		syscall(SYS_semctl, id, 0, IPC_RMID, NULL);
	else
		syscall(SYS_msgctl, id, IPC_RMID, NULL);
}
