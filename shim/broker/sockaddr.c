/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guarantees: reads no byte past `len`, and two spellings of one destination give one address. The
 * minimal lengths are the kernel's (net/ipv4/af_inet.c, net/ipv6/af_inet6.c, net/unix/af_unix.c).
 */
#include "shim/broker/sockaddr.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};
static const uint8_t zeros[16];

static int read_ip4(const struct sockaddr_storage *name, size_t len, struct socket_name *out)
{
	struct sockaddr_in in;

	if (len < sizeof(in))
		return -EINVAL;
	memcpy(&in, name, sizeof(in));
	out->kind = NAME_IP;
	out->address.family = FAMILY_IP4;
	out->address.port = ntohs(in.sin_port);
	memcpy(out->address.ip, &in.sin_addr, 4);
	out->any = memcmp(out->address.ip, zeros, 4) == 0;
	return 0;
}

static int read_ip6(const struct sockaddr_storage *name, size_t len, struct socket_name *out)
{
	struct sockaddr_in6 in6 = {0};

	if (len < SIN6_LEN_SHORT)
		return -EINVAL;
	memcpy(&in6, name, len < sizeof(in6) ? len : sizeof(in6));
	out->kind = NAME_IP;
	out->address.port = ntohs(in6.sin6_port);
	if (memcmp(&in6.sin6_addr, mapped_prefix, sizeof(mapped_prefix)) == 0) {
		out->address.family = FAMILY_IP4;
		memcpy(out->address.ip, in6.sin6_addr.s6_addr + 12, 4);
		out->any = memcmp(out->address.ip, zeros, 4) == 0;
	} else {
		out->address.family = FAMILY_IP6;
		memcpy(out->address.ip, &in6.sin6_addr, 16);
		out->any = memcmp(out->address.ip, zeros, 16) == 0;
	}
	return 0;
}

static int read_unix(const struct sockaddr_storage *name, size_t len, struct socket_name *out)
{
	struct sockaddr_un un;
	size_t have = len - offsetof(struct sockaddr_un, sun_path);

	if (len > sizeof(un))
		return -EINVAL;
	memcpy(&un, name, len);
	if (have == 0) {
		out->kind = NAME_UNNAMED;
	} else if (un.sun_path[0] == '\0') {
		out->kind = NAME_ABSTRACT;
		out->len = have - 1;
		memcpy(out->text, un.sun_path + 1, out->len);
	} else {
		out->kind = NAME_PATH;
		out->len = strnlen(un.sun_path, have);
		memcpy(out->text, un.sun_path, out->len);
	}
	out->text[out->len] = '\0';
	return 0;
}

int sockaddr_read(const struct sockaddr_storage *name, size_t len, struct socket_name *out)
{
	memset(out, 0, sizeof(*out));
	if (len < sizeof(sa_family_t) || len > sizeof(*name))
		return -EINVAL;
	switch (name->ss_family) {
	case AF_UNSPEC:
		out->kind = NAME_UNSPEC;
		return 0;
	case AF_INET:
		return read_ip4(name, len, out);
	case AF_INET6:
		return read_ip6(name, len, out);
	case AF_UNIX:
		return read_unix(name, len, out);
	case AF_NETLINK:
		out->kind = NAME_NETLINK;
		return len < sizeof(struct sockaddr_nl) ? -EINVAL : 0;
	default:
		out->kind = NAME_OTHER;
		return 0;
	}
}

static void concrete4(struct sockaddr_in *in, const struct sockaddr_storage *own)
{
	const struct sockaddr_in *bound = (const struct sockaddr_in *)own;

	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (own->ss_family == AF_INET && bound->sin_addr.s_addr != htonl(INADDR_ANY))
		in->sin_addr = bound->sin_addr;
}

static void concrete6(struct sockaddr_in6 *in6, const struct sockaddr_storage *own)
{
	const struct sockaddr_in6 *bound = (const struct sockaddr_in6 *)own;
	bool mapped = memcmp(&in6->sin6_addr, mapped_prefix, sizeof(mapped_prefix)) == 0;

	if (own->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&bound->sin6_addr)) {
		mapped = true;
		if (memcmp(bound->sin6_addr.s6_addr + 12, zeros, 4) != 0) {
			in6->sin6_addr = bound->sin6_addr;
			return;
		}
	}
	if (!mapped) {
		in6->sin6_addr = in6addr_loopback;
		return;
	}
	memcpy(&in6->sin6_addr, mapped_prefix, sizeof(mapped_prefix));
	memcpy(in6->sin6_addr.s6_addr + 12, &(uint32_t){htonl(INADDR_LOOPBACK)}, 4);
}

void sockaddr_concrete(struct sockaddr_storage *name, const struct sockaddr_storage *own)
{
	if (name->ss_family == AF_INET)
		concrete4((struct sockaddr_in *)name, own);
	else if (name->ss_family == AF_INET6)
		concrete6((struct sockaddr_in6 *)name, own);
}
