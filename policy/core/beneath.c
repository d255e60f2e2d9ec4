/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies beneath a folder, and whether it may move. Exact for literal rules; for patterns the
 * states of the match at the folder say what can still happen below it. Whatever is unsure counts
 * as a difference, so that the move is refused.
 *
 * A move from F to T is safe for a right when for every name s beneath the folder "allowed T/s"
 * implies "allowed F/s". That holds when no grant is won (every grant that covers T/s also covers
 * F/s) and no denial is lost (every denial of F/s also denies T/s).
 */
#include "policy/core/decide.h"

#include <string.h>

#include "policy/core/glob.h"
#include "policy/core/image.h"
#include "policy/core/path.h"
#include "policy/core/walk.h"

/* Rights, as seen from one folder. */
struct folder {
	uint32_t granted, denied; /* the folder and all beneath, by a literal rule */
	uint32_t beneath_granted, beneath_denied;
};

static const struct image_matcher *matcher_at(const struct scope *scope,
					      const struct image_node *node, uint32_t n)
{
	return image_record(scope, IMAGE_MATCHERS, node->matchers.first + n);
}

static void add_effect(struct folder *folder, const struct image_effect *effect)
{
	for (unsigned int right = 0; right < RIGHT_COUNT; right++) {
		folder->granted |= (uint32_t)(effect->grant[right] != IMAGE_NONE) << right;
		folder->denied |= (uint32_t)(effect->denial[right] != IMAGE_NONE) << right;
	}
}

static struct folder look(const struct scope *scope, const char *path, size_t len)
{
	struct folder folder = {0};
	struct walk walk;

	walk_start(&walk, scope, path, len);
	do {
		if (walk.node->effect != IMAGE_NONE)
			add_effect(&folder, image_record(scope, IMAGE_EFFECTS, walk.node->effect));
		if (walk_complete(&walk)) {
			folder.beneath_granted = walk.node->beneath_grants;
			folder.beneath_denied = walk.node->beneath_denials;
		}
	} while (walk_next(&walk));
	return folder;
}

/* The states of a matcher whose node stands for prefix[0..prefix_len), at path. False: unsure. */
static bool states_at(const struct scope *scope, const struct image_matcher *matcher,
		      const char *prefix, size_t prefix_len, const char *path, size_t len,
		      uint64_t *states)
{
	*states = 0;
	if (prefix_len == 0)
		prefix_len = 1;
	if (!path_within(path, len, prefix, prefix_len))
		return true;
	size_t begin = prefix_len == 1 ? 1 : prefix_len + 1;
	if (begin > len)
		begin = len;
	return glob_states(image_string(scope, matcher->tail), matcher->tail_len, path + begin,
			   len - begin, states);
}

/* False only when no exception can match the folder or anything beneath it. */
static bool except_may_touch(const struct scope *scope, const struct image_matcher *matcher,
			     const char *path, size_t len)
{
	for (uint32_t i = 0; i < matcher->excepts.count; i++) {
		const struct image_text *text =
		    image_record(scope, IMAGE_TEXTS, matcher->excepts.first + i);
		const char *pattern = image_string(scope, text->offset);
		uint64_t states;

		if (text->len == 0 || pattern[0] != '/' ||
		    !glob_states(pattern + 1, text->len - 1, path + 1, len - 1, &states) || states)
			return true;
	}
	return false;
}

/* True when everything that the states `a` can still match is also matched from the states `b`. */
static bool states_within(uint64_t a, uint64_t b)
{
	return (b & GLOB_COVERED) || (a & ~b) == 0;
}

/* Whether a denial that touches `from` stands as firmly at `to`. */
static bool denial_follows(const struct scope *scope, const struct image_matcher *matcher,
			   const struct walk *from, const char *to, size_t to_len)
{
	uint64_t before, after;

	if (!states_at(scope, matcher, from->path, from->end, from->path, from->len, &before))
		return false;
	if (before == 0 || walk_excepted(scope, matcher, from->path, from->len))
		return true;
	return states_at(scope, matcher, from->path, from->end, to, to_len, &after) &&
	       states_within(before, after) && !except_may_touch(scope, matcher, to, to_len);
}

/* Rights whose denials beneath `from` are lost when it becomes `to`. */
static uint32_t lost_denials(const struct scope *scope, const char *from, size_t from_len,
			     const char *to, size_t to_len)
{
	uint32_t lost = 0;
	struct walk walk;

	walk_start(&walk, scope, from, from_len);
	do {
		for (uint32_t i = 0; i < walk.node->matchers.count; i++) {
			const struct image_matcher *matcher = matcher_at(scope, walk.node, i);
			if (matcher->denial && !denial_follows(scope, matcher, &walk, to, to_len))
				lost |= matcher->rights;
		}
	} while (walk_next(&walk));
	return lost;
}

/* Rights that patterns and conditional grants may give at or beneath `to`; `won` are those that the
 * same rule does not give at the same place beneath `from`. */
static uint32_t possible_grants(const struct scope *scope, const char *from, size_t from_len,
				const char *to, size_t to_len, uint32_t *won)
{
	uint32_t possible = 0;
	struct walk walk;

	*won = 0;
	walk_start(&walk, scope, to, to_len);
	do {
		for (uint32_t i = 0; i < walk.node->matchers.count; i++) {
			const struct image_matcher *matcher = matcher_at(scope, walk.node, i);
			uint64_t before, after;

			if (matcher->denial)
				continue;
			bool sure = states_at(scope, matcher, to, walk.end, to, to_len, &after);
			if (sure && after == 0)
				continue;
			possible |= matcher->rights;
			if (!sure ||
			    !states_at(scope, matcher, to, walk.end, from, from_len, &before) ||
			    !states_within(after, before))
				*won |= matcher->rights;
		}
	} while (walk_next(&walk));
	return possible;
}

bool decide_moves_safely(const struct scope *scope, const char *from, size_t from_len,
			 const char *to, size_t to_len)
{
	uint32_t won, lost, possible;

	if (!scope->base || !path_is_clean(from, from_len) || !path_is_clean(to, to_len))
		return false;
	struct folder before = look(scope, from, from_len);
	struct folder after = look(scope, to, to_len);
	possible = possible_grants(scope, from, from_len, to, to_len, &won);
	possible |= after.granted | after.beneath_granted;
	won = (won | after.granted | after.beneath_granted) & ~before.granted;
	lost = lost_denials(scope, from, from_len, to, to_len);
	lost |= before.denied | before.beneath_denied;
	return ((won | lost) & possible & ~after.denied) == 0;
}

/* Adds what a pattern on the way to the folder may match strictly beneath it. */
static uint32_t pattern_beneath(const struct walk *walk, const struct image_matcher *matcher,
				bool *suffix_only)
{
	const char *tail = image_string(walk->scope, matcher->tail);
	uint64_t states;
	bool sure =
	    states_at(walk->scope, matcher, walk->path, walk->end, walk->path, walk->len, &states);

	if (sure && (states == 0 || matcher->tail_len == 0))
		return 0;
	if (!matcher->denial)
		return BENEATH_GRANT;
	bool suffix =
	    matcher->tail_len > 3 && memcmp(tail, "**/", 3) == 0 && matcher->excepts.count == 0;
	*suffix_only = *suffix_only && suffix;
	return BENEATH_DENIAL;
}

/*
 * Whether a pattern's denial beneath the folder hangs on the folder's own name, or on that of one
 * above. It does not where the pattern is, at the folder, no further than at its literal part: from
 * there `**` finds the same names wherever beneath that part the folder stands.
 */
static bool hangs_on_name(const struct walk *walk, const struct image_matcher *matcher)
{
	const struct scope *scope = walk->scope;
	uint64_t start, states;

	if (matcher->tail_len == 0 || walk_excepted(scope, matcher, walk->path, walk->len))
		return false;
	if (!states_at(scope, matcher, walk->path, walk->end, walk->path, walk->len, &states) ||
	    !states_at(scope, matcher, walk->path, walk->end, walk->path, walk->end, &start))
		return true;
	return states != 0 && (walk->end == walk->len || !states_within(states, start));
}

uint32_t decide_pinned_beneath(const struct scope *scope, const char *path, size_t len)
{
	uint32_t pinned = 0;
	struct walk walk;

	if (!scope->base || !path_is_clean(path, len))
		return UINT32_MAX;
	walk_start(&walk, scope, path, len);
	do {
		for (uint32_t i = 0; i < walk.node->matchers.count; i++) {
			const struct image_matcher *matcher = matcher_at(scope, walk.node, i);

			if (matcher->denial && hangs_on_name(&walk, matcher))
				pinned |= matcher->rights;
		}
		if (walk_complete(&walk))
			pinned |= walk.node->beneath_denials;
	} while (walk_next(&walk));
	return pinned;
}

uint32_t decide_beneath(const struct scope *scope, const char *path, size_t len)
{
	uint32_t found = 0;
	bool suffix_only = true;
	struct walk walk;

	if (!scope->base || !path_is_clean(path, len))
		return BENEATH_GRANT | BENEATH_DENIAL;
	walk_start(&walk, scope, path, len);
	do {
		for (uint32_t i = 0; i < walk.node->matchers.count; i++)
			found |=
			    pattern_beneath(&walk, matcher_at(scope, walk.node, i), &suffix_only);
		if (!walk_complete(&walk))
			continue;
		if (walk.node->beneath_grants)
			found |= BENEATH_GRANT;
		if (walk.node->beneath_denials) {
			found |= BENEATH_DENIAL;
			suffix_only = false;
		}
	} while (walk_next(&walk));
	if ((found & BENEATH_DENIAL) && suffix_only)
		found |= BENEATH_SUFFIX_ONLY;
	return found;
}
