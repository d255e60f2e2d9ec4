/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's acts on addresses: they happened when the listener answered, or when the socket
 * accepts. Addresses are spelled as in queries: "1.2.3.4:5", "udp:[::1]:5", "unix:/p", "unix:@n".
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/un.h>

#include "tests/live/escapes/sys.h"
#include "tests/parity/driver.h"

/* "1.2.3.4:5", "[::1]:5", with "udp:" in front. */
static socklen_t parse(const char *text, struct sockaddr_storage *out)
{
	char host[64];
	const char *colon = strrchr(text, ':');
	int port = atoi(colon + 1);
	struct sockaddr_in *four = (struct sockaddr_in *)out;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;

	if (strncmp(text, "udp:", 4) == 0)
		text += 4;
	memset(out, 0, sizeof(*out));
	if (*text == '[') {
		snprintf(host, sizeof(host), "%.*s", (int)(colon - text - 2), text + 1);
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)port);
		inet_pton(AF_INET6, host, &six->sin6_addr);
		return sizeof(*six);
	}
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	four->sin_family = AF_INET;
	four->sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, host, &four->sin_addr);
	return sizeof(*four);
}

static long answer(long fd)
{
	struct pollfd wait = {.fd = (int)fd, .events = POLLIN};

	if (poll(&wait, 1, 2000) <= 0)
		return -ETIMEDOUT;
	memset(driver_seen, 0, sizeof(driver_seen));
	return recv((int)fd, driver_seen, sizeof(driver_seen) - 1, 0) > 0 ? 0 : -errno;
}

long act_connect(const char *text)
{
	struct sockaddr_storage address;
	socklen_t len = parse(text, &address);
	long fd = sys_socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

	if (fd < 0)
		return fd;
	result = sys_connect((int)fd, &address, len);
	if (result == 0)
		result = answer(fd);
	close((int)fd);
	return result;
}

long act_nonblock(const char *text)
{
	struct sockaddr_storage address;
	socklen_t len = parse(text, &address);
	long fd = sys_socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	long result;

	if (fd < 0)
		return fd;
	result = sys_connect((int)fd, &address, len);
	if (result == 0 || result == -EINPROGRESS)
		result = answer(fd);
	close((int)fd);
	return result;
}

enum send_way { SEND_TO, SEND_MESSAGE, SEND_MESSAGES, SEND_CONNECTED };

static long send_hello(const char *text, enum send_way way)
{
	struct sockaddr_storage address;
	socklen_t len = parse(text, &address);
	struct iovec vector = {(void *)(uintptr_t) "hello", 5};
	struct mmsghdr message = {
	    .msg_hdr = {
		.msg_name = &address, .msg_namelen = len, .msg_iov = &vector, .msg_iovlen = 1}};
	long fd = sys_socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), result;

	if (fd < 0)
		return fd;
	if (way == SEND_TO)
		result = sys_sendto((int)fd, "hello", 5, 0, &address, len);
	else if (way == SEND_MESSAGE)
		result = sys_sendmsg((int)fd, &message.msg_hdr, 0);
	else if (way == SEND_MESSAGES)
		result = sys_sendmmsg((int)fd, &message, 1, 0);
	else {
		result = sys_connect((int)fd, &address, len);
		if (result == 0)
			result = send((int)fd, "hello", 5, 0) == 5 ? 0 : -errno;
	}
	if (result >= 0)
		result = answer(fd);
	close((int)fd);
	return result;
}

long act_sendto(const char *text)
{
	return send_hello(text, SEND_TO);
}

long act_sendmsg(const char *text)
{
	return send_hello(text, SEND_MESSAGE);
}

long act_sendmmsg(const char *text)
{
	return send_hello(text, SEND_MESSAGES);
}

long act_udpconnect(const char *text)
{
	return send_hello(text, SEND_CONNECTED);
}

static long listens(long fd, const void *address, socklen_t len)
{
	int accepts = 0, one = 1;
	socklen_t size = sizeof(accepts);
	long result;

	if (fd < 0)
		return fd;
	setsockopt((int)fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	result = sys_bind((int)fd, address, len);
	if (result == 0)
		result = sys_listen((int)fd, 4);
	if (result == 0 &&
	    (getsockopt((int)fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) != 0 || !accepts))
		result = -EIO;
	close((int)fd);
	return result;
}

long act_listen(const char *text)
{
	struct sockaddr_storage address;
	socklen_t len = parse(text, &address);

	return listens(sys_socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), &address, len);
}

static socklen_t name_unix(const char *path, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (*path == '@') {
		memcpy(out->sun_path + 1, path + 1, strlen(path + 1));
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	}
	snprintf(out->sun_path, sizeof(out->sun_path), "%.107s", path);
	return sizeof(*out);
}

static long reach(const char *path)
{
	struct sockaddr_un address;
	socklen_t len = name_unix(path, &address);
	long fd = sys_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

	if (fd < 0)
		return fd;
	result = sys_connect((int)fd, &address, len);
	if (result == 0)
		result = answer(fd);
	close((int)fd);
	return result;
}

long act_unix(const char *text)
{
	return reach(text + strlen("unix:"));
}

long act_unix_relative(const char *text)
{
	const char *name;
	long parent = driver_open_parent(text + strlen("unix:"), &name), result;

	if (parent < 0)
		return parent;
	result = fchdir((int)parent) == 0 ? reach(name) : -errno;
	close((int)parent);
	return chdir("/") == 0 ? result : -errno;
}

long act_unix_listen(const char *text)
{
	struct sockaddr_un address;
	socklen_t len = name_unix(text + strlen("unix:"), &address);

	return listens(sys_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), &address, len);
}
