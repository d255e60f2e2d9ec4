// SPDX-License-Identifier: Apache-2.0
/* The model as an owner of memory: lists that grow, rules, and the end of both. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/limits.h"
#include "policy/compile/model.h"
#include "policy/compile/reader.h"

int list_grow(void **items, size_t count, size_t size)
{
	void *grown;

	if (count & (count - 1))
		return 0;
	grown = reallocarray(*items, count ? count * 2 : 1, size);
	if (!grown)
		return -ENOMEM;
	*items = grown;
	return 0;
}

int string_list_add(struct string_list *list, const char *text)
{
	char *copy = strdup(text);

	if (!copy || list_grow((void **)&list->items, list->count, sizeof(*list->items))) {
		free(copy);
		return -ENOMEM;
	}
	list->items[list->count++] = copy;
	return 0;
}

static void string_list_clear(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct string_list){0};
}

struct model_rule *model_rule_new(struct model *model)
{
	struct model_rule *rule;

	if (model->rule_count >= LIMIT_RULES ||
	    list_grow((void **)&model->rules, model->rule_count, sizeof(*model->rules)))
		return NULL;
	rule = &model->rules[model->rule_count++];
	memset(rule, 0, sizeof(*rule));
	return rule;
}

void model_rule_clear(struct model_rule *rule)
{
	free(rule->id);
	free(rule->reason);
	free(rule->text);
	free(rule->value);
	free(rule->file);
	free(rule->ports);
	string_list_clear(&rule->spellings);
	string_list_clear(&rule->excepts);
	string_list_clear(&rule->args);
	memset(rule, 0, sizeof(*rule));
}

void model_free(struct model *model)
{
	if (!model)
		return;
	free(model->agent_id);
	free(model->purpose);
	free(model->owner);
	for (size_t i = 0; i < model->rule_count; i++)
		model_rule_clear(&model->rules[i]);
	free(model->rules);
	for (size_t i = 0; i < model->test_count; i++) {
		free(model->tests[i].query);
		free(model->tests[i].file);
	}
	free(model->tests);
	string_list_clear(&model->files);
	memset(model, 0, sizeof(*model));
}

uint32_t model_section_rights(enum rule_section section, bool *ret_denial)
{
	static const struct {
		uint32_t rights;
		bool denial;
	} sections[SECTION_COUNT] = {
	    [SECTION_FILES_READ] = {RIGHT_READ, false},
	    [SECTION_FILES_WRITE] = {RIGHT_READ | RIGHT_WRITE, false},
	    /* The kernel reads what it executes: what may not be read cannot be run either. */
	    [SECTION_FILES_DENY] = {RIGHT_READ | RIGHT_WRITE | RIGHT_EXEC, true},
	    [SECTION_FILES_DENY_WRITE] = {RIGHT_WRITE, true},
	    [SECTION_EXEC_ALLOW] = {RIGHT_READ | RIGHT_EXEC, false},
	    [SECTION_EXEC_DENY] = {RIGHT_EXEC, true},
	    [SECTION_NETWORK_CONNECT] = {RIGHT_CONNECT, false},
	    [SECTION_NETWORK_LISTEN] = {RIGHT_LISTEN, false},
	    [SECTION_NETWORK_DENY] = {RIGHT_CONNECT | RIGHT_LISTEN, true},
	    [SECTION_ENV_PASS] = {0, false},
	    [SECTION_ENV_SET] = {0, false},
	};

	*ret_denial = sections[section].denial;
	return sections[section].rights;
}

int model_add_path(struct model *model, enum rule_section section, enum rule_origin origin,
		   const char *id, const char *path)
{
	struct model_rule *rule = model_rule_new(model);

	if (!rule)
		return -ENOMEM;
	rule->section = section;
	rule->origin = origin;
	rule->rights = model_section_rights(section, &rule->denial);
	rule->id = strdup(id);
	rule->text = strdup(path);
	rule->file = strdup("");
	if (rule->id && rule->text && rule->file)
		return 0;
	model_rule_clear(rule);
	model->rule_count--;
	return -ENOMEM;
}
