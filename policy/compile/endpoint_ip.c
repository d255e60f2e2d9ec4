/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses and networks: IPv4 in four decimal parts or not at all, no host bits beneath a
 * prefix. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/compile/endpoint_internal.h"
#include "policy/core/address.h"

static bool host_bits(const uint8_t ip[16], unsigned int bits, unsigned int prefix)
{
	for (unsigned int bit = prefix; bit < bits; bit++)
		if (ip[bit / 8] & (0x80 >> (bit % 8)))
			return true;
	return false;
}

void endpoint_network_text(const struct model_rule *rule, const uint8_t ip[16], unsigned int prefix,
			   char *out, size_t size)
{
	char text[INET6_ADDRSTRLEN];
	unsigned int bits = rule->family == FAMILY_IP4 ? 32 : 128;
	size_t len;

	inet_ntop(rule->family == FAMILY_IP4 ? AF_INET : AF_INET6, ip, text, sizeof(text));
	len = (size_t)snprintf(out, size, rule->family == FAMILY_IP4 ? "%s" : "[%s]", text);
	if (prefix < bits)
		snprintf(out + len, size - len, "/%u", prefix);
}

/* The prefix length at `at`, up to the colon before the ports. */
static int parse_prefix(const struct endpoint_parser *parser, const char *at, size_t len,
			bool mapped)
{
	struct model_rule *rule = parser->rule;
	unsigned int bits = rule->family == FAMILY_IP4 ? 32 : 128, prefix = 0, base;
	char network[64];
	uint8_t ip[16];

	base = mapped ? 96 : 0;
	if (!len || len > 3 || strspn(at, "0123456789") < len || (at[0] == '0' && len > 1))
		return endpoint_fail(parser, at, len, NULL, "bad prefix length \"%.*s\"",
				     (int)(len < 20 ? len : 20), at);
	for (size_t i = 0; i < len; i++)
		prefix = prefix * 10 + (unsigned int)(at[i] - '0');
	if (prefix > bits + base || prefix < base)
		return endpoint_fail(parser, at, len, NULL, "the prefix length must be %u to %u",
				     base, bits + base);
	prefix -= base;
	if (host_bits(rule->ip, bits, prefix)) {
		char hint[120];

		memcpy(ip, rule->ip, sizeof(ip));
		for (unsigned int bit = prefix; bit < bits; bit++)
			ip[bit / 8] &= (uint8_t) ~(0x80 >> (bit % 8));
		endpoint_network_text(rule, ip, prefix, network, sizeof(network));
		snprintf(hint, sizeof(hint), "the network is %s; one address has no prefix length",
			 network);
		return endpoint_fail(parser, parser->text, 0, hint,
				     "the address has bits set beyond its prefix length /%u",
				     prefix + base);
	}
	rule->prefix = (uint8_t)prefix;
	return 0;
}

int endpoint_parse_ip(const struct endpoint_parser *parser, const char *at, size_t len,
		      const char *slash, size_t slash_len, bool bracketed)
{
	struct model_rule *rule = parser->rule;
	struct address address;
	bool mapped;

	memset(&address, 0, sizeof(address));
	if (address_parse_ip(at, len, &address) || (!bracketed && address.family != FAMILY_IP4))
		return endpoint_fail(parser, at, len, NULL, "bad IPv6 address \"%.*s\"",
				     (int)(len < 60 ? len : 60), at);
	rule->network = NETWORK_IP;
	rule->family = address.family;
	memcpy(rule->ip, address.ip, sizeof(rule->ip));
	rule->prefix = address.family == FAMILY_IP4 ? 32 : 128;
	mapped = bracketed && address.family == FAMILY_IP4;
	return slash ? parse_prefix(parser, slash, slash_len, mapped) : 0;
}
