/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The carve: Landlock grants whole trees and cannot subtract, so around a denial the tree is taken
 * apart. Walk from the granted root towards each denial and grant the siblings on the way.
 *
 * Why what comes out stays within the scope, also when the agent renames things natively:
 *  - A rule is made only on a path that no denial covers and beneath which none can match.
 *  - A folder on the way to a denial gets no rule for the denied right, so nothing in it can be
 * made, removed or renamed natively: neither the denied name nor a sibling that was granted.
 *  - A `**` in a denial may match names that do not exist yet at any depth: beneath its literal
 * part no folder is granted, and no file is but to be executed. /proc is never taken apart: its
 * inodes do not last, and rules hang on inodes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/core/glob.h"
#include "policy/core/path.h"
#include "policy/plan/build.h"

#define CARVE_LIMIT 4096
/*
 * Grants of a single file that get a rule of their own. A rule costs the launch about what one open
 * through the gate costs the agent, so thousands of them, most never opened, are the gate's.
 * Programs are not counted: only the wall lets one start.
 */
#define SINGLE_FILES 512

static bool beneath_proc(const char *path)
{
	return path_within(path, strlen(path), "/proc", strlen("/proc"));
}

/* NULL without memory or when too long. */
static char *path_child(const char *folder, const char *name)
{
	size_t len = strcmp(folder, "/") ? strlen(folder) : 0;
	size_t name_len = strlen(name);
	if (len + 1 + name_len >= PATH_TEXT_MAX)
		return NULL;
	char *path = malloc(len + 1 + name_len + 1);
	if (path) {
		memcpy(path, folder, len);
		path[len] = '/';
		memcpy(path + len + 1, name, name_len + 1);
	}
	return path;
}

/* The known folder that is nearest above the path, or the path itself: its length; 0: the root. */
static size_t known_prefix(const struct builder *b, const char *path, size_t len,
			   enum view_kind *ret_kind)
{
	*ret_kind = VIEW_FOLDER;
	for (size_t at = len; at > 0; at--) {
		if ((at == len || path[at] == '/') && kinds_known(&b->kinds, path, at, ret_kind))
			return at;
	}
	return 0;
}

enum view_kind plain_kind(struct builder *b, const char *path)
{
	size_t len = strlen(path);
	enum view_kind kind;
	if (len >= PATH_TEXT_MAX || path[0] != '/')
		return VIEW_ABSENT;
	for (size_t at = known_prefix(b, path, len, &kind); at < len;) {
		if (kind != VIEW_FOLDER)
			return kind == VIEW_LINK ? VIEW_LINK : VIEW_ABSENT;
		at += 1 + strcspn(path + at + 1, "/");
		kind = kinds_of(&b->kinds, b->view, path, at);
	}
	return kind;
}

int names_keep(struct names *names, const char *name)
{
	if (names->count >= names->limit)
		return -E2BIG;
	if (names->count == names->room) {
		size_t room = names->room ? names->room * 2 : 32;
		char **items = reallocarray(names->items, room, sizeof(*items));
		if (!items)
			return -ENOMEM;
		names->items = items;
		names->room = room;
	}
	char *copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	names->items[names->count++] = copy;
	return 0;
}

static int keep_name(void *arg, const char *name)
{
	return names_keep(arg, name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_sort(struct names *names)
{
	if (names->count)
		qsort(names->items, names->count, sizeof(*names->items), by_name);
}

static int names_read(const struct plan_view *view, const char *folder, struct names *names)
{
	int ret = view->list(view->context, folder, keep_name, names);
	if (ret == 0)
		names_sort(names);
	return ret;
}

void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct names){0};
}

struct carve_walk {
	struct builder *builder;
	uint32_t rule;
	size_t limit;
	struct carved *carved;
};

static int carve_at(struct carve_walk *walk, const char *path, enum view_kind kind,
		    uint32_t rights);

static int carve_children(struct carve_walk *walk, const char *folder, uint32_t rights)
{
	struct builder *b = walk->builder;
	struct names names = {.limit = walk->limit};
	int ret = names_read(b->view, folder, &names);
	if (ret == -E2BIG)
		walk->carved->limited = true;
	for (size_t i = 0; ret == 0 && i < names.count; i++) {
		char *path = path_child(folder, names.items[i]);
		if (!path)
			continue; /* too long to be decided: the gate refuses it */
		ret = carve_at(walk, path, b->view->kind(b->view->context, path), rights);
		free(path);
	}
	names_free(&names);
	/* A folder that cannot be listed is left to the gate. */
	return ret == -ENOMEM ? ret : 0;
}

/* The kernel reads what it executes. */
static uint32_t with_exec(uint32_t denied)
{
	return denied & RIGHT_READ ? denied | RIGHT_EXEC : denied;
}

static int carve_at(struct carve_walk *walk, const char *path, enum view_kind kind, uint32_t rights)
{
	struct builder *b = walk->builder;
	struct carved *carved = walk->carved;
	if (kind == VIEW_ABSENT || kind == VIEW_LINK)
		return 0;
	uint32_t wanted = rights & RIGHT_EXEC ? rights | RIGHT_READ : rights;
	struct reach reach = denials_reach(&b->denials, path, wanted);
	uint32_t covered = with_exec(reach.covered), inside = 0, anywhere = 0;
	if (kind == VIEW_FOLDER) { /* nothing lies beneath anything else */
		inside = with_exec(reach.inside);
		anywhere = with_exec(reach.anywhere);
	}
	uint32_t clear = rights & ~(covered | inside | anywhere);
	/* Only the wall lets a program start, so where a denied name may appear at any depth the
	 * programs that are there now are named one by one. What else is there, the gate can open.
	 */
	uint32_t deeper = (inside & ~anywhere) | ((inside | anywhere) & RIGHT_EXEC);
	deeper &= rights & ~covered;
	carved->gap |= rights & ~clear;
	if (clear) {
		if (carved->rules >= walk->limit) {
			carved->limited = true;
			carved->gap |= clear;
			return 0;
		}
		carved->rules++;
		carved->in_wall |= clear;
		int ret = domain_add(&b->plan->wall, &b->wall_room, path,
				     wall_access(b, clear, kind, path), walk->rule);
		if (ret < 0)
			return ret;
	}
	if (!deeper || kind != VIEW_FOLDER || beneath_proc(path) || carved->limited)
		return 0;
	return carve_children(walk, path, deeper);
}

int carve(struct builder *b, const char *root, uint32_t rights, uint32_t rule, struct carved *out)
{
	struct carve_walk walk = {
	    .builder = b,
	    .rule = rule,
	    .limit = b->options->carve_limit ? b->options->carve_limit : CARVE_LIMIT,
	    .carved = out,
	};
	enum view_kind kind = plain_kind(b, root);
	if (kind == VIEW_ABSENT || kind == VIEW_LINK)
		return 0;
	out->found = true;
	if (beneath_proc(root) && strcmp(root, "/proc")) {
		out->gap |= rights;
		return 0;
	}
	if (kind == VIEW_FILE && !(rights & RIGHT_EXEC) && b->single_files++ >= SINGLE_FILES) {
		out->many = true;
		return 0;
	}
	return carve_at(&walk, root, kind, rights);
}

struct expansion {
	struct builder *builder;
	const char *tail; /* of the pattern, after its literal folder */
	size_t tail_len;
	size_t lead;	    /* bytes of the tail before its first wildcard */
	size_t literal_len; /* of the folder, 0 for the root */
	size_t limit, visited;
	int (*each)(void *arg, const char *path);
	void *arg;
};

/* The names of one folder that are looked at further. */
struct expanding {
	struct expansion *expansion;
	bool first; /* the pattern's literal folder itself */
	struct names names;
};

static int expand_at(struct expansion *e, const char *folder, bool first);

/* Most names begin otherwise than the pattern goes on. */
static int keep_expanding(void *arg, const char *name)
{
	struct expanding *expanding = arg;
	struct expansion *e = expanding->expansion;
	if (++e->visited > e->limit)
		return -E2BIG;
	if (expanding->first && strncmp(name, e->tail, e->lead))
		return 0;
	return names_keep(&expanding->names, name);
}

/* Whether something beneath the path may match; `rest` is what follows the literal folder. */
static bool may_match_beneath(const struct expansion *e, const char *rest)
{
	uint64_t states = 0;
	return !glob_states(e->tail, e->tail_len, rest, strlen(rest), &states) || states;
}

/* The name first: most match nothing, and need not be looked at. */
static int expand_name(struct expansion *e, const char *path)
{
	struct builder *b = e->builder;
	const char *rest = path + e->literal_len + 1;
	bool itself = glob_tail(e->tail, e->tail_len, rest, strlen(rest));
	if (!itself && (beneath_proc(path) || !may_match_beneath(e, rest)))
		return 0;
	enum view_kind kind = b->view->kind(b->view->context, path);
	if (kind == VIEW_ABSENT || kind == VIEW_LINK)
		return 0;
	if (itself)
		return e->each(e->arg, path);
	return kind == VIEW_FOLDER ? expand_at(e, path, false) : 0;
}

static int expand_at(struct expansion *e, const char *folder, bool first)
{
	const struct plan_view *view = e->builder->view;
	struct expanding expanding = {.expansion = e, .first = first, .names = {.limit = e->limit}};
	struct names *names = &expanding.names;
	int ret = view->list(view->context, folder, keep_expanding, &expanding);
	if (ret == 0)
		names_sort(names);
	for (size_t i = 0; ret == 0 && i < names->count; i++) {
		char *path = path_child(folder, names->items[i]);
		if (path)
			ret = expand_name(e, path);
		free(path);
	}
	names_free(names);
	return ret == -ENOMEM || ret == -E2BIG ? ret : 0;
}

int pattern_expand(struct builder *b, const char *pattern, size_t limit,
		   int (*each)(void *arg, const char *path), void *arg)
{
	size_t len = strlen(pattern), prefix = glob_prefix(pattern, len);
	char folder[PATH_TEXT_MAX];
	literal_part(pattern, true, folder);
	struct expansion e = {.builder = b,
			      .tail = pattern + prefix + 1,
			      .tail_len = len - prefix - 1,
			      .lead = strcspn(pattern + prefix + 1, "*?[\\/"),
			      .literal_len = folder[1] ? strlen(folder) : 0,
			      .limit = limit,
			      .each = each,
			      .arg = arg};
	if (plain_kind(b, folder) != VIEW_FOLDER || beneath_proc(folder))
		return 0;
	return expand_at(&e, folder, true);
}
