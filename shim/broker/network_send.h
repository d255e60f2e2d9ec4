/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that send for the caller: network_send_read.c copies a message, network_send.c
 * judges it, network_send_data.c gathers its data and sends it. */
#ifndef REMIT_BROKER_NETWORK_SEND_H
#define REMIT_BROKER_NETWORK_SEND_H

#include <errno.h>

#include "shim/broker/network.h"

#define FDS_MAX 253 /* SCM_MAX_FD, net/scm.h */

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

static inline int sending_fault(int error)
{
	return error == -EPERM ? -EACCES : error;
}

static inline bool sending_is_stream(const struct sending *sending)
{
	return sending->sock->type == SOCK_STREAM;
}

/* Each copies its part of the message from the caller's memory: 0 or a negative errno. */
int sending_read_name(struct sending *sending, uint64_t address, int64_t len);
int sending_read_iov(struct sending *sending, uint64_t address, uint64_t count);
int sending_read_control(struct sending *sending, uint64_t address, uint64_t len);
/* The bytes sent, or a negative errno. A blocking stream takes all, chunk by chunk, as natively. */
long sending_send(struct sending *sending);

#endif
