/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grants that follow from the grant of a program: of its interpreters, and of what a link leads to.
 * They are added to the model and stand where the rule stands that they follow from.
 */
#ifndef REMIT_COMPILE_PROGRAM_GRANTS_H
#define REMIT_COMPILE_PROGRAM_GRANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/compile/diagnostics.h"
#include "policy/compile/model.h"
#include "policy/compile/path_map.h"

/* A script or a link that the agent may write: what it names is the agent's word, and grants
 * nothing. */
struct held_back {
	size_t rule;
	bool link;
	char *program, *named; /* the interpreter, or what the link leads to */
};

struct program_grants {
	struct model *model;
	struct diagnostics *diagnostics;
	size_t rule;	 /* the one that is searched for; by number, since the rules move */
	size_t programs; /* looked into so far */
	bool warned;
	struct held_back *held_back; /* in the order of their rules */
	size_t held_count;
	struct path_map granted; /* as they are, without conditions */
	struct path_map
	    heads; /* of interpreters and of what links lead to: many lead to the same */
};

/* Of a rule that is there already, so that it is not granted again. 0 or -ENOMEM, as below. */
int program_grants_note(struct program_grants *grants, const struct model_rule *rule);
/* The program that a link leads to, with all conditions of the rule. */
int program_grant_target(struct program_grants *grants, const char *real, const char *link);
/* The chain of interpreters of one program, by its real path. `spelled`: the link that leads to it,
 * another way to write it that is granted too; or NULL. */
int program_grant_interpreters(struct program_grants *grants, const char *real,
			       const char *spelled);
/* A link that the agent may write, and the program that it leads to now. 0 or -ENOMEM. */
int program_grants_hold_link(struct program_grants *grants, const char *link, const char *real);
/* After the last rule: says which programs will not start for what was held back, once a rule and
 * kind. */
void program_grants_warn_held(struct program_grants *grants);
void program_grants_free(struct program_grants *grants);

#endif
