/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of an address, sorted and merged. */
#include <stdlib.h>
#include <string.h>

#include "policy/compile/endpoint_internal.h"
#include "policy/compile/limits.h"
#include "policy/compile/reader.h"
#include "policy/compile/values.h"

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

static int parse_range(const struct endpoint_parser *parser, const char *at, size_t len)
{
	const char *dash = memchr(at, '-', len), *why;
	size_t low_len = dash ? (size_t)(dash - at) : len;
	uint16_t low, high;

	if (value_port(at, low_len, &low, &why))
		return endpoint_fail(parser, at, low_len, NULL, "bad port \"%.*s\": %s",
				     (int)(low_len < 20 ? low_len : 20), at, why);
	high = low;
	if (dash && value_port(dash + 1, len - low_len - 1, &high, &why)) {
		size_t high_len = len - low_len - 1;

		return endpoint_fail(parser, dash + 1, high_len, NULL, "bad port \"%.*s\": %s",
				     (int)(high_len < 20 ? high_len : 20), dash + 1, why);
	}
	if (high < low)
		return endpoint_fail(parser, at, len, NULL,
				     "reversed port range: %u is more than %u", low, high);
	return add_range(parser->rule, low, high);
}

int endpoint_parse_ports(const struct endpoint_parser *parser, const char *at)
{
	if (!strcmp(at, "*"))
		return add_range(parser->rule, 0, 65535);
	if (!*at)
		return endpoint_fail(parser, parser->text, 0, "for all ports write :*",
				     "the port is missing after the colon");
	for (;;) {
		size_t len = strcspn(at, ",");
		int err = parse_range(parser, at, len);

		if (err)
			return err;
		if (parser->rule->port_count > LIMIT_PORT_RANGES)
			return endpoint_fail(
			    parser, parser->text, 0, NULL,
			    "more than " LIMIT_NUMBER(
				LIMIT_PORT_RANGES) " ports or port ranges in one address");
		if (!at[len])
			break;
		at += len + 1;
	}
	merge_ranges(parser->rule);
	return 0;
}
