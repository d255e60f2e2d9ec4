/* SPDX-License-Identifier: Apache-2.0 */
/* From the bytes of a sockaddr that a caller handed to the kernel to what a decision can be asked
 * about. Works on the broker's copy only; no system calls. */
#ifndef REMIT_BROKER_SOCKADDR_H
#define REMIT_BROKER_SOCKADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "policy/core/address.h"

/* An address of IPv6 without sin6_scope_id, which the kernel takes too: linux/ipv6.h,
 * SIN6_LEN_RFC2133. */
#define SIN6_LEN_SHORT 24

enum name_kind {
	NAME_UNSPEC,   /* AF_UNSPEC: dissolves an association */
	NAME_IP,       /* address */
	NAME_PATH,     /* text: a unix socket's path, ended by NUL */
	NAME_ABSTRACT, /* text: an abstract unix name without its leading NUL; any bytes */
	NAME_UNNAMED,  /* AF_UNIX and nothing else: the kernel picks an abstract name */
	NAME_NETLINK,
	NAME_OTHER, /* a family that nothing grants */
};

struct socket_name {
	enum name_kind kind;
	struct address address; /* NAME_IP; protocol is 0: the socket says it */
	bool any;		/* NAME_IP: 0.0.0.0 or :: in any spelling */
	size_t len;
	char text[ADDRESS_UNIX_MAX + 1];
};

/*
 * `len` is the length that the caller gave. 0, or -EINVAL where the kernel says so too (too short
 * for its family, too long for any). IPv4-mapped addresses become IPv4.
 */
int sockaddr_read(const struct sockaddr_storage *name, size_t len, struct socket_name *out);

/* Puts the loopback address, or `own` when it is a concrete address of the same family, in the
 * place of 0.0.0.0 or :: as the kernel would: what is judged is then what is reached. */
void sockaddr_concrete(struct sockaddr_storage *name, const struct sockaddr_storage *own);

#endif
