/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking a path down the table of nodes: one hash and one lookup for each component, until a node
 * is missing. A hit is compared byte by byte: XXH3 finds, it does not prove, and the agent chooses
 * the names.
 */
#ifndef REMIT_CORE_WALK_H
#define REMIT_CORE_WALK_H

#include <stdbool.h>

#include "policy/core/hash.h"
#include "policy/core/image.h"
#include "policy/core/word.h"

/* A place in the walk: `node` stands for path[0..end). */
struct walk {
	const struct scope *scope;
	const char *path;
	size_t len, end;
	uint32_t index;
	const struct image_node *node;
	uint64_t hash; /* the node's */
};

/* hash: of the name, seeded by the parent's. */
static inline const struct image_node *walk_child(const struct scope *scope, uint32_t parent,
						  uint64_t hash, const char *name, size_t len,
						  uint32_t *index)
{
	uint32_t mask = scope->count[IMAGE_NODE_SLOTS] - 1;

	for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
		const struct image_slot *slot = image_record(scope, IMAGE_NODE_SLOTS, i);
		if (slot->item == 0)
			return NULL;
		if (slot->tag != (uint32_t)(hash >> 32))
			continue;
		const struct image_node *node = image_record(scope, IMAGE_NODES, slot->item - 1);
		if (node->hash == hash && node->parent == parent && node->name_len == len &&
		    word_equal(image_string(scope, node->name), name, len)) {
			*index = slot->item - 1;
			return node;
		}
	}
}

/* Begins at "/". path is clean. */
static inline void walk_start(struct walk *walk, const struct scope *scope, const char *path,
			      size_t len)
{
	const struct image_node *root = image_record(scope, IMAGE_NODES, ROOT_PATH);

	*walk = (struct walk){scope, path, len, 0, ROOT_PATH, root, root->hash};
}

/* What follows the node, without the slash. */
static inline const char *walk_rest(const struct walk *walk, size_t *len)
{
	size_t begin = walk->end + 1 < walk->len ? walk->end + 1 : walk->len;

	*len = walk->len - begin;
	return walk->path + begin;
}

/* True when the node stands for the whole path. */
static inline bool walk_complete(const struct walk *walk)
{
	return walk->end + 1 >= walk->len && (walk->end == walk->len || walk->end == 0);
}

/* One component further; false at the path's end or where no rule goes on. */
static inline bool walk_next(struct walk *walk)
{
	size_t begin = walk->end + 1;

	if (begin >= walk->len)
		return false;
	size_t end = word_component_end(walk->path, begin, walk->len);
	/* What was computed is what the node says, and is there sooner: the processor goes on to the
	 * next component's hash while it still waits for this one's node. */
	walk->hash = hash_bytes(walk->path + begin, end - begin, walk->hash);
	const struct image_node *node =
	    walk_child(walk->scope, walk->index, walk->hash, walk->path + begin, end - begin,
		       &walk->index);
	if (!node)
		return false;
	walk->node = node;
	walk->end = end;
	return true;
}

/* True when one of the exceptions covers the path. */
bool walk_excepted(const struct scope *scope, const struct image_matcher *matcher, const char *path,
		   size_t len);

#endif
