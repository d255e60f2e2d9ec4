/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table. Guarantees: what it holds was made by the gate for this session; what it no longer
 * holds was removed. Between a look at an object and the kernel's own use of its id (the gate
 * answers CONTINUE) the object could be removed and its id given to somebody else's: for that the
 * kernel must have given out every other id in between. A session can make no more than
 * MADE_MAX of a kind in its life, a quarter of the fewest ids that the kernel has (65536 sequence
 * numbers of at least 64 places, ipc_idr_alloc() in ipc/util.c), so no session can bring that
 * about.
 */
#include "shim/broker/ipc.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shim/broker/ipc_internal.h"

#define MADE_MAX (1U << 20)
#define ANSWER_MS 5000
/* 64 bytes of kernel memory each. */
#define SEMAPHORES_MAX (1U << 18)

struct ipc {
	pthread_mutex_t lock;
	uint64_t memory;
	bool has_ledger;
	int ledger; /* -1: none, or it has failed */
	pid_t broker;
	struct ipc_object *objects;
	size_t count, room;
	unsigned int made[IPC_KINDS];
};

struct ipc *ipc_create(const struct ipc_options *options)
{
	struct ipc *ipc = calloc(1, sizeof(*ipc));

	if (!ipc)
		return NULL;
	ipc->memory = options->memory;
	ipc->ledger = options->ledger;
	ipc->has_ledger = options->ledger >= 0;
	ipc->broker = getpid();
	pthread_mutex_init(&ipc->lock, NULL);
	return ipc;
}

void ipc_free(struct ipc *ipc)
{
	if (!ipc)
		return;
	for (size_t i = 0; i < ipc->count; i++)
		free(ipc->objects[i].name);
	free(ipc->objects);
	pthread_mutex_destroy(&ipc->lock);
	free(ipc);
}

void ipc_lock(struct ipc *ipc)
{
	pthread_mutex_lock(&ipc->lock);
}

void ipc_unlock(struct ipc *ipc)
{
	pthread_mutex_unlock(&ipc->lock);
}

int32_t ipc_next_queue(struct ipc *ipc)
{
	return (int32_t)ipc->made[IPC_QUEUE];
}

/* The janitor always reads, so what does not fit means that it is gone. */
static int say(struct ipc *ipc, const struct ipc_message *message)
{
	if (ipc->ledger >= 0 && send(ipc->ledger, message, sizeof(*message),
				     MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(*message))
		return 0;
	ipc->ledger = -1;
	return -ENOSPC;
}

static int tell(struct ipc *ipc, const struct ipc_object *object, enum ipc_word word)
{
	const struct ipc_message message = {
	    .word = (uint8_t)word, .kind = (uint8_t)object->kind, .id = object->id};

	return ipc->has_ledger ? say(ipc, &message) : 0;
}

static int take_answer(int socket, int32_t *answer, int *fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {.iov_base = answer, .iov_len = sizeof(*answer)};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	struct pollfd poll_fd = {.fd = socket, .events = POLLIN};
	int ready;

	*fd = -1;
	while ((ready = poll(&poll_fd, 1, ANSWER_MS)) < 0 && errno == EINTR)
		;
	if (ready != 1 ||
	    recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != (ssize_t)sizeof(*answer))
		return -EIO;
	const struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	return 0;
}

int ipc_ask(struct ipc *ipc, const struct ipc_message *message, int *ret_fd)
{
	int32_t answer = 0;
	int fd = -1;

	if (ipc->ledger < 0 || say(ipc, message) != 0)
		return -ENOSYS;
	/* An answer that comes too late would be taken for the next one: never ask again. */
	if (take_answer(ipc->ledger, &answer, &fd) != 0) {
		ipc->ledger = -1;
		return -ENOSYS;
	}
	if (message->word == IPC_OPEN && answer == 0 && fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	if (fd >= 0)
		close(fd);
	return message->word == IPC_OPEN && answer == 0 ? -EIO : answer;
}

void ipc_drop(struct ipc *ipc, struct ipc_object *object)
{
	tell(ipc, object, IPC_GONE);
	free(object->name);
	*object = ipc->objects[--ipc->count];
}

/* Drops what is gone. */
static bool still_there(struct ipc *ipc, struct ipc_object *object, struct ipc_about *about)
{
	if (ipc_look(object->kind, object->id, ipc->broker, about) != 0) {
		ipc_drop(ipc, object);
		return false;
	}
	/* Memory that is removed lives on by its id until the last process lets go of it. */
	if (about->destroyed)
		object->key = IPC_PRIVATE;
	return true;
}

struct ipc_object *ipc_by_id(struct ipc *ipc, enum ipc_kind kind, int id, struct ipc_about *about)
{
	for (size_t i = 0; i < ipc->count; i++) {
		struct ipc_object *object = &ipc->objects[i];

		if (object->kind == kind && object->id == id)
			return still_there(ipc, object, about) ? object : NULL;
	}
	return NULL;
}

struct ipc_object *ipc_by_key(struct ipc *ipc, enum ipc_kind kind, key_t key,
			      struct ipc_about *about)
{
	for (size_t i = 0; i < ipc->count; i++) {
		struct ipc_object *object = &ipc->objects[i];

		if (object->kind == kind && object->key == key)
			return still_there(ipc, object, about) && object->key == key ? object
										     : NULL;
	}
	return NULL;
}

struct ipc_object *ipc_by_name(struct ipc *ipc, const char *name)
{
	for (size_t i = 0; i < ipc->count; i++) {
		struct ipc_object *object = &ipc->objects[i];

		if (object->kind == IPC_QUEUE && strcmp(object->name, name) == 0)
			return object;
	}
	return NULL;
}

static void sweep(struct ipc *ipc, enum ipc_kind kind)
{
	struct ipc_about about;

	for (size_t i = ipc->count; i-- > 0 && kind != IPC_QUEUE;) {
		if (ipc->objects[i].kind == kind)
			still_there(ipc, &ipc->objects[i], &about);
	}
}

static bool fits(const struct ipc *ipc, enum ipc_kind kind, uint64_t size)
{
	uint64_t most = kind == IPC_SHM ? ipc->memory : kind == IPC_SEM ? SEMAPHORES_MAX : 0;
	unsigned int count = 0;

	for (size_t i = 0; i < ipc->count; i++) {
		if (ipc->objects[i].kind == kind) {
			count++;
			if (most && (size > most || ipc->objects[i].size > most - size))
				return false;
			size += ipc->objects[i].size;
		}
	}
	return count < ipc_bounds[kind] && (!most || size <= most);
}

int ipc_has_room(struct ipc *ipc, enum ipc_kind kind, uint64_t size)
{
	if (ipc->made[kind] >= MADE_MAX)
		return -ENOSPC;
	if (fits(ipc, kind, size))
		return 0;
	sweep(ipc, kind);
	return fits(ipc, kind, size) ? 0 : -ENOSPC;
}

static int grow(struct ipc *ipc)
{
	size_t room = ipc->room ? 2 * ipc->room : 16;
	struct ipc_object *grown;

	if (ipc->count < ipc->room)
		return 0;
	grown = reallocarray(ipc->objects, room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	ipc->objects = grown;
	ipc->room = room;
	return 0;
}

static void remove_object(struct ipc *ipc, const struct ipc_object *object)
{
	const struct ipc_message unlink = {.word = IPC_UNLINK, .kind = IPC_QUEUE, .id = object->id};

	if (object->kind == IPC_QUEUE)
		ipc_ask(ipc, &unlink, NULL);
	else
		ipc_remove(object->kind, object->id, ipc->broker);
}

int ipc_add(struct ipc *ipc, const struct ipc_object *object)
{
	char *name = object->name ? strdup(object->name) : NULL;
	int error = object->name && !name ? -ENOMEM : grow(ipc);

	ipc->made[object->kind]++;
	/* Of a queue the janitor knows: it has made it. */
	if (!error && object->kind != IPC_QUEUE)
		error = tell(ipc, object, IPC_MADE);
	if (error) {
		remove_object(ipc, object);
		free(name);
		return error;
	}
	ipc->objects[ipc->count] = *object;
	ipc->objects[ipc->count++].name = name;
	return 0;
}

void ipc_end(struct ipc *ipc)
{
	ipc_lock(ipc);
	while (ipc->count > 0) {
		struct ipc_object *last = &ipc->objects[ipc->count - 1];

		remove_object(ipc, last);
		ipc_drop(ipc, last);
	}
	ipc_unlock(ipc);
}
