/* SPDX-License-Identifier: Apache-2.0 */
/* N1–N3, N5, N9, N10: internet addresses. run.py listens at every address named here and counts
 * what arrives; the manifest grants 127.0.0.1:tcp_granted only. Listeners answer with the token. */
#include "tests/live/escapes/harness.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <arpa/inet.h>

#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30 /* linux/tcp.h */
#endif

static const char hello[] = "hello";

static struct sockaddr_in ip4(const char *ip, const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)harness_number(port))};

	inet_pton(AF_INET, ip, &address.sin_addr);
	return address;
}

static struct sockaddr_in6 ip6(const char *ip, const char *port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6,
				       .sin6_port = htons((uint16_t)harness_number(port))};

	inet_pton(AF_INET6, ip, &address.sin6_addr);
	return address;
}

static void reach(int family, int type, int protocol, const void *address, socklen_t len)
{
	long fd = sys_socket(family, type, protocol);

	if (fd >= 0 && sys_connect((int)fd, address, len) == 0)
		show_fd(fd);
}

static void reach4(const char *ip, const char *port)
{
	struct sockaddr_in address = ip4(ip, port);

	reach(AF_INET, SOCK_STREAM, 0, &address, sizeof(address));
}

static void reach6(const char *ip, const char *port)
{
	struct sockaddr_in6 address = ip6(ip, port);

	reach(AF_INET6, SOCK_STREAM, 0, &address, sizeof(address));
}

static void granted(void)
{
	reach4("127.0.0.1", "tcp_granted");
}

static void granted_mapped(void)
{
	reach6("::ffff:127.0.0.1", "tcp_granted");
}

static void other_port(void)
{
	reach4("127.0.0.1", "tcp_other");
}

static void other_address(void)
{
	reach4("127.0.0.2", "tcp_granted");
}

static void other_family(void)
{
	reach6("::1", "tcp_granted");
}

static void mapped_port(void)
{
	reach6("::ffff:127.0.0.1", "tcp_other");
}

static void mapped_address(void)
{
	reach6("::ffff:127.0.0.2", "tcp_granted");
}

static void any_address(void)
{
	/* Connecting to 0.0.0.0 or :: means this host. */
	reach4("0.0.0.0", "tcp_other");
}

/* What is granted is 0.0.0.0, [::]/0, and not what the kernel makes of these. */
static void any_granted(void)
{
	reach4("0.0.0.0", "tcp_any");
}

static void mapped_granted(void)
{
	reach6("::ffff:127.0.0.1", "tcp_mapped");
}

static void any_address6(void)
{
	reach6("::", "tcp_other");
}

static void nonblocking(void)
{
	struct sockaddr_in address = ip4("127.0.0.1", "tcp_other");
	long fd = sys_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd wait = {.fd = (int)fd, .events = POLLIN};
	long result = sys_connect((int)fd, &address, sizeof(address));

	if ((result == 0 || result == -EINPROGRESS) && poll(&wait, 1, 2000) > 0)
		show_fd(fd);
}

static void after_disconnect(void)
{
	/* N10: AF_UNSPEC dissolves the association; the next connect counts afresh. */
	struct sockaddr_in first = ip4("127.0.0.1", "tcp_granted");
	struct sockaddr_in second = ip4("127.0.0.1", "tcp_other");
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	long fd = sys_socket(AF_INET, SOCK_STREAM, 0);

	sys_connect((int)fd, &first, sizeof(first));
	sys_connect((int)fd, &none, sizeof(none));
	if (sys_connect((int)fd, &second, sizeof(second)) == 0)
		show_fd(fd);
}

static void family_unspec(void)
{
	/* AF_UNSPEC with an address behind it: TCP takes it as a disconnect, bind takes
	 * INADDR_ANY with it as AF_INET. */
	struct sockaddr_in address = ip4("0.0.0.0", "tcp_unused");
	long fd = sys_socket(AF_INET, SOCK_STREAM, 0);

	address.sin_family = AF_UNSPEC;
	did(sys_bind((int)fd, &address, sizeof(address)) == 0 && sys_listen((int)fd, 1) == 0);
}

static void ip4_in_ip6_socket(void)
{
	/* An AF_INET sockaddr on an AF_INET6 socket, and the other way round. */
	struct sockaddr_in address = ip4("127.0.0.1", "tcp_other");

	reach(AF_INET6, SOCK_STREAM, 0, &address, sizeof(address));
	reach4("127.0.0.1", "tcp_other");
}

static void long_address(void)
{
	struct sockaddr_storage address = {0};
	struct sockaddr_in real = ip4("127.0.0.1", "tcp_other");

	memcpy(&address, &real, sizeof(real));
	reach(AF_INET, SOCK_STREAM, 0, &address, sizeof(address));
}

static void multipath(void)
{
	struct sockaddr_in address = ip4("127.0.0.1", "tcp_other");

	reach(AF_INET, SOCK_STREAM, 262 /* IPPROTO_MPTCP */, &address, sizeof(address));
}

/* N2: TCP Fast Open sends without connect. */

static void fastopen_sendto(void)
{
	struct sockaddr_in address = ip4("127.0.0.1", "tcp_other");
	long fd = sys_socket(AF_INET, SOCK_STREAM, 0);

	if (sys_sendto((int)fd, hello, sizeof(hello), MSG_FASTOPEN, &address, sizeof(address)) > 0)
		show_fd(fd);
}

static void fastopen_sendto_high(void)
{
	struct sockaddr_in address = ip4("127.0.0.1", "tcp_other");
	long fd = sys_socket(AF_INET, SOCK_STREAM, 0);

	/* The kernel cuts flags to 32 bits. */
	if (sys_call(SYS_sendto, fd, hello, sizeof(hello), (1L << 40) | MSG_FASTOPEN, &address,
		     sizeof(address)) > 0)
		show_fd(fd);
}

static void fill(struct msghdr *message, struct iovec *vector, void *name, socklen_t len)
{
	*vector = (struct iovec){(void *)(uintptr_t)hello, sizeof(hello)};
	*message = (struct msghdr){
	    .msg_name = name, .msg_namelen = len, .msg_iov = vector, .msg_iovlen = 1};
}

static void fastopen_sendmsg(void)
{
	struct sockaddr_in address = ip4("127.0.0.1", "tcp_other");
	struct msghdr message;
	struct iovec vector;
	long fd = sys_socket(AF_INET, SOCK_STREAM, 0);

	fill(&message, &vector, &address, sizeof(address));
	if (sys_sendmsg((int)fd, &message, MSG_FASTOPEN) > 0)
		show_fd(fd);
}

static void fastopen_sendmmsg(void)
{
	struct sockaddr_in address = ip4("127.0.0.1", "tcp_other");
	struct mmsghdr messages[1] = {0};
	struct iovec vector;
	long fd = sys_socket(AF_INET, SOCK_STREAM, 0);

	fill(&messages[0].msg_hdr, &vector, &address, sizeof(address));
	if (sys_sendmmsg((int)fd, messages, 1, MSG_FASTOPEN) > 0)
		show_fd(fd);
}

static void fastopen_connect(void)
{
	struct sockaddr_in address = ip4("127.0.0.1", "tcp_other");
	int on = 1;
	long fd = sys_socket(AF_INET, SOCK_STREAM, 0);

	setsockopt((int)fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on));
	sys_connect((int)fd, &address, sizeof(address));
	if (write((int)fd, hello, sizeof(hello)) > 0)
		show_fd(fd);
}

/* N3: datagrams; the canary is their arrival. */

static void udp_sendto(void)
{
	struct sockaddr_in address = ip4("127.0.0.1", "udp_other");
	long fd = sys_socket(AF_INET, SOCK_DGRAM, 0);

	sys_sendto((int)fd, hello, sizeof(hello), 0, &address, sizeof(address));
}

static void udp_sendmsg(void)
{
	struct sockaddr_in address = ip4("127.0.0.1", "udp_other");
	struct msghdr message;
	struct iovec vector;

	fill(&message, &vector, &address, sizeof(address));
	sys_sendmsg((int)sys_socket(AF_INET, SOCK_DGRAM, 0), &message, 0);
}

static void udp_sendmmsg(void)
{
	struct sockaddr_in address = ip4("127.0.0.1", "udp_other");
	struct mmsghdr messages[2] = {0};
	struct iovec vectors[2];

	fill(&messages[0].msg_hdr, &vectors[0], &address, sizeof(address));
	fill(&messages[1].msg_hdr, &vectors[1], &address, sizeof(address));
	sys_sendmmsg((int)sys_socket(AF_INET, SOCK_DGRAM, 0), messages, 2, 0);
}

static void udp_connected(void)
{
	struct sockaddr_in address = ip4("127.0.0.1", "udp_other");
	long fd = sys_socket(AF_INET, SOCK_DGRAM, 0);

	sys_connect((int)fd, &address, sizeof(address));
	if (write((int)fd, hello, sizeof(hello)) < 0)
		fprintf(stderr, "write: %s\n", strerror(errno));
}

static void udp6_mapped(void)
{
	struct sockaddr_in6 address = ip6("::ffff:127.0.0.1", "udp_other");
	long fd = sys_socket(AF_INET6, SOCK_DGRAM, 0);

	sys_sendto((int)fd, hello, sizeof(hello), 0, &address, sizeof(address));
}

/* N5: taking connections. */

static void serve(long fd)
{
	int accepts = 0;
	socklen_t len = sizeof(accepts);

	did(sys_listen((int)fd, 4) == 0 &&
	    getsockopt((int)fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len) == 0 && accepts);
}

static void listen_unbound(void)
{
	serve(sys_socket(AF_INET, SOCK_STREAM, 0));
}

static void listen_unbound6(void)
{
	serve(sys_socket(AF_INET6, SOCK_STREAM, 0));
}

static void listen_at(const char *ip, const char *port)
{
	struct sockaddr_in address = ip4(ip, port);
	long fd = sys_socket(AF_INET, SOCK_STREAM, 0);

	if (sys_bind((int)fd, &address, sizeof(address)) == 0)
		serve(fd);
}

static void listen_any(void)
{
	listen_at("0.0.0.0", "tcp_listen");
}

static void listen_other(void)
{
	listen_at("127.0.0.1", "tcp_unused");
}

static void listen_granted(void)
{
	listen_at("127.0.0.1", "tcp_listen");
}

static void listen_ephemeral(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	long fd = sys_socket(AF_INET, SOCK_STREAM, 0);

	/* Binding to port 0 needs no grant; listening on what came of it does. */
	if (sys_bind((int)fd, &address, sizeof(address)) == 0)
		serve(fd);
}

static void bind_udp(void)
{
	struct sockaddr_in address = ip4("127.0.0.1", "tcp_unused");

	did(sys_bind((int)sys_socket(AF_INET, SOCK_DGRAM, 0), &address, sizeof(address)) == 0);
}

/* The kernel "chooses" the one port that it is told to choose from. */
static void choose_port(int family, long level)
{
	struct sockaddr_in6 own = {0};
	socklen_t len = sizeof(own);
	uint32_t port = (uint32_t)harness_number("tcp_unused"), range = port << 16 | port;
	long fd = sys_socket(family, SOCK_DGRAM, 0);

	if (fd < 0 || sys_call(SYS_setsockopt, fd, level, 51, &range, sizeof(range)) != 0)
		return;
	own.sin6_family = (sa_family_t)family;
	if (bind((int)fd, (struct sockaddr *)&own,
		 family == AF_INET ? sizeof(struct sockaddr_in) : len) == 0 &&
	    getsockname((int)fd, (struct sockaddr *)&own, &len) == 0)
		did(ntohs(own.sin6_port) == port);
}

static void choose_port4(void)
{
	choose_port(AF_INET, IPPROTO_IP);
}

static void choose_port6(void)
{
	choose_port(AF_INET6, IPPROTO_IP);
}

static void choose_port_high_bits(void)
{
	choose_port(AF_INET, 0xdead00000000L | IPPROTO_IP);
}

static const struct escape cases[] = {
    {"N0-granted", NULL, MUST_WORK, granted},
    {"N0-granted-mapped", NULL, MUST_WORK, granted_mapped},
    {"N0-listen-granted", NULL, MUST_WORK, listen_granted},
    {"N1-other-port", "127.0.0.1:", 0, other_port},
    {"N1-other-address", "127.0.0.2:", 0, other_address},
    {"N1-other-family", "[::1]:", 0, other_family},
    {"N1-mapped-port", "127.0.0.1:", 0, mapped_port},
    {"N1-mapped-address", "127.0.0.2:", 0, mapped_address},
    {"N1-any-address", "0.0.0.0:", 0, any_address},
    {"N1-any-address6", "[::]:", 0, any_address6},
    {"N1-any-granted", "127.0.0.1:", 0, any_granted},
    {"N1-mapped-granted", "127.0.0.1:", 0, mapped_granted},
    {"N1-nonblocking", "127.0.0.1:", 0, nonblocking},
    {"N1-family-mixed", "127.0.0.1:", 0, ip4_in_ip6_socket},
    {"N1-long-address", "127.0.0.1:", 0, long_address},
    {"N2-fastopen-sendto", "MSG_FASTOPEN", 0, fastopen_sendto},
    {"N2-fastopen-sendto-high-bits", "MSG_FASTOPEN", 0, fastopen_sendto_high},
    {"N2-fastopen-sendmsg", "MSG_FASTOPEN", 0, fastopen_sendmsg},
    {"N2-fastopen-sendmmsg", "MSG_FASTOPEN", 0, fastopen_sendmmsg},
    {"N2-fastopen-connect", "127.0.0.1:", 0, fastopen_connect},
    {"N3-udp-sendto", "", 0, udp_sendto},
    {"N3-udp-sendmsg", "", 0, udp_sendmsg},
    {"N3-udp-sendmmsg", "", 0, udp_sendmmsg},
    {"N3-udp-connected", "", 0, udp_connected},
    {"N3-udp-mapped", "", 0, udp6_mapped},
    {"N4-mptcp", "inet socket", MAY_LACK, multipath},
    {"N5-listen-unbound", "0.0.0.0:", 0, listen_unbound},
    {"N5-listen-unbound6", "[::]:", 0, listen_unbound6},
    {"N5-listen-any", "0.0.0.0:", 0, listen_any},
    {"N5-listen-other", "127.0.0.1:", 0, listen_other},
    {"N5-listen-ephemeral", "127.0.0.1:", 0, listen_ephemeral},
    {"N5-bind-udp", "", 0, bind_udp},
    {"N5-choose-port", "option 51", 0, choose_port4},
    {"N5-choose-port6", "option 51", 0, choose_port6},
    {"N5-choose-port-high-bits", "option 51", 0, choose_port_high_bits},
    {"N10-after-disconnect", "127.0.0.1:", 0, after_disconnect},
    {"N10-bind-unspec", "", 0, family_unspec},
};
ESCAPE_TABLE(network_table, cases);
