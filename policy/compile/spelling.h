/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that follow the links of a model's paths: spelling.c one path, spellings.c all
 * rules in their order. */
#ifndef REMIT_COMPILE_SPELLING_H
#define REMIT_COMPILE_SPELLING_H

#include "policy/compile/model.h"

/* What links that a path goes through are asked about, and where they are noted. */
struct guard {
	const struct model *model;
	struct string_list *followed; /* or NULL */
	bool follows_all;	      /* for denials: a link of the agent's hides nothing */
	bool asks_none;		      /* every link is followed, and none is noted */
};

/*
 * Adds to the list what links make of a rule's text, a pattern's literal folders or a path, other
 * than the text itself and what stands there already. 0, -ENOMEM; with follows_all also why the
 * text cannot be followed to all that it denies: -ENAMETOOLONG, -EINVAL, or the kernel's word.
 */
int spell(const char *text, bool pattern, struct guard *guard, struct string_list *list);

/* Adds a spelling unless it is the text or stands there. 0 or -ENOMEM. */
int spelling_add(struct string_list *list, const char *text, const char *spelling);

#endif
