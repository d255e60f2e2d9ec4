/* SPDX-License-Identifier: Apache-2.0 */
/* The data of a message, gathered and sent from the copy, in a bounded amount of the gate's memory.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "shim/broker/network_send.h"

#define DATA_CHUNK (1024U * 1024)	/* of a stream, at once, */
#define DATA_OWN (64U * 1024)		/* but no more than every call may hold, */
#define DATA_SHARED (32U * 1024 * 1024) /* once all together hold as much beyond that */

/* Gathers up to `most` bytes of the caller's data from `skip` on. */
static int gather(const struct sending *sending, size_t skip, char *out, size_t most)
{
	for (size_t i = 0; i < sending->iov_count && most > 0; i++) {
		size_t len = sending->iov[i].iov_len;
		uint64_t address = (uintptr_t)sending->iov[i].iov_base;

		if (skip >= len) {
			skip -= len;
			continue;
		}
		address += skip;
		len -= skip;
		skip = 0;
		if (len > most)
			len = most;
		int error = memory_read(sending->request, address, out, len);

		if (error)
			return sending_fault(error);
		out += len;
		most -= len;
	}
	return 0;
}

static long send_copy(struct sending *sending, char *data, size_t size, bool first,
		      unsigned int flags)
{
	struct iovec iov = {data, size};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	if (sending->name_len > 0) {
		message.msg_name = &sending->name;
		message.msg_namelen = sending->name_len;
	}
	if (first && sending->control_len > 0) {
		message.msg_control = sending->control.bytes;
		message.msg_controllen = sending->control_len;
	}
	ssize_t n = sendmsg(sending->sock->fd, &message, (int)(flags | MSG_NOSIGNAL));

	return n < 0 ? -errno : n;
}

/* What calls hold beyond DATA_OWN each. No limit of the caller's counts the gate's memory, and a
 * call that blocks keeps what it has. */
static atomic_size_t shared;

static bool borrow(size_t size)
{
	size_t held = atomic_load(&shared);

	do {
		if (size > DATA_SHARED - held)
			return false;
	} while (!atomic_compare_exchange_weak(&shared, &held, held + size));
	return true;
}

static void give_back(size_t room)
{
	if (room > DATA_OWN)
		atomic_fetch_sub(&shared, room);
}

/* The longest message that the kernel takes: of IP no longer than its length field tells, else as
 * unix_dgram_sendmsg() and netlink_sendmsg() compare. */
static size_t longest(const struct peer_socket *sock)
{
	int size = 0;
	socklen_t len = sizeof(size);

	if (sock->domain == AF_INET || sock->domain == AF_INET6)
		return UINT16_MAX;
	if (getsockopt(sock->fd, SOL_SOCKET, SO_SNDBUF, &size, &len) != 0 || size < 32)
		return 0;
	return (size_t)size - 32;
}

/* How much is held at once; a stream goes piece by piece. 0 or a negative errno. */
static int take_room(const struct sending *sending, size_t *room)
{
	*room = sending->total;
	if (*room <= DATA_OWN)
		return 0;
	if (sending_is_stream(sending)) {
		if (*room > DATA_CHUNK)
			*room = DATA_CHUNK;
		if (!borrow(*room))
			*room = DATA_OWN;
		return 0;
	}
	/* Before there is memory for it: the kernel would say so when it has the whole. */
	if (*room > longest(sending->sock))
		return -EMSGSIZE;
	return borrow(*room) ? 0 : -ENOBUFS;
}

long sending_send(struct sending *sending)
{
	size_t room, sent = 0;
	int error = take_room(sending, &room);
	long n;

	if (error)
		return error;
	char *data = malloc(room + 1);

	if (!data) {
		give_back(room);
		return -ENOBUFS;
	}
	do {
		size_t size = sending->total - sent < room ? sending->total - sent : room;

		n = gather(sending, sent, data, size);
		if (n == 0)
			n = send_copy(sending, data, size, sent == 0, sending->flags);
		if (n <= 0)
			break;
		sent += (size_t)n;
		/* Less than was offered: a signal, a time limit or no room. */
		if ((size_t)n < size)
			break;
	} while (sent < sending->total);
	free(data);
	give_back(room);
	return sent > 0 ? (long)sent : n;
}
