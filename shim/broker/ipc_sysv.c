/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System V shared memory, semaphores and message queues.
 *
 * shmget, semget and msgget are the gate's own: the session's keys are looked up in its table, and
 * what is made is made under no key. All other calls name their object by an id in a register,
 * which nobody can rewrite: an id of the table goes on natively (the kernel then judges modes,
 * waits, and accounts to the caller), any other is refused. IPC_STAT alone is answered here, since
 * the kernel does not know the key and the maker that the session knows.
 *
 * SHM_EXEC is left to the kernel: it gives no executable memory that mmap(2) would not give.
 */
#include <asm/msgbuf.h>
#include <asm/sembuf.h>
#include <asm/shmbuf.h>
#include <errno.h>
#include <stdio.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/broker/broker.h"
#include "shim/broker/gate.h"
#include "shim/broker/ipc_internal.h"
#include "shim/broker/performers.h"

static const char *const kind_names[IPC_KINDS] = {
    [IPC_SHM] = "shared memory", [IPC_SEM] = "semaphores", [IPC_MSG] = "message queue"};

static long make(enum ipc_kind kind, uint64_t size, int flags)
{
	switch (kind) {
	case IPC_SHM:
		return syscall(SYS_shmget, IPC_PRIVATE, size, flags);
	case IPC_SEM:
		return syscall(SYS_semget, IPC_PRIVATE, size, flags);
	default:
		return syscall(SYS_msgget, IPC_PRIVATE, flags);
	}
}

/* Under the lock. The id, or a negative errno. */
static long make_new(struct request *request, struct ipc *ipc, enum ipc_kind kind, key_t key,
		     uint64_t size, int flags)
{
	pid_t creator = request_tgid(request);
	int error = creator < 0 ? creator : ipc_has_room(ipc, kind, size);
	long id = error ? error : make(kind, size, flags & ~(IPC_CREAT | IPC_EXCL));

	if (error)
		return error;
	if (id < 0)
		return -errno;
	error = ipc_add(ipc, &(struct ipc_object){.kind = kind,
						  .id = (int)id,
						  .key = key,
						  .creator = creator,
						  .size = kind == IPC_MSG ? 0 : size});
	return error ? error : id;
}

/* What ipcget_public() in ipc/util.c asks of an object that is there; the session's user made it.
 */
static int check_old(const struct ipc_about *about, uint64_t size, int flags)
{
	unsigned int wanted = (unsigned int)(flags >> 6 | flags >> 3 | flags) & 7;

	if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
		return -EEXIST;
	if (about->size < size)
		return -EINVAL;
	return wanted & ~(about->mode >> 6) ? -EACCES : 0;
}

static struct reply get(struct request *request, enum ipc_kind kind, key_t key, uint64_t size,
			int flags)
{
	struct ipc *ipc = broker_ipc(request->broker);
	const struct ipc_object *old = NULL;
	struct ipc_about about;
	long id;

	ipc_lock(ipc);
	if (key != IPC_PRIVATE)
		old = ipc_by_key(ipc, kind, key, &about);
	if (old) {
		int error = check_old(&about, size, flags);

		id = error ? error : old->id;
	} else if (key != IPC_PRIVATE && !(flags & IPC_CREAT)) {
		id = -ENOENT;
	} else {
		id = make_new(request, ipc, kind, key, size, flags);
	}
	ipc_unlock(ipc);
	return id < 0 ? reply_error((int)-id) : reply_value(id);
}

struct reply perform_shmget(struct request *request)
{
	const __u64 *args = request->notif.data.args;

	if ((int)args[2] & SHM_HUGETLB)
		return reply_error(-judge_never(
		    request, request->name, "huge pages",
		    "they would be counted as the gate's and not as the caller's", EPERM));
	return get(request, IPC_SHM, (key_t)args[0], args[1], (int)args[2]);
}

struct reply perform_semget(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	int count = (int)args[1];

	if (count < 0)
		return reply_error(EINVAL);
	return get(request, IPC_SEM, (key_t)args[0], (uint64_t)count, (int)args[2]);
}

struct reply perform_msgget(struct request *request)
{
	const __u64 *args = request->notif.data.args;

	return get(request, IPC_MSG, (key_t)args[0], 0, (int)args[1]);
}

static bool is_ours(struct request *request, enum ipc_kind kind, int id, struct ipc_object *out)
{
	struct ipc *ipc = broker_ipc(request->broker);
	struct ipc_about about;

	ipc_lock(ipc);
	const struct ipc_object *object = ipc_by_id(ipc, kind, id, &about);

	if (object)
		*out = *object;
	ipc_unlock(ipc);
	return object != NULL;
}

/* An id that is nobody's (any more) is an everyday mistake; one that is somebody else's is not. */
static struct reply foreign(struct request *request, enum ipc_kind kind, int id)
{
	char object[48];

	if (!ipc_exists(kind, id))
		return reply_error(EINVAL);
	snprintf(object, sizeof(object), "%s %d", kind_names[kind], id);
	return reply_error(-judge_never(request, request->name, object,
					"it does not belong to this session", EACCES));
}

static struct reply on_id(struct request *request, enum ipc_kind kind)
{
	int id = (int)request->notif.data.args[0];
	struct ipc_object object;

	return is_ours(request, kind, id, &object) ? reply_continue() : foreign(request, kind, id);
}

struct reply perform_shmat(struct request *request)
{
	return on_id(request, IPC_SHM);
}

struct reply perform_semop(struct request *request)
{
	return on_id(request, IPC_SEM);
}

struct reply perform_msgsnd(struct request *request)
{
	return on_id(request, IPC_MSG);
}

static struct reply give(struct request *request, uint64_t address, const void *buf, size_t size)
{
	int error = memory_write(request, address, buf, size);

	if (error == -EPERM)
		error = -EACCES;
	return error ? reply_error(-error) : reply_value(0);
}

static struct reply stat_shm(struct request *request, const struct ipc_object *object, uint64_t to)
{
	struct shmid64_ds about = {0};

	if (syscall(SYS_shmctl, object->id, IPC_STAT, &about) != 0)
		return reply_error(errno);
	about.shm_perm.key = object->key;
	about.shm_cpid = object->creator;
	return give(request, to, &about, sizeof(about));
}

static struct reply stat_sem(struct request *request, const struct ipc_object *object, uint64_t to)
{
	struct semid64_ds about = {0};

	if (syscall(SYS_semctl, object->id, 0, IPC_STAT, &about) != 0)
		return reply_error(errno);
	about.sem_perm.key = object->key;
	return give(request, to, &about, sizeof(about));
}

static struct reply stat_msg(struct request *request, const struct ipc_object *object, uint64_t to)
{
	struct msqid64_ds about = {0};

	if (syscall(SYS_msgctl, object->id, IPC_STAT, &about) != 0)
		return reply_error(errno);
	about.msg_perm.key = object->key;
	return give(request, to, &about, sizeof(about));
}

/* The commands that take an index or nothing, and tell of everybody's objects. */
static struct reply listing(struct request *request, enum ipc_kind kind)
{
	return reply_error(-judge_never(request, request->name, kind_names[kind],
					"it would tell of those outside the session", EACCES));
}

struct reply perform_shmctl(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	struct ipc_object object;

	switch ((int)args[1]) {
	case IPC_INFO: /* the kernel's limits, as in /proc/sys/kernel */
		return reply_continue();
	case SHM_INFO:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return listing(request, IPC_SHM);
	case IPC_STAT:
		if (is_ours(request, IPC_SHM, (int)args[0], &object))
			return stat_shm(request, &object, args[2]);
		return foreign(request, IPC_SHM, (int)args[0]);
	case IPC_RMID:
	case IPC_SET:
	case SHM_LOCK:
	case SHM_UNLOCK:
		return on_id(request, IPC_SHM);
	default:
		return reply_error(EINVAL);
	}
}

struct reply perform_semctl(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	struct ipc_object object;

	switch ((int)args[2]) {
	case IPC_INFO:
		return reply_continue();
	case SEM_INFO:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return listing(request, IPC_SEM);
	case IPC_STAT:
		if (is_ours(request, IPC_SEM, (int)args[0], &object))
			return stat_sem(request, &object, args[3]);
		return foreign(request, IPC_SEM, (int)args[0]);
	case IPC_RMID:
	case IPC_SET:
	case GETPID:
	case GETVAL:
	case GETALL:
	case GETNCNT:
	case GETZCNT:
	case SETVAL:
	case SETALL:
		return on_id(request, IPC_SEM);
	default:
		return reply_error(EINVAL);
	}
}

struct reply perform_msgctl(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	struct ipc_object object;

	switch ((int)args[1]) {
	case IPC_INFO:
		return reply_continue();
	case MSG_INFO:
	case MSG_STAT:
	case MSG_STAT_ANY:
		return listing(request, IPC_MSG);
	case IPC_STAT:
		if (is_ours(request, IPC_MSG, (int)args[0], &object))
			return stat_msg(request, &object, args[2]);
		return foreign(request, IPC_MSG, (int)args[0]);
	case IPC_RMID:
	case IPC_SET:
		return on_id(request, IPC_MSG);
	default:
		return reply_error(EINVAL);
	}
}
