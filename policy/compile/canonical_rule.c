/* SPDX-License-Identifier: Apache-2.0 */
/* The one line that a rule has in the canonical text, however it was written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/canonical.h"
#include "policy/compile/text.h"
#include "policy/core/address.h"
#include "policy/core/decide.h"
#include "policy/core/path.h"
/* literal: bytes that a pattern would take for wildcards are escaped. */
static void put_byte(struct text *out, const char *text, bool literal)
{
	unsigned char c = (unsigned char)*text;
	bool wild = c == '*' || c == '?' || c == '[';

	if (c < 0x20 || c == 0x7f || (literal && wild) || (c == '$' && text[1] == '{')) {
		text_format(out, "\\x%02x", c);
		return;
	}
	if (c == '"' || c == '\\')
		text_byte(out, '\\');
	text_byte(out, (char)c);
}

/* The bytes before the first that put_byte() may write as anything but itself. */
static size_t plain_length(const char *text)
{
	static const bool special[256] = {
	    [0 ... 0x1f] = true, ['*'] = true, ['?'] = true,  ['['] = true,
	    ['$'] = true,	 ['"'] = true, ['\\'] = true, [0x7f] = true};
	size_t len = 0;

	while (!special[(unsigned char)text[len]])
		len++;
	return len;
}

void canonical_put_quoted(struct text *out, const char *text, const char *tmp, bool literal)
{
	text_byte(out, '"');
	if (tmp && *tmp && path_within(text, strlen(text), tmp, strlen(tmp))) {
		text_string(out, "${TMP}");
		text += strlen(tmp);
	}
	while (*text) {
		size_t plain = plain_length(text);

		text_add(out, text, plain);
		text += plain;
		if (*text)
			put_byte(out, text++, literal);
	}
	text_byte(out, '"');
}

static int compare_ports(const void *a, const void *b)
{
	const struct port_range *x = a, *y = b;

	return x->low != y->low ? (x->low > y->low) - (x->low < y->low)
				: (x->high > y->high) - (x->high < y->high);
}

/* Sorted and joined, so that "80-81,82" and "80-82" are the same. */
static bool put_ports(struct text *out, const struct port_range *ports, size_t count)
{
	struct port_range *sorted = calloc(count + 1, sizeof(*sorted));
	size_t n = 0;

	if (!sorted)
		return false;
	if (count)
		memcpy(sorted, ports, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_ports);
	for (size_t i = 0; i < count; i++) {
		if (n > 0 && sorted[i].low <= (unsigned int)sorted[n - 1].high + 1) {
			if (sorted[i].high > sorted[n - 1].high)
				sorted[n - 1].high = sorted[i].high;
		} else {
			sorted[n++] = sorted[i];
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (i)
			text_byte(out, ',');
		if (sorted[i].low == 0 && sorted[i].high == UINT16_MAX)
			text_byte(out, '*');
		else if (sorted[i].low == sorted[i].high)
			text_format(out, "%u", (unsigned int)sorted[i].low);
		else
			text_format(out, "%u-%u", (unsigned int)sorted[i].low,
				    (unsigned int)sorted[i].high);
	}
	free(sorted);
	return true;
}

/* "tcp:10.0.0.0/8:80", from the fields alone. */
static bool put_network(struct text *out, const struct model_rule *rule)
{
	struct address address = {.family = rule->family};
	char text[ADDRESS_TEXT_MAX];
	unsigned int whole = rule->family == FAMILY_IP4 ? 32 : 128;

	text_format(out, "\"%s:", rule->protocol == PROTOCOL_UDP ? "udp" : "tcp");
	if (rule->network == NETWORK_ANY) {
		text_byte(out, '*');
	} else {
		for (unsigned int i = 0; i < sizeof(address.ip); i++) {
			unsigned int bits = rule->prefix > 8 * i ? rule->prefix - 8 * i : 0;
			address.ip[i] = bits >= 8 ? rule->ip[i] : rule->ip[i] & (0xff00U >> bits);
		}
		address_format(&address, text, sizeof(text));
		*strrchr(text, ':') = '\0';
		text_string(out, text);
		if (rule->prefix < whole)
			text_format(out, "/%u", (unsigned int)rule->prefix);
	}
	text_byte(out, ':');
	if (!put_ports(out, rule->ports, rule->port_count))
		return false;
	text_byte(out, '"');
	return true;
}

static bool put_object(struct text *out, const struct model_rule *rule, const char *tmp)
{
	if (rule_is_network(rule->section)) {
		if (rule->network == NETWORK_IP || rule->network == NETWORK_ANY)
			return put_network(out, rule);
		if (rule->network == NETWORK_UNIX)
			text_string(out, "unix:");
		else if (rule->network == NETWORK_ABSTRACT)
			text_string(out, "unix:@");
		else
			text_string(out, rule->protocol == PROTOCOL_UDP ? "host:udp:" : "host:");
	}
	canonical_put_quoted(out, rule->text, tmp, !rule->pattern && rule->network != NETWORK_HOST);
	if (rule_is_network(rule->section) && rule->network == NETWORK_HOST) {
		text_byte(out, ' ');
		return put_ports(out, rule->ports, rule->port_count);
	}
	return true;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int canonical_strings(const struct string_list *list, const char ***ret_items, size_t *ret_count)
{
	const char **items = calloc(list->count + 1, sizeof(*items));
	size_t n = 0;

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < list->count; i++)
		items[i] = list->items[i];
	qsort(items, list->count, sizeof(*items), compare_strings);
	for (size_t i = 0; i < list->count; i++) {
		if (n == 0 || strcmp(items[n - 1], items[i]) != 0)
			items[n++] = items[i];
	}
	*ret_items = items;
	*ret_count = n;
	return 0;
}

static bool put_excepts(struct text *out, const struct model_rule *rule, const char *tmp)
{
	struct string_list written = rule->excepts;
	const char **items = NULL;
	size_t count;

	written.count -= rule->excepts_resolved;
	if (written.count == 0)
		return true;
	if (canonical_strings(&written, &items, &count) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		text_string(out, " except ");
		canonical_put_quoted(out, items[i], tmp, false);
	}
	free(items);
	return true;
}

/* In arguments the private folder may stand anywhere: `--output=${TMP}/x`. */
static void put_pattern(struct text *out, const char *text, const char *tmp)
{
	size_t len = tmp ? strlen(tmp) : 0;

	text_byte(out, '"');
	while (*text) {
		if (len && !strncmp(text, tmp, len)) {
			text_string(out, "${TMP}");
			text += len;
		} else {
			put_byte(out, text++, false);
		}
	}
	text_byte(out, '"');
}

static bool put_args(struct text *out, const struct model_rule *rule, const char *tmp)
{
	const char **items = NULL;
	size_t count;

	if (canonical_strings(&rule->args, &items, &count) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		text_string(out, " args ");
		put_pattern(out, items[i], tmp);
	}
	free(items);
	return true;
}

static bool put_rule(struct text *out, const struct model_rule *rule, const char *tmp)
{
	text_string(out, rule_section_name(rule->section));
	text_byte(out, ' ');
	if (!put_object(out, rule, tmp) || !put_excepts(out, rule, tmp))
		return false;
	if (rule->section == SECTION_ENV_SET) {
		text_byte(out, ' ');
		canonical_put_quoted(out, rule->value ? rule->value : "", tmp, false);
	}
	if (rule->conditions & CONDITION_SHA256) {
		text_string(out, " sha256 ");
		for (size_t i = 0; i < sizeof(rule->sha256); i++)
			text_format(out, "%02x", rule->sha256[i]);
	}
	if ((rule->conditions & CONDITION_ARGS) && !put_args(out, rule, tmp))
		return false;
	if (rule->conditions & CONDITION_SESSION_TERMINAL)
		text_string(out, " when session-terminal");
	if (rule->quiet)
		text_string(out, " quiet");
	return true;
}

char *canonical_rule(const struct model_rule *rule, const char *tmp)
{
	struct text out = {0};

	if (put_rule(&out, rule, tmp))
		return text_take(&out);
	text_free(&out);
	return NULL;
}
