/* SPDX-License-Identifier: Apache-2.0 */
/* What the stages of plan_build() share. Stages: wall.c (with carve.c, wall_lines.c), hull.c,
 * filter.c, plan.c.
 */
#ifndef REMIT_PLAN_BUILD_H
#define REMIT_PLAN_BUILD_H

#include "policy/plan/access.h"
#include "policy/plan/denials.h"
#include "policy/plan/kinds.h"

/* A growing list of names. */
struct names {
	char **items;
	size_t count, room, limit; /* limit: most that fit; one more is -E2BIG */
};

struct builder {
	const struct scope *scope;
	const struct features *features;
	const struct plan_view *view;
	const struct plan_options *options;
	struct plan *plan;
	struct denials denials;
	struct names sockets; /* literal parts of the unix grants: see wall_access() */
	struct native_class
	    inexact[NATIVE_COUNT]; /* what the wall does not hold all of: native.c */
	size_t wall_room, hull_room;
	size_t single_files; /* met so far: see carve() */
	struct kinds kinds;  /* what plain_kind() has learned */
};

/* What a walk added to the wall, and what it had to leave to the gate. */
struct carved {
	size_t rules;
	uint32_t in_wall; /* rights that are in the wall somewhere */
	uint32_t gap;	  /* rights that are missing somewhere */
	bool found;	  /* the root exists and has no link in its path */
	bool limited;	  /* the bound on rules was met */
	bool many;	  /* so was that on grants of one file each */
};

/* --- plan.c --- */

/* Adds one path to a domain; access is cut to what the domain handles and merged later. 0 or
 * -ENOMEM. */
int domain_add(struct domain *domain, size_t *room, const char *path, uint64_t access,
	       uint32_t rule);
/* Sorts, merges what is named twice. */
void domain_merge(struct domain *domain);
/* The same, and drops what a folder above already gives. */
void domain_tidy(struct domain *domain);
/* Sets the line of a rule; why is copied. 0 or -ENOMEM. */
int plan_say(struct builder *builder, uint32_t rule, enum lane lane, size_t landlock_rules,
	     const char *why);

/* --- carve.c --- */

/* The kind of a path when no folder above it is a link (or missing); else VIEW_LINK or
 * VIEW_ABSENT. */
enum view_kind plain_kind(struct builder *builder, const char *path);
/* Grants `rights` on root and beneath, as far as no denial can be met there. 0 or -ENOMEM. */
int carve(struct builder *builder, const char *root, uint32_t rights, uint32_t rule,
	  struct carved *out);
/* Keeps a copy; -E2BIG past names->limit. */
int names_keep(struct names *names, const char *name);
void names_free(struct names *names);
/* Calls each for every existing path that a pattern matches now, links left out. Stops at limit
 * visited names with -E2BIG. */
int pattern_expand(struct builder *builder, const char *pattern, size_t limit,
		   int (*each)(void *arg, const char *path), void *arg);

/* --- native.c --- */

/* Some grant has something for these rights (enum right) that the wall lacks. The first counts. */
void native_lacks(struct builder *builder, uint32_t rights, uint32_t rule, const char *why);
/* Decides which calls go without the gate; fast_lane and the wall are there. */
void native_choose(struct builder *builder, const struct scope_about *about);

/* --- wall_lines.c --- */

/* The line of a rule that grants paths (other: a program of it was left out for its digest), and of
 * every other rule. 0 or -ENOMEM. */
int wall_say_grant(struct builder *builder, uint32_t index, const struct rule *rule,
		   const struct carved *carved, bool other);
int wall_say_other(struct builder *builder, uint32_t index, const struct rule *rule);

/* --- wall.c, hull.c --- */

int wall_build(struct builder *builder);
/* The accesses that the wall may give for rights that no denial touches. */
uint64_t wall_access(const struct builder *builder, uint32_t rights, enum view_kind kind,
		     const char *path);
/* The literal part of a path rule's text: itself, or for a pattern the folder above its first
 * wildcard; unquoted. out has PATH_TEXT_MAX bytes. */
void literal_part(const char *text, bool pattern, char *out);
int hull_build(struct builder *builder);

#endif
