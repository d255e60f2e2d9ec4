/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guarantees: a variable that no rule passes or sets is not in the result, in no spelling; each
 * name stands there once, the operator's first value counting (as getenv finds it); what env.set
 * sets wins over what is passed; an entry without "=" or name is dropped.
 */
#include "shim/broker/environment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/core/decide.h"

struct list {
	char **items;
	size_t count;
};

static bool names(const char *entry, const char *name, size_t len)
{
	return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

static char **find(const struct list *list, const char *name, size_t len)
{
	for (size_t i = 0; i < list->count; i++) {
		if (names(list->items[i], name, len))
			return &list->items[i];
	}
	return NULL;
}

/* Takes entry, also on failure and when it is NULL. */
static int put(struct list *list, char *entry, bool replace)
{
	if (!entry)
		return -ENOMEM;
	char **old = find(list, entry, (size_t)(strchr(entry, '=') - entry));

	if (old) {
		free(replace ? *old : entry);
		if (replace)
			*old = entry;
		return 0;
	}
	char **items = reallocarray(list->items, list->count + 2, sizeof(*items));

	if (!items) {
		free(entry);
		return -ENOMEM;
	}
	list->items = items;
	items[list->count++] = entry;
	items[list->count] = NULL;
	return 0;
}

static int set(struct list *list, const char *name, const char *value)
{
	char *entry;

	return put(list, asprintf(&entry, "%s=%s", name, value) < 0 ? NULL : entry, true);
}

static int pass(struct list *list, const struct scope *scope, char *const *from)
{
	for (; from && *from; from++) {
		const char *end = strchr(*from, '=');

		if (!end || end == *from)
			continue;
		struct query query = {.verb = VERB_ENV,
				      .object = OBJECT_NAME,
				      .text = *from,
				      .len = (size_t)(end - *from)};
		int error = 0;

		if (decide(scope, &query).verdict == VERDICT_ALLOWED)
			error = put(list, strdup(*from), false);
		if (error)
			return error;
	}
	return 0;
}

static int set_by_rules(struct list *list, const struct scope *scope)
{
	for (uint32_t i = 0; i < scope_rule_count(scope); i++) {
		struct rule rule;

		scope_rule(scope, i, &rule);
		int error = rule.section == SECTION_ENV_SET ? set(list, rule.text, rule.value) : 0;

		if (error)
			return error;
	}
	return 0;
}

static int preload(struct list *list, const char *shim)
{
	char **old = find(list, "LD_PRELOAD", strlen("LD_PRELOAD"));
	char *entry;
	int length;

	if (old && (*old)[strlen("LD_PRELOAD=")] != '\0')
		length = asprintf(&entry, "LD_PRELOAD=%s:%s", shim, *old + strlen("LD_PRELOAD="));
	else
		length = asprintf(&entry, "LD_PRELOAD=%s", shim);
	return put(list, length < 0 ? NULL : entry, true);
}

int environment_build(const struct scope *scope, char *const *from, const char *shim,
		      const char *tmp, char ***out)
{
	struct list list = {.items = calloc(1, sizeof(*list.items))};
	int error = list.items ? 0 : -ENOMEM;

	if (!error)
		error = pass(&list, scope, from);
	if (!error)
		error = set_by_rules(&list, scope);
	if (!error && tmp)
		error = set(&list, "TMPDIR", tmp);
	if (!error && shim)
		error = preload(&list, shim);
	if (error)
		environment_free(list.items);
	else
		*out = list.items;
	return error;
}

void environment_free(char **environment)
{
	for (char **entry = environment; entry && *entry; entry++)
		free(*entry);
	free(environment);
}
