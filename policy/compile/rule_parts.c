/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys of a rule mean, each read by a setter of its own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/arguments.h"
#include "policy/compile/paths.h"
#include "policy/compile/rule_parts.h"
#include "policy/compile/values.h"
#include "policy/compile/variables.h"
#include "policy/core/decide.h"

static bool is_files_grant(enum rule_section section)
{
	return section == SECTION_FILES_READ || section == SECTION_FILES_WRITE;
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
	return rule_copy_text(text, &rule->id);
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
		return reader_error(reader, node, NULL,
				    "reason is longer than " LIMIT_NUMBER(LIMIT_TEXT) " bytes");
	return rule_copy_text(text, &rule->reason);
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
		return reader_error(
		    reader, node, NULL,
		    "more than " LIMIT_NUMBER(LIMIT_EXCEPTS) " exceptions in one denial");
	err = reader_expand(reader, node, "a path", QUOTE_PATTERN, &expanded);
	if (err)
		return err;
	at = expanded;
	if (rule->network == NETWORK_UNIX && rule_is_network(rule->section) &&
	    !strncmp(at, "unix:", 5))
		at += 5;
	if (paths_rule(at, reader->all->options->workspace, path, &pattern, &fault))
		err = rule_path_error(reader, node, &fault, expanded);
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
	if (rule_is_network(rule->section) && rule->network != NETWORK_UNIX)
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
		return reader_error(
		    reader, node, NULL,
		    "more than " LIMIT_NUMBER(LIMIT_ARGS) " patterns in one rule's args");
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

int rule_fill(struct reader *reader, const struct rule_parts *parts, size_t index,
	      struct model_rule *rule)
{
	int err = rule_subject(reader, parts->subject, rule);
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
