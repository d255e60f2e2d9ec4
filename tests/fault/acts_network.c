/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets: connect, bind, listen, sends. run.py sees what arrives where nothing may. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/fault/acts.h"

static struct sockaddr_in inet(in_addr_t address, unsigned short number)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(number), .sin_addr.s_addr = htonl(address)};
}

/* A socket that never waits long. */
static int made(int domain, int type)
{
	struct timeval patience = {.tv_sec = 2};
	int fd = socket(domain, type | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return fd;
}

static int reached(const struct sockaddr_in *to)
{
	int fd = made(AF_INET, SOCK_STREAM);
	int error =
	    fd < 0 ? -errno : acts_result(connect(fd, (const struct sockaddr *)to, sizeof(*to)));

	if (!error)
		(void)!write(fd, "x", 1);
	acts_closed(fd);
	return error;
}

static int tcp(void)
{
	struct sockaddr_in to = inet(INADDR_LOOPBACK, place.tcp);

	return reached(&to);
}

static int tcp_refused(void)
{
	struct sockaddr_in to = inet(INADDR_LOOPBACK, place.tcp_refused);

	return reached(&to);
}

static int tcp_any(void)
{
	struct sockaddr_in to = inet(INADDR_ANY, place.tcp_refused);

	return reached(&to);
}

static int datagram(unsigned short number)
{
	struct sockaddr_in to = inet(INADDR_LOOPBACK, number);
	int fd = made(AF_INET, SOCK_DGRAM);
	int error = fd < 0 ? -errno
			   : acts_result(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)));

	acts_closed(fd);
	return error;
}

static int udp(void)
{
	return datagram(place.udp);
}

static int udp_refused(void)
{
	return datagram(place.udp_refused);
}

static int messages(unsigned short number)
{
	struct sockaddr_in to = inet(INADDR_LOOPBACK, number);
	char byte = 'm';
	struct iovec iov = {&byte, 1};
	struct mmsghdr message[2];

	memset(message, 0, sizeof(message));
	for (int i = 0; i < 2; i++) {
		message[i].msg_hdr.msg_name = &to;
		message[i].msg_hdr.msg_namelen = sizeof(to);
		message[i].msg_hdr.msg_iov = &iov;
		message[i].msg_hdr.msg_iovlen = 1;
	}
	int fd = made(AF_INET, SOCK_DGRAM);
	int error = fd < 0 ? -errno : acts_result(sendmmsg(fd, message, 2, 0));

	acts_closed(fd);
	return error;
}

static int many(void)
{
	return messages(place.udp);
}

static int many_refused(void)
{
	return messages(place.udp_refused);
}

static int unix_peer(const char *path, int type, int abstract)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = made(AF_UNIX, type);

	if (fd < 0)
		return -errno;
	snprintf(to.sun_path + abstract, sizeof(to.sun_path) - 1, "%s", path);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
	int error = type == SOCK_STREAM
			? acts_result(connect(fd, (struct sockaddr *)&to, len))
			: acts_result(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, len));

	if (!error && type == SOCK_STREAM)
		(void)!write(fd, "x", 1);
	close(fd);
	return error;
}

static int unix_granted(void)
{
	return unix_peer(acts_path("gap/peer"), SOCK_STREAM, 0);
}

static int unix_refused(void)
{
	return unix_peer(acts_path("out/peer"), SOCK_STREAM, 0);
}

static int unix_abstract(void)
{
	return unix_peer(place.root, SOCK_STREAM, 1);
}

static int unix_datagram(void)
{
	return unix_peer(acts_path("gap/box"), SOCK_DGRAM, 0);
}

static int unix_datagram_refused(void)
{
	return unix_peer(acts_path("out/box"), SOCK_DGRAM, 0);
}

static int bound_path(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = made(AF_UNIX, SOCK_STREAM);

	if (fd < 0)
		return -errno;
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	int error = acts_result(bind(fd, (struct sockaddr *)&name, sizeof(name)));

	if (!error)
		error = acts_result(listen(fd, 1));
	close(fd);
	unlink(path);
	return error;
}

static int bind_granted(void)
{
	return bound_path(acts_path("in/sock/here"));
}

static int bind_by_pattern(void)
{
	return bound_path(acts_path("gap/a.sock"));
}

static int bind_refused(void)
{
	return bound_path(acts_path("out/sock"));
}

static int bound(const void *name, socklen_t len, int domain, int serve)
{
	int fd = made(domain, SOCK_STREAM), yes = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	int error = acts_result(bind(fd, name, len));

	if (!error && serve)
		error = acts_result(listen(fd, 1));
	close(fd);
	return error;
}

static int serve_tcp(void)
{
	struct sockaddr_in name = inet(INADDR_LOOPBACK, place.listen);

	return bound(&name, sizeof(name), AF_INET, 1);
}

static int serve_refused(void)
{
	struct sockaddr_in name = inet(INADDR_LOOPBACK, place.listen_refused);

	return bound(&name, sizeof(name), AF_INET, 1);
}

static int serve_any(void)
{
	struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons(place.listen)};

	return bound(&name, sizeof(name), AF_INET6, 1);
}

static int serve_unbound(void)
{
	int fd = made(AF_INET, SOCK_STREAM);
	int error = fd < 0 ? -errno : acts_result(listen(fd, 1));

	acts_closed(fd);
	return error;
}

static int bind_ephemeral(void)
{
	struct sockaddr_in name = inet(INADDR_LOOPBACK, 0);

	return bound(&name, sizeof(name), AF_INET, 0);
}

static int route(void)
{
	struct sockaddr_nl name = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int error = fd < 0 ? -errno : acts_result(bind(fd, (struct sockaddr *)&name, sizeof(name)));

	acts_closed(fd);
	return error;
}

/* A message with a descriptor and credentials along. */
static int pass_along(void)
{
	int pair[2], fd;
	char byte = 'p';
	struct iovec iov = {&byte, 1};
	union {
		struct cmsghdr first;
		char room[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	struct ucred own = {getpid(), getuid(), getgid()};

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	memset(&control, 0, sizeof(control));
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);

	fd = 0;
	*cmsg = (struct cmsghdr){CMSG_LEN(sizeof(fd)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	cmsg = CMSG_NXTHDR(&message, cmsg);
	*cmsg = (struct cmsghdr){CMSG_LEN(sizeof(own)), SOL_SOCKET, SCM_CREDENTIALS};
	memcpy(CMSG_DATA(cmsg), &own, sizeof(own));
	int error = acts_result(sendmsg(pair[0], &message, 0));

	close(pair[1]);
	/* To nobody any more. */
	if (!error && sendto(pair[0], "x", 1, 0, NULL, 0) >= 0)
		error = -EPROTO;
	message.msg_control = NULL;
	message.msg_controllen = 0;
	if (!error && sendmsg(pair[0], &message, 0) >= 0)
		error = -EPROTO;
	close(pair[0]);
	return error;
}

/* More than the socket takes. */
static int too_long(void)
{
	static char data[1 << 20];
	struct iovec iov = {data, sizeof(data)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	int error = acts_result(sendmsg(pair[0], &message, 0));

	acts_closed(pair[0]);
	acts_closed(pair[1]);
	return error == -EMSGSIZE ? 0 : error ? error : -EPROTO;
}

const struct act network_acts[] = {
    {"tcp", 0, tcp},
    {"tcp refused", 1, tcp_refused},
    {"tcp to any refused", 1, tcp_any},
    {"udp", 0, udp},
    {"udp refused", 1, udp_refused},
    {"many", 0, many},
    {"many refused", 1, many_refused},
    {"unix", 0, unix_granted},
    {"unix refused", 1, unix_refused},
    {"unix abstract refused", 1, unix_abstract},
    {"unix datagram", 0, unix_datagram},
    {"unix datagram refused", 1, unix_datagram_refused},
    {"bind a path", 0, bind_granted},
    {"bind a path by pattern", 0, bind_by_pattern},
    {"bind a path refused", 1, bind_refused},
    {"serve", 0, serve_tcp},
    {"serve refused", 1, serve_refused},
    {"serve any refused", 1, serve_any},
    {"serve unbound refused", 1, serve_unbound},
    {"bind to no port", 0, bind_ephemeral},
    {"route", 0, route},
    {"pass along", 0, pass_along},
    {"too long", 0, too_long},
    {NULL, 0, NULL},
};
