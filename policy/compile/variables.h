/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ${NAME} in the texts of a manifest. The names are WORKSPACE, HOME, USER, UID, TMP and what --set
 * gives; nothing comes from the environment. `$${` stands for `${`; a `$` before a letter or `(` is
 * refused, because it looks like a variable of a shell and would stay as it is.
 */
#ifndef REMIT_COMPILE_VARIABLES_H
#define REMIT_COMPILE_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/compile/model.h"

struct variable_fault {
	size_t offset, width; /* in the text */
	char message[160];
	char hint[160]; /* "" for none */
};

/* What within a value gets a `\` before it, so that it means itself where the text is read next. */
enum value_quoting {
	QUOTE_NOTHING,
	QUOTE_PATTERN, /* `* ? [ \`: a folder named [x] is no pattern */
	QUOTE_WORD,    /* blanks, `"` and `\`: a folder named "a b" is one word of a query */
};

/* Replaces every variable; *out is malloc'ed. 0, -EINVAL with the fault, -ENOMEM. */
int variables_expand(const struct compile_options *options, const char *text,
		     enum value_quoting quoting, char **out, struct variable_fault *fault);

/* The names given by --set are names, are not built in and occur once, and the built-in values
 * that are paths are absolute. 0 or -EINVAL. */
int variables_check(const struct compile_options *options, struct diagnostics *diagnostics);

#endif
