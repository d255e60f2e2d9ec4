/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Denials without wildcards are sorted, so that those above a path are found by one search for each
 * component, and those beneath it stand together. Patterns are compared one by one.
 *
 * Every answer errs towards "denied": what is left out of the wall is decided by the gate.
 */
#include "policy/plan/denials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/core/glob.h"
#include "policy/core/path.h"

#define FILE_RIGHTS (RIGHT_READ | RIGHT_WRITE | RIGHT_EXEC)

int path_order(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t len = a_len < b_len ? a_len : b_len;
	for (size_t i = 0; i < len; i++) {
		if (a[i] == b[i])
			continue;
		if (a[i] == '/' || b[i] == '/')
			return a[i] == '/' ? -1 : 1;
		return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
	}
	return a_len == b_len ? 0 : a_len < b_len ? -1 : 1;
}

static int by_path(const void *a, const void *b)
{
	const struct denial *x = a, *y = b;
	return path_order(x->text, x->len, y->text, y->len);
}

static void take(struct denials *out, const char *text, uint32_t index, const struct rule *rule)
{
	struct denial denial = {
	    .text = text, .len = strlen(text), .rule = index, .rights = rule->rights & FILE_RIGHTS};
	if (rule->pattern)
		out->patterns[out->pattern_count++] = denial;
	else
		out->paths[out->path_count++] = denial;
}

/* What depends on the arguments takes nothing out of the wall: the gate holds it at each exec. */
static bool denies_paths(const struct rule *rule)
{
	return rule->denial && !rule->conditions && (rule->rights & FILE_RIGHTS) && rule->section <= SECTION_EXEC_DENY;
}

static int read_excepting(const struct scope *scope, struct denials *out)
{
	size_t count = 0;
	struct rule rule;
	for (uint32_t i = 0; i < scope_rule_count(scope); i++) {
		scope_rule(scope, i, &rule);
		count += rule.denial && rule.except_count;
	}
	out->excepting = calloc(count + 1, sizeof(*out->excepting));
	if (!out->excepting)
		return -ENOMEM;
	for (uint32_t i = 0; out->excepting_count < count; i++) {
		scope_rule(scope, i, &rule);
		if (rule.denial && rule.except_count)
			out->excepting[out->excepting_count++] = i;
	}
	return 0;
}

int denials_read(const struct scope *scope, struct denials *out)
{
	size_t total = 0;
	struct rule rule;
	*out = (struct denials){.scope = scope};
	for (uint32_t i = 0; i < scope_rule_count(scope); i++) {
		scope_rule(scope, i, &rule);
		if (denies_paths(&rule))
			total += 1 + rule.spelling_count;
	}
	out->paths = calloc(total + 1, sizeof(*out->paths));
	out->patterns = calloc(total + 1, sizeof(*out->patterns));
	if (!out->paths || !out->patterns || read_excepting(scope, out) < 0) {
		denials_free(out);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < scope_rule_count(scope); i++) {
		scope_rule(scope, i, &rule);
		if (!denies_paths(&rule))
			continue;
		take(out, rule.text, i, &rule);
		for (uint32_t n = 0; n < rule.spelling_count; n++)
			take(out, scope_spelling(scope, i, n), i, &rule);
	}
	qsort(out->paths, out->path_count, sizeof(*out->paths), by_path);
	return 0;
}

void denials_free(struct denials *denials)
{
	free(denials->paths);
	free(denials->patterns);
	free(denials->excepting);
	*denials = (struct denials){0};
}

/* An except covers a path when it covers all beneath it, so this holds for the whole tree. */
static bool lifted(const struct denials *denials, uint32_t index, const char *path, size_t len)
{
	struct rule rule;
	scope_rule(denials->scope, index, &rule);
	for (uint32_t n = 0; n < rule.except_count; n++) {
		const char *except = scope_except(denials->scope, index, n);
		if (path_matches(except, strlen(except), path, len))
			return true;
	}
	return false;
}

/* Index of the first literal denial that is not before path. */
static size_t first_from(const struct denials *denials, const char *path, size_t len)
{
	size_t low = 0, high = denials->path_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct denial *denial = &denials->paths[middle];
		if (path_order(denial->text, denial->len, path, len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Denials of exactly the first `part` bytes of path. */
static void reach_at(const struct denials *denials, const char *path, size_t len, size_t part,
		     struct reach *reach)
{
	for (size_t i = first_from(denials, path, part); i < denials->path_count; i++) {
		const struct denial *denial = &denials->paths[i];
		if (path_order(denial->text, denial->len, path, part) != 0)
			return;
		if (!lifted(denials, denial->rule, path, len))
			reach->covered |= denial->rights;
	}
}

static void reach_paths(const struct denials *denials, const char *path, size_t len,
			uint32_t wanted, struct reach *reach)
{
	reach_at(denials, path, len, 1, reach);
	for (size_t part = 1; len > 1 && part <= len; part++) {
		if (part == len || path[part] == '/')
			reach_at(denials, path, len, part, reach);
	}
	for (size_t i = first_from(denials, path, len); i < denials->path_count; i++) {
		const struct denial *denial = &denials->paths[i];
		if (!path_within(denial->text, denial->len, path, len) ||
		    !(wanted & ~(reach->inside | reach->covered)))
			return;
		if (denial->len != len && !lifted(denials, denial->rule, path, len))
			reach->inside |= denial->rights;
	}
}

static size_t component(const char *text, size_t len, size_t at)
{
	const char *slash = memchr(text + at, '/', len - at);
	return slash ? (size_t)(slash - text) - at : len - at;
}

static void reach_pattern(const struct denial *denial, const char *path, size_t len,
			  struct reach *reach)
{
	size_t p = 1, f = 1;
	while (p < denial->len) {
		size_t p_len = component(denial->text, denial->len, p);
		if (p_len == 2 && !memcmp(denial->text + p, "**", 2)) {
			if (path_matches(denial->text, denial->len, path, len))
				reach->covered |= denial->rights;
			else
				reach->anywhere |= denial->rights;
			return;
		}
		if (f >= len) {
			reach->inside |= denial->rights;
			return;
		}
		size_t f_len = component(path, len, f);
		if (!glob_component(denial->text + p, p_len, path + f, f_len))
			return;
		p += p_len + 1;
		f += f_len + 1;
	}
	reach->covered |= denial->rights;
}

struct reach denials_reach(const struct denials *denials, const char *path, uint32_t wanted)
{
	struct reach reach = {0};
	size_t len = strlen(path);
	reach_paths(denials, path, len, wanted, &reach);
	for (size_t i = 0; i < denials->pattern_count; i++) {
		const struct denial *denial = &denials->patterns[i];
		struct reach one = {0};
		if (!(denial->rights & wanted))
			continue;
		reach_pattern(denial, path, len, &one);
		if ((one.covered | one.inside | one.anywhere) &&
		    !lifted(denials, denial->rule, path, len)) {
			reach.covered |= one.covered;
			reach.inside |= one.inside;
			reach.anywhere |= one.anywhere;
		}
	}
	return reach;
}
