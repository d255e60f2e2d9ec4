/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking a path down the table of nodes: one hash and one lookup for each component, until a node
 * is missing. A hit is compared byte by byte: XXH3 finds, it does not prove, and the agent chooses
 * the names.
 */
#ifndef REMIT_CORE_WALK_H
#define REMIT_CORE_WALK_H

#include <stdbool.h>
#include <string.h>

#include "policy/core/hash.h"
#include "policy/core/image.h"

/* A place in the walk: `node` stands for path[0..end). */
struct walk {
	const struct scope *scope;
	const char *path;
	size_t len, end;
	uint32_t index;
	const struct image_node *node;
};

static inline const struct image_node *walk_child(const struct scope *scope, uint32_t parent,
						  uint64_t parent_hash, const char *name,
						  size_t len, uint32_t *index)
{
	uint64_t hash = hash_bytes(name, len, parent_hash);
	uint32_t mask = scope->count[IMAGE_NODE_SLOTS] - 1;

	for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
		const struct image_slot *slot = image_record(scope, IMAGE_NODE_SLOTS, i);
		if (slot->item == 0)
			return NULL;
		if (slot->tag != (uint32_t)(hash >> 32))
			continue;
		const struct image_node *node = image_record(scope, IMAGE_NODES, slot->item - 1);
		if (node->hash == hash && node->parent == parent && node->name_len == len &&
		    memcmp(image_string(scope, node->name), name, len) == 0) {
			*index = slot->item - 1;
			return node;
		}
	}
}

/* Begins at "/". path is clean. */
static inline void walk_start(struct walk *walk, const struct scope *scope, const char *path,
			      size_t len)
{
	*walk = (struct walk){scope, path,	len,
			      0,     ROOT_PATH, image_record(scope, IMAGE_NODES, ROOT_PATH)};
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
	size_t begin = walk->end + 1, end = begin;

	if (begin >= walk->len)
		return false;
	while (end < walk->len && walk->path[end] != '/')
		end++;
	const struct image_node *node = walk_child(walk->scope, walk->index, walk->node->hash,
						   walk->path + begin, end - begin, &walk->index);
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
