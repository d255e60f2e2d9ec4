/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule is about: a path, an address, the name of a variable. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/endpoint.h"
#include "policy/compile/paths.h"
#include "policy/compile/rule_parts.h"
#include "policy/compile/values.h"
#include "policy/compile/variables.h"

int rule_path_error(struct reader *reader, const struct node *node, const struct path_fault *fault,
		    const char *expanded)
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
	int err = reader_expand(reader, node, "a path", QUOTE_PATTERN, &expanded);

	if (err)
		return err;
	if (paths_rule(expanded, reader->all->options->workspace, path, &rule->pattern, &fault))
		err = rule_path_error(reader, node, &fault, expanded);
	else
		err = rule_copy_text(path, &rule->text);
	free(expanded);
	return err;
}

static int set_address(struct reader *reader, const struct node *node, struct model_rule *rule)
{
	struct endpoint_fault fault = {0};
	char *plain = NULL, *quoted = NULL;
	int err = reader_expand(reader, node, "an address", QUOTE_NOTHING, &plain);

	if (!err)
		err = reader_expand(reader, node, "an address", QUOTE_PATTERN, &quoted);
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

	if ((text[0] >= '0' && text[0] <= '9') || len > 255)
		return false;
	if (pattern && text[len] == '*' && !text[len + 1])
		return true;
	return len && !text[len];
}

static int set_name(struct reader *reader, const struct node *node, struct model_rule *rule)
{
	bool pattern = rule->section == SECTION_ENV_PASS;
	const char *text = reader_text(reader, node, "a variable's name");

	if (!text)
		return -EINVAL;
	if (!name_ok(text, pattern))
		return reader_error(reader, node,
				    pattern ? "letters, digits, _ . and -, no digit first, and one "
					      "* at the end"
					    : "letters, digits, _ . and -, no digit first",
				    "bad variable name \"%.80s\"", text);
	rule->pattern = strchr(text, '*') != NULL;
	return rule_copy_text(text, &rule->text);
}

int rule_subject(struct reader *reader, const struct node *node, struct model_rule *rule)
{
	if (rule_is_network(rule->section))
		return set_address(reader, node, rule);
	if (rule_is_env(rule->section))
		return set_name(reader, node, rule);
	return set_path(reader, node, rule);
}
