/* SPDX-License-Identifier: Apache-2.0 */
/* One rule as a line (canonical_rule.c): the order of the image's rules, and what the digest is made of. */
#ifndef REMIT_COMPILE_CANONICAL_H
#define REMIT_COMPILE_CANONICAL_H

#include "policy/compile/model.h"

/*
 * What the rule means, without newline and without where it stands: `files.deny "/h" except
 * "/h/a"`. tmp, when not NULL, is written as ${TMP} wherever a text begins with it. Rules that mean
 * the same give the same line. malloc'ed; NULL when out of memory.
 */
char *canonical_rule(const struct model_rule *rule, const char *tmp);

/* A copy of the list's pointers, sorted by bytes and without doubles. *ret_items is malloc'ed, its
 * strings are the list's. 0 or -ENOMEM. */
int canonical_strings(const struct string_list *list, const char ***ret_items, size_t *ret_count);

struct text;
/* "text", with what could pose as another line, or (literal) as a wildcard, written \xNN. */
void canonical_put_quoted(struct text *out, const char *text, const char *tmp, bool literal);

#endif
