// SPDX-License-Identifier: Apache-2.0
/*
 * What only all files together can show: an id that names two rules, a variable that is set to two
 * values. Checked after reading, whatever the order of files.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/reader.h"

/* Order of appearance decides between equals, so the later rule is the one complained about. */
static int compare_rules(const void *a, const void *b)
{
	const struct model_rule *x = *(const struct model_rule *const *)a;
	const struct model_rule *y = *(const struct model_rule *const *)b;

	return x < y ? -1 : x > y;
}

static int compare_ids(const void *a, const void *b)
{
	const struct model_rule *x = *(const struct model_rule *const *)a;
	const struct model_rule *y = *(const struct model_rule *const *)b;
	int order = strcmp(x->id, y->id);

	return order ? order : compare_rules(a, b);
}

static int compare_texts(const void *a, const void *b)
{
	const struct model_rule *x = *(const struct model_rule *const *)a;
	const struct model_rule *y = *(const struct model_rule *const *)b;
	int order = strcmp(x->text, y->text);

	return order ? order : compare_rules(a, b);
}

static int complain(struct reading *all, const struct model_rule *rule,
		    const struct model_rule *other, const char *kind, const char *name,
		    const char *where)
{
	char *source = NULL, *what = NULL;

	for (size_t i = 0; i < all->document_count && !source; i++)
		if (all->documents[i].name && !strcmp(all->documents[i].name, rule->file))
			source = document_line(&all->documents[i], rule->line);
	if (asprintf(&what, "duplicate %s \"%.64s\"%s", kind, name, where) < 0)
		what = NULL;
	diagnostics_add(all->diagnostics, SEVERITY_ERROR, rule->file, rule->line, rule->column, 1,
			source, NULL, "%s: it stands in %s, line %u already",
			what ? what : "duplicate", other->file, other->line);
	free(what);
	free(source);
	return -EINVAL;
}

static int check_ids(struct reading *all, const struct model_rule **rules, size_t count)
{
	int err = 0;

	qsort(rules, count, sizeof(*rules), compare_ids);
	for (size_t i = 1; i < count; i++)
		if (!strcmp(rules[i]->id, rules[i - 1]->id) && !strchr(rules[i]->id, '['))
			err = complain(all, rules[i], rules[i - 1], "id", rules[i]->id, "");
	return err;
}

static int check_values(struct reading *all, const struct model_rule **rules, size_t count)
{
	int err = 0;

	qsort(rules, count, sizeof(*rules), compare_texts);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(rules[i]->text, rules[i - 1]->text) != 0)
			continue;
		if (!strcmp(rules[i]->file, rules[i - 1]->file) ||
		    strcmp(rules[i]->value, rules[i - 1]->value) != 0)
			err = complain(all, rules[i], rules[i - 1], "key", rules[i]->text,
				       " in env.set");
	}
	return err;
}

int checks_run(struct reading *all)
{
	const struct model *model = all->model;
	const struct model_rule **rules;
	size_t ids = 0, sets = 0;
	int err;

	if (!model->rule_count)
		return 0;
	rules = calloc(model->rule_count, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < model->rule_count; i++)
		if (model->rules[i].section != SECTION_ENV_SET)
			rules[ids++] = &model->rules[i];
	err = check_ids(all, rules, ids);
	for (size_t i = 0; i < model->rule_count; i++)
		if (model->rules[i].section == SECTION_ENV_SET)
			rules[sets++] = &model->rules[i];
	err = reader_worst(err, check_values(all, rules, sets));
	free(rules);
	return err;
}
