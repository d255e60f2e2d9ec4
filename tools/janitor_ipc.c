/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guarantees: opens and removes no queue but those named for the session, whatever the gate says,
 * and with none of the operator's privileges; removes no System V object that the gate has not
 * made.
 */
#include "tools/janitor_ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/broker/ipc_ledger.h"

#define NAME_ROOM 96

struct entry {
	enum ipc_kind kind;
	int id;
};

struct keeper {
	const char *session_id;
	pid_t broker;
	struct entry *entries;
	size_t count, room;
};

static const char *queue_name(const struct keeper *keeper, int id, char buf[NAME_ROOM])
{
	snprintf(buf, NAME_ROOM, "remit.%.64s.%d", keeper->session_id, id);
	return buf;
}

static struct entry *find(struct keeper *keeper, enum ipc_kind kind, int id)
{
	for (size_t i = 0; i < keeper->count; i++) {
		if (keeper->entries[i].kind == kind && keeper->entries[i].id == id)
			return &keeper->entries[i];
	}
	return NULL;
}

static int note(struct keeper *keeper, enum ipc_kind kind, int id)
{
	if (find(keeper, kind, id))
		return 0;
	if (keeper->count == keeper->room) {
		size_t room = keeper->room ? 2 * keeper->room : 64;
		struct entry *grown = reallocarray(keeper->entries, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		keeper->entries = grown;
		keeper->room = room;
	}
	keeper->entries[keeper->count++] = (struct entry){.kind = kind, .id = id};
	return 0;
}

static void forget(struct keeper *keeper, enum ipc_kind kind, int id)
{
	struct entry *entry = find(keeper, kind, id);

	if (entry)
		*entry = keeper->entries[--keeper->count];
}

/* The agent has no capability that matters to a queue, and whoever acts for it shall have none. */
static int use_no_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) != 0)
		return -errno;
	data[0].effective = data[1].effective = 0;
	return syscall(SYS_capset, &header, data) != 0 ? -errno : 0;
}

static void use_capabilities_again(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) != 0)
		return;
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted;
	syscall(SYS_capset, &header, data);
}

static int open_with_limit(const struct ipc_message *message, const char *name)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MSGQUEUE, &limit) != 0)
		return -errno;
	struct rlimit theirs = limit;

	if (message->limit < theirs.rlim_cur)
		theirs.rlim_cur = message->limit;
	if (setrlimit(RLIMIT_MSGQUEUE, &theirs) != 0)
		return -errno;
	umask(message->umask & 0777);
	long fd = syscall(SYS_mq_open, name, (int)message->flags, message->mode,
			  message->has_attributes ? &message->attributes : NULL);
	int error = fd < 0 ? -errno : 0;

	setrlimit(RLIMIT_MSGQUEUE, &limit);
	return error ? error : (int)fd;
}

/* 0 or a negative errno; what cannot be removed now stays listed. */
static int unlink_queue(struct keeper *keeper, int id)
{
	char name[NAME_ROOM];

	if (syscall(SYS_mq_unlink, queue_name(keeper, id, name)) != 0 && errno != ENOENT)
		return -errno;
	forget(keeper, IPC_QUEUE, id);
	return 0;
}

static int open_queue(struct keeper *keeper, const struct ipc_message *message)
{
	const uint32_t known = O_ACCMODE | O_CREAT | O_EXCL | O_NONBLOCK;
	bool make = message->flags & O_CREAT;
	char name[NAME_ROOM];

	if (message->flags & ~known)
		return -EINVAL;
	int error = make ? note(keeper, IPC_QUEUE, message->id) : 0;

	if (!error)
		error = use_no_capabilities();
	int fd = error ? error : open_with_limit(message, queue_name(keeper, message->id, name));

	if (!error)
		use_capabilities_again();
	if (fd < 0 && make) {
		/* The kernel makes a queue before it looks whether it may be opened. */
		unlink_queue(keeper, message->id);
		forget(keeper, IPC_QUEUE, message->id);
	}
	return fd;
}

/* fd is closed here; negative: an errno to tell. */
static void answer(int socket, int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.room = {0}};
	int32_t error = fd < 0 ? fd : 0;
	struct iovec iov = {.iov_base = &error, .iov_len = sizeof(error)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);

		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	(void)!sendmsg(socket, &message, MSG_NOSIGNAL);
	if (fd >= 0)
		close(fd);
}

/* The gate says so of what it has removed, and of what it could not look at: seen for ourselves. */
static bool is_gone(const struct keeper *keeper, enum ipc_kind kind, int id)
{
	struct ipc_about about;

	return ipc_look(kind, id, keeper->broker, &about) != 0 || about.destroyed;
}

static void serve_one(struct keeper *keeper, int socket, const struct ipc_message *message)
{
	int error;

	switch (message->word) {
	case IPC_MADE:
		if (message->kind < IPC_QUEUE)
			note(keeper, (enum ipc_kind)message->kind, message->id);
		break;
	case IPC_GONE:
		if (message->kind < IPC_QUEUE &&
		    is_gone(keeper, (enum ipc_kind)message->kind, message->id))
			forget(keeper, (enum ipc_kind)message->kind, message->id);
		break;
	case IPC_OPEN:
		answer(socket, open_queue(keeper, message));
		break;
	case IPC_UNLINK:
		error = unlink_queue(keeper, message->id);
		(void)!send(socket, &(int32_t){error}, sizeof(int32_t), MSG_NOSIGNAL);
		break;
	default:
		break;
	}
}

void janitor_ipc_serve(int fd, const char *session_id, pid_t broker)
{
	struct keeper keeper = {.session_id = session_id, .broker = broker};
	struct ipc_message message;
	size_t have = 0;

	for (;;) {
		ssize_t n = read(fd, (char *)&message + have, sizeof(message) - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
		if (have == sizeof(message)) {
			serve_one(&keeper, fd, &message);
			have = 0;
		}
	}
	while (keeper.count > 0) {
		struct entry last = keeper.entries[--keeper.count];
		char name[NAME_ROOM];

		if (last.kind == IPC_QUEUE)
			syscall(SYS_mq_unlink, queue_name(&keeper, last.id, name));
		else
			ipc_remove(last.kind, last.id, broker);
	}
	free(keeper.entries);
}
