/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lane of every literal grant: whether the wall can hold it, by what may be denied beneath.
 *
 * A node's number is higher than its parent's, so one pass backwards gathers what lies beneath.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/image_writer.h"
#include "policy/core/decide.h"
#include "policy/core/glob.h"
#include "policy/core/path.h"

/* Rights per node that only the writer needs. */
struct shade {
	uint8_t literal_beneath; /* literal denials strictly beneath */
	uint8_t pattern_within;	 /* pattern denials that hang here or beneath */
};

struct lanes {
	struct image_writer *writer;
	struct shade *shades; /* by node */
};

static struct image_node *node_at(const struct lanes *lanes, uint32_t index)
{
	return writer_at(lanes->writer, IMAGE_NODES, index);
}

/* The rights that a node's own rules touch. */
static void own_rights(const struct lanes *lanes, const struct image_node *node, uint8_t *grants,
		       uint8_t *literals, uint8_t *patterns)
{
	*grants = *literals = *patterns = 0;
	if (node->effect != IMAGE_NONE) {
		const struct image_effect *effect =
		    writer_at(lanes->writer, IMAGE_EFFECTS, node->effect);
		for (unsigned int right = 0; right < RIGHT_COUNT; right++) {
			*grants |= (uint8_t)((effect->grant[right] != IMAGE_NONE) << right);
			*literals |= (uint8_t)((effect->denial[right] != IMAGE_NONE) << right);
		}
	}
	for (uint32_t i = 0; i < node->matchers.count; i++) {
		const struct image_matcher *matcher =
		    writer_at(lanes->writer, IMAGE_MATCHERS, node->matchers.first + i);
		if (!matcher->denial)
			*grants |= matcher->rights;
		else if (matcher->tail_len)
			*patterns |= matcher->rights;
		else
			*literals |= matcher->rights;
	}
}

static void shade(struct lanes *lanes)
{
	uint32_t count = writer_count(lanes->writer, IMAGE_NODES);

	lanes->shades = calloc(count, sizeof(*lanes->shades));
	if (!lanes->shades) {
		writer_fail(lanes->writer, -ENOMEM);
		return;
	}
	for (uint32_t i = count; i-- > ROOT_COUNT;) {
		struct image_node *node = node_at(lanes, i), *parent = node_at(lanes, node->parent);
		struct shade *mine = &lanes->shades[i], *above = &lanes->shades[node->parent];
		uint8_t grants, literals, patterns;

		own_rights(lanes, node, &grants, &literals, &patterns);
		mine->pattern_within |= patterns;
		parent->beneath_grants |= node->beneath_grants | grants;
		parent->beneath_denials |= node->beneath_denials | literals | patterns;
		above->literal_beneath |= mine->literal_beneath | literals;
		above->pattern_within |= mine->pattern_within;
	}
	uint8_t grants, literals, patterns;
	own_rights(lanes, node_at(lanes, ROOT_PATH), &grants, &literals, &patterns);
	lanes->shades[ROOT_PATH].pattern_within |= patterns;
}

/* The path of a node; its length, or 0 when it is too long. */
static size_t node_path(const struct lanes *lanes, uint32_t index, char out[PATH_TEXT_MAX])
{
	size_t at = PATH_TEXT_MAX;

	for (; index >= ROOT_COUNT; index = node_at(lanes, index)->parent) {
		const struct image_node *node = node_at(lanes, index);
		if (node->name_len + 2 > at)
			return 0;
		at -= node->name_len;
		memcpy(out + at, writer_at(lanes->writer, IMAGE_STRINGS, node->name),
		       node->name_len);
		out[--at] = '/';
	}
	if (index != ROOT_PATH)
		return 0;
	if (at == PATH_TEXT_MAX)
		out[--at] = '/';
	memmove(out, out + at, PATH_TEXT_MAX - at);
	return PATH_TEXT_MAX - at;
}

static bool excepted(const struct lanes *lanes, const struct image_matcher *matcher,
		     const char *path, size_t len)
{
	for (uint32_t i = 0; i < matcher->excepts.count; i++) {
		const struct image_text *text =
		    writer_at(lanes->writer, IMAGE_TEXTS, matcher->excepts.first + i);
		const char *pattern = writer_at(lanes->writer, IMAGE_STRINGS, text->offset);
		if (path_matches(pattern, text->len, path, len))
			return true;
	}
	return false;
}

/* The rights that a node on the way to `path` may deny at or beneath it. `end` is the length of the
 * node's own path, 0 for "/". */
static uint32_t denied_from(const struct lanes *lanes, const struct image_node *node,
			    const char *path, size_t len, size_t end)
{
	uint32_t denied = 0;
	size_t begin = end + 1 < len ? end + 1 : len;

	if (node->effect != IMAGE_NONE) {
		const struct image_effect *effect =
		    writer_at(lanes->writer, IMAGE_EFFECTS, node->effect);
		for (unsigned int right = 0; right < RIGHT_COUNT; right++)
			denied |= (uint32_t)(effect->denial[right] != IMAGE_NONE) << right;
	}
	for (uint32_t i = 0; i < node->matchers.count; i++) {
		const struct image_matcher *matcher =
		    writer_at(lanes->writer, IMAGE_MATCHERS, node->matchers.first + i);
		const char *tail = writer_at(lanes->writer, IMAGE_STRINGS, matcher->tail);
		uint64_t states;

		if (!matcher->denial || (matcher->rights & ~denied) == 0)
			continue;
		bool sure =
		    glob_states(tail, matcher->tail_len, path + begin, len - begin, &states);
		if ((!sure || states) && !excepted(lanes, matcher, path, len))
			denied |= matcher->rights;
	}
	return denied;
}

/* The lane of each right of a literal grant on the node. */
static void set_lanes(struct lanes *lanes, uint32_t index)
{
	const struct image_node *node = node_at(lanes, index);
	struct image_effect *effect = writer_at(lanes->writer, IMAGE_EFFECTS, node->effect);
	const uint32_t walled = RIGHT_READ | RIGHT_WRITE | RIGHT_EXEC;
	char path[PATH_TEXT_MAX];
	size_t len = node_path(lanes, index, path), end = len == 1 ? 0 : len;
	uint32_t gate = ~walled & RIGHT_ALL;

	/* procfs gives its inodes anew, so a rule of the wall would not last. */
	if (len == 0 || (len > 6 && memcmp(path, "/proc/", 6) == 0))
		gate = RIGHT_ALL;
	gate |= lanes->shades[index].pattern_within;
	for (uint32_t at = index; gate != RIGHT_ALL; at = node_at(lanes, at)->parent) {
		const struct image_node *above = node_at(lanes, at);
		gate |= denied_from(lanes, above, path, len, end);
		if (at < ROOT_COUNT)
			break;
		end -= above->name_len + 1;
	}
	for (unsigned int right = 0; right < RIGHT_COUNT; right++) {
		bool carved = lanes->shades[index].literal_beneath >> right & 1;
		if (effect->grant[right] == IMAGE_NONE)
			continue;
		effect->lane[right] = gate >> right & 1 ? LANE_GATE
				      : carved		? LANE_CARVE
							: LANE_WALL;
	}
}

void writer_lanes(struct image_writer *writer)
{
	struct lanes lanes = {.writer = writer};

	if (!writer->error)
		shade(&lanes);
	for (uint32_t i = 0; !writer->error && i < writer_count(writer, IMAGE_NODES); i++) {
		if (node_at(&lanes, i)->effect != IMAGE_NONE)
			set_lanes(&lanes, i);
	}
	free(lanes.shades);
}
