/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths and names of the image: the tree of literal prefixes with its hash table, and what hangs on
 * each node.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/image_writer.h"
#include "policy/core/decide.h"
#include "policy/core/glob.h"
#include "policy/core/path.h"

struct hung {
	uint32_t node, order;
	struct image_matcher matcher;
};

struct tree {
	struct image_writer *writer;
	struct hung *hung;
	size_t hung_count, hung_capacity;
};

static struct image_node *node_at(const struct tree *tree, uint32_t index)
{
	return writer_at(tree->writer, IMAGE_NODES, index);
}

static void put_slot(struct tree *tree, uint32_t node, uint64_t hash)
{
	uint32_t mask = writer_count(tree->writer, IMAGE_NODE_SLOTS) - 1;
	uint32_t i = (uint32_t)hash & mask;
	struct image_slot *slots = writer_at(tree->writer, IMAGE_NODE_SLOTS, 0);

	while (slots[i].item)
		i = (i + 1) & mask;
	slots[i] = (struct image_slot){(uint32_t)(hash >> 32), node + 1};
}

/* Keeps at least half of the slots empty. */
static void grow_slots(struct tree *tree)
{
	struct image_writer *writer = tree->writer;
	uint32_t nodes = writer_count(writer, IMAGE_NODES);
	uint32_t slots = writer_count(writer, IMAGE_NODE_SLOTS);

	if (slots && (nodes + 1) * 2 <= slots)
		return;
	if (!writer_add(writer, IMAGE_NODE_SLOTS, slots ? slots : 64))
		return;
	memset(writer_at(writer, IMAGE_NODE_SLOTS, 0), 0,
	       (size_t)writer_count(writer, IMAGE_NODE_SLOTS) * sizeof(struct image_slot));
	for (uint32_t i = ROOT_COUNT; i < nodes; i++)
		put_slot(tree, i, node_at(tree, i)->hash);
}

static void add_roots(struct tree *tree)
{
	struct image_node *roots = writer_add(tree->writer, IMAGE_NODES, ROOT_COUNT);

	for (unsigned int i = 0; roots && i < ROOT_COUNT; i++) {
		roots[i].hash = image_root_hash(i);
		roots[i].parent = roots[i].effect = IMAGE_NONE;
	}
	grow_slots(tree);
}

/* The child of that name, made when there is none; IMAGE_NONE after an error. */
static uint32_t child(struct tree *tree, uint32_t parent, const char *name, size_t len)
{
	struct image_writer *writer = tree->writer;

	grow_slots(tree);
	if (writer->error)
		return IMAGE_NONE;
	uint64_t hash = image_node_hash(node_at(tree, parent)->hash, name, len);
	uint32_t mask = writer_count(writer, IMAGE_NODE_SLOTS) - 1;
	for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
		const struct image_slot *slot = writer_at(writer, IMAGE_NODE_SLOTS, i);
		if (slot->item == 0)
			break;
		const struct image_node *node = node_at(tree, slot->item - 1);
		const char *found = writer_at(writer, IMAGE_STRINGS, node->name);
		if (node->hash == hash && node->parent == parent && node->name_len == len &&
		    memcmp(found, name, len) == 0)
			return slot->item - 1;
	}
	uint32_t offset = writer_string(writer, name, len);
	uint32_t index = writer_count(writer, IMAGE_NODES);
	struct image_node *node = writer_add(writer, IMAGE_NODES, 1);
	if (!node)
		return IMAGE_NONE;
	*node = (struct image_node){.hash = hash,
				    .parent = parent,
				    .name = offset,
				    .name_len = (uint32_t)len,
				    .effect = IMAGE_NONE};
	put_slot(tree, index, hash);
	return index;
}

/* The node of a clean path. */
static uint32_t descend(struct tree *tree, const char *path, size_t len)
{
	uint32_t node = ROOT_PATH;

	for (size_t begin = 1; begin < len && node != IMAGE_NONE;) {
		size_t end = begin;
		while (end < len && path[end] != '/')
			end++;
		node = child(tree, node, path + begin, end - begin);
		begin = end + 1;
	}
	return node;
}

static void add_effect(struct tree *tree, uint32_t index, uint32_t rule, bool denial,
		       uint32_t rights)
{
	struct image_writer *writer = tree->writer;
	struct image_node *node = node_at(tree, index);

	if (node->effect == IMAGE_NONE) {
		uint32_t at = writer_count(writer, IMAGE_EFFECTS);
		struct image_effect *made = writer_add(writer, IMAGE_EFFECTS, 1);
		if (!made)
			return;
		memset(made->grant, 0xff, sizeof(made->grant));
		memset(made->denial, 0xff, sizeof(made->denial));
		node->effect = at;
	}
	struct image_effect *effect = writer_at(writer, IMAGE_EFFECTS, node->effect);
	uint32_t *kept = denial ? effect->denial : effect->grant;
	for (unsigned int right = 0; right < RIGHT_COUNT; right++) {
		if ((rights >> right & 1) && rule < kept[right])
			kept[right] = rule;
	}
}

static void hang(struct tree *tree, uint32_t node, const struct image_matcher *matcher)
{
	if (tree->hung_count == tree->hung_capacity) {
		size_t capacity = tree->hung_capacity ? tree->hung_capacity * 2 : 64;
		struct hung *hung = realloc(tree->hung, capacity * sizeof(*hung));
		if (!hung) {
			writer_fail(tree->writer, -ENOMEM);
			return;
		}
		tree->hung = hung;
		tree->hung_capacity = capacity;
	}
	tree->hung[tree->hung_count] = (struct hung){node, (uint32_t)tree->hung_count, *matcher};
	tree->hung_count++;
}

/* Puts a rule on a node: `tail` is what its pattern goes on with, "" for nothing. */
static void place(struct tree *tree, uint32_t node, uint32_t index, uint32_t rights,
		  const char *tail)
{
	const struct model_rule *rule = tree->writer->rules[index];
	const struct image_rule *record = writer_at(tree->writer, IMAGE_RULES, index);

	if (tree->writer->error || node == IMAGE_NONE)
		return;
	if (!*tail && !rule->conditions && record->excepts.count == 0) {
		add_effect(tree, node, index, rule->denial, rights);
		return;
	}
	size_t len = strlen(tail);
	struct image_matcher matcher = {.rule = index,
					.tail = writer_string(tree->writer, tail, len),
					.tail_len = (uint32_t)len,
					.conditions = rule->conditions,
					.excepts = record->excepts,
					.rights = (uint8_t)rights,
					.denial = rule->denial};
	hang(tree, node, &matcher);
}

static void place_path(struct tree *tree, uint32_t index, const char *text)
{
	const struct model_rule *rule = tree->writer->rules[index];
	uint32_t rights = writer_rights(rule);
	size_t len = strlen(text), prefix = len;
	char literal[PATH_TEXT_MAX];

	if (len >= sizeof(literal)) {
		writer_fail(tree->writer, -E2BIG);
		return;
	}
	if (text[0] != '/' || rights == 0) {
		writer_fail(tree->writer, -EINVAL);
		return;
	}
	memcpy(literal, text, len);
	if (rule->pattern)
		prefix = glob_prefix(text, len);
	size_t literal_len = prefix;
	if (rule->pattern)
		literal_len = glob_unquote(text, prefix, literal);
	if (literal_len == 0)
		literal_len = 1;
	if (!path_is_clean(literal, literal_len)) {
		writer_fail(tree->writer, -EINVAL);
		return;
	}
	uint32_t node = descend(tree, literal, literal_len);
	place(tree, node, index, rights, prefix < len ? text + prefix + 1 : "");
}

/* A variable's name or an abstract socket's: a node of its own, or a pattern on the root. */
static void place_name(struct tree *tree, uint32_t index, enum image_root root, uint32_t rights)
{
	const struct model_rule *rule = tree->writer->rules[index];
	char name[PATH_TEXT_MAX];
	size_t len = strlen(rule->text);

	if (len == 0 || len >= sizeof(name)) {
		writer_fail(tree->writer, len ? -E2BIG : -EINVAL);
		return;
	}
	if (rule->pattern && path_is_pattern(rule->text, len)) {
		place(tree, root, index, rights, rule->text);
		return;
	}
	memcpy(name, rule->text, len);
	if (rule->pattern)
		len = glob_unquote(rule->text, len, name);
	place(tree, child(tree, root, name, len), index, rights, "");
}

static void place_rule(struct tree *tree, uint32_t index)
{
	const struct model_rule *rule = tree->writer->rules[index];

	if (rule->section == SECTION_ENV_PASS || rule->section == SECTION_ENV_SET) {
		place_name(tree, index, ROOT_ENV, RIGHT_READ);
	} else if (rule_is_network(rule->section) && rule->network == NETWORK_ABSTRACT) {
		place_name(tree, index, ROOT_ABSTRACT, writer_rights(rule));
	} else if (!rule_is_network(rule->section) || rule->network == NETWORK_UNIX) {
		place_path(tree, index, rule->text);
		for (size_t i = 0; i < rule->spellings.count && !tree->writer->error; i++)
			place_path(tree, index, rule->spellings.items[i]);
	}
}

static int compare_hung(const void *a, const void *b)
{
	const struct hung *x = a, *y = b;

	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static void write_matchers(struct tree *tree)
{
	if (tree->hung_count)
		qsort(tree->hung, tree->hung_count, sizeof(*tree->hung), compare_hung);
	for (size_t i = 0; i < tree->hung_count; i++) {
		struct image_node *node = node_at(tree, tree->hung[i].node);
		uint32_t at = writer_count(tree->writer, IMAGE_MATCHERS);
		struct image_matcher *matcher = writer_add(tree->writer, IMAGE_MATCHERS, 1);
		if (!matcher)
			return;
		*matcher = tree->hung[i].matcher;
		if (node->matchers.count++ == 0)
			node->matchers.first = at;
	}
}

void writer_tree(struct image_writer *writer)
{
	struct tree tree = {.writer = writer};

	add_roots(&tree);
	for (uint32_t i = 0; i < writer->rule_count && !writer->error; i++)
		place_rule(&tree, i);
	if (!writer->error)
		write_matchers(&tree);
	free(tree.hung);
}
