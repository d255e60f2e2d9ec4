/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses. An address has no links, so the decision made here is the gate's own, made without the
 * trip: what it refuses is refused at once, what it allows goes to the gate through libc's function
 * (a cancellation point). The gate judges again; nothing rests on this.
 *
 * Not hooked, because the gate always performs them: bind, listen, socket, unix addresses;
 * sendmmsg, whose messages may differ; names (getaddrinfo and kin): their sockets meet the same
 * decision.
 */
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "shim/preload/hook.h"
#include "shim/preload/state.h"
#include "shim/preload/syscall.h"
#include "shim/preload/tell.h"
#include "shim/preload/banned.h"

/* False for an address that only the gate or the kernel can answer for. */
static bool address_of(const struct sockaddr *from, socklen_t size, struct address *out)
{
	struct sockaddr_in6 ip6;
	struct sockaddr_in ip4;

	memset(out, 0, sizeof(*out));
	if (!from || size < sizeof(ip4))
		return false;
	memcpy(&ip4, from, sizeof(ip4));
	if (ip4.sin_family == AF_INET) {
		out->family = FAMILY_IP4;
		out->port = ntohs(ip4.sin_port);
		memcpy(out->ip, &ip4.sin_addr, 4);
		return true;
	}
	if (ip4.sin_family != AF_INET6 || size < sizeof(ip6))
		return false;
	memcpy(&ip6, from, sizeof(ip6));
	out->port = ntohs(ip6.sin6_port);
	out->family = IN6_IS_ADDR_V4MAPPED(&ip6.sin6_addr) ? FAMILY_IP4 : FAMILY_IP6;
	if (out->family == FAMILY_IP4)
		memcpy(out->ip, ip6.sin6_addr.s6_addr + 12, 4);
	else
		memcpy(out->ip, &ip6.sin6_addr, 16);
	return true;
}

static long socket_option(int fd, int option)
{
	int value = -1;
	socklen_t size = sizeof(value);

	if (raw6(SYS_getsockopt, fd, SOL_SOCKET, option, (long)&value, (long)&size, 0) < 0)
		return -1;
	return value;
}

/* TCP or UDP; 0 for a socket that is neither, or no socket. */
static uint8_t protocol_of(int fd)
{
	long type = socket_option(fd, SO_TYPE), protocol = socket_option(fd, SO_PROTOCOL);

	if (type == SOCK_STREAM && protocol == IPPROTO_TCP)
		return PROTOCOL_TCP;
	if (type == SOCK_DGRAM && protocol == IPPROTO_UDP)
		return PROTOCOL_UDP;
	return 0;
}

/* True when the address is refused for a socket of `protocol` (0: of whichever kind fd is): told
 * and recorded. */
static bool refused(int fd, const struct sockaddr *to, socklen_t size, uint8_t protocol)
{
	struct query query = {.verb = VERB_CONNECT, .object = OBJECT_ADDRESS};
	struct decision decision;

	if (!state.has_scope || !address_of(to, size, &query.address))
		return false;
	query.address.protocol = PROTOCOL_TCP;
	if (!protocol && decide(&state.scope, &query).verdict == VERDICT_ALLOWED)
		return false;
	query.address.protocol = protocol_of(fd);
	if (!query.address.protocol || (protocol && query.address.protocol != protocol))
		return false;
	decision = decide(&state.scope, &query);
	if (decision.verdict == VERDICT_ALLOWED || decision.conditions)
		return false;
	tell_refused(&query, &decision);
	errno = decision.error;
	return true;
}

HOOK_DECLARE(next_connect, "connect");
HOOK_DECLARE(next_sendto, "sendto");
HOOK_DECLARE(next_sendmsg, "sendmsg");

HOOK("connect", 0, int, hook_connect, (int fd, const struct sockaddr *to, socklen_t size));
int hook_connect(int fd, const struct sockaddr *to, socklen_t size)
{
	int (*next)(int, const struct sockaddr *, socklen_t) =
	    (int (*)(int, const struct sockaddr *, socklen_t))hook_next(&next_connect);

	return refused(fd, to, size, 0) ? -1 : next(fd, to, size);
}

/* Stream sockets ignore the address of a send; MSG_FASTOPEN, which does not, is the filter's. */
HOOK("sendto", 0, ssize_t, hook_sendto,
     (int fd, const void *data, size_t length, int flags, const struct sockaddr *to,
      socklen_t size));
ssize_t hook_sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to,
		    socklen_t size)
{
	ssize_t (*next)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) =
	    (ssize_t(*)(int, const void *, size_t, int, const struct sockaddr *,
			socklen_t))hook_next(&next_sendto);

	if (to && state.datagrams && refused(fd, to, size, PROTOCOL_UDP))
		return -1;
	return next(fd, data, length, flags, to, size);
}

HOOK("sendmsg", 0, ssize_t, hook_sendmsg, (int fd, const struct msghdr *message, int flags));
ssize_t hook_sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t (*next)(int, const struct msghdr *, int) =
	    (ssize_t(*)(int, const struct msghdr *, int))hook_next(&next_sendmsg);

	if (state.datagrams && message && message->msg_name &&
	    refused(fd, message->msg_name, message->msg_namelen, PROTOCOL_UDP))
		return -1;
	return next(fd, message, flags);
}
