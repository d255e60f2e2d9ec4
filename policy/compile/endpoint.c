// SPDX-License-Identifier: Apache-2.0
/*
 * One spelling for one meaning: IPv4 in four decimal parts or not at all (127.1 and 0x7f000001 are
 * errors, not loopback), no host bits beneath a prefix, ports sorted and merged. The canonical text
 * is written from the parsed fields, never copied from the input.
 */
#include "policy/compile/endpoint_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/paths.h"
#include "policy/compile/reader.h"
#include "policy/compile/text.h"

int endpoint_fail(const struct endpoint_parser *parser, const char *at, size_t width,
		  const char *hint, const char *format, ...)
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

static int parse_host(const struct endpoint_parser *parser, const char *at, size_t len)
{
	const char *name = at, *why;
	size_t name_len = len;

	if (ends_in_number(at, len))
		return endpoint_fail(parser, at, len,
				     "write all four parts in decimal, like 127.0.0.1",
				     "\"%.*s\" is no IPv4 address in its usual spelling",
				     (int)(len < 60 ? len : 60), at);
	if (len > 2 && at[0] == '*' && at[1] == '.') {
		name += 2;
		name_len -= 2;
	}
	why = host_fault(name, name_len);
	if (why)
		return endpoint_fail(parser, at, len, NULL, "bad host name \"%.*s\": %s",
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
		endpoint_network_text(rule, rule->ip, rule->prefix, network, sizeof(network));
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
static int parse_bracketed(const struct endpoint_parser *parser, const char *at)
{
	const char *close = strchr(at, ']'), *slash = NULL, *colon;
	size_t slash_len = 0;
	int err;

	if (!close)
		return endpoint_fail(parser, at, 1, NULL, "[ without ]");
	colon = close + 1;
	if (*colon == '/') {
		slash = colon + 1;
		slash_len = strcspn(slash, ":");
		colon = slash + slash_len;
	}
	if (*colon != ':')
		return endpoint_fail(parser, parser->text, 0,
				     "name it, like [fd00::1]:443, or :* for all",
				     "the port is missing");
	if (!memchr(at, ':', (size_t)(close - at)))
		return endpoint_fail(parser, at, (size_t)(close - at) + 1,
				     "only IPv6 stands in brackets", "bad IPv6 address \"%.*s\"",
				     (int)(close - at - 1 < 60 ? close - at - 1 : 60), at + 1);
	err = endpoint_parse_ip(parser, at + 1, (size_t)(close - at - 1), slash, slash_len, true);
	if (!err)
		err = endpoint_parse_ports(parser, colon + 1);
	return err ? err : write_text(parser->rule, NULL, 0);
}

/* What has more than one colon and no brackets is a protocol that we do not know, or IPv6. */
static int extra_colons(const struct endpoint_parser *parser, const char *at)
{
	size_t first = strcspn(at, ":");

	if (strspn(at, "0123456789abcdefABCDEF") >= first)
		return endpoint_fail(parser, at, 0,
				     "put an IPv6 address in brackets, like [fd00::1]:443",
				     "an address with more than one colon");
	return endpoint_fail(parser, at, first,
			     "use tcp:, udp: or unix:", "unknown protocol \"%.*s\"",
			     (int)(first < 40 ? first : 40), at);
}

static int parse_plain(const struct endpoint_parser *parser, const char *at)
{
	const char *colon = strrchr(at, ':'), *slash;
	struct model_rule *rule = parser->rule;
	struct address address;
	size_t len, ip_len;
	int err;

	if (!colon)
		return endpoint_fail(parser, parser->text, 0,
				     "name it, like :443, or :* for all ports",
				     "the port is missing");
	len = (size_t)(colon - at);
	if (memchr(at, ':', len))
		return extra_colons(parser, at);
	if (!len)
		return endpoint_fail(parser, parser->text, 0, "write *:443 for any address",
				     "the address is missing before the port");
	slash = memchr(at, '/', len);
	ip_len = slash ? (size_t)(slash - at) : len;
	if (len == 1 && *at == '*') {
		rule->network = NETWORK_ANY;
		err = 0;
	} else if (!address_parse_ip(at, ip_len, &address)) {
		err = endpoint_parse_ip(parser, at, ip_len, slash ? slash + 1 : NULL,
					slash ? len - ip_len - 1 : 0, false);
	} else if (slash && !ends_in_number(at, ip_len)) {
		err = endpoint_fail(parser, at, len, NULL,
				    "a host name has no prefix length or path");
	} else {
		err = parse_host(parser, at, ip_len);
	}
	if (!err)
		err = endpoint_parse_ports(parser, colon + 1);
	return err ? err : write_text(rule, at, len);
}

static int parse_unix(const struct endpoint_parser *parser, const char *quoted,
		      const char *workspace)
{
	struct model_rule *rule = parser->rule;
	const char *name = parser->text + strlen("unix:");
	struct path_fault fault;
	char path[PATH_TEXT_MAX];

	rule->protocol = PROTOCOL_UNIX;
	if (*name == '@') {
		if (!name[1] || strlen(name + 1) >= ADDRESS_UNIX_MAX)
			return endpoint_fail(parser, name, 0, NULL,
					     "an abstract socket's name is 1 to 107 bytes long");
		rule->network = NETWORK_ABSTRACT;
		rule->text = strdup(name + 1);
		return rule->text ? 0 : -ENOMEM;
	}
	rule->network = NETWORK_UNIX;
	if (paths_rule(quoted + strlen("unix:"), workspace, path, &rule->pattern, &fault))
		return endpoint_fail(parser, name, 0, fault.hint, "%s", fault.message);
	rule->text = strdup(path);
	return rule->text ? 0 : -ENOMEM;
}

int endpoint_rule(const char *unquoted, const char *quoted, const char *workspace,
		  struct model_rule *rule, struct endpoint_fault *fault)
{
	struct endpoint_parser parser = {.text = unquoted, .fault = fault, .rule = rule};
	const char *at = unquoted;

	if (strstr(at, "://"))
		return endpoint_fail(&parser, at, 0, "write it like api.example.com:443",
				     "an address is wanted, not a URL");
	if (!strncmp(at, "unix:", 5))
		return parse_unix(&parser, quoted, workspace);
	rule->protocol = endpoint_protocol(&at);
	if (strpbrk(at, " \\"))
		return endpoint_fail(&parser, unquoted, 0, NULL,
				     "an address has no blanks or backslashes");
	return *at == '[' ? parse_bracketed(&parser, at) : parse_plain(&parser, at);
}
