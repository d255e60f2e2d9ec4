/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that read rules: rules.c has the sections and their items, rule_parts.c what an
 * item's keys mean, rule_subject.c the path, address or name that it is about. */
#ifndef REMIT_COMPILE_RULE_PARTS_H
#define REMIT_COMPILE_RULE_PARTS_H

#include <string.h>

#include "policy/compile/paths.h"
#include "policy/compile/reader.h"

/* What an item says, still unread; NULL: nothing of it. */
struct rule_parts {
	const struct node *subject, *id, *reason, *except, *quiet, *sha256, *when, *args;
};

static inline bool rule_is_env(enum rule_section section)
{
	return section == SECTION_ENV_PASS || section == SECTION_ENV_SET;
}

static inline int rule_copy_text(const char *text, char **field)
{
	*field = strdup(text);
	return *field ? 0 : -ENOMEM;
}

/* Reads all parts into the rule, whose section, rights and place are set. 0, -EINVAL after
 * complaints, or -ENOMEM. `index`: its place in the list, for a default id. */
int rule_fill(struct reader *reader, const struct rule_parts *parts, size_t index,
	      struct model_rule *rule);
/* The same of what the rule is about. */
int rule_subject(struct reader *reader, const struct node *node, struct model_rule *rule);

/* Complains about a path that paths_rule() has found a fault in; -EINVAL. */
int rule_path_error(struct reader *reader, const struct node *node, const struct path_fault *fault,
		    const char *expanded);

#endif
