/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect, bind, listen, and the sockets that a scope without datagrams must not have.
 *
 * The address is copied once, judged, and the copy is handed to the kernel on a duplicate of the
 * caller's socket; neither the caller's memory nor its descriptor table is looked at again. Where
 * the kernel gives a meaning of its own to an address (0.0.0.0, AF_UNSPEC in bind and sendto, IPv4
 * inside IPv6), that meaning is judged.
 *
 * A difference that remains: a unix peer that asks who connected (SO_PEERCRED) sees the broker's
 * process id with the agent's user and groups.
 */
#include "shim/broker/network.h"
#include "shim/broker/never.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shim/broker/nest.h"
#include "shim/broker/performers.h"
#include "shim/broker/record.h"

/* Without sin6_scope_id: linux/ipv6.h, SIN6_LEN_RFC2133. */
#define SIN6_LEN_SHORT 24

static int option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -errno;
}

int network_socket(struct request *request, int fd, struct peer_socket *out)
{
	int copy = request_getfd(request, fd);

	*out = (struct peer_socket){.fd = -1};
	if (copy < 0)
		return copy;
	out->domain = option(copy, SO_DOMAIN);
	out->type = option(copy, SO_TYPE);
	out->protocol = option(copy, SO_PROTOCOL);
	if (out->domain < 0 || out->type < 0 || out->protocol < 0) {
		int error = out->domain < 0 ? out->domain : -EOPNOTSUPP;

		close(copy);
		return error;
	}
	out->fd = copy;
	return 0;
}

void network_close(struct peer_socket *sock)
{
	if (sock->fd >= 0)
		close(sock->fd);
	sock->fd = -1;
}

int network_read(struct request *request, uint64_t address, int len, struct sockaddr_storage *copy)
{
	memset(copy, 0, sizeof(*copy));
	if (len < 0 || (size_t)len > sizeof(*copy))
		return -EINVAL;
	int error = memory_read(request, address, copy, (size_t)len);

	return error == -EPERM ? -EACCES : error;
}

/* enum protocol, or a negative errno when nothing can grant what the socket speaks. */
static int protocol_of(struct request *request, const struct peer_socket *sock)
{
	bool inet = sock->domain == AF_INET || sock->domain == AF_INET6;

	if (inet && sock->type == SOCK_STREAM && sock->protocol == IPPROTO_TCP)
		return PROTOCOL_TCP;
	if (inet && sock->type == SOCK_DGRAM && sock->protocol == IPPROTO_UDP)
		return PROTOCOL_UDP;
	char object[64];

	snprintf(object, sizeof(object), "socket of family %d, type %d, protocol %d", sock->domain,
		 sock->type, sock->protocol);
	return judge_never(request, request->name, object,
			   "only TCP, UDP and unix sockets can be granted", EACCES);
}

static int judge_ip(struct request *request, const struct peer_socket *sock, enum verb verb,
		    const struct socket_name *name)
{
	struct address address = name->address;
	int protocol = protocol_of(request, sock);

	if (protocol < 0)
		return protocol;
	address.protocol = (uint8_t)protocol;
	return judge_address(request, verb, &address);
}

/* 0.0.0.0 is judged as it is written and as what it leads to; both have to be granted. */
static int judge_ip_peer(struct request *request, const struct peer_socket *sock,
			 struct sockaddr_storage *name, socklen_t len, struct socket_name *parsed)
{
	int error = judge_ip(request, sock, VERB_CONNECT, parsed);

	if (error || !parsed->any)
		return error;
	struct sockaddr_storage own = {0};
	socklen_t own_len = sizeof(own);

	getsockname(sock->fd, (struct sockaddr *)&own, &own_len);
	sockaddr_concrete(name, &own);
	error = sockaddr_read(name, len, parsed);
	return error ? error : judge_ip(request, sock, VERB_CONNECT, parsed);
}

static int judge_path_peer(struct request *request, const struct socket_name *parsed,
			   struct sockaddr_storage *name, socklen_t *len, struct object *object)
{
	struct sockaddr_un *un = (struct sockaddr_un *)name;
	int error = resolve(request, AT_FDCWD, parsed->text, 0, object);

	if (error)
		return error;
	error = judge_path(request, VERB_CONNECT, object);
	if (error)
		return error;
	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	object_self_path(object->handle, un->sun_path);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(un->sun_path) + 1);
	return 0;
}

/* The kernel's own end of a route socket; other ends belong to other processes. */
static int judge_netlink(struct request *request, const struct peer_socket *sock,
			 const struct sockaddr_storage *name, bool peer)
{
	const struct sockaddr_nl *nl = (const struct sockaddr_nl *)name;

	if (sock->domain == AF_NETLINK && sock->protocol == NETLINK_ROUTE &&
	    (!peer || (nl->nl_pid == 0 && nl->nl_groups == 0)))
		return 0;
	return judge_never(request, request->name, "netlink socket",
			   "only questions to the kernel's routing table are possible", EACCES);
}

int network_judge_peer(struct request *request, const struct peer_socket *sock,
		       struct sockaddr_storage *name, socklen_t *len, struct object *object)
{
	struct socket_name parsed;
	int error = sockaddr_read(name, *len, &parsed);

	if (error)
		return error;
	switch (parsed.kind) {
	case NAME_IP:
		return judge_ip_peer(request, sock, name, *len, &parsed);
	case NAME_PATH:
		/* Elsewhere the kernel refuses the family; it must not be told of our own paths. */
		if (sock->domain != AF_UNIX)
			return -EAFNOSUPPORT;
		return judge_path_peer(request, &parsed, name, len, object);
	case NAME_ABSTRACT:
		return judge_abstract(request, VERB_CONNECT, parsed.text, parsed.len);
	case NAME_NETLINK:
		return judge_netlink(request, sock, name, true);
	case NAME_UNSPEC:
	case NAME_UNNAMED: /* the kernel knows no such peer */
		return 0;
	case NAME_OTHER:
		break;
	}
	return judge_never(request, request->name, "socket address of another family",
			   "only TCP, UDP and unix sockets can be granted", EACCES);
}

struct reply perform_connect(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	struct object object = {.handle = -1, .parent = -1};
	struct sockaddr_storage name;
	socklen_t len = (socklen_t)args[2];
	struct peer_socket sock;
	int error = network_socket(request, (int)args[0], &sock);

	if (error)
		return reply_error(-error);
	error = network_read(request, args[1], (int)args[2], &name);
	if (!error)
		error = network_judge_peer(request, &sock, &name, &len, &object);
	struct reply reply =
	    error ? reply_error(-error)
		  : reply_result(connect(sock.fd, (const struct sockaddr *)&name, len));

	object_close(&object);
	network_close(&sock);
	return reply;
}

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
	int error = judge_ip(request, sock, VERB_LISTEN, name);

	if (error || !name->any || name->address.family != FAMILY_IP6 || only_ip6(sock))
		return error;
	struct socket_name both = *name;

	both.address.family = FAMILY_IP4;
	return judge_ip(request, sock, VERB_LISTEN, &both);
}

int network_judge_local(struct request *request, const struct peer_socket *sock,
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
	    ephemeral ? protocol_of(request, sock) : network_judge_local(request, sock, parsed);

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
		error = parsed.kind == NAME_NETLINK ? judge_netlink(request, sock, name, false)
						    : network_judge_local(request, sock, &parsed);
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

/*
 * A unix path was judged when it was bound, and there is no other way to have one. An IP socket may
 * be bound to a port that the kernel chose, or not at all: then the kernel chooses now.
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
		error = network_judge_local(request, &sock, &before);
	if (!error && listen(sock.fd, (int)args[1]) != 0)
		error = -errno;
	struct reply reply = error ? reply_error(-error) : reply_value(0);

	/* Another thread may have bound it between the look and the act. */
	if (!error && (own_name(&sock, &after) != 0 || after.kind != before.kind ||
		       (before.kind == NAME_IP && before.address.port != 0 &&
			memcmp(&before.address, &after.address, sizeof(after.address)) != 0)))
		reply = spoil(&sock);
	network_close(&sock);
	return reply;
}

/* Resolver libraries and clocks probe with datagrams all the time: recorded, not told. */
static struct reply refuse_socket(struct request *request)
{
	const char *object =
	    (int)request->notif.data.args[0] == AF_UNIX ? "unix datagram socket" : "udp socket";

	return reply_error(-judge_never_quietly(
	    request, request->name, object,
	    "no udp or unix address is granted, so no datagram socket is needed", EACCES));
}

/* By every session that the caller is in. */
static bool grants_datagrams(const struct request *request)
{
	const struct scope *scope;
	struct scope_about about;

	for (unsigned int n = 0; (scope = nest_scope(request, n)); n++) {
		scope_about(scope, &about);
		if (!about.has_datagrams)
			return false;
	}
	return true;
}

struct reply perform_socket(struct request *request)
{
	struct reply reply;

	if (never_socket(request, &reply))
		return reply;
	return grants_datagrams(request) ? reply_continue() : refuse_socket(request);
}

struct reply perform_socketpair(struct request *request)
{
	return perform_socket(request);
}
