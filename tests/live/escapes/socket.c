/* SPDX-License-Identifier: Apache-2.0 */
/* N4, N6: other families, and unix sockets by path, by link, by handle and by name. The stranger's
 * sockets answer with the token; sock/granted.sock is granted, sock/other.sock is not. */
#include "tests/live/escapes/harness.h"

#include <stddef.h>
#include <sys/un.h>

#include "shim/common/protocol.h"

#define FAMILY_VSOCK 40
#define FAMILY_ALG 38
#define FAMILY_PACKET 17
#define FAMILY_SMC 43
#define FAMILY_KCM 41
#define FAMILY_TIPC 30
#define FAMILY_RDS 21

static socklen_t name_unix(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path)) {
		fprintf(stderr, "escapes: %s is too long for a socket\n", path);
		exit(3);
	}
	memcpy(address->sun_path, path, strlen(path));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
}

static void reach(const char *path)
{
	struct sockaddr_un address;
	socklen_t len = name_unix(&address, path);
	long fd = sys_socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd >= 0 && sys_connect((int)fd, &address, len) == 0)
		show_fd(fd);
}

static void path_granted(void)
{
	reach(at("sock/granted.sock"));
}

static void path_other(void)
{
	reach(at("sock/other.sock"));
}

static void path_unterminated(void)
{
	struct sockaddr_un address;
	socklen_t len = name_unix(&address, at("sock/other.sock")) - 1;
	long fd = sys_socket(AF_UNIX, SOCK_STREAM, 0);

	if (sys_connect((int)fd, &address, len) == 0)
		show_fd(fd);
}

static void path_link(void)
{
	sys_symlink(at("sock/other.sock"), at("free/s"));
	reach(at("free/s"));
}

static void path_hard_link(void)
{
	sys_link(at("sock/other.sock"), at("free/s"));
	reach(at("free/s"));
}

/* Within one folder, by a call that only the wall sees. */
static void path_renamed_tagged(void)
{
	sys_call(SYS_renameat2, AT_FDCWD, at("post/other.sock"), AT_FDCWD, at("post/granted.sock"),
		 0, REMIT_TAG);
	reach(at("post/granted.sock"));
}

static void path_renamed(void)
{
	sys_rename(at("sock/other.sock"), at("free/s"));
	reach(at("free/s"));
}

static void path_relative(void)
{
	if (chdir(at("sock")) == 0)
		reach("other.sock");
}

static void path_handle(void)
{
	long fd = sys_open(at("sock"), O_PATH | O_DIRECTORY, 0);

	reach(text("/proc/self/fd/%ld/other.sock", fd));
}

static void path_handle_itself(void)
{
	long fd = sys_open(at("sock/other.sock"), O_PATH, 0);

	reach(text("/proc/self/fd/%ld", fd));
}

static void path_cwd(void)
{
	if (chdir(at("sock")) == 0)
		reach("/proc/self/cwd/other.sock");
}

static void path_dots(void)
{
	reach(at("free/.././/sock/./other.sock"));
}

static void path_sequenced(void)
{
	struct sockaddr_un address;
	socklen_t len = name_unix(&address, at("sock/seq.sock"));
	long fd = sys_socket(AF_UNIX, SOCK_SEQPACKET, 0);

	if (sys_connect((int)fd, &address, len) == 0)
		show_fd(fd);
}

static void path_datagram(void)
{
	struct sockaddr_un address;
	socklen_t len = name_unix(&address, at("sock/dgram.sock"));

	sys_sendto((int)sys_socket(AF_UNIX, SOCK_DGRAM, 0), "hello", 5, 0, &address, len);
}

static void path_datagram_pair(void)
{
	struct sockaddr_un address;
	socklen_t len = name_unix(&address, at("sock/dgram.sock"));
	int pair[2];

	/* An unnamed pair can be disconnected and sent elsewhere. */
	if (sys_call(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, pair) == 0)
		sys_sendto(pair[0], "hello", 5, 0, &address, len);
}

static void abstract(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *name = harness_fact("abstract");
	size_t len = strlen(name);
	long fd = sys_socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path + 1, name, len);
	if (sys_connect((int)fd, &address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len)) == 0)
		show_fd(fd);
}

static void serve(const struct sockaddr_un *address, socklen_t len)
{
	long fd = sys_socket(AF_UNIX, SOCK_STREAM, 0);

	did(sys_bind((int)fd, address, len) == 0 && sys_listen((int)fd, 1) == 0);
}

static void abstract_listen(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0remit-escape"};

	serve(&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 13));
}

static void abstract_autobind(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	serve(&address, offsetof(struct sockaddr_un, sun_path));
}

static void path_listen(void)
{
	struct sockaddr_un address;
	socklen_t len = name_unix(&address, at("free/mine.sock"));

	serve(&address, len);
}

static void path_bind_outside(void)
{
	struct sockaddr_un address;
	socklen_t len = name_unix(&address, at("out/mine.sock"));

	sys_bind((int)sys_socket(AF_UNIX, SOCK_STREAM, 0), &address, len);
}

static void path_bind_denied(void)
{
	struct sockaddr_un address;
	socklen_t len = name_unix(&address, at("in/late.txt"));

	sys_bind((int)sys_socket(AF_UNIX, SOCK_STREAM, 0), &address, len);
}

static void abstract_datagram(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *name = harness_fact("abstract_datagram");
	size_t len = strlen(name);

	memcpy(address.sun_path + 1, name, len);
	sys_sendto((int)sys_socket(AF_UNIX, SOCK_DGRAM, 0), "hello", 5, 0, &address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len));
}

/* N4: the socket itself is the canary; the filter knows the families by itself. */

#define FAMILY_CASE(label, family, type, protocol)                                                 \
	static void label(void)                                                                    \
	{                                                                                          \
		did(sys_socket(family, type, protocol) >= 0);                                      \
	}

FAMILY_CASE(family_raw, AF_INET, SOCK_RAW, 1)
FAMILY_CASE(family_raw6, AF_INET6, SOCK_RAW, 58)
FAMILY_CASE(family_ping, AF_INET, SOCK_DGRAM, 1)
FAMILY_CASE(family_packet, FAMILY_PACKET, SOCK_RAW, 0)
FAMILY_CASE(family_packet_dgram, FAMILY_PACKET, SOCK_DGRAM, 0)
FAMILY_CASE(family_old_packet, AF_INET, 10 /* SOCK_PACKET */, 0)
FAMILY_CASE(family_vsock, FAMILY_VSOCK, SOCK_STREAM, 0)
FAMILY_CASE(family_alg, FAMILY_ALG, SOCK_SEQPACKET, 0)
FAMILY_CASE(family_sctp, AF_INET, SOCK_STREAM, 132)
FAMILY_CASE(family_sctp_seq, AF_INET, SOCK_SEQPACKET, 132)
FAMILY_CASE(family_smc, FAMILY_SMC, SOCK_STREAM, 0)
FAMILY_CASE(family_mptcp, AF_INET, SOCK_STREAM, 262)
FAMILY_CASE(family_mptcp6, AF_INET6, SOCK_STREAM, 262)
FAMILY_CASE(family_dccp, AF_INET, 6 /* SOCK_DCCP */, 33)
FAMILY_CASE(family_udplite, AF_INET, SOCK_DGRAM, 136)
FAMILY_CASE(family_kcm, FAMILY_KCM, SOCK_DGRAM, 0)
FAMILY_CASE(family_tipc, FAMILY_TIPC, SOCK_STREAM, 0)
FAMILY_CASE(family_rds, FAMILY_RDS, SOCK_SEQPACKET, 0)
FAMILY_CASE(family_netlink_audit, AF_NETLINK, SOCK_RAW, 9)
FAMILY_CASE(family_netlink_generic, AF_NETLINK, SOCK_RAW, 16)
FAMILY_CASE(family_netlink_uevent, AF_NETLINK, SOCK_RAW, 15)
FAMILY_CASE(family_netlink_diag, AF_NETLINK, SOCK_RAW, 4)
FAMILY_CASE(family_netlink_netfilter, AF_NETLINK, SOCK_RAW, 12)
FAMILY_CASE(family_high_bits, AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 255)

static void family_truncated(void)
{
	/* socket(2) takes ints: the upper halves of the registers mean nothing. */
	did(sys_call(SYS_socket, (1L << 32) | FAMILY_ALG, (1L << 32) | SOCK_SEQPACKET, 1L << 32) >=
	    0);
}

static const struct escape cases[] = {
    {"N0-unix-granted", NULL, MUST_WORK, path_granted},
    {"N4-raw", "socket", NEEDS_ROOT, family_raw},
    {"N4-raw6", "socket", NEEDS_ROOT, family_raw6},
    {"N4-ping", "socket", MAY_LACK, family_ping},
    {"N4-packet", "socket", NEEDS_ROOT, family_packet},
    {"N4-packet-datagram", "socket", NEEDS_ROOT, family_packet_dgram},
    {"N4-old-packet", "socket", NEEDS_ROOT, family_old_packet},
    {"N4-raw-any", "socket", NEEDS_ROOT, family_high_bits},
    {"N4-vsock", "socket", MAY_LACK, family_vsock},
    {"N4-alg", "socket", MAY_LACK, family_alg},
    {"N4-alg-high-bits", "socket", MAY_LACK, family_truncated},
    {"N4-sctp", "socket", MAY_LACK, family_sctp},
    {"N4-sctp-seqpacket", "socket", MAY_LACK, family_sctp_seq},
    {"N4-smc", "socket", MAY_LACK, family_smc},
    {"N4-mptcp-socket", "socket", MAY_LACK, family_mptcp},
    {"N4-mptcp6-socket", "socket", MAY_LACK, family_mptcp6},
    {"N4-dccp", "socket", MAY_LACK, family_dccp},
    {"N4-udplite", "socket", MAY_LACK, family_udplite},
    {"N4-kcm", "socket", MAY_LACK, family_kcm},
    {"N4-tipc", "socket", MAY_LACK, family_tipc},
    {"N4-rds", "socket", MAY_LACK, family_rds},
    {"N4-netlink-audit", "socket", MAY_LACK, family_netlink_audit},
    {"N4-netlink-generic", "socket", MAY_LACK, family_netlink_generic},
    {"N4-netlink-uevent", "socket", MAY_LACK, family_netlink_uevent},
    {"N4-netlink-diag", "socket", MAY_LACK, family_netlink_diag},
    {"N4-netlink-netfilter", "socket", MAY_LACK, family_netlink_netfilter},
    {"N6-path", "sock/other.sock", 0, path_other},
    {"N6-path-unterminated", "sock/other.sock", 0, path_unterminated},
    {"N6-link", "sock/other.sock", 0, path_link},
    {"N6-hard-link", "", 0, path_hard_link},
    {"N6-renamed", "", 0, path_renamed},
    {"L1-tagged-socket-rename", NULL, 0, path_renamed_tagged},
    {"N6-relative", "sock/other.sock", 0, path_relative},
    {"N6-handle", "sock/other.sock", 0, path_handle},
    {"N6-handle-itself", "sock/other.sock", 0, path_handle_itself},
    {"N6-cwd", "sock/other.sock", 0, path_cwd},
    {"N6-dots", "sock/other.sock", 0, path_dots},
    {"N6-seqpacket", "sock/seq.sock", 0, path_sequenced},
    {"N6-datagram", "", 0, path_datagram},
    {"N6-datagram-pair", "", MAY_LACK, path_datagram_pair},
    {"N6-abstract", "", 0, abstract},
    {"N6-abstract-datagram", "", 0, abstract_datagram},
    {"N6-abstract-listen", "", 0, abstract_listen},
    {"N6-abstract-autobind", "", 0, abstract_autobind},
    {"N6-listen-path", "free/mine.sock", 0, path_listen},
    {"N6-bind-outside", "out/mine.sock", 0, path_bind_outside},
    {"N6-bind-denied", "in/late.txt", 0, path_bind_denied},
};
ESCAPE_TABLE(socket_table, cases);
