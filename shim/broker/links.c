/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/broker/links.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/core/path.h"

#define LINKS_MAX 16
#define LOOKS_MAX 64 /* a manifest may grant thousands of files in a folder behind a link */

struct link {
	const char *from, *to;
	size_t from_len, to_len;
};

struct links {
	struct link items[LINKS_MAX];
	size_t count;
};

static bool is_link(const char *path)
{
	struct stat about;

	return lstat(path, &about) == 0 && S_ISLNK(about.st_mode);
}

/* A rule has its link's own place and what it leads to among its spellings: which is which, the
 * machine says. */
static const char *target_of(const struct scope *scope, uint32_t index, const struct rule *rule)
{
	char *real = realpath(rule->text, NULL);
	const char *found = NULL;

	/* Of the root every name is beneath. */
	for (uint32_t n = 0; real && real[1] && n < rule->spelling_count && !found; n++) {
		const char *spelling = scope_spelling(scope, index, n);

		if (strcmp(spelling, real) == 0)
			found = spelling;
	}
	free(real);
	return found;
}

static void add(struct links *links, const char *from, const char *to)
{
	for (size_t i = 0; i < links->count; i++)
		if (strcmp(links->items[i].from, from) == 0)
			return;
	links->items[links->count++] = (struct link){from, to, strlen(from), strlen(to)};
}

struct links *links_take(const struct scope *scope)
{
	struct links *links = calloc(1, sizeof(*links));
	uint32_t looks = 0;

	for (uint32_t i = 0; links && i < scope_rule_count(scope); i++) {
		struct rule rule;

		if (links->count == LINKS_MAX || looks == LOOKS_MAX)
			break;
		scope_rule(scope, i, &rule);
		if (rule.denial || rule.pattern || rule.spelling_count == 0 ||
		    rule.section > SECTION_FILES_WRITE)
			continue;
		looks++;
		const char *to = is_link(rule.text) ? target_of(scope, i, &rule) : NULL;

		if (to)
			add(links, rule.text, to);
	}
	return links;
}

size_t links_follow(const struct links *links, const char *name, size_t len, char *out)
{
	for (size_t i = 0; i < links->count; i++) {
		const struct link *link = &links->items[i];

		if (!path_within(name, len, link->from, link->from_len))
			continue;
		size_t rest = len - link->from_len;

		if (link->to_len + rest >= PATH_TEXT_MAX)
			return 0;
		memcpy(out, link->to, link->to_len);
		memcpy(out + link->to_len, name + link->from_len, rest);
		out[link->to_len + rest] = '\0';
		return link->to_len + rest;
	}
	return 0;
}

void links_free(struct links *links)
{
	free(links);
}
