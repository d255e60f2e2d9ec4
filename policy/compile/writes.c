// SPDX-License-Identifier: Apache-2.0
#include "policy/compile/writes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/core/decide.h"
#include "policy/core/path.h"

static int add_pattern(struct writes *writes, const char *text, bool denial)
{
	if (writes->pattern_count == writes->pattern_room) {
		size_t room = writes->pattern_room ? writes->pattern_room * 2 : 16;
		struct writes_pattern *patterns =
		    reallocarray(writes->patterns, room, sizeof(*patterns));

		if (!patterns)
			return -ENOMEM;
		writes->patterns = patterns;
		writes->pattern_room = room;
	}
	writes->patterns[writes->pattern_count++] = (struct writes_pattern){text, denial};
	return 0;
}

static int add_text(struct writes *writes, const struct model_rule *rule, const char *text)
{
	struct path_map *map = rule->denial ? &writes->denials : &writes->grants;
	size_t len = strlen(text);

	if (rule->pattern)
		return add_pattern(writes, text, rule->denial);
	return path_map_get(map, text, len, NULL) ? 0 : path_map_put(map, text, len, 1, NULL);
}

int writes_read(struct writes *out, const struct model *model)
{
	int err = 0;

	*out = (struct writes){0};
	for (size_t i = 0; !err && i < model->rule_count; i++) {
		const struct model_rule *rule = &model->rules[i];

		if (rule->section > SECTION_FILES_DENY_WRITE || !(rule->rights & RIGHT_WRITE))
			continue;
		/* A denial with exceptions may not hold here: it does not count. */
		if (rule->denial && rule->excepts.count)
			continue;
		err = add_text(out, rule, rule->text);
		for (size_t n = 0; !err && n < rule->spellings.count; n++)
			err = add_text(out, rule, rule->spellings.items[n]);
	}
	return err;
}

/* Whether the map has one of the folders above the path, or with `itself` the path. */
static bool covered(const struct path_map *map, const char *path, size_t len, bool itself)
{
	for (size_t at = 1; at <= len; at++) {
		if (at > 1 && at < len && path[at] != '/')
			continue;
		if ((at < len || itself) && path_map_get(map, path, at, NULL))
			return true;
	}
	return false;
}

bool writes_allowed(const struct writes *writes, const char *path, bool itself)
{
	size_t len = strlen(path);
	bool granted = covered(&writes->grants, path, len, itself);

	for (size_t i = 0; i < writes->pattern_count; i++) {
		const struct writes_pattern *pattern = &writes->patterns[i];

		if ((pattern->denial || !granted) &&
		    path_matches(pattern->text, strlen(pattern->text), path, len)) {
			if (pattern->denial)
				return false;
			granted = true;
		}
	}
	return granted && !covered(&writes->denials, path, len, true);
}

void writes_free(struct writes *writes)
{
	path_map_free(&writes->grants);
	path_map_free(&writes->denials);
	free(writes->patterns);
	*writes = (struct writes){0};
}
