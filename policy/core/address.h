/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network addresses as decisions see them: a plain value, no sockaddr padding, no spelling.
 * An IPv4-mapped IPv6 address (::ffff:a.b.c.d) is always stored as IPv4, so that one rule decides
 * both.
 */
#ifndef REMIT_CORE_ADDRESS_H
#define REMIT_CORE_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

enum protocol {
	PROTOCOL_TCP = 1,
	PROTOCOL_UDP = 2,
	PROTOCOL_UNIX = 3,
};

/* Longest unix name is sun_path's 108 bytes (unix(7)). */
#define ADDRESS_UNIX_MAX 108

enum family {
	FAMILY_IP4 = 4,
	FAMILY_IP6 = 6,
};

struct address {
	uint8_t protocol; /* enum protocol: TCP or UDP; unix sockets are decided by path or name
			     instead */
	uint8_t family;	  /* enum family */
	uint16_t port;	  /* host byte order, 0..65535 */
	uint8_t ip[16]; /* network byte order; IPv4 uses the first four bytes, the rest are zero */
};

/* "1.2.3.4:80", "[::1]:80", with "udp:" in front for UDP: written to buf, always ended by NUL, cut
 * if too small. Returns strlen(buf). */
#define ADDRESS_TEXT_MAX 64
size_t address_format(const struct address *address, char *buf, size_t size);

/*
 * Reads exactly the four-part dotted form or an RFC 4291 IPv6 literal of `len` bytes (no brackets,
 * no port, no zone; "127.1", "0x7f000001" and "010.0.0.1" are refused) into ip/family, mapped
 * addresses turned into IPv4. 0 or -EINVAL.
 */
int address_parse_ip(const char *text, size_t len, struct address *out);

#endif
