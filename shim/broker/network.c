/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A caller's socket and address, connect, and the sockets that a scope without datagrams must not
 * have.
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

int network_protocol(struct request *request, const struct peer_socket *sock)
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

int network_judge_ip(struct request *request, const struct peer_socket *sock, enum verb verb,
		     const struct socket_name *name)
{
	struct address address = name->address;
	int protocol = network_protocol(request, sock);

	if (protocol < 0)
		return protocol;
	address.protocol = (uint8_t)protocol;
	return judge_address(request, verb, &address);
}

/* 0.0.0.0 is judged as it is written and as what it leads to; both have to be granted. */
static int judge_ip_peer(struct request *request, const struct peer_socket *sock,
			 struct sockaddr_storage *name, socklen_t len, struct socket_name *parsed)
{
	int error = network_judge_ip(request, sock, VERB_CONNECT, parsed);

	if (error || !parsed->any)
		return error;
	struct sockaddr_storage own = {0};
	socklen_t own_len = sizeof(own);

	getsockname(sock->fd, (struct sockaddr *)&own, &own_len);
	sockaddr_concrete(name, &own);
	error = sockaddr_read(name, len, parsed);
	return error ? error : network_judge_ip(request, sock, VERB_CONNECT, parsed);
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

int network_judge_netlink(struct request *request, const struct peer_socket *sock,
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
		return network_judge_netlink(request, sock, name, true);
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
