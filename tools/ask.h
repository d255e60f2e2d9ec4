/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a scope one query, as the gate would: paths as the kernel sees them now, facts gathered when
 * a condition wants them. */
#ifndef REMIT_TOOLS_ASK_H
#define REMIT_TOOLS_ASK_H

#include "policy/compile/query.h"
#include "policy/core/decide.h"
#include "policy/core/explain.h"
#include "tools/load.h"
#include "tools/output.h"

struct answer {
	struct parsed_query parsed;
	struct decision decision;
	struct rule rule; /* empty when the decision names none */
	bool has_rule;
	char object[EXPLAIN_MAX];
	char sentence[EXPLAIN_MAX]; /* of a refusal; else "" */
};

/* With `variables` those of the manifest are replaced in `line` first. 0, or -EINVAL with what is
 * wrong with the query in why[0..size). */
int ask(const struct loaded *loaded, const char *line, bool variables, struct answer *out,
	char *why, size_t size);

/* "no grant covers it", "files.deny[0] at manifest.yaml:12". */
void ask_print_rule(const struct answer *answer, FILE *stream);
/* Members of the open object. */
void ask_print_json(const struct answer *answer, const char *line, struct writer *json);

#endif
