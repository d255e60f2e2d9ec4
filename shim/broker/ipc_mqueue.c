/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX message queues. The janitor opens them, under a name that is made up for the session, and
 * the gate hands the descriptor over; sending, receiving and notifying act on the descriptor alone
 * and are native. The made-up name also keeps the agent from choosing what the kernel calls its
 * descriptor in /proc/self/fd, where such a file looks like one in "/".
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "shim/broker/broker.h"
#include "shim/broker/gate.h"
#include "shim/broker/ipc_internal.h"
#include "shim/broker/performers.h"

struct opening {
	const char *name;
	pid_t creator;
	struct ipc_message message;
};

/* Under the lock. A descriptor or a negative errno. */
static int make_queue(struct ipc *ipc, struct opening *opening)
{
	struct ipc_object object = {.kind = IPC_QUEUE,
				    .id = ipc_next_queue(ipc),
				    .creator = opening->creator,
				    .name = (char *)(uintptr_t)opening->name};
	int fd = -1, error = ipc_has_room(ipc, IPC_QUEUE, 0);

	opening->message.id = object.id;
	opening->message.flags |= O_CREAT | O_EXCL;
	if (!error)
		error = ipc_ask(ipc, &opening->message, &fd);
	if (!error)
		error = ipc_add(ipc, &object);
	if (error && fd >= 0)
		close(fd);
	return error ? error : fd;
}

/* Under the lock. */
static int open_queue(struct ipc *ipc, struct opening *opening)
{
	const uint32_t flags = opening->message.flags;
	struct ipc_object *object = ipc_by_name(ipc, opening->name);

	if (object && (flags & O_CREAT) && (flags & O_EXCL))
		return -EEXIST;
	if (object) {
		int fd = -1;

		opening->message.id = object->id;
		opening->message.flags = flags & ~(uint32_t)(O_CREAT | O_EXCL);
		int error = ipc_ask(ipc, &opening->message, &fd);

		if (error != -ENOENT)
			return error ? error : fd;
		/* Somebody outside has removed it. */
		ipc_drop(ipc, object);
		opening->message.flags = flags;
	}
	return flags & O_CREAT ? make_queue(ipc, opening) : -ENOENT;
}

/* As getname() and lookup_noperm() say it. name of at least NAME_MAX + 2 bytes. */
static int read_name(struct request *request, uint64_t address, char *name)
{
	long len = memory_read_string(request, address, name, NAME_MAX + 2);

	if (len < 0)
		return len == -EPERM ? -EACCES : (int)len;
	if (len == 0)
		return -ENOENT;
	if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EACCES;
	return len > NAME_MAX ? -ENAMETOOLONG : 0;
}

static int read_opening(struct request *request, struct opening *opening)
{
	const __u64 *args = request->notif.data.args;
	struct ipc_message *message = &opening->message;
	int umask_now = request_umask(request), error = 0;
	struct rlimit limit;

	opening->creator = request_tgid(request);
	if (umask_now < 0 || opening->creator < 0)
		return -ESRCH;
	message->word = IPC_OPEN;
	message->kind = IPC_QUEUE;
	message->umask = (uint32_t)umask_now;
	message->flags = (uint32_t)args[1] & (O_ACCMODE | O_CREAT | O_EXCL | O_NONBLOCK);
	message->mode = (uint32_t)args[2] & 07777;
	message->has_attributes = (message->flags & O_CREAT) && args[3] != 0;
	if (message->has_attributes)
		error = memory_read(request, args[3], &message->attributes,
				    sizeof(message->attributes));
	if (!error && prlimit(request->tid, RLIMIT_MSGQUEUE, NULL, &limit) != 0)
		error = -errno;
	message->limit = error ? 0 : limit.rlim_cur;
	return error == -EPERM ? -EACCES : error;
}

struct reply perform_mq_open(struct request *request)
{
	struct ipc *ipc = broker_ipc(request->broker);
	char name[NAME_MAX + 2];
	struct opening opening = {.name = name};
	int error = read_name(request, request->notif.data.args[0], name);

	if (!error)
		error = read_opening(request, &opening);
	if (error)
		return reply_error(-error);
	ipc_lock(ipc);
	int fd = open_queue(ipc, &opening);

	ipc_unlock(ipc);
	/* do_mq_open() in ipc/mqueue.c: always close-on-exec. */
	return fd < 0 ? reply_error(-fd) : reply_fd(fd, O_CLOEXEC);
}

struct reply perform_mq_unlink(struct request *request)
{
	struct ipc *ipc = broker_ipc(request->broker);
	char name[NAME_MAX + 2];
	int error = read_name(request, request->notif.data.args[0], name);

	if (error)
		return reply_error(-error);
	ipc_lock(ipc);
	struct ipc_object *object = ipc_by_name(ipc, name);

	if (object) {
		const struct ipc_message message = {
		    .word = IPC_UNLINK, .kind = IPC_QUEUE, .id = object->id};

		error = ipc_ask(ipc, &message, NULL);
	} else {
		error = -ENOENT;
	}
	if (object && (!error || error == -ENOENT))
		ipc_drop(ipc, object);
	ipc_unlock(ipc);
	return error ? reply_error(-error) : reply_value(0);
}
