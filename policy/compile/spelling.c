// SPDX-License-Identifier: Apache-2.0
/*
 * What links make of one path. Denials follow every link; grants only what the agent may not turn,
 * and those links are noted, so that they are kept from being turned.
 */
#include "policy/compile/spelling.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/paths.h"
#include "policy/compile/places.h"
#include "policy/compile/reader.h"
#include "policy/compile/resolve.h"

static int ask_guard(void *context, const char *place)
{
	struct guard *guard = context;
	struct path_map *followed = &guard->model->places->followed;
	size_t len = strlen(place);

	if (guard->asks_none)
		return 0;
	if (!guard->follows_all && resolve_writable(guard->model, place))
		return -EPERM;
	if (!guard->followed || path_map_get(followed, place, len, NULL))
		return 0;
	return path_map_put(followed, place, len, 1, NULL)
		   ? -ENOMEM
		   : string_list_add(guard->followed, place);
}

int spelling_add(struct string_list *list, const char *text, const char *spelling)
{
	if (!strcmp(text, spelling))
		return 0;
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i], spelling))
			return 0;
	return string_list_add(list, spelling);
}

/* The literal folders before the first wildcard, unquoted; "" when there are none. Returns where
 * the rest begins, at its slash. */
static size_t literal_prefix(const char *pattern, char out[PATH_TEXT_MAX])
{
	size_t end = 0, to = 0;

	for (size_t at = 0; pattern[at]; at++) {
		if (strchr("*?[", pattern[at]))
			break;
		if (pattern[at] == '/')
			end = at;
		if (pattern[at] == '\\')
			at++;
	}
	for (size_t from = 0; from < end; from++) {
		if (pattern[from] == '\\')
			from++;
		out[to++] = pattern[from];
	}
	out[to] = '\0';
	return end;
}

/*
 * What is left of an error of resolve_path_seen(). A grant or an exception may go without the
 * spelling: less is granted. A denial may only where the kernel follows no such links either.
 */
static int unspelled(const struct guard *guard, int err)
{
	if (err == -ENOMEM)
		return err;
	return guard->follows_all && err != -ELOOP ? err : 0;
}

/* A pattern with its literal folders resolved. */
static int spell_pattern(const char *pattern, struct guard *guard, struct string_list *list)
{
	char prefix[PATH_TEXT_MAX], real[PATH_TEXT_MAX], quoted[PATH_TEXT_MAX];
	size_t end = literal_prefix(pattern, prefix), len;
	char *spelling = NULL;
	bool root;
	int err;

	if (!prefix[0])
		return 0;
	err = resolve_path_seen(guard->model, prefix, true, ask_guard, guard, real);
	if (err)
		return unspelled(guard, err);
	root = !strcmp(real, "/");
	len = root ? 0 : paths_quote(real, quoted);
	if ((!len && !root) || len + strlen(pattern + end) >= PATH_TEXT_MAX)
		return unspelled(guard, -ENAMETOOLONG);
	spelling = malloc(PATH_TEXT_MAX);
	if (!spelling)
		return -ENOMEM;
	memcpy(spelling, quoted, len);
	strcpy(spelling + len, pattern + end);
	err = spelling_add(list, pattern, spelling);
	free(spelling);
	return err;
}

static int add_resolved(const char *text, bool follow, struct guard *guard,
			struct string_list *list)
{
	char real[PATH_TEXT_MAX];
	int err = resolve_path_seen(guard->model, text, follow, ask_guard, guard, real);

	return err ? unspelled(guard, err) : spelling_add(list, text, real);
}

/* Both what the path leads to and, when it is a link itself, the link's own place. */
static int spell_literal(const char *text, struct guard *guard, struct string_list *list)
{
	int err;

	if (resolve_is_real(guard->model->places, text))
		return 0;
	err = add_resolved(text, false, guard, list);
	return err ? err : add_resolved(text, true, guard, list);
}

int spell(const char *text, bool pattern, struct guard *guard, struct string_list *list)
{
	return pattern ? spell_pattern(text, guard, list) : spell_literal(text, guard, list);
}
