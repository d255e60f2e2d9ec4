/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other spellings of a model's paths: what links make of them. Denials follow every link;
 * grants only what the agent may not turn, and those links are kept from being turned.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/paths.h"
#include "policy/compile/places.h"
#include "policy/compile/reader.h"
#include "policy/compile/resolve.h"

/* What links that grants go through are asked about, and where they are noted. */
struct guard {
	const struct model *model;
	struct string_list *followed; /* or NULL */
	bool follows_all;	      /* for denials: a link of the agent's hides nothing */
	bool asks_none;		      /* every link is followed, and none is noted */
};

/* The place that a grant names is the operator's word, what lies in it is the agent's. */
bool resolve_writable(const struct model *model, const char *path)
{
	struct writes writes;
	bool allowed = true;

	if (model->places)
		return writes_allowed(&model->places->writes, path, false);
	/* Without memory a link counts as the agent's: it is not followed. */
	if (!writes_read(&writes, model))
		allowed = writes_allowed(&writes, path, false);
	writes_free(&writes);
	return allowed;
}

/* After the spellings of the rules that grant or deny writing have changed. */
static int read_writes(struct model *model)
{
	writes_free(&model->places->writes);
	return writes_read(&model->places->writes, model);
}

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

static int add_spelling(struct string_list *list, const char *text, const char *spelling)
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

/* A pattern with its literal folders resolved. */
static int spell_pattern(const char *pattern, struct guard *guard, struct string_list *list)
{
	char prefix[PATH_TEXT_MAX], real[PATH_TEXT_MAX], quoted[PATH_TEXT_MAX];
	size_t end = literal_prefix(pattern, prefix), len;
	char *spelling = NULL;
	int err;

	if (!prefix[0] || resolve_path_seen(guard->model, prefix, true, ask_guard, guard, real))
		return 0;
	len = strcmp(real, "/") ? paths_quote(real, quoted) : 0;
	if (len + strlen(pattern + end) >= PATH_TEXT_MAX)
		return 0;
	spelling = malloc(PATH_TEXT_MAX);
	if (!spelling)
		return -ENOMEM;
	memcpy(spelling, quoted, len);
	strcpy(spelling + len, pattern + end);
	err = add_spelling(list, pattern, spelling);
	free(spelling);
	return err;
}

/* Both what the path leads to and, when it is a link itself, the link's own place. */
static int spell_literal(const char *text, struct guard *guard, struct string_list *list)
{
	char real[PATH_TEXT_MAX];
	int err = 0;

	if (resolve_is_real(guard->model->places, text))
		return 0;
	if (!resolve_path_seen(guard->model, text, false, ask_guard, guard, real))
		err = add_spelling(list, text, real);
	if (!err && !resolve_path_seen(guard->model, text, true, ask_guard, guard, real))
		err = add_spelling(list, text, real);
	return err;
}

static int spell(const char *text, bool pattern, struct guard *guard, struct string_list *list)
{
	return pattern ? spell_pattern(text, guard, list) : spell_literal(text, guard, list);
}

/* An exception has no mark of its own that tells a pattern from a name with a star in it: such
 * spellings are left out, and the denial holds there. */
static int spell_except(struct model_rule *rule, const char *text, struct guard *guard)
{
	bool pattern = path_is_pattern(text, strlen(text));
	struct string_list more = {0};
	int err = spell(text, pattern, guard, &more);

	for (size_t i = 0; i < more.count; i++) {
		if (!err && (pattern || !strpbrk(more.items[i], "*?[\\")))
			err = add_spelling(&rule->excepts, text, more.items[i]);
		free(more.items[i]);
	}
	free(more.items);
	return err;
}

static int resolve_excepts(struct model *model, struct guard *guard)
{
	int err = 0;

	for (size_t i = 0; i < model->rule_count; i++) {
		struct model_rule *rule = &model->rules[i];
		size_t count = rule->excepts.count;

		for (size_t j = 0; !err && j < count; j++)
			err = spell_except(rule, rule->excepts.items[j], guard);
		rule->excepts_resolved += rule->excepts.count - count;
	}
	return err;
}

int resolve_implied(const struct model *model, struct model_rule *rule)
{
	struct guard guard = {.model = model};

	return spell(rule->text, rule->pattern, &guard, &rule->spellings);
}

static bool has_path(const struct model_rule *rule)
{
	if (rule->section <= SECTION_EXEC_DENY)
		return true;
	return rule->section >= SECTION_NETWORK_CONNECT && rule->section <= SECTION_NETWORK_DENY &&
	       rule->network == NETWORK_UNIX;
}

static bool grants_write(const struct model_rule *rule)
{
	return rule->section == SECTION_FILES_WRITE;
}

static void swap_lists(struct string_list *a, struct string_list *b)
{
	struct string_list old = *a;

	*a = *b;
	*b = old;
}

/*
 * Grants of writing decide which links are the agent's, and are spelled through links themselves.
 * So they are spelled twice: first through every link, which gives more places than are granted,
 * then again, judging links by those. The order of rules means nothing to the outcome.
 */
static int resolve_write_grants(struct model *model, struct guard *guard)
{
	struct string_list *strict = calloc(model->rule_count + 1, sizeof(*strict));
	struct guard first = {.model = model, .asks_none = true};
	int err = strict ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < model->rule_count; i++)
		if (grants_write(&model->rules[i]))
			err = spell(model->rules[i].text, model->rules[i].pattern, &first,
				    &model->rules[i].spellings);
	if (!err)
		err = read_writes(model);
	for (size_t i = 0; !err && i < model->rule_count; i++)
		if (grants_write(&model->rules[i]))
			err =
			    spell(model->rules[i].text, model->rules[i].pattern, guard, &strict[i]);
	for (size_t i = 0; strict && i < model->rule_count; i++) {
		if (!err && grants_write(&model->rules[i]))
			swap_lists(&model->rules[i].spellings, &strict[i]);
		for (size_t j = 0; j < strict[i].count; j++)
			free(strict[i].items[j]);
		free(strict[i].items);
	}
	free(strict);
	return err ? err : read_writes(model);
}

static int resolve_others(struct model *model, bool denials, struct guard *guard)
{
	int err = 0;

	for (size_t i = 0; !err && i < model->rule_count; i++) {
		struct model_rule *rule = &model->rules[i];

		if (has_path(rule) && rule->denial == denials && !grants_write(rule))
			err = spell(rule->text, rule->pattern, guard, &rule->spellings);
	}
	return err;
}

/* Denies writing of exactly one place: what lies beneath a link is never decided by its name. */
static int protect(struct model *model, const char *place)
{
	char quoted[PATH_TEXT_MAX];
	size_t len = paths_quote(place, quoted);
	struct model_rule *rule;

	if (!len || len + 3 > sizeof(quoted))
		return 0;
	strcpy(quoted + len, "/*");
	if (model_add_path(model, SECTION_FILES_DENY_WRITE, ORIGIN_IMPLIED, "followed-link", place))
		return -ENOMEM;
	rule = &model->rules[model->rule_count - 1];
	rule->reason = strdup("a rule goes through this link, so the agent may not change it");
	return rule->reason ? string_list_add(&rule->excepts, quoted) : -ENOMEM;
}

static int resolve_all(struct model *model, struct diagnostics *diagnostics)
{
	struct string_list followed = {0};
	struct guard guard = {.model = model, .followed = &followed};
	/* A denial means what its links lead to now; were the agent to turn one, the next session
	 * would deny another place. */
	struct guard denying = {.model = model, .followed = &followed, .follows_all = true};
	int err = resolve_others(model, true, &denying);

	if (!err)
		err = resolve_write_grants(model, &guard);
	if (!err)
		err = resolve_others(model, false, &guard);
	if (!err)
		err = resolve_excepts(model, &guard);
	for (size_t i = 0; i < followed.count; i++) {
		if (!err && writes_allowed(&model->places->writes, followed.items[i], true))
			err = protect(model, followed.items[i]);
		free(followed.items[i]);
	}
	free(followed.items);
	return err ? err : programs_resolve(model, model->places->siblings, diagnostics);
}

int resolve_model(struct model *model, const struct compile_options *options,
		  struct diagnostics *diagnostics)
{
	struct places places = {.siblings = options->siblings};
	int err;

	model->places = &places;
	err = resolve_all(model, diagnostics);
	model->places = NULL;
	path_map_free(&places.seen);
	path_map_free(&places.followed);
	writes_free(&places.writes);
	return err;
}
