// SPDX-License-Identifier: Apache-2.0
/*
 * The four sections that hold rules. An item is a text or a mapping; the mapping's keys are only
 * noted at first (struct rule_parts), then each is read by a setter of its own, so that the order
 * in which they are written means nothing.
 */
#include <errno.h>
#include <stdlib.h>

#include "policy/compile/rule_parts.h"

static int set_part(struct reader *reader, const struct key *key, const struct node *value,
		    void *target)
{
	(void)reader;
	*(const struct node **)(void *)((char *)target + key->offset) = value;
	return 0;
}

#define PART(key_name, field)                                                                      \
	{                                                                                          \
		.name = (key_name), .set = set_part, .offset = offsetof(struct rule_parts, field)  \
	}
#define COMMON_PARTS                                                                               \
	PART("id", id), PART("reason", reason), PART("except", except), PART("quiet", quiet),      \
	    PART("sha256", sha256), PART("when", when), PART("args", args)

static const struct key PATH_KEYS[] = {PART("path", subject), COMMON_PARTS};
static const struct key ADDRESS_KEYS[] = {PART("address", subject), COMMON_PARTS};
static const struct key NAME_KEYS[] = {PART("name", subject), PART("id", id),
				       PART("reason", reason)};

/* Adds the rule that the parts make; nothing is left of it when they are wrong. */
static int add_rule(struct reader *reader, enum rule_section section, const struct node *item,
		    const struct rule_parts *parts, size_t index, struct model_rule **ret_rule)
{
	struct model *model = reader->all->model;
	struct model_rule *rule;
	int err;

	if (model->rule_count >= LIMIT_RULES)
		return reader_error(reader, item, NULL,
				    "too many rules (more than " LIMIT_NUMBER(LIMIT_RULES) ")");
	rule = model_rule_new(model);
	if (!rule)
		return -ENOMEM;
	rule->section = section;
	rule->origin = reader->origin;
	rule->rights = model_section_rights(section, &rule->denial);
	rule->line = item->line;
	rule->column = item->column;
	err = rule_copy_text(reader->document->name, &rule->file);
	if (!err)
		err = rule_fill(reader, parts, index, rule);
	if (err) {
		model_rule_clear(rule);
		model->rule_count--;
		return err;
	}
	*ret_rule = rule;
	return 0;
}

static int map_parts(struct reader *reader, enum rule_section section, const struct node *item,
		     struct rule_parts *parts)
{
	const struct key *keys = PATH_KEYS;
	size_t count = sizeof(PATH_KEYS) / sizeof(*PATH_KEYS);
	int err;

	if (rule_is_network(section)) {
		keys = ADDRESS_KEYS;
		count = sizeof(ADDRESS_KEYS) / sizeof(*ADDRESS_KEYS);
	} else if (rule_is_env(section)) {
		keys = NAME_KEYS;
		count = sizeof(NAME_KEYS) / sizeof(*NAME_KEYS);
	}
	err = reader_map(reader, item, "a rule", keys, count, parts);
	if (!err && !parts->subject)
		err = reader_error(reader, item, NULL, "a rule without its %s", keys[0].name);
	return err;
}

static int rule_item(struct reader *reader, const struct key *key, const struct node *item,
		     size_t index, void *target)
{
	struct rule_parts parts = {.subject = item};
	struct model_rule *rule;
	int err = 0;

	(void)target;
	if (item->kind == NODE_LIST)
		return reader_error(reader, item, "write its items into this list",
				    "a list within %s", rule_section_name(key->section));
	if (item->kind == NODE_MAP) {
		parts.subject = NULL;
		err = map_parts(reader, key->section, item, &parts);
	}
	return err ? err : add_rule(reader, key->section, item, &parts, index, &rule);
}

static int set_rules(struct reader *reader, const struct key *key, const struct node *value,
		     void *target)
{
	return reader_list(reader, value, rule_section_name(key->section), rule_item, key, target);
}

static int set_value(struct reader *reader, const struct node *name, const struct node *value,
		     size_t index)
{
	struct rule_parts parts = {.subject = name};
	struct model_rule *rule;
	char *expanded = NULL;
	int err;

	if (name->kind != NODE_SCALAR)
		return reader_error(reader, name, NULL, "a variable's name must be a text, not %s",
				    node_kind_name(name));
	/* The one text that may be empty, when it says so. */
	if (value->kind == NODE_SCALAR && value->quoted && !value->len)
		err = rule_copy_text("", &expanded);
	else
		err = reader_expand(reader, value, "a variable's value", QUOTE_NOTHING, &expanded);
	if (err)
		return err;
	err = add_rule(reader, SECTION_ENV_SET, name, &parts, index, &rule);
	if (err) {
		free(expanded);
		return err;
	}
	rule->value = expanded;
	return 0;
}

static int set_env(struct reader *reader, const struct key *key, const struct node *value,
		   void *target)
{
	int worst = 0;

	(void)key;
	(void)target;
	if (value->kind != NODE_MAP)
		return reader_error(reader, value, "like set: {TZ: UTC}",
				    "env.set must be a mapping, not %s", node_kind_name(value));
	for (size_t i = 0; i + 1 < value->count && worst != -ENOMEM; i += 2)
		worst = reader_worst(
		    worst, set_value(reader, value->items[i], value->items[i + 1], i / 2));
	return worst;
}

int rules_files(struct reader *reader, const struct key *key, const struct node *value,
		void *target)
{
	static const struct key keys[] = {
	    {.name = "read", .set = set_rules, .section = SECTION_FILES_READ},
	    {.name = "write", .set = set_rules, .section = SECTION_FILES_WRITE},
	    {.name = "deny", .set = set_rules, .section = SECTION_FILES_DENY},
	    {.name = "deny_write", .set = set_rules, .section = SECTION_FILES_DENY_WRITE},
	};

	(void)key;
	return reader_map(reader, value, "files", keys, sizeof(keys) / sizeof(*keys), target);
}

int rules_exec(struct reader *reader, const struct key *key, const struct node *value, void *target)
{
	static const struct key keys[] = {
	    {.name = "allow", .set = set_rules, .section = SECTION_EXEC_ALLOW},
	    {.name = "deny", .set = set_rules, .section = SECTION_EXEC_DENY},
	};

	(void)key;
	return reader_map(reader, value, "exec", keys, sizeof(keys) / sizeof(*keys), target);
}

int rules_network(struct reader *reader, const struct key *key, const struct node *value,
		  void *target)
{
	static const struct key keys[] = {
	    {.name = "connect", .set = set_rules, .section = SECTION_NETWORK_CONNECT},
	    {.name = "listen", .set = set_rules, .section = SECTION_NETWORK_LISTEN},
	    {.name = "deny", .set = set_rules, .section = SECTION_NETWORK_DENY},
	};

	(void)key;
	return reader_map(reader, value, "network", keys, sizeof(keys) / sizeof(*keys), target);
}

int rules_env(struct reader *reader, const struct key *key, const struct node *value, void *target)
{
	static const struct key keys[] = {
	    {.name = "pass", .set = set_rules, .section = SECTION_ENV_PASS},
	    {.name = "set", .set = set_env},
	};

	(void)key;
	return reader_map(reader, value, "env", keys, sizeof(keys) / sizeof(*keys), target);
}
