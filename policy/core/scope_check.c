/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks every record of an image once, so that lookups need not: string ends, ranges, references,
 * enumerations, the order of ports, and an empty slot in each hash table so that probing ends. What
 * an image *means* is its writer's affair; this makes reading it safe.
 *
 * Relies on scope_open() having checked that the sections themselves lie within the image.
 */
#include <errno.h>
#include <string.h>

#include "policy/core/decide.h"
#include "policy/core/image.h"

#define CONDITIONS_ALL (CONDITION_SHA256 | CONDITION_SESSION_TERMINAL | CONDITION_ARGS)

static bool in_range(const struct scope *scope, enum image_section_kind kind,
		     struct image_range range)
{
	return range.first <= scope->count[kind] && range.count <= scope->count[kind] - range.first;
}

/* The pool ends with NUL, so every offset within it is a string. */
static bool is_string(const struct scope *scope, uint32_t offset)
{
	return offset < scope->count[IMAGE_STRINGS];
}

static bool is_bytes(const struct scope *scope, uint32_t offset, uint32_t len)
{
	return is_string(scope, offset) && len < scope->count[IMAGE_STRINGS] - offset;
}

static bool is_rule(const struct scope *scope, uint32_t rule, bool denial)
{
	if (rule >= scope->count[IMAGE_RULES])
		return false;
	const struct image_rule *found = image_record(scope, IMAGE_RULES, rule);
	return !(found->flags & RULE_DENIAL) == !denial;
}

static bool is_rule_or_none(const struct scope *scope, uint32_t rule, bool denial)
{
	return rule == IMAGE_NONE || is_rule(scope, rule, denial);
}

static bool check_strings(const struct scope *scope)
{
	uint32_t count = scope->count[IMAGE_STRINGS];
	const char *bytes = scope->section[IMAGE_STRINGS];

	return count > 0 && bytes[0] == '\0' && bytes[count - 1] == '\0';
}

static bool check_about(const struct scope *scope)
{
	if (scope->count[IMAGE_ABOUT] != 1)
		return false;
	const struct image_about *about = image_record(scope, IMAGE_ABOUT, 0);
	for (unsigned int i = 0; i < IMAGE_FAMILIES; i++) {
		if (!in_range(scope, IMAGE_LEVELS, about->levels[i]))
			return false;
	}
	return is_string(scope, about->agent_id) && is_string(scope, about->purpose) &&
	       is_string(scope, about->owner) && about->record <= RECORD_NONE;
}

static bool check_rule(const struct scope *scope, const struct image_rule *rule)
{
	return is_string(scope, rule->id) && is_string(scope, rule->reason) &&
	       is_string(scope, rule->text) && is_string(scope, rule->value) &&
	       is_string(scope, rule->file) && rule->section < SECTION_COUNT &&
	       rule->origin <= ORIGIN_SESSION && rule->network <= NETWORK_ABSTRACT &&
	       (rule->rights & ~RIGHT_ALL) == 0 && (rule->conditions & ~CONDITIONS_ALL) == 0 &&
	       rule->prefix <= 128 && in_range(scope, IMAGE_TEXTS, rule->spellings) &&
	       in_range(scope, IMAGE_TEXTS, rule->excepts) &&
	       in_range(scope, IMAGE_TEXTS, rule->args) &&
	       in_range(scope, IMAGE_PORTS, rule->ports);
}

static bool check_rules(const struct scope *scope)
{
	for (uint32_t i = 0; i < scope->count[IMAGE_RULES]; i++) {
		if (!check_rule(scope, image_record(scope, IMAGE_RULES, i)))
			return false;
	}
	return true;
}

static bool check_texts(const struct scope *scope)
{
	for (uint32_t i = 0; i < scope->count[IMAGE_TEXTS]; i++) {
		const struct image_text *text = image_record(scope, IMAGE_TEXTS, i);
		if (!is_bytes(scope, text->offset, text->len) ||
		    image_string(scope, text->offset)[text->len] != '\0')
			return false;
	}
	return true;
}

static bool check_ports(const struct scope *scope)
{
	for (uint32_t i = 0; i < scope->count[IMAGE_PORTS]; i++) {
		const struct image_port_range *range = image_record(scope, IMAGE_PORTS, i);
		if (range->low > range->high)
			return false;
	}
	return true;
}

static bool check_node(const struct scope *scope, uint32_t index)
{
	const struct image_node *node = image_record(scope, IMAGE_NODES, index);
	uint64_t hash;

	if (!is_bytes(scope, node->name, node->name_len) ||
	    !in_range(scope, IMAGE_MATCHERS, node->matchers) ||
	    (node->effect != IMAGE_NONE && node->effect >= scope->count[IMAGE_EFFECTS]))
		return false;
	if (index < ROOT_COUNT) {
		hash = image_root_hash((enum image_root)index);
		return node->parent == IMAGE_NONE && node->hash == hash;
	}
	if (node->parent >= index)
		return false;
	const struct image_node *parent = image_record(scope, IMAGE_NODES, node->parent);
	hash = image_node_hash(parent->hash, image_string(scope, node->name), node->name_len);
	return node->hash == hash;
}

static bool check_nodes(const struct scope *scope)
{
	if (scope->count[IMAGE_NODES] < ROOT_COUNT)
		return false;
	for (uint32_t i = 0; i < scope->count[IMAGE_NODES]; i++) {
		if (!check_node(scope, i))
			return false;
	}
	return true;
}

/* A power of two of slots, each empty or with an item below `items`, and one empty at least. */
static bool check_slots(const struct scope *scope, enum image_section_kind kind, uint32_t first,
			uint32_t count, uint32_t items)
{
	uint32_t empty = 0;

	if (count == 0 || (count & (count - 1)) != 0 ||
	    !in_range(scope, kind, (struct image_range){first, count}))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const struct image_slot *slot = image_record(scope, kind, first + i);
		if (slot->item > items)
			return false;
		empty += slot->item == 0;
	}
	return empty > 0;
}

static bool check_effects(const struct scope *scope)
{
	for (uint32_t i = 0; i < scope->count[IMAGE_EFFECTS]; i++) {
		const struct image_effect *effect = image_record(scope, IMAGE_EFFECTS, i);
		for (unsigned int r = 0; r < RIGHT_COUNT; r++) {
			if (!is_rule_or_none(scope, effect->grant[r], false) ||
			    !is_rule_or_none(scope, effect->denial[r], true) ||
			    effect->lane[r] > LANE_WALL)
				return false;
		}
	}
	return true;
}

static bool check_matchers(const struct scope *scope)
{
	for (uint32_t i = 0; i < scope->count[IMAGE_MATCHERS]; i++) {
		const struct image_matcher *matcher = image_record(scope, IMAGE_MATCHERS, i);
		if (!is_rule(scope, matcher->rule, matcher->denial) ||
		    !is_bytes(scope, matcher->tail, matcher->tail_len) ||
		    (matcher->conditions & ~CONDITIONS_ALL) != 0 ||
		    (matcher->rights & ~RIGHT_ALL) != 0 ||
		    !in_range(scope, IMAGE_TEXTS, matcher->excepts))
			return false;
	}
	return true;
}

static bool check_levels(const struct scope *scope)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < scope->count[IMAGE_LEVELS]; i++) {
		const struct image_level *level = image_record(scope, IMAGE_LEVELS, i);
		if (level->protocol != PROTOCOL_TCP && level->protocol != PROTOCOL_UDP)
			return false;
		if (level->prefix > (level->family == FAMILY_IP4 ? 32 : 128))
			return false;
		/* One after the other, so that no image makes this check quadratic. */
		if (level->slot != next ||
		    !check_slots(scope, IMAGE_NETWORK_SLOTS, level->slot, level->slot_count,
				 scope->count[IMAGE_NETWORKS]))
			return false;
		next += level->slot_count;
	}
	return true;
}

static bool check_interval(const struct scope *scope, const struct image_interval *interval)
{
	for (unsigned int d = 0; d < DIRECTION_COUNT; d++) {
		if (!is_rule_or_none(scope, interval->grant[d], false) ||
		    !is_rule_or_none(scope, interval->denial[d], true))
			return false;
	}
	return interval->low <= interval->high;
}

static bool check_networks(const struct scope *scope)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < scope->count[IMAGE_INTERVALS]; i++) {
		if (!check_interval(scope, image_record(scope, IMAGE_INTERVALS, i)))
			return false;
	}
	for (uint32_t i = 0; i < scope->count[IMAGE_NETWORKS]; i++) {
		const struct image_network *network = image_record(scope, IMAGE_NETWORKS, i);
		long last = -1;

		if (network->intervals.first != next ||
		    !in_range(scope, IMAGE_INTERVALS, network->intervals))
			return false;
		next += network->intervals.count;
		for (uint32_t k = 0; k < network->intervals.count; k++) {
			const struct image_interval *interval =
			    image_record(scope, IMAGE_INTERVALS, network->intervals.first + k);
			if (interval->low <= last)
				return false;
			last = interval->high;
		}
	}
	return true;
}

static bool check_node_slots(const struct scope *scope)
{
	return check_slots(scope, IMAGE_NODE_SLOTS, 0, scope->count[IMAGE_NODE_SLOTS],
			   scope->count[IMAGE_NODES]);
}

int image_check_records(const struct scope *scope, const char **why)
{
	/* The order matters: what a check reads was checked before it. */
	static const struct {
		bool (*check)(const struct scope *scope);
		char why[40];
	} checks[] = {
	    {check_strings, "the strings do not end"},
	    {check_about, "the agent's record is damaged"},
	    {check_texts, "a spelling or exception is damaged"},
	    {check_ports, "a port range is reversed"},
	    {check_rules, "a rule is damaged"},
	    {check_effects, "an effect is damaged"},
	    {check_matchers, "a pattern is damaged"},
	    {check_nodes, "a path node is damaged"},
	    {check_node_slots, "the path table is damaged"},
	    {check_networks, "a network is damaged"},
	    {check_levels, "a network table is damaged"},
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (!checks[i].check(scope)) {
			if (why)
				*why = checks[i].why;
			return -EBADMSG;
		}
	}
	return 0;
}
