/* SPDX-License-Identifier: Apache-2.0 */
/* What connect, bind, listen and the sends share: a caller's socket and a caller's address, both
 * taken once. */
#ifndef REMIT_BROKER_NETWORK_H
#define REMIT_BROKER_NETWORK_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "shim/broker/broker.h"
#include "shim/broker/sockaddr.h"

/* A duplicate of the caller's socket and what it is; none of that can change any more. */
struct peer_socket {
	int fd;
	int domain, type, protocol;
};

/* 0, or -EBADF, -ENOTSOCK, … as the kernel would. Close with network_close(). */
int network_socket(struct request *request, int fd, struct peer_socket *out);
void network_close(struct peer_socket *sock);

/* Reads an address of `len` bytes into a zeroed copy. 0 or as the kernel would. */
int network_read(struct request *request, uint64_t address, int len, struct sockaddr_storage *copy);

/*
 * Judges where `name` leads and makes it lead nowhere else: 0.0.0.0 becomes the address that it
 * stands for, a unix path becomes /proc/self/fd/N of the very socket file that was judged, held by
 * object. 0 or a negative errno; object is object_close()d by the caller in any case.
 */
int network_judge_peer(struct request *request, const struct peer_socket *sock,
		       struct sockaddr_storage *name, socklen_t *len, struct object *object);

/* enum protocol, or a negative errno when nothing can grant what the socket speaks. */
int network_protocol(struct request *request, const struct peer_socket *sock);
/* Each 0 or a negative errno. */
int network_judge_ip(struct request *request, const struct peer_socket *sock, enum verb verb,
		     const struct socket_name *name);
/* The kernel's own end of a route socket; other ends belong to other processes. */
int network_judge_netlink(struct request *request, const struct peer_socket *sock,
			  const struct sockaddr_storage *name, bool peer);

/* network_bind_unix.c: binds to a path, under the caller's umask and spelling. */
struct reply network_bind_unix(struct request *request, const struct peer_socket *sock,
			       const struct socket_name *name);

#endif
