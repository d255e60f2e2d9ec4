/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sendto, sendmsg and sendmmsg, where the scope grants any datagrams: header, address, data and
 * control messages are copied once, judged, and sent from the copy on a duplicate of the caller's
 * socket. Descriptors that are passed along are duplicates of the caller's.
 *
 * Natively: partial sends of streams, errors, SIGPIPE to the calling thread, SO_SNDTIMEO,
 * O_NONBLOCK. Not: SCM_CREDENTIALS carries the broker's process id (only the caller's own ids are
 * taken); MSG_ZEROCOPY says ENOBUFS, upon which programs copy; control messages that choose a
 * route.
 */
#include <errno.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim/broker/network.h"
#include "shim/broker/performers.h"

#define DATA_CHUNK (1024U * 1024)	 /* of a stream, at once, */
#define DATA_OWN (64U * 1024)		 /* but no more than every call may hold, */
#define DATA_SHARED (32U * 1024 * 1024) /* once all together hold as much beyond that */
#define CONTROL_MAX (64U * 1024)	 /* net.core.optmem_max is near that (ENOBUFS, as there) */
#define FDS_MAX 253			 /* SCM_MAX_FD, net/scm.h */
#define MESSAGES_MAX 1024		 /* UIO_MAXIOV: sendmmsg cuts there */

/* One message of the caller's, and what of it has been copied. */
struct sending {
	struct request *request;
	const struct peer_socket *sock;
	unsigned int flags;
	struct sockaddr_storage name;
	socklen_t name_len;
	struct iovec *iov; /* the caller's addresses */
	size_t iov_count, total;
	union {
		char *bytes;
		struct cmsghdr *first;
	} control;
	size_t control_len;
	int fds[FDS_MAX];
	size_t fd_count;
	struct object object; /* of a unix path */
};

static int fault(int error)
{
	return error == -EPERM ? -EACCES : error;
}

static bool is_stream(const struct sending *sending)
{
	return sending->sock->type == SOCK_STREAM;
}

/* The name decides nothing on a connected kind of socket: TCP and seqpacket ignore it, unix streams
 * refuse it. */
static int judge_name(struct sending *sending)
{
	const struct peer_socket *sock = sending->sock;

	if (sending->name_len == 0)
		return 0;
	if (sock->domain == AF_UNIX && is_stream(sending))
		return 0;
	if (is_stream(sending) || sock->type == SOCK_SEQPACKET) {
		sending->name_len = 0;
		return 0;
	}
	if (sending->name_len >= sizeof(sa_family_t) && sending->name.ss_family == AF_UNSPEC) {
		/* net/ipv4/udp.c takes it for AF_INET, net/ipv6/udp.c for no name at all. */
		if (sock->domain == AF_INET)
			sending->name.ss_family = AF_INET;
		else if (sock->domain == AF_INET6)
			sending->name_len = 0;
		if (sending->name_len == 0)
			return 0;
	}
	return network_judge_peer(sending->request, sock, &sending->name, &sending->name_len,
				  &sending->object);
}

static int read_name(struct sending *sending, uint64_t address, int64_t len)
{
	if (len < 0)
		return -EINVAL;
	if (address == 0 || len == 0)
		return 0;
	/* net/socket.c: too long a name is cut. */
	if ((size_t)len > sizeof(sending->name))
		len = sizeof(sending->name);
	int error = network_read(sending->request, address, (int)len, &sending->name);

	sending->name_len = (socklen_t)len;
	return error;
}

static int read_iov(struct sending *sending, uint64_t address, uint64_t count)
{
	if (count > UIO_MAXIOV)
		return -EMSGSIZE;
	sending->iov = calloc(count + 1, sizeof(*sending->iov));
	if (!sending->iov)
		return -ENOMEM;
	int error =
	    memory_read(sending->request, address, sending->iov, count * sizeof(*sending->iov));

	if (error)
		return fault(error);
	sending->iov_count = count;
	for (size_t i = 0; i < count; i++) {
		size_t len = sending->iov[i].iov_len;

		if ((ssize_t)len < 0)
			return -EINVAL;
		/* lib/iov_iter.c: the whole is cut at MAX_RW_COUNT. */
		if (len > INT32_MAX - sending->total)
			len = sending->iov[i].iov_len = INT32_MAX - sending->total;
		sending->total += len;
	}
	return 0;
}

/* In place of the caller's numbers, duplicates of what they stand for. */
static int take_fds(struct sending *sending, struct cmsghdr *cmsg)
{
	size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int *numbers = (int *)(void *)CMSG_DATA(cmsg);

	if (sending->sock->domain != AF_UNIX || count > FDS_MAX - sending->fd_count)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		int fd = request_getfd(sending->request, numbers[i]);

		if (fd < 0)
			return fd;
		sending->fds[sending->fd_count++] = fd;
		numbers[i] = fd;
	}
	return 0;
}

static int take_credentials(struct sending *sending, struct cmsghdr *cmsg)
{
	struct ucred credentials;

	if (cmsg->cmsg_len != CMSG_LEN(sizeof(credentials)))
		return -EINVAL;
	memcpy(&credentials, CMSG_DATA(cmsg), sizeof(credentials));
	/* The kernel looks at user and group: they are ours as well. */
	if (credentials.pid != request_tgid(sending->request))
		return -EPERM;
	credentials.pid = getpid();
	memcpy(CMSG_DATA(cmsg), &credentials, sizeof(credentials));
	return 0;
}

/* What may go along as it is: it chooses neither receiver nor route. */
static bool harmless(const struct cmsghdr *cmsg)
{
	switch (cmsg->cmsg_level) {
	case SOL_SOCKET:
		return cmsg->cmsg_type == SO_TIMESTAMPING || cmsg->cmsg_type == SCM_TXTIME ||
		       cmsg->cmsg_type == SO_PRIORITY || cmsg->cmsg_type == SO_MARK;
	case IPPROTO_IP:
		return cmsg->cmsg_type == IP_PKTINFO || cmsg->cmsg_type == IP_TTL ||
		       cmsg->cmsg_type == IP_TOS;
	case IPPROTO_IPV6:
		return cmsg->cmsg_type == IPV6_PKTINFO || cmsg->cmsg_type == IPV6_HOPLIMIT ||
		       cmsg->cmsg_type == IPV6_TCLASS || cmsg->cmsg_type == IPV6_DONTFRAG;
	case IPPROTO_UDP:
		return cmsg->cmsg_type == UDP_SEGMENT;
	default:
		return false;
	}
}

static int take_control(struct sending *sending, struct cmsghdr *cmsg)
{
	if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
		return take_fds(sending, cmsg);
	if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_CREDENTIALS)
		return take_credentials(sending, cmsg);
	if (harmless(cmsg))
		return 0;
	return judge_never(sending->request, sending->request->name, "control message",
			   "it may choose another route or receiver", EINVAL);
}

static int read_control(struct sending *sending, uint64_t address, uint64_t len)
{
	if (address == 0 || len == 0)
		return 0;
	if (len > CONTROL_MAX)
		return -ENOBUFS;
	sending->control.bytes = calloc(1, len + sizeof(struct cmsghdr));
	if (!sending->control.bytes)
		return -ENOMEM;
	int error = memory_read(sending->request, address, sending->control.bytes, len);

	if (error)
		return fault(error);
	sending->control_len = len;
	/* The kernel's own walk (CMSG_OK, for_each_cmsghdr), not glibc's, which stops early. */
	for (size_t at = 0; at + sizeof(struct cmsghdr) <= len;) {
		struct cmsghdr *cmsg = (struct cmsghdr *)(void *)(sending->control.bytes + at);

		if (cmsg->cmsg_len < sizeof(*cmsg) || cmsg->cmsg_len > len - at)
			return -EINVAL;
		error = take_control(sending, cmsg);
		if (error)
			return error;
		at += CMSG_ALIGN(cmsg->cmsg_len);
	}
	return 0;
}

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
			return fault(error);
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
	if (is_stream(sending)) {
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

/* The bytes sent, or a negative errno. A blocking stream takes all, chunk by chunk, as natively. */
static long send_all(struct sending *sending)
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

static void forget(struct sending *sending)
{
	for (size_t i = 0; i < sending->fd_count; i++)
		close(sending->fds[i]);
	free(sending->control.bytes);
	free(sending->iov);
	object_close(&sending->object);
}

/* As the kernel would, had the caller sent it itself (net/core/stream.c, net/unix/af_unix.c). */
static void broken_pipe(const struct sending *sending)
{
	struct request *request = sending->request;
	pid_t tgid = request_tgid(request);

	if (is_stream(sending) && !(sending->flags & MSG_NOSIGNAL) && tgid > 0 &&
	    request_alive(request))
		syscall(SYS_tgkill, tgid, request->tid, SIGPIPE);
}

static void begin(struct sending *sending, struct request *request, const struct peer_socket *sock,
		  uint64_t flags)
{
	memset(sending, 0, offsetof(struct sending, fds));
	sending->request = request;
	sending->sock = sock;
	sending->flags = (unsigned int)flags;
	sending->fd_count = 0;
	sending->object.handle = sending->object.parent = -1;
}

static int judge_flags(const struct sending *sending)
{
	/* Whoever asks for it has the ordinary way to fall back to. */
	if (sending->flags & MSG_FASTOPEN)
		return judge_never_quietly(sending->request, sending->request->name, "MSG_FASTOPEN",
					   "it connects by sending", EOPNOTSUPP);
	return sending->flags & MSG_ZEROCOPY ? -ENOBUFS : 0;
}

static long send_message(struct request *request, const struct peer_socket *sock, uint64_t address,
			 uint64_t flags)
{
	struct msghdr message;
	struct sending *sending = malloc(sizeof(*sending));
	long result;

	if (!sending)
		return -ENOBUFS;
	begin(sending, request, sock, flags);
	result = judge_flags(sending);
	if (result == 0)
		result = fault(memory_read(request, address, &message, sizeof(message)));
	if (result == 0)
		result =
		    read_name(sending, (uintptr_t)message.msg_name, (int32_t)message.msg_namelen);
	if (result == 0)
		result = read_iov(sending, (uintptr_t)message.msg_iov, message.msg_iovlen);
	if (result == 0)
		result =
		    read_control(sending, (uintptr_t)message.msg_control, message.msg_controllen);
	if (result == 0)
		result = judge_name(sending);
	if (result == 0)
		result = send_all(sending);
	if (result == -EPIPE)
		broken_pipe(sending);
	forget(sending);
	free(sending);
	return result;
}

static struct reply answer(long result)
{
	return result < 0 ? reply_error((int)-result) : reply_value(result);
}

struct reply perform_sendmsg(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	struct peer_socket sock;
	int error = network_socket(request, (int)args[0], &sock);

	if (error)
		return reply_error(-error);
	long result = send_message(request, &sock, args[1], args[2]);

	network_close(&sock);
	return answer(result);
}

struct reply perform_sendmmsg(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	unsigned int count =
	    (unsigned int)args[2] > MESSAGES_MAX ? MESSAGES_MAX : (unsigned int)args[2];
	struct peer_socket sock;
	long result = 0;
	unsigned int sent = 0;
	int error = network_socket(request, (int)args[0], &sock);

	if (error)
		return reply_error(-error);
	for (; sent < count; sent++) {
		uint64_t at = args[1] + sent * sizeof(struct mmsghdr);

		result = send_message(request, &sock, at, args[3]);
		if (result < 0)
			break;
		unsigned int len = (unsigned int)result;

		result = fault(memory_write(request, at + offsetof(struct mmsghdr, msg_len), &len,
					    sizeof(len)));
		if (result < 0)
			break;
	}
	network_close(&sock);
	return sent > 0 ? reply_value(sent) : answer(result);
}

struct reply perform_sendto(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	struct sending *sending = malloc(sizeof(*sending));
	struct peer_socket sock;
	int error = network_socket(request, (int)args[0], &sock);

	if (error || !sending) {
		free(sending);
		if (!error)
			network_close(&sock);
		return reply_error(error ? -error : ENOBUFS);
	}
	begin(sending, request, &sock, args[3]);
	long result = judge_flags(sending);

	if (result == 0)
		result = read_name(sending, args[4], (int32_t)args[5]);
	sending->iov = calloc(1, sizeof(*sending->iov));
	if (!sending->iov)
		result = -ENOBUFS;
	if (result == 0) {
		sending->iov[0].iov_base = (void *)(uintptr_t)args[1];
		sending->total = args[2] > INT32_MAX ? INT32_MAX : args[2];
		sending->iov[0].iov_len = sending->total;
		sending->iov_count = 1;
		result = judge_name(sending);
	}
	if (result == 0)
		result = send_all(sending);
	if (result == -EPIPE)
		broken_pipe(sending);
	forget(sending);
	free(sending);
	network_close(&sock);
	return answer(result);
}
