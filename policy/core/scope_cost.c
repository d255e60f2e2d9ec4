/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a decision may cost at worst. All patterns of a scope may hang on one name, and an image that
 * no compiler of ours has written may name the same records again and again, so that what is counted
 * is how often each would be read. The count ends where it is too much, and is no longer itself.
 */
#include "policy/core/image.h"

/* A text of a range costs a byte more than it has, so that empty ones count. */
static bool texts_fit(const struct scope *scope, struct image_range range, uint64_t *left)
{
	for (uint32_t i = 0; i < range.count; i++) {
		const struct image_text *text = image_record(scope, IMAGE_TEXTS, range.first + i);

		if (text->len >= *left)
			return false;
		*left -= (uint64_t)text->len + 1;
	}
	return true;
}

static bool matcher_fits(const struct scope *scope, const struct image_matcher *matcher,
			 uint64_t *left)
{
	const struct image_rule *rule = image_record(scope, IMAGE_RULES, matcher->rule);

	if (matcher->tail_len >= *left)
		return false;
	*left -= (uint64_t)matcher->tail_len + 1;
	return texts_fit(scope, matcher->excepts, left) && texts_fit(scope, rule->args, left);
}

static bool matchers_fit(const struct scope *scope, uint64_t left)
{
	for (uint32_t i = 0; i < scope->count[IMAGE_NODES]; i++) {
		const struct image_node *node = image_record(scope, IMAGE_NODES, i);

		for (uint32_t n = 0; n < node->matchers.count; n++) {
			const struct image_matcher *matcher =
			    image_record(scope, IMAGE_MATCHERS, node->matchers.first + n);

			if (!matcher_fits(scope, matcher, &left))
				return false;
		}
	}
	return true;
}

/* A rule's spellings are compared one by one; each range is the rule's own. */
static bool spellings_are_own(const struct scope *scope)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < scope->count[IMAGE_RULES]; i++) {
		const struct image_rule *rule = image_record(scope, IMAGE_RULES, i);

		total += rule->spellings.count;
	}
	return total <= scope->count[IMAGE_TEXTS];
}

bool scope_costs_within(const struct scope *scope, uint64_t bytes)
{
	return spellings_are_own(scope) && matchers_fit(scope, bytes);
}
