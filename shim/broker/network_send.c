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
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/broker/network_send.h"
#include "shim/broker/performers.h"

#define MESSAGES_MAX 1024 /* UIO_MAXIOV: sendmmsg cuts there */

/* The name decides nothing on a connected kind of socket: TCP and seqpacket ignore it, unix streams
 * refuse it. */
static int judge_name(struct sending *sending)
{
	const struct peer_socket *sock = sending->sock;

	if (sending->name_len == 0)
		return 0;
	if (sock->domain == AF_UNIX && sending_is_stream(sending))
		return 0;
	if (sending_is_stream(sending) || sock->type == SOCK_SEQPACKET) {
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

	if (sending_is_stream(sending) && !(sending->flags & MSG_NOSIGNAL) && tgid > 0 &&
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
		result = sending_fault(memory_read(request, address, &message, sizeof(message)));
	if (result == 0)
		result = sending_read_name(sending, (uintptr_t)message.msg_name,
					   (int32_t)message.msg_namelen);
	if (result == 0)
		result = sending_read_iov(sending, (uintptr_t)message.msg_iov, message.msg_iovlen);
	if (result == 0)
		result = sending_read_control(sending, (uintptr_t)message.msg_control,
					      message.msg_controllen);
	if (result == 0)
		result = judge_name(sending);
	if (result == 0)
		result = sending_send(sending);
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

		result = sending_fault(memory_write(request, at + offsetof(struct mmsghdr, msg_len),
						    &len, sizeof(len)));
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
		result = sending_read_name(sending, args[4], (int32_t)args[5]);
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
		result = sending_send(sending);
	if (result == -EPIPE)
		broken_pipe(sending);
	forget(sending);
	free(sending);
	network_close(&sock);
	return answer(result);
}
