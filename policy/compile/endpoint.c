// SPDX-License-Identifier: Apache-2.0
/*
 * One spelling for one meaning: IPv4 in four decimal parts or not at all (127.1 and 0x7f000001 are
 * errors, not loopback), no host bits beneath a prefix, ports sorted and merged. The canonical text
 * is written from the parsed fields, never copied from the input.
 */
#include "policy/compile/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/limits.h"
#include "policy/compile/paths.h"
#include "policy/compile/reader.h"
#include "policy/compile/text.h"
#include "policy/compile/values.h"

struct parser {
	const char *text; /* all of it, for offsets */
	struct endpoint_fault *fault;
	struct model_rule *rule;
};

__attribute__((format(printf, 5, 6))) static int fail(const struct parser *parser, const char *at,
						      size_t width, const char *hint,
						      const char *format, ...)
{
	va_list arguments;

	parser->fault->offset = (size_t)(at - parser->text);
	parser->fault->width = width;
	snprintf(parser->fault->hint, sizeof(parser->fault->hint), "%s", hint ? hint : "");
	va_start(arguments, format);
	vsnprintf(parser->fault->message, sizeof(parser->fault->message), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

enum protocol endpoint_protocol(const char **text)
{
	bool tcp = !strncmp(*text, "tcp:", 4), udp = !strncmp(*text, "udp:", 4);

	if (tcp || udp)
		*text += 4;
	return udp ? PROTOCOL_UDP : PROTOCOL_TCP;
}

static int add_range(struct model_rule *rule, uint16_t low, uint16_t high)
{
	int err = list_grow((void **)&rule->ports, rule->port_count, sizeof(*rule->ports));

	if (!err)
		rule->ports[rule->port_count++] = (struct port_range){low, high};
	return err;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct port_range *x = a, *y = b;

	return x->low != y->low ? (x->low < y->low ? -1 : 1) : 0;
}

/* Sorts, and joins what overlaps or touches. */
static void merge_ranges(struct model_rule *rule)
{
	size_t kept = 0;

	qsort(rule->ports, rule->port_count, sizeof(*rule->ports), compare_ranges);
	for (size_t i = 1; i < rule->port_count; i++) {
		struct port_range *last = &rule->ports[kept], next = rule->ports[i];

		if (next.low <= (uint32_t)last->high + 1) {
			if (next.high > last->high)
				last->high = next.high;
		} else {
			rule->ports[++kept] = next;
		}
	}
	rule->port_count = kept + 1;
}

static int parse_range(const struct parser *parser, const char *at, size_t len)
{
	const char *dash = memchr(at, '-', len), *why;
	size_t low_len = dash ? (size_t)(dash - at) : len;
	uint16_t low, high;

	if (value_port(at, low_len, &low, &why))
		return fail(parser, at, low_len, NULL, "bad port \"%.*s\": %s",
			    (int)(low_len < 20 ? low_len : 20), at, why);
	high = low;
	if (dash && value_port(dash + 1, len - low_len - 1, &high, &why)) {
		size_t high_len = len - low_len - 1;

		return fail(parser, dash + 1, high_len, NULL, "bad port \"%.*s\": %s",
			    (int)(high_len < 20 ? high_len : 20), dash + 1, why);
	}
	if (high < low)
		return fail(parser, at, len, NULL, "reversed port range: %u is more than %u", low,
			    high);
	return add_range(parser->rule, low, high);
}

static int parse_ports(const struct parser *parser, const char *at)
{
	if (!strcmp(at, "*"))
		return add_range(parser->rule, 0, 65535);
	if (!*at)
		return fail(parser, parser->text, 0, "for all ports write :*",
			    "the port is missing after the colon");
	for (;;) {
		size_t len = strcspn(at, ",");
		int err = parse_range(parser, at, len);

		if (err)
			return err;
		if (parser->rule->port_count > LIMIT_PORT_RANGES)
			return fail(parser, parser->text, 0, NULL,
				    "more than 64 ports or port ranges in one address");
		if (!at[len])
			break;
		at += len + 1;
	}
	merge_ranges(parser->rule);
	return 0;
}

static bool host_bits(const uint8_t ip[16], unsigned int bits, unsigned int prefix)
{
	for (unsigned int bit = prefix; bit < bits; bit++)
		if (ip[bit / 8] & (0x80 >> (bit % 8)))
			return true;
	return false;
}

static void network_text(const struct model_rule *rule, const uint8_t ip[16], unsigned int prefix,
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
static int parse_prefix(const struct parser *parser, const char *at, size_t len, bool mapped)
{
	struct model_rule *rule = parser->rule;
	unsigned int bits = rule->family == FAMILY_IP4 ? 32 : 128, prefix = 0, base;
	char network[64];
	uint8_t ip[16];

	base = mapped ? 96 : 0;
	if (!len || len > 3 || strspn(at, "0123456789") < len || (at[0] == '0' && len > 1))
		return fail(parser, at, len, NULL, "bad prefix length \"%.*s\"",
			    (int)(len < 20 ? len : 20), at);
	for (size_t i = 0; i < len; i++)
		prefix = prefix * 10 + (unsigned int)(at[i] - '0');
	if (prefix > bits + base || prefix < base)
		return fail(parser, at, len, NULL, "the prefix length must be %u to %u", base,
			    bits + base);
	prefix -= base;
	if (host_bits(rule->ip, bits, prefix)) {
		char hint[120];

		memcpy(ip, rule->ip, sizeof(ip));
		for (unsigned int bit = prefix; bit < bits; bit++)
			ip[bit / 8] &= (uint8_t) ~(0x80 >> (bit % 8));
		network_text(rule, ip, prefix, network, sizeof(network));
		snprintf(hint, sizeof(hint), "the network is %s; one address has no prefix length",
			 network);
		return fail(parser, parser->text, 0, hint,
			    "the address has bits set beyond its prefix length /%u", prefix + base);
	}
	rule->prefix = (uint8_t)prefix;
	return 0;
}

static int parse_ip(const struct parser *parser, const char *at, size_t len, const char *slash,
		    size_t slash_len, bool bracketed)
{
	struct model_rule *rule = parser->rule;
	struct address address;
	bool mapped;

	memset(&address, 0, sizeof(address));
	if (address_parse_ip(at, len, &address) || (!bracketed && address.family != FAMILY_IP4))
		return fail(parser, at, len, NULL, "bad IPv6 address \"%.*s\"",
			    (int)(len < 60 ? len : 60), at);
	rule->network = NETWORK_IP;
	rule->family = address.family;
	memcpy(rule->ip, address.ip, sizeof(rule->ip));
	rule->prefix = address.family == FAMILY_IP4 ? 32 : 128;
	mapped = bracketed && address.family == FAMILY_IP4;
	return slash ? parse_prefix(parser, slash, slash_len, mapped) : 0;
}

static bool label_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

/* The rule of the URL standard: a name whose last label is a number would be taken for an IPv4
 * address by somebody. */
static bool ends_in_number(const char *at, size_t len)
{
	const char *last = memrchr(at, '.', len);
	const char *label = last ? last + 1 : at;
	size_t label_len = len - (size_t)(label - at);

	if (label_len > 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X'))
		return true;
	return label_len && strspn(label, "0123456789") >= label_len;
}

static const char *host_fault(const char *at, size_t len)
{
	size_t label = 0;

	if (len > 253)
		return "it is longer than 253 bytes";
	for (size_t i = 0; i <= len; i++) {
		if (i == len || at[i] == '.') {
			if (!label)
				return "it has an empty label";
			if (label > 63)
				return "it has a label of more than 63 bytes";
			if (at[i - 1] == '-' || at[i - label] == '-')
				return "a label begins or ends with a hyphen";
			label = 0;
		} else if ((unsigned char)at[i] >= 0x80) {
			return "it has characters outside ASCII: write it in its xn-- form";
		} else if (!label_byte(at[i])) {
			return "it has a character that no host name has";
		} else {
			label++;
		}
	}
	return NULL;
}

static int parse_host(const struct parser *parser, const char *at, size_t len)
{
	const char *name = at, *why;
	size_t name_len = len;

	if (ends_in_number(at, len))
		return fail(parser, at, len, "write all four parts in decimal, like 127.0.0.1",
			    "\"%.*s\" is no IPv4 address in its usual spelling",
			    (int)(len < 60 ? len : 60), at);
	if (len > 2 && at[0] == '*' && at[1] == '.') {
		name += 2;
		name_len -= 2;
	}
	why = host_fault(name, name_len);
	if (why)
		return fail(parser, at, len, NULL, "bad host name \"%.*s\": %s",
			    (int)(len < 60 ? len : 60), at, why);
	parser->rule->network = NETWORK_HOST;
	parser->rule->pattern = name != at;
	return 0;
}

/* Writes "host:ports" after the protocol, from the fields. */
static int write_text(struct model_rule *rule, const char *host, size_t host_len)
{
	struct text text = {0};
	char network[64];

	text_string(&text, rule->protocol == PROTOCOL_UDP ? "udp:" : "tcp:");
	if (rule->network == NETWORK_IP) {
		network_text(rule, rule->ip, rule->prefix, network, sizeof(network));
		text_string(&text, network);
	} else {
		for (size_t i = 0; i < host_len; i++)
			text_byte(&text, (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] + 32
										 : host[i]));
	}
	for (size_t i = 0; i < rule->port_count; i++) {
		text_byte(&text, i ? ',' : ':');
		if (!rule->ports[i].low && rule->ports[i].high == 65535)
			text_byte(&text, '*');
		else if (rule->ports[i].low == rule->ports[i].high)
			text_format(&text, "%u", rule->ports[i].low);
		else
			text_format(&text, "%u-%u", rule->ports[i].low, rule->ports[i].high);
	}
	rule->text = text_take(&text);
	return rule->text ? 0 : -ENOMEM;
}

/* "[v6]" or "[v6]/n", then ":ports". */
static int parse_bracketed(const struct parser *parser, const char *at)
{
	const char *close = strchr(at, ']'), *slash = NULL, *colon;
	size_t slash_len = 0;
	int err;

	if (!close)
		return fail(parser, at, 1, NULL, "[ without ]");
	colon = close + 1;
	if (*colon == '/') {
		slash = colon + 1;
		slash_len = strcspn(slash, ":");
		colon = slash + slash_len;
	}
	if (*colon != ':')
		return fail(parser, parser->text, 0, "name it, like [fd00::1]:443, or :* for all",
			    "the port is missing");
	if (!memchr(at, ':', (size_t)(close - at)))
		return fail(parser, at, (size_t)(close - at) + 1, "only IPv6 stands in brackets",
			    "bad IPv6 address \"%.*s\"",
			    (int)(close - at - 1 < 60 ? close - at - 1 : 60), at + 1);
	err = parse_ip(parser, at + 1, (size_t)(close - at - 1), slash, slash_len, true);
	if (!err)
		err = parse_ports(parser, colon + 1);
	return err ? err : write_text(parser->rule, NULL, 0);
}

/* What has more than one colon and no brackets is a protocol that we do not know, or IPv6. */
static int extra_colons(const struct parser *parser, const char *at)
{
	size_t first = strcspn(at, ":");

	if (strspn(at, "0123456789abcdefABCDEF") >= first)
		return fail(parser, at, 0, "put an IPv6 address in brackets, like [fd00::1]:443",
			    "an address with more than one colon");
	return fail(parser, at, first, "use tcp:, udp: or unix:", "unknown protocol \"%.*s\"",
		    (int)(first < 40 ? first : 40), at);
}

static int parse_plain(const struct parser *parser, const char *at)
{
	const char *colon = strrchr(at, ':'), *slash;
	struct model_rule *rule = parser->rule;
	struct address address;
	size_t len, ip_len;
	int err;

	if (!colon)
		return fail(parser, parser->text, 0, "name it, like :443, or :* for all ports",
			    "the port is missing");
	len = (size_t)(colon - at);
	if (memchr(at, ':', len))
		return extra_colons(parser, at);
	if (!len)
		return fail(parser, parser->text, 0, "write *:443 for any address",
			    "the address is missing before the port");
	slash = memchr(at, '/', len);
	ip_len = slash ? (size_t)(slash - at) : len;
	if (len == 1 && *at == '*') {
		rule->network = NETWORK_ANY;
		err = 0;
	} else if (!address_parse_ip(at, ip_len, &address)) {
		err = parse_ip(parser, at, ip_len, slash ? slash + 1 : NULL,
			       slash ? len - ip_len - 1 : 0, false);
	} else if (slash && !ends_in_number(at, ip_len)) {
		err = fail(parser, at, len, NULL, "a host name has no prefix length or path");
	} else {
		err = parse_host(parser, at, ip_len);
	}
	if (!err)
		err = parse_ports(parser, colon + 1);
	return err ? err : write_text(rule, at, len);
}

static int parse_unix(const struct parser *parser, const char *quoted, const char *workspace)
{
	struct model_rule *rule = parser->rule;
	const char *name = parser->text + strlen("unix:");
	struct path_fault fault;
	char path[PATH_TEXT_MAX];

	rule->protocol = PROTOCOL_UNIX;
	if (*name == '@') {
		if (!name[1] || strlen(name + 1) >= ADDRESS_UNIX_MAX)
			return fail(parser, name, 0, NULL,
				    "an abstract socket's name is 1 to 107 bytes long");
		rule->network = NETWORK_ABSTRACT;
		rule->text = strdup(name + 1);
		return rule->text ? 0 : -ENOMEM;
	}
	rule->network = NETWORK_UNIX;
	if (paths_rule(quoted + strlen("unix:"), workspace, path, &rule->pattern, &fault))
		return fail(parser, name, 0, fault.hint, "%s", fault.message);
	rule->text = strdup(path);
	return rule->text ? 0 : -ENOMEM;
}

int endpoint_rule(const char *unquoted, const char *quoted, const char *workspace,
		  struct model_rule *rule, struct endpoint_fault *fault)
{
	struct parser parser = {.text = unquoted, .fault = fault, .rule = rule};
	const char *at = unquoted;

	if (strstr(at, "://"))
		return fail(&parser, at, 0, "write it like api.example.com:443",
			    "an address is wanted, not a URL");
	if (!strncmp(at, "unix:", 5))
		return parse_unix(&parser, quoted, workspace);
	rule->protocol = endpoint_protocol(&at);
	if (strpbrk(at, " \\"))
		return fail(&parser, unquoted, 0, NULL, "an address has no blanks or backslashes");
	return *at == '[' ? parse_bracketed(&parser, at) : parse_plain(&parser, at);
}
