// SPDX-License-Identifier: Apache-2.0
/*
 * The other spellings of a model's paths, rule by rule: denials first, then what decides which
 * links are the agent's. Links that grants go through are kept from being turned.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/paths.h"
#include "policy/compile/places.h"
#include "policy/compile/reader.h"
#include "policy/compile/resolve.h"
#include "policy/compile/spelling.h"

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

/* An exception has no mark of its own that tells a pattern from a name with a star in it: such
 * spellings are left out, and the denial holds there. */
static int spell_except(struct model_rule *rule, const char *text, struct guard *guard)
{
	bool pattern = path_is_pattern(text, strlen(text));
	struct string_list more = {0};
	int err = spell(text, pattern, guard, &more);

	for (size_t i = 0; i < more.count; i++) {
		if (!err && (pattern || !strpbrk(more.items[i], "*?[\\")))
			err = spelling_add(&rule->excepts, text, more.items[i]);
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

static int resolve_other_grants(struct model *model, struct guard *guard)
{
	int err = 0;

	for (size_t i = 0; !err && i < model->rule_count; i++) {
		struct model_rule *rule = &model->rules[i];

		if (has_path(rule) && !rule->denial && !grants_write(rule))
			err = spell(rule->text, rule->pattern, guard, &rule->spellings);
	}
	return err;
}

/* A denial that cannot be followed to what it denies stops the compilation. */
static int resolve_denials(struct model *model, struct guard *guard,
			   struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < model->rule_count; i++) {
		struct model_rule *rule = &model->rules[i];
		int err = has_path(rule) && rule->denial
			      ? spell(rule->text, rule->pattern, guard, &rule->spellings)
			      : 0;

		if (err == -ENOMEM)
			return err;
		if (err)
			return diagnostics_add(
			    diagnostics, SEVERITY_ERROR, rule->file, rule->line, rule->column, 1,
			    NULL, "deny by its own path what they lead to, or a folder above it",
			    "cannot follow the links of \"%s\" to what it denies: %s", rule->text,
			    strerror(-err));
	}
	return 0;
}

/* Denies writing of exactly one place: what lies beneath a link is never decided by its name. */
static int protect(struct model *model, const char *place)
{
	char quoted[PATH_TEXT_MAX];
	size_t len = paths_quote(place, quoted);
	struct model_rule *rule;

	/* Too long for what lies beneath to be excepted: all of that is denied, too. */
	bool excepts = len && len + 3 <= sizeof(quoted);

	if (excepts)
		strcpy(quoted + len, "/*");
	if (model_add_path(model, SECTION_FILES_DENY_WRITE, ORIGIN_IMPLIED, "followed-link", place))
		return -ENOMEM;
	rule = &model->rules[model->rule_count - 1];
	rule->reason = strdup("a rule goes through this link, so the agent may not change it");
	if (!rule->reason)
		return -ENOMEM;
	return excepts ? string_list_add(&rule->excepts, quoted) : 0;
}

static int resolve_all(struct model *model, struct diagnostics *diagnostics)
{
	struct string_list followed = {0};
	struct guard guard = {.model = model, .followed = &followed};
	/* A denial means what its links lead to now; were the agent to turn one, the next session
	 * would deny another place. */
	struct guard denying = {.model = model, .followed = &followed, .follows_all = true};
	int err = resolve_denials(model, &denying, diagnostics);

	if (!err)
		err = resolve_write_grants(model, &guard);
	if (!err)
		err = resolve_other_grants(model, &guard);
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
