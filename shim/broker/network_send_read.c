/* SPDX-License-Identifier: Apache-2.0 */
/* A message as the caller means it, copied once: address, where the data lies, control messages.
 * Descriptors that are passed along are duplicates of the caller's. */
#include <errno.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim/broker/network_send.h"

#define CONTROL_MAX (64U * 1024) /* net.core.optmem_max is near that (ENOBUFS, as there) */

int sending_read_name(struct sending *sending, uint64_t address, int64_t len)
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

int sending_read_iov(struct sending *sending, uint64_t address, uint64_t count)
{
	if (count > UIO_MAXIOV)
		return -EMSGSIZE;
	sending->iov = calloc(count + 1, sizeof(*sending->iov));
	if (!sending->iov)
		return -ENOMEM;
	int error =
	    memory_read(sending->request, address, sending->iov, count * sizeof(*sending->iov));

	if (error)
		return sending_fault(error);
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

int sending_read_control(struct sending *sending, uint64_t address, uint64_t len)
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
		return sending_fault(error);
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
