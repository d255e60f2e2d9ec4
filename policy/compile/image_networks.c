/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of the image: every (network, port range, rule) is gathered and sorted by family,
 * longest prefix first; then each network's ranges are cut into disjoint intervals, each with the
 * lowest rule of every kind that holds there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/image_writer.h"

#define KINDS 4 /* grant, denial × connect, listen */

struct span {
	uint8_t protocol, family, prefix;
	uint8_t ip[16];
	uint16_t low, high;
	uint32_t rule;
};

struct spans {
	struct span *items;
	size_t count, capacity;
};

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	unsigned int xf = image_family(x->protocol, x->family);
	unsigned int yf = image_family(y->protocol, y->family);

	if (xf != yf)
		return xf < yf ? -1 : 1;
	if (x->prefix != y->prefix)
		return x->prefix > y->prefix ? -1 : 1;
	int r = memcmp(x->ip, y->ip, sizeof(x->ip));
	if (r)
		return r;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return (x->low > y->low) - (x->low < y->low);
}

static bool same_level(const struct span *a, const struct span *b)
{
	return a->protocol == b->protocol && a->family == b->family && a->prefix == b->prefix;
}

static void add_span(struct image_writer *writer, struct spans *spans, const struct span *span)
{
	if (spans->count == spans->capacity) {
		size_t capacity = spans->capacity ? spans->capacity * 2 : 64;
		struct span *items = realloc(spans->items, capacity * sizeof(*items));
		if (!items) {
			writer_fail(writer, -ENOMEM);
			return;
		}
		spans->items = items;
		spans->capacity = capacity;
	}
	spans->items[spans->count++] = *span;
}

/*
 * A denied IPv4 network is reached by other names too: through a translator at 64:ff9b::/96 (RFC
 * 6052, NAT64), and by 6to4 (RFC 3056), whose addresses carry it after 2002::/16. A network's own
 * NAT64 prefix nobody here knows.
 */
static void gather_translated(struct image_writer *writer, struct spans *spans,
			      const struct span *span)
{
	struct span nat64 = *span, six_to_four = *span;

	nat64.family = six_to_four.family = FAMILY_IP6;
	nat64.prefix = (uint8_t)(96 + span->prefix);
	memcpy(nat64.ip, (const uint8_t[12]){0x00, 0x64, 0xff, 0x9b}, 12);
	memcpy(nat64.ip + 12, span->ip, 4);
	add_span(writer, spans, &nat64);
	six_to_four.prefix = (uint8_t)(16 + span->prefix);
	memset(six_to_four.ip, 0, sizeof(six_to_four.ip));
	memcpy(six_to_four.ip, (const uint8_t[2]){0x20, 0x02}, 2);
	memcpy(six_to_four.ip + 2, span->ip, 4);
	add_span(writer, spans, &six_to_four);
}

static void gather_rule(struct image_writer *writer, struct spans *spans, uint32_t index)
{
	const struct model_rule *rule = writer->rules[index];
	struct span span = {.protocol = rule->protocol,
			    .family = rule->family,
			    .prefix = rule->prefix,
			    .rule = index};
	bool any = rule->network == NETWORK_ANY;
	unsigned int whole = rule->family == FAMILY_IP4 ? 32 : 128;

	/* A denial without ports or with an unknown family would deny nothing. */
	if ((span.protocol != PROTOCOL_TCP && span.protocol != PROTOCOL_UDP) ||
	    rule->port_count == 0 ||
	    (!any &&
	     ((span.family != FAMILY_IP4 && span.family != FAMILY_IP6) || rule->prefix > whole))) {
		writer_fail(writer, -EINVAL);
		return;
	}
	if (!any) {
		memcpy(span.ip, rule->ip, span.family == FAMILY_IP4 ? 4 : 16);
		image_mask(span.ip, span.prefix);
	}
	for (size_t i = 0; i < rule->port_count && !writer->error; i++) {
		span.low = rule->ports[i].low;
		span.high = rule->ports[i].high;
		if (span.low > span.high)
			writer_fail(writer, -EINVAL);
		if (any) {
			span.prefix = 0;
			span.family = FAMILY_IP4;
			add_span(writer, spans, &span);
			span.family = FAMILY_IP6;
		}
		add_span(writer, spans, &span);
		if (!any && rule->denial && span.family == FAMILY_IP4)
			gather_translated(writer, spans, &span);
	}
}

static int compare_numbers(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Where the set of ranges can change: every first port and every port after a last one. */
static size_t cut_points(const struct span *spans, size_t count, uint32_t *points)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		points[2 * i] = spans[i].low;
		points[2 * i + 1] = spans[i].high + 1U;
	}
	qsort(points, 2 * count, sizeof(*points), compare_numbers);
	for (size_t i = 0; i < 2 * count; i++) {
		if (n == 0 || points[n - 1] != points[i])
			points[n++] = points[i];
	}
	return n;
}

static size_t find_point(const uint32_t *points, size_t count, uint32_t value)
{
	const uint32_t *found = bsearch(&value, points, count, sizeof(*points), compare_numbers);

	return (size_t)(found - points);
}

/* The first slot at or after i that nobody has painted yet. */
static uint32_t unpainted(uint32_t *next, uint32_t i)
{
	while (next[i] != i) {
		next[i] = next[next[i]];
		i = next[i];
	}
	return i;
}

/* Spans come by rising rule, so the first to paint a slot is the lowest rule there. */
static void paint(uint32_t *next, uint32_t *rules, uint32_t begin, uint32_t end, uint32_t rule)
{
	for (uint32_t i = unpainted(next, begin); i < end; i = unpainted(next, i)) {
		rules[i] = rule;
		next[i] = i + 1;
	}
}

/* Bit d: the rule speaks of direction d. */
static unsigned int directions(const struct model_rule *rule)
{
	if (rule->section == SECTION_NETWORK_CONNECT)
		return 1U << DIRECTION_CONNECT;
	if (rule->section == SECTION_NETWORK_LISTEN)
		return 1U << DIRECTION_LISTEN;
	return 1U << DIRECTION_CONNECT | 1U << DIRECTION_LISTEN;
}

static void emit_interval(struct image_writer *writer, struct image_range *range, uint32_t low,
			  uint32_t high, uint32_t *const rules[KINDS], size_t at)
{
	struct image_interval interval = {.low = (uint16_t)low, .high = (uint16_t)(high - 1)};
	bool empty = true;

	for (unsigned int d = 0; d < DIRECTION_COUNT; d++) {
		interval.grant[d] = rules[d][at];
		interval.denial[d] = rules[DIRECTION_COUNT + d][at];
		empty =
		    empty && interval.grant[d] == IMAGE_NONE && interval.denial[d] == IMAGE_NONE;
	}
	if (empty)
		return;
	struct image_interval *last = NULL;
	if (range->count)
		last = writer_at(writer, IMAGE_INTERVALS, range->first + range->count - 1);
	if (last && last->high + 1U == low &&
	    memcmp(last->grant, interval.grant, sizeof(interval.grant)) == 0 &&
	    memcmp(last->denial, interval.denial, sizeof(interval.denial)) == 0) {
		last->high = interval.high;
		return;
	}
	struct image_interval *out = writer_add(writer, IMAGE_INTERVALS, 1);
	if (!out)
		return;
	*out = interval;
	range->count++;
}

/* One network's spans to disjoint intervals. */
static struct image_range put_intervals(struct image_writer *writer, const struct span *spans,
					size_t count)
{
	struct image_range range = {writer_count(writer, IMAGE_INTERVALS), 0};
	uint32_t *points = calloc(2 * count, sizeof(*points));
	uint32_t *rules[KINDS] = {NULL}, *next[KINDS] = {NULL};
	size_t n = points ? cut_points(spans, count, points) : 0;
	bool ready = points != NULL;

	for (unsigned int k = 0; k < KINDS; k++) {
		rules[k] = calloc(n + 1, sizeof(uint32_t));
		next[k] = calloc(n + 1, sizeof(uint32_t));
		ready = ready && rules[k] && next[k];
		for (uint32_t i = 0; ready && i <= n; i++) {
			rules[k][i] = IMAGE_NONE;
			next[k][i] = i;
		}
	}
	for (size_t i = 0; ready && i < count; i++) {
		const struct model_rule *rule = writer->rules[spans[i].rule];
		uint32_t begin = (uint32_t)find_point(points, n, spans[i].low);
		uint32_t end = (uint32_t)find_point(points, n, spans[i].high + 1U);
		for (unsigned int d = 0; d < DIRECTION_COUNT; d++) {
			unsigned int k = d + (rule->denial ? DIRECTION_COUNT : 0);
			if (directions(rule) >> d & 1)
				paint(next[k], rules[k], begin, end, spans[i].rule);
		}
	}
	for (size_t i = 0; ready && i + 1 < n; i++)
		emit_interval(writer, &range, points[i], points[i + 1], rules, i);
	for (unsigned int k = 0; k < KINDS; k++) {
		free(rules[k]);
		free(next[k]);
	}
	free(points);
	if (!ready)
		writer_fail(writer, -ENOMEM);
	return range;
}

static void put_network(struct image_writer *writer, const struct span *spans, size_t count)
{
	struct image_range intervals = put_intervals(writer, spans, count);
	struct image_network *network = writer_add(writer, IMAGE_NETWORKS, 1);

	if (!network)
		return;
	memcpy(network->ip, spans->ip, sizeof(network->ip));
	network->intervals = intervals;
}

/* The hash table over the networks [first, first + count). */
static void put_level(struct image_writer *writer, const struct span *span, uint32_t first,
		      uint32_t count)
{
	uint32_t slots = 2;

	while (slots < count * 2)
		slots *= 2;
	uint32_t at = writer_count(writer, IMAGE_NETWORK_SLOTS);
	struct image_slot *table = writer_add(writer, IMAGE_NETWORK_SLOTS, slots);
	struct image_level *level = writer_add(writer, IMAGE_LEVELS, 1);
	if (!table || !level)
		return;
	*level = (struct image_level){.protocol = span->protocol,
				      .family = span->family,
				      .prefix = span->prefix,
				      .slot = at,
				      .slot_count = slots};
	for (uint32_t i = first; i < first + count; i++) {
		const struct image_network *network = writer_at(writer, IMAGE_NETWORKS, i);
		uint64_t hash = image_network_hash(span->family, span->prefix, network->ip);
		uint32_t slot = (uint32_t)hash & (slots - 1);
		while (table[slot].item)
			slot = (slot + 1) & (slots - 1);
		table[slot] = (struct image_slot){(uint32_t)(hash >> 32), i + 1};
	}
	struct image_about *about = writer_at(writer, IMAGE_ABOUT, 0);
	struct image_range *levels = &about->levels[image_family(span->protocol, span->family)];
	if (levels->count++ == 0)
		levels->first = writer_count(writer, IMAGE_LEVELS) - 1;
}

static void put_levels(struct image_writer *writer, const struct spans *spans)
{
	for (size_t i = 0; i < spans->count && !writer->error;) {
		const struct span *head = &spans->items[i];
		uint32_t first = writer_count(writer, IMAGE_NETWORKS);

		while (i < spans->count && same_level(head, &spans->items[i])) {
			const struct span *span = &spans->items[i];
			size_t n = 1;
			while (i + n < spans->count && same_level(span, span + n) &&
			       memcmp(span->ip, span[n].ip, sizeof(span->ip)) == 0)
				n++;
			put_network(writer, span, n);
			i += n;
		}
		put_level(writer, head, first, writer_count(writer, IMAGE_NETWORKS) - first);
	}
}

void writer_networks(struct image_writer *writer)
{
	struct spans spans = {0};

	for (uint32_t i = 0; i < writer->rule_count && !writer->error; i++) {
		const struct model_rule *rule = writer->rules[i];
		if (rule_is_network(rule->section) &&
		    (rule->network == NETWORK_IP || rule->network == NETWORK_ANY))
			gather_rule(writer, &spans, i);
	}
	if (!writer->error && spans.count) {
		qsort(spans.items, spans.count, sizeof(*spans.items), compare_spans);
		put_levels(writer, &spans);
	}
	free(spans.items);
}
