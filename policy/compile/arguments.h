/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of programs as people write them: words with blanks between them; double quotes hold
 * blanks within a word, `\` quotes the next byte, "" is the empty argument.
 */
#ifndef REMIT_COMPILE_ARGUMENTS_H
#define REMIT_COMPILE_ARGUMENTS_H

#include <stddef.h>

#include "policy/compile/model.h"

/*
 * The pattern that `args:` holds, in the one spelling that core/arguments.h reads, malloc'ed: words
 * first, then variables in each, so that a blank in a variable's value parts nothing. 0, -ENOMEM,
 * or -EINVAL with *why set to a text that is static or kept in `fault`.
 */
struct variable_fault;
int arguments_pattern(const char *text, const struct compile_options *options, char **out,
		      struct variable_fault *fault, const char **why);

/* One argument as the word of a pattern that matches nothing else; malloc'ed, NULL: no memory. */
char *arguments_literal(const char *argument);

/* The next word of a query as a program would get it; *text ends behind it. Its length, -ENOENT when
 * none is left, or -EINVAL with *why. */
long arguments_word(const char **text, char *out, size_t size, const char **why);

/* The arguments that stand in a query, as a block: 0 with its length, or -EINVAL with *why. */
int arguments_block(const char *text, char *out, size_t size, size_t *len, const char **why);

#endif
