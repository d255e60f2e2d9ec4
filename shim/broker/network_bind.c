/* SPDX-License-Identifier: Apache-2.0 */
/* bind and listen: where the caller may be reached. The rules of network.c hold here too. */
#include "shim/broker/network.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "shim/broker/performers.h"

static bool only_ip6(const struct peer_socket *sock)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(sock->fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &len) == 0 && value != 0;
}

/* [::] of a socket that is not for IPv6 alone is also 0.0.0.0. */
static int judge_ip_local(struct request *request, const struct peer_socket *sock,
			  const struct socket_name *name)
{
	int error = network_judge_ip(request, sock, VERB_LISTEN, name);

	if (error || !name->any || name->address.family != FAMILY_IP6 || only_ip6(sock))
		return error;
	struct socket_name both = *name;

	both.address.family = FAMILY_IP4;
	return network_judge_ip(request, sock, VERB_LISTEN, &both);
}

static int judge_local(struct request *request, const struct peer_socket *sock,
		       const struct socket_name *name)
{
	switch (name->kind) {
	case NAME_IP:
		return judge_ip_local(request, sock, name);
	case NAME_ABSTRACT:
		return judge_abstract(request, VERB_LISTEN, name->text, name->len);
	case NAME_UNNAMED:
	case NAME_UNSPEC:
	case NAME_PATH:
		return 0;
	case NAME_NETLINK:
	case NAME_OTHER:
		break;
	}
	return judge_never(request, request->name, "socket address of another family",
			   "only TCP, UDP and unix sockets can be granted", EACCES);
}

/* A bound socket cannot be let go of again; it can be made useless. */
static struct reply spoil(struct peer_socket *sock)
{
	shutdown(sock->fd, SHUT_RDWR);
	return reply_error(EACCES);
}

static struct reply bind_ip(struct request *request, struct peer_socket *sock,
			    const struct sockaddr_storage *name, socklen_t len,
			    const struct socket_name *parsed)
{
	bool ephemeral = parsed->address.port == 0, only = only_ip6(sock);
	int error =
	    ephemeral ? network_protocol(request, sock) : judge_local(request, sock, parsed);

	if (error < 0)
		return reply_error(-error);
	if (bind(sock->fd, (const struct sockaddr *)name, len) != 0)
		return reply_error(errno);
	/* Changed after we had looked: now it cannot be changed any more. */
	if (!ephemeral && parsed->any && only && !only_ip6(sock))
		return spoil(sock);
	return reply_value(0);
}

static struct reply bind_copy(struct request *request, struct peer_socket *sock,
			      struct sockaddr_storage *name, socklen_t len)
{
	struct socket_name parsed;

	/* net/ipv4/af_inet.c: for old programs, bind takes AF_UNSPEC for AF_INET. */
	if (sock->domain == AF_INET && len >= sizeof(sa_family_t) && name->ss_family == AF_UNSPEC)
		name->ss_family = AF_INET;
	int error = sockaddr_read(name, len, &parsed);

	if (!error && parsed.kind == NAME_IP)
		return bind_ip(request, sock, name, len, &parsed);
	if (!error && parsed.kind == NAME_PATH && sock->domain == AF_UNIX)
		return network_bind_unix(request, sock, &parsed);
	if (!error && parsed.kind == NAME_PATH)
		error = -EAFNOSUPPORT;
	/* Only IPv4 takes it, and an IPv6 socket may become one under our hands (IPV6_ADDRFORM). */
	if (!error && parsed.kind == NAME_UNSPEC)
		error = sock->domain == AF_INET6 && len >= SIN6_LEN_SHORT ? -EAFNOSUPPORT : -EINVAL;
	if (!error)
		error = parsed.kind == NAME_NETLINK
			    ? network_judge_netlink(request, sock, name, false)
			    : judge_local(request, sock, &parsed);
	if (error)
		return reply_error(-error);
	return reply_result(bind(sock->fd, (const struct sockaddr *)name, len));
}

struct reply perform_bind(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	struct sockaddr_storage name;
	struct peer_socket sock;
	int error = network_socket(request, (int)args[0], &sock);

	if (error)
		return reply_error(-error);
	error = network_read(request, args[1], (int)args[2], &name);
	struct reply reply =
	    error ? reply_error(-error) : bind_copy(request, &sock, &name, (socklen_t)args[2]);

	network_close(&sock);
	return reply;
}

static int own_name(const struct peer_socket *sock, struct socket_name *out)
{
	struct sockaddr_storage name = {0};
	socklen_t len = sizeof(name);

	if (getsockname(sock->fd, (struct sockaddr *)&name, &len) != 0)
		return -errno;
	if (len > sizeof(name))
		return -EINVAL;
	return sockaddr_read(&name, len, out);
}

static bool is_portless(const struct socket_name *name)
{
	return name->kind == NAME_IP && name->address.port == 0;
}

/* Lets the kernel choose the port of a socket that has none, while nobody can reach it yet. */
static int choose_port(const struct peer_socket *sock, struct socket_name *name)
{
	struct sockaddr_storage any = {.ss_family = (sa_family_t)sock->domain};
	socklen_t len =
	    sock->domain == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

	/* EINVAL: another thread was faster. */
	if (bind(sock->fd, (const struct sockaddr *)&any, len) != 0 && errno != EINVAL)
		return -errno;
	int error = own_name(sock, name);

	/* IP_BIND_ADDRESS_NO_PORT puts the choice off until it is too late to judge it. */
	return error ? error : is_portless(name) ? -EADDRINUSE : 0;
}

/*
 * A unix path was judged when it was bound, and there is no other way to have one. An IP socket may
 * be bound to a port that the kernel chose, or not at all: then the kernel chooses now, and that
 * port may be a denied one.
 */
struct reply perform_listen(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	struct socket_name before, after;
	struct peer_socket sock;
	int error = network_socket(request, (int)args[0], &sock);

	if (error)
		return reply_error(-error);
	error = own_name(&sock, &before);
	if (!error)
		error = judge_local(request, &sock, &before);
	if (!error && is_portless(&before) && sock.type == SOCK_STREAM) {
		error = choose_port(&sock, &before);
		if (!error)
			error = judge_local(request, &sock, &before);
	}
	if (!error && listen(sock.fd, (int)args[1]) != 0)
		error = -errno;
	struct reply reply = error ? reply_error(-error) : reply_value(0);

	/* Another thread may have bound it between the look and the act. */
	if (!error && (own_name(&sock, &after) != 0 || after.kind != before.kind ||
		       (before.kind == NAME_IP &&
			memcmp(&before.address, &after.address, sizeof(after.address)) != 0)))
		reply = spoil(&sock);
	network_close(&sock);
	return reply;
}
