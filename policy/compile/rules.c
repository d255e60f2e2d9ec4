// SPDX-License-Identifier: Apache-2.0
/*
 * The four sections that hold rules. An item is a text or a mapping; the mapping's keys are only
 * noted at first (struct parts), then each is read by a setter of its own, so that the order in
 * which they are written means nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/arguments.h"
#include "policy/compile/endpoint.h"
#include "policy/compile/paths.h"
#include "policy/compile/reader.h"
#include "policy/compile/values.h"
#include "policy/compile/variables.h"
#include "policy/core/decide.h"

struct parts {
	const struct node *subject, *id, *reason, *except, *quiet, *sha256, *when, *args;
};

static int set_part(struct reader *reader, const struct key *key, const struct node *value,
		    void *target)
{
	(void)reader;
	*(const struct node **)(void *)((char *)target + key->offset) = value;
	return 0;
}

#define PART(key_name, field)                                                                      \
	{                                                                                          \
		.name = (key_name), .set = set_part, .offset = offsetof(struct parts, field)       \
	}
#define COMMON_PARTS                                                                               \
	PART("id", id), PART("reason", reason), PART("except", except), PART("quiet", quiet),      \
	    PART("sha256", sha256), PART("when", when), PART("args", args)

static const struct key PATH_KEYS[] = {PART("path", subject), COMMON_PARTS};
static const struct key ADDRESS_KEYS[] = {PART("address", subject), COMMON_PARTS};
static const struct key NAME_KEYS[] = {PART("name", subject), PART("id", id),
				       PART("reason", reason)};

static bool is_network(enum rule_section section)
{
	return section == SECTION_NETWORK_CONNECT || section == SECTION_NETWORK_LISTEN ||
	       section == SECTION_NETWORK_DENY;
}

static bool is_env(enum rule_section section)
{
	return section == SECTION_ENV_PASS || section == SECTION_ENV_SET;
}

static bool is_files_grant(enum rule_section section)
{
	return section == SECTION_FILES_READ || section == SECTION_FILES_WRITE;
}

static int copy_text(const char *text, char **field)
{
	*field = strdup(text);
	return *field ? 0 : -ENOMEM;
}

static bool id_ok(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789._-");

	return !text[len] && len <= LIMIT_ID && !strchr("._-", text[0]);
}

/* "base:files.read[2]"; most rules have such a one. */
static char *default_id(const char *prefix, const char *section, size_t index)
{
	char digits[24], *digit = digits + sizeof(digits), *out, *end;

	*--digit = '\0';
	do
		*--digit = (char)('0' + index % 10);
	while (index /= 10);
	out = malloc(strlen(prefix) + strlen(section) + sizeof(digits) + 2);
	if (!out)
		return NULL;
	end = stpcpy(stpcpy(out, prefix), section);
	*end++ = '[';
	end = stpcpy(end, digit);
	strcpy(end, "]");
	return out;
}

static int set_id(struct reader *reader, const struct node *node, size_t index,
		  struct model_rule *rule)
{
	const char *text;

	if (!node) {
		rule->id = default_id(reader->prefix, rule_section_name(rule->section), index);
		return rule->id ? 0 : -ENOMEM;
	}
	text = reader_text(reader, node, "id");
	if (!text)
		return -EINVAL;
	if (!id_ok(text))
		return reader_error(reader, node,
				    "letters, digits, dot, underscore and hyphen; it begins with a "
				    "letter or digit; at most 64",
				    "bad id \"%.80s\"", text);
	return copy_text(text, &rule->id);
}

static int set_reason(struct reader *reader, const struct node *node, struct model_rule *rule)
{
	const char *text;

	if (!node)
		return 0;
	text = reader_text(reader, node, "reason");
	if (!text)
		return -EINVAL;
	if (strlen(text) > LIMIT_TEXT)
		return reader_error(reader, node, NULL, "reason is longer than 1024 bytes");
	return copy_text(text, &rule->reason);
}

static int set_quiet(struct reader *reader, const struct node *node, struct model_rule *rule)
{
	const char *text, *why;

	if (!node)
		return 0;
	if (!rule->denial)
		return reader_error(reader, node, NULL,
				    "`quiet` belongs to denials; this is a grant");
	text = reader_text(reader, node, "quiet");
	if (!text)
		return -EINVAL;
	if (value_boolean(text, &rule->quiet, &why))
		return reader_error(reader, node, NULL, "bad value \"%.40s\" of quiet: %s", text,
				    why);
	return 0;
}

static int set_sha256(struct reader *reader, const struct node *node, struct model_rule *rule)
{
	const char *text, *why;

	if (!node)
		return 0;
	if (rule->section != SECTION_EXEC_ALLOW)
		return reader_error(reader, node, NULL, "`sha256` belongs to exec.allow");
	text = reader_text(reader, node, "sha256");
	if (!text)
		return -EINVAL;
	if (value_sha256(text, rule->sha256, &why))
		return reader_error(reader, node, NULL, "bad sha256: %s", why);
	rule->conditions |= CONDITION_SHA256;
	return 0;
}

static int set_when(struct reader *reader, const struct node *node, struct model_rule *rule)
{
	const char *text;

	if (!node)
		return 0;
	if (!is_files_grant(rule->section))
		return reader_error(reader, node, NULL,
				    "`when` belongs to files.read and files.write");
	text = reader_text(reader, node, "when");
	if (!text)
		return -EINVAL;
	if (strcmp(text, "session-terminal") != 0)
		return reader_error(reader, node, "the one condition is session-terminal",
				    "unknown condition \"%.40s\"", text);
	rule->conditions |= CONDITION_SESSION_TERMINAL;
	return 0;
}

static int path_error(struct reader *reader, const struct node *node,
		      const struct path_fault *fault, const char *expanded)
{
	/* The expanded path only where it says more than the file does. */
	if (strchr(node->text, '$'))
		return reader_error(reader, node, fault->hint, "%s: \"%.200s\"", fault->message,
				    expanded);
	return reader_error(reader, node, fault->hint, "%s", fault->message);
}

static int set_path(struct reader *reader, const struct node *node, struct model_rule *rule)
{
	struct path_fault fault;
	char path[PATH_TEXT_MAX], *expanded = NULL;
	int err = reader_expand(reader, node, "a path", true, &expanded);

	if (err)
		return err;
	if (paths_rule(expanded, reader->all->options->workspace, path, &rule->pattern, &fault))
		err = path_error(reader, node, &fault, expanded);
	else
		err = copy_text(path, &rule->text);
	free(expanded);
	return err;
}

static int set_address(struct reader *reader, const struct node *node, struct model_rule *rule)
{
	struct endpoint_fault fault = {0};
	char *plain = NULL, *quoted = NULL;
	int err = reader_expand(reader, node, "an address", false, &plain);

	if (!err)
		err = reader_expand(reader, node, "an address", true, &quoted);
	if (!err)
		err = endpoint_rule(plain, quoted, reader->all->options->workspace, rule, &fault);
	if (err == -EINVAL && fault.message[0])
		reader_error_at(reader, node, fault.offset, fault.width,
				*fault.hint ? fault.hint : NULL, "%s", fault.message);
	free(plain);
	free(quoted);
	if (!err && rule->network == NETWORK_HOST && rule->section == SECTION_NETWORK_LISTEN)
		return reader_error(reader, node, "write the address, like 127.0.0.1:8000",
				    "one listens on an address, not on a host name");
	return err;
}

static bool name_ok(const char *text, bool pattern)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_.-");

	if (text[0] >= '0' && text[0] <= '9')
		return false;
	if (pattern && text[len] == '*' && !text[len + 1])
		return true;
	return len && !text[len] && len <= 255;
}

static int set_name(struct reader *reader, const struct node *node, struct model_rule *rule)
{
	bool pattern = rule->section == SECTION_ENV_PASS;
	const char *text = reader_text(reader, node, "a variable's name");

	if (!text)
		return -EINVAL;
	if (!name_ok(text, pattern))
		return reader_error(reader, node,
				    pattern
					? "letters, digits and underscores, and one * at the end"
					: "letters, digits and underscores",
				    "bad variable name \"%.80s\"", text);
	rule->pattern = strchr(text, '*') != NULL;
	return copy_text(text, &rule->text);
}

static int set_subject(struct reader *reader, const struct node *node, struct model_rule *rule)
{
	if (is_network(rule->section))
		return set_address(reader, node, rule);
	if (is_env(rule->section))
		return set_name(reader, node, rule);
	return set_path(reader, node, rule);
}

/* An except is written like the subject; for unix sockets the path alone will do. */
static int set_except(struct reader *reader, const struct key *key, const struct node *node,
		      size_t index, void *target)
{
	struct model_rule *rule = target;
	char path[PATH_TEXT_MAX], *expanded = NULL;
	struct path_fault fault;
	const char *at;
	bool pattern;
	int err;

	(void)key;
	if (index >= LIMIT_EXCEPTS)
		return reader_error(reader, node, NULL, "more than 256 exceptions in one denial");
	err = reader_expand(reader, node, "a path", true, &expanded);
	if (err)
		return err;
	at = expanded;
	if (rule->network == NETWORK_UNIX && is_network(rule->section) && !strncmp(at, "unix:", 5))
		at += 5;
	if (paths_rule(at, reader->all->options->workspace, path, &pattern, &fault))
		err = path_error(reader, node, &fault, expanded);
	else if (!pattern && strpbrk(path, "*?[\\"))
		err = reader_error(reader, node, NULL,
				   "a name with a wildcard character cannot be an exception");
	else
		err = string_list_add(&rule->excepts, path);
	free(expanded);
	if (!err && !pattern && !rule->pattern &&
	    !path_within(path, strlen(path), rule->text, strlen(rule->text)))
		reader_warn(reader, node, NULL,
			    "the exception lies outside its denial, so it lifts nothing");
	return err;
}

static int set_excepts(struct reader *reader, const struct node *node, struct model_rule *rule)
{
	if (!node)
		return 0;
	if (!rule->denial)
		return reader_error(reader, node,
				    "leave it out, or write a denial with this exception",
				    "`except` belongs to denials; this is a grant");
	if (is_network(rule->section) && rule->network != NETWORK_UNIX)
		return reader_error(reader, node, NULL,
				    "only paths have exceptions, addresses have none");
	return reader_list(reader, node, "except", set_except, NULL, rule);
}

/* One alternative. The empty text, when it says so, is a program without arguments. */
static int set_pattern(struct reader *reader, const struct key *key, const struct node *node,
		       size_t index, void *target)
{
	struct model_rule *rule = target;
	struct variable_fault fault = {0};
	const char *text = "", *why = "";
	char *pattern = NULL;

	(void)key;
	if (index >= LIMIT_ARGS)
		return reader_error(reader, node, NULL,
				    "more than 256 patterns in one rule's args");
	if (node->kind != NODE_SCALAR || !node->quoted || node->len)
		text = reader_text(reader, node, "a pattern of arguments");
	if (!text)
		return -EINVAL;
	int err = arguments_pattern(text, reader->all->options, &pattern, &fault, &why);

	if (err == -EINVAL)
		return reader_error(reader, node, *fault.hint ? fault.hint : NULL,
				    "bad args \"%.80s\": %s", text, why);
	if (!err)
		err = string_list_add(&rule->args, pattern);
	free(pattern);
	return err;
}

static int set_args(struct reader *reader, const struct node *node, struct model_rule *rule)
{
	if (!node)
		return 0;
	if (rule->section != SECTION_EXEC_ALLOW && rule->section != SECTION_EXEC_DENY)
		return reader_error(reader, node, NULL,
				    "`args` belongs to exec.allow and exec.deny");
	if (node->kind == NODE_LIST && node->count == 0)
		return reader_error(reader, node,
				    "write [\"\"] for a program without arguments, or leave it out "
				    "for any",
				    "an empty list of args matches nothing");
	rule->conditions |= CONDITION_ARGS;
	return reader_list(reader, node, "args", set_pattern, NULL, rule);
}

static int fill(struct reader *reader, const struct parts *parts, size_t index,
		struct model_rule *rule)
{
	int err = set_subject(reader, parts->subject, rule);
	int worst = err;

	worst = reader_worst(worst, set_id(reader, parts->id, index, rule));
	worst = reader_worst(worst, set_reason(reader, parts->reason, rule));
	worst = reader_worst(worst, set_quiet(reader, parts->quiet, rule));
	worst = reader_worst(worst, set_sha256(reader, parts->sha256, rule));
	worst = reader_worst(worst, set_when(reader, parts->when, rule));
	worst = reader_worst(worst, set_args(reader, parts->args, rule));
	if (!err)
		worst = reader_worst(worst, set_excepts(reader, parts->except, rule));
	return worst;
}

/* Adds the rule that the parts make; nothing is left of it when they are wrong. */
static int add_rule(struct reader *reader, enum rule_section section, const struct node *item,
		    const struct parts *parts, size_t index, struct model_rule **ret_rule)
{
	struct model *model = reader->all->model;
	struct model_rule *rule;
	int err;

	if (model->rule_count >= LIMIT_RULES)
		return reader_error(reader, item, NULL, "too many rules (more than 1000000)");
	rule = model_rule_new(model);
	if (!rule)
		return -ENOMEM;
	rule->section = section;
	rule->origin = reader->origin;
	rule->rights = model_section_rights(section, &rule->denial);
	rule->line = item->line;
	rule->column = item->column;
	err = copy_text(reader->document->name, &rule->file);
	if (!err)
		err = fill(reader, parts, index, rule);
	if (err) {
		model_rule_clear(rule);
		model->rule_count--;
		return err;
	}
	*ret_rule = rule;
	return 0;
}

static int map_parts(struct reader *reader, enum rule_section section, const struct node *item,
		     struct parts *parts)
{
	const struct key *keys = PATH_KEYS;
	size_t count = sizeof(PATH_KEYS) / sizeof(*PATH_KEYS);
	int err;

	if (is_network(section)) {
		keys = ADDRESS_KEYS;
		count = sizeof(ADDRESS_KEYS) / sizeof(*ADDRESS_KEYS);
	} else if (is_env(section)) {
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
	struct parts parts = {.subject = item};
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
	struct parts parts = {.subject = name};
	struct model_rule *rule;
	char *expanded = NULL;
	int err;

	if (name->kind != NODE_SCALAR)
		return reader_error(reader, name, NULL, "a variable's name must be a text, not %s",
				    node_kind_name(name));
	/* The one text that may be empty, when it says so. */
	if (value->kind == NODE_SCALAR && value->quoted && !value->len)
		err = copy_text("", &expanded);
	else
		err = reader_expand(reader, value, "a variable's value", false, &expanded);
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
