/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: a value, a descriptor, "go on". */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "shim/broker/workers_internal.h"

/* The answer as the kernel takes it. ENOENT means that the caller is gone: nobody to tell. False
 * when it was not taken. */
static bool try_value(struct workers *workers, uint64_t id, int64_t value, int error,
		      uint32_t flags)
{
	union {
		struct seccomp_notif_resp resp;
		char room[256];
	} out;

	memset(&out, 0, sizeof(out));
	out.resp.id = id;
	out.resp.val = value;
	out.resp.error = -error;
	out.resp.flags = flags;
	while (ioctl(workers->listener, SECCOMP_IOCTL_NOTIF_SEND, &out) != 0) {
		if (errno != EINTR)
			return errno == ENOENT;
	}
	return true;
}

void workers_put_value(struct workers *workers, uint64_t id, int64_t value, int error,
		       uint32_t flags)
{
	if (!try_value(workers, id, value, error, flags) && !try_value(workers, id, 0, EACCES, 0))
		atomic_store(&workers->failed, true);
}

/* The last thing that is done for a call. */
static void send_value(struct workers *workers, uint64_t id, int64_t value, int error,
		       uint32_t flags)
{
	workers_claim_turn(workers);
	workers_put_value(workers, id, value, error, flags);
}

/*
 * The fd is put into the caller first and closed here before the caller goes on: an open file that
 * outlives the caller's own close() would keep a lock, a FIFO's end, or a program from being run
 * (ETXTBSY). Where a signal can come between the two steps (before 5.19), one step is safer.
 */
static void send_fd(struct workers *workers, uint64_t id, const struct reply *reply)
{
	struct seccomp_notif_addfd add = {
	    .id = id,
	    .srcfd = (uint32_t)reply->fd,
	    .newfd_flags = reply->fd_flags & O_CLOEXEC,
	    .flags = workers->one_step ? SECCOMP_ADDFD_FLAG_SEND : 0,
	};
	int fd;

	do
		fd = ioctl(workers->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	while (fd < 0 && errno == EINTR);
	int error = fd < 0 ? errno : 0;

	close(reply->fd);
	if (error)
		send_value(workers, id, 0, error, 0);
	else if (!workers->one_step)
		send_value(workers, id, fd, 0, 0);
}

void workers_send_reply(struct workers *workers, uint64_t id, const struct reply *reply)
{
	switch (reply->kind) {
	case REPLY_VALUE:
		send_value(workers, id, reply->value, 0, 0);
		break;
	case REPLY_CONTINUE:
		send_value(workers, id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
		break;
	case REPLY_FD:
		send_fd(workers, id, reply);
		break;
	case REPLY_DONE:
		break;
	case REPLY_LATER:
		if (!workers_self->queued)
			send_value(workers, id, 0, EAGAIN, 0);
		break;
	default:
		send_value(workers, id, 0, reply->value > 0 ? (int)reply->value : EACCES, 0);
	}
}
