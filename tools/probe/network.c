/* SPDX-License-Identifier: Apache-2.0 */
/* N0–N10: addresses that nothing grants, all on this machine. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/probe/call.h"
#include "tools/probe/probe.h"

#define S const struct probe_stage *s

static long make(int family, int type, int protocol)
{
	return CALL(socket(family, type, protocol), SYS_socket, family, type, protocol);
}

static long reach(long fd, const void *address, socklen_t len)
{
	return CALL(connect((int)fd, address, len), SYS_connect, fd, address, len);
}

static struct sockaddr_in ip4(uint32_t host, long port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr.s_addr = htonl(host)};
}

static struct sockaddr_in6 ip6(const char *text, long port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

	inet_pton(AF_INET6, text, &address.sin6_addr);
	return address;
}

static void reach4(uint32_t host, long port)
{
	struct sockaddr_in address = ip4(host, port);

	(void)!reach(make(AF_INET, SOCK_STREAM, 0), &address, sizeof(address));
}

static void reach6(const char *host, long port)
{
	struct sockaddr_in6 address = ip6(host, port);

	(void)!reach(make(AF_INET6, SOCK_STREAM, 0), &address, sizeof(address));
}

static void granted(S)
{
	struct sockaddr_in address = ip4(INADDR_LOOPBACK, s->granted);
	long fd = make(AF_INET, SOCK_STREAM, 0);

	probe_did(s, reach(fd, &address, sizeof(address)) == 0);
}

static void other_port(S)
{
	reach4(INADDR_LOOPBACK, s->port);
}

static void other_address(S)
{
	reach4(INADDR_LOOPBACK + 1, s->port);
}

static void other_family(S)
{
	reach6("::1", s->port);
}

static void mapped_port(S)
{
	reach6("::ffff:127.0.0.1", s->port);
}

static void after_disconnect(S)
{
	struct sockaddr_in address = ip4(INADDR_LOOPBACK, s->granted);
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	long fd = make(AF_INET, SOCK_STREAM, 0);

	(void)!reach(fd, &address, sizeof(address));
	(void)!reach(fd, &none, sizeof(none));
	address = ip4(INADDR_LOOPBACK, s->port);
	(void)!reach(fd, &address, sizeof(address));
}

static void send4(long fd, long port, int flags)
{
	struct sockaddr_in address = ip4(INADDR_LOOPBACK, port);

	(void)!CALL(sendto((int)fd, "x", 1, flags, (struct sockaddr *)&address, sizeof(address)),
		    SYS_sendto, fd, "x", 1, flags, &address, sizeof(address));
}

static void fast_open(S)
{
	send4(make(AF_INET, SOCK_STREAM, 0), s->port, MSG_FASTOPEN);
}

static void datagram(S)
{
	send4(make(AF_INET, SOCK_DGRAM, 0), s->port, 0);
}

static void datagram_message(S)
{
	struct sockaddr_in address = ip4(INADDR_LOOPBACK, s->port);
	struct iovec vector = {(char[]){"x"}, 1};
	struct msghdr message = {.msg_name = &address,
				 .msg_namelen = sizeof(address),
				 .msg_iov = &vector,
				 .msg_iovlen = 1};
	long fd = make(AF_INET, SOCK_DGRAM, 0);

	(void)!CALL(sendmsg((int)fd, &message, 0), SYS_sendmsg, fd, &message, 0);
}

static void datagram_connected(S)
{
	struct sockaddr_in address = ip4(INADDR_LOOPBACK, s->port);
	long fd = make(AF_INET, SOCK_DGRAM, 0);

	if (reach(fd, &address, sizeof(address)) == 0)
		(void)!write((int)fd, "x", 1);
}

static void family_raw(S)
{
	probe_did(s, make(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0);
}

static void family_packet(S)
{
	probe_did(s, make(AF_PACKET, SOCK_RAW, 0) >= 0);
}

static void family_generic(S)
{
	probe_did(s, make(AF_NETLINK, SOCK_RAW, 16 /* NETLINK_GENERIC */) >= 0);
}

static void family_crypto(S)
{
	probe_did(s, make(AF_ALG, SOCK_SEQPACKET, 0) >= 0);
}

static void serve(S, long fd)
{
	probe_did(s, CALL(listen((int)fd, 1), SYS_listen, fd, 1) == 0);
}

static void listen_unbound(S)
{
	serve(s, make(AF_INET, SOCK_STREAM, 0));
}

static void listen_any(S)
{
	struct sockaddr_in address = ip4(INADDR_ANY, 0);
	long fd = make(AF_INET, SOCK_STREAM, 0);

	if (CALL(bind((int)fd, (struct sockaddr *)&address, sizeof(address)), SYS_bind, fd,
		 &address, sizeof(address)) == 0)
		serve(s, fd);
}

static void unix_path(S)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = probe_path(s, "out", "socket");

	if (strlen(path) >= sizeof(address.sun_path))
		return;
	strcpy(address.sun_path, path);
	(void)!reach(make(AF_UNIX, SOCK_STREAM, 0), &address, sizeof(address));
}

static void unix_abstract(S)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(s->token);

	if (len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path + 1, s->token, len);
	(void)!reach(make(AF_UNIX, SOCK_STREAM, 0), &address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len));
}

static const struct probe items[] = {
    {"N0-granted", "connecting to what the manifest grants", PROBE_MUST_WORK, granted},
    {"N1-other-port", "TCP to another port", PROBE_TCP, other_port},
    {"N1-other-address", "TCP to another address", PROBE_ADDRESS, other_address},
    {"N1-other-family", "TCP over IPv6", PROBE_TCP6, other_family},
    {"N1-mapped-port", "IPv4 written as IPv6", PROBE_TCP, mapped_port},
    {"N2-fastopen-sendto", "TCP that connects by sending", PROBE_TCP, fast_open},
    {"N3-udp-sendto", "a datagram by sendto", PROBE_UDP, datagram},
    {"N3-udp-sendmsg", "a datagram by sendmsg", PROBE_UDP, datagram_message},
    {"N3-udp-connected", "a datagram from a connected socket", PROBE_UDP, datagram_connected},
    {"N4-raw", "raw IP", PROBE_ROOT, family_raw},
    {"N4-packet", "raw frames", PROBE_ROOT, family_packet},
    {"N4-netlink-generic", "the kernel's generic netlink", 0, family_generic},
    {"N4-alg", "the kernel's crypto sockets", 0, family_crypto},
    {"N5-listen-unbound", "listening without a bound port", 0, listen_unbound},
    {"N5-listen-any", "listening on every address", 0, listen_any},
    {"N6-path", "a unix socket by path", PROBE_UNIX, unix_path},
    {"N6-abstract", "a unix socket without a path", PROBE_ABSTRACT, unix_abstract},
    {"N10-after-disconnect", "connecting again elsewhere", PROBE_TCP, after_disconnect},
};
const struct probe_table probe_network = {items, sizeof(items) / sizeof(*items)};
