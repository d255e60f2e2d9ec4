/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_build(): the stages in order, and what they share. Deterministic: the same scope, features
 * and view give the same plan, whatever order the view lists names in.
 */
#include "policy/plan/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/core/path.h"
#include "policy/plan/build.h"
#include "policy/plan/filter.h"
#include "policy/plan/losses.h"

int domain_add(struct domain *domain, size_t *room, const char *path, uint64_t access,
	       uint32_t rule)
{
	access &= domain->handled_fs;
	if (!access)
		return 0;
	if (domain->path_count == *room) {
		size_t more = *room ? *room * 2 : 64;
		struct path_access *paths = reallocarray(domain->paths, more, sizeof(*paths));
		if (!paths)
			return -ENOMEM;
		domain->paths = paths;
		*room = more;
	}
	char *copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	domain->paths[domain->path_count++] =
	    (struct path_access){.path = copy, .access = access, .rule = rule};
	return 0;
}

static int by_path_and_rule(const void *a, const void *b)
{
	const struct path_access *x = a, *y = b;
	int order = path_order(x->path, strlen(x->path), y->path, strlen(y->path));
	if (order == 0)
		order = x->rule < y->rule ? -1 : x->rule > y->rule;
	return order;
}

void domain_merge(struct domain *domain)
{
	size_t kept = 0;
	if (domain->path_count)
		qsort(domain->paths, domain->path_count, sizeof(*domain->paths), by_path_and_rule);
	for (size_t i = 0; i < domain->path_count; i++) {
		struct path_access *path = &domain->paths[i];
		if (kept && !strcmp(domain->paths[kept - 1].path, path->path)) {
			domain->paths[kept - 1].access |= path->access;
			free(path->path);
		} else {
			domain->paths[kept++] = *path;
		}
	}
	domain->path_count = kept;
}

static bool covers(const struct path_access *above, const char *path, size_t len)
{
	return path_within(path, len, above->path, strlen(above->path));
}

/* All that lies beneath a path follows it directly: the one before the path is beneath whatever is
 * above the path, so that the way up from there meets them all. */
static void link_up(struct domain *domain)
{
	for (size_t i = 0; i < domain->path_count; i++) {
		struct path_access *path = &domain->paths[i];
		path->up = i ? i - 1 : PATH_NONE;
		while (path->up != PATH_NONE &&
		       !covers(&domain->paths[path->up], path->path, strlen(path->path)))
			path->up = domain->paths[path->up].up;
	}
}

/* The path itself, else the nearest above it; PATH_NONE. */
static size_t nearest(const struct domain *domain, const char *path, size_t len)
{
	size_t low = 0, high = domain->path_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *there = domain->paths[middle].path;
		if (path_order(there, strlen(there), path, len) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	size_t at = low ? low - 1 : PATH_NONE;
	while (at != PATH_NONE && !covers(&domain->paths[at], path, len))
		at = domain->paths[at].up;
	return at;
}

/* Every rule on a folder has some access that only folders can have. */
static bool on_folder(const struct path_access *path)
{
	return path->access & ~ACCESS_OF_FILES;
}

/* Which rules count: see plan_in_wall_now(). */
struct held {
	bool (*holds)(void *context, size_t index);
	void *context;
	bool folders; /* what has something beneath it is known to be a folder */
};

/* What the paths from `at` upwards give to something beneath them; of the first, with `self`, all.
 */
static uint64_t access_from(const struct domain *domain, size_t at, bool self,
			    const struct held *held)
{
	uint64_t access = 0;
	for (; at != PATH_NONE; at = domain->paths[at].up, self = false) {
		const struct path_access *found = &domain->paths[at];
		bool reaches = self || held->folders || on_folder(found);
		if (reaches && (!held->holds || held->holds(held->context, at)))
			access |= found->access;
	}
	return access;
}

void domain_tidy(struct domain *domain)
{
	if (!domain->path_count)
		return;
	domain_merge(domain);
	link_up(domain);
	/* All of a domain's paths exist. */
	const struct held all = {.folders = true};
	/* From the last to the first, so that what is looked up above is still in place. */
	for (size_t i = domain->path_count; i-- > 0;) {
		struct path_access *path = &domain->paths[i];
		if (!(path->access & ~access_from(domain, path->up, false, &all)))
			path->access = 0;
	}
	size_t kept = 0;
	for (size_t i = 0; i < domain->path_count; i++) {
		if (domain->paths[i].access)
			domain->paths[kept++] = domain->paths[i];
		else
			free(domain->paths[i].path);
	}
	domain->path_count = kept;
	link_up(domain);
}

int plan_say(struct builder *b, uint32_t rule, enum lane lane, size_t landlock_rules,
	     const char *why)
{
	char *copy = strdup(why);
	if (!copy)
		return -ENOMEM;
	b->plan->lines[b->plan->line_count++] = (struct plan_line){
	    .rule = rule, .lane = lane, .why = copy, .landlock_rules = landlock_rules};
	return 0;
}

static int build_filter(struct builder *b, const struct scope_about *about)
{
	struct plan *plan = b->plan;
	int abi = b->features->landlock_abi;
	plan->fast_lane = about->record != RECORD_STRICT && abi >= ACCESS_ABI_BOUNDS;
	plan->gated_sends = about->has_datagrams;
	plan->gated_forks = about->processes != 0;
	native_choose(b, about);
	struct filter_terms terms = {
	    .native_read = plan->native[NATIVE_READ].on,
	    .native_write = plan->native[NATIVE_WRITE].on,
	    .native_exec = plan->native[NATIVE_EXEC].on,
	    .fast_lane = plan->fast_lane,
	    .exec_fast_lane = plan->fast_lane && !about->has_exec_conditions,
	    .scoped_signals = (plan->wall.scoped & SCOPE_SIGNAL) != 0,
	    .traced = abi >= 1,
	    .gated_sends = plan->gated_sends,
	    .gated_forks = plan->gated_forks,
	};
	return filter_build(&terms, plan);
}

int plan_build(const struct scope *scope, const struct features *features,
	       const struct plan_view *view, const struct plan_options *options, struct plan *out)
{
	static const struct plan_options none;
	struct scope_about about;
	*out = (struct plan){0};
	struct builder b = {
	    .scope = scope,
	    .features = features,
	    .view = view,
	    .options = options ? options : &none,
	    .plan = out,
	};
	scope_about(scope, &about);
	int ret = denials_read(scope, &b.denials);
	out->lines = calloc((size_t)scope_rule_count(scope) + 1, sizeof(*out->lines));
	if (!out->lines)
		ret = -ENOMEM;
	if (ret == 0)
		ret = wall_build(&b);
	if (ret == 0)
		ret = hull_build(&b);
	if (ret == 0)
		ret = build_filter(&b, &about);
	if (ret == 0)
		ret = losses_build(features, out);
	denials_free(&b.denials);
	names_free(&b.sockets);
	kinds_free(&b.kinds);
	if (ret < 0)
		plan_free(out);
	return ret;
}

static void domain_free(struct domain *domain)
{
	for (size_t i = 0; i < domain->path_count; i++)
		free(domain->paths[i].path);
	free(domain->paths);
	free(domain->ports);
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	domain_free(&plan->wall);
	domain_free(&plan->hull);
	for (size_t i = 0; i < plan->line_count; i++)
		free(plan->lines[i].why);
	for (size_t i = 0; i < plan->loss_count; i++)
		free(plan->losses[i]);
	free(plan->lines);
	free(plan->losses);
	free(plan->filter);
	free(plan->clauses);
	*plan = (struct plan){0};
}

/*
 * A rule on a folder that lacks some of the write accesses (see wall_access()) does not count as
 * write: CONTINUE would then meet a refusal that the scope does not mean. A rule on a file itself
 * has no more than the file accesses, and they are enough to open it.
 */
bool plan_in_wall_now(const struct plan *plan, const char *path, size_t len, uint32_t rights,
		      bool (*holds)(void *context, size_t index), void *context)
{
	const struct domain *wall = &plan->wall;
	struct held held = {.holds = holds, .context = context};
	/* Programs have been bounded since the first version: none is truncated by being run. */
	uint64_t bound = rights == RIGHT_EXEC ? ACCESS_EXECUTE : ACCESS_TRUNCATE;
	if (!(wall->handled_fs & bound) || !path_is_clean(path, len))
		return false;
	if (!rights || (rights & ~(uint32_t)(RIGHT_READ | RIGHT_WRITE | RIGHT_EXEC)))
		return false;
	size_t at = nearest(wall, path, len);
	const struct path_access *self =
	    at != PATH_NONE && strlen(wall->paths[at].path) == len ? &wall->paths[at] : NULL;
	uint64_t access = access_from(wall, at, self != NULL, &held);
	uint64_t want = 0;
	if (rights & RIGHT_READ)
		want |= ACCESS_READ_FILE;
	if (rights & RIGHT_EXEC)
		want |= ACCESS_READ_FILE | ACCESS_EXECUTE;
	if (rights & RIGHT_WRITE) {
		bool file = self && !on_folder(self);
		want |= file ? ACCESS_CHANGE & ACCESS_OF_FILES : ACCESS_CHANGE;
	}
	return (access & want) == want;
}

bool plan_in_wall(const struct plan *plan, const char *path, size_t len, uint32_t rights)
{
	return plan_in_wall_now(plan, path, len, rights, NULL, NULL);
}
