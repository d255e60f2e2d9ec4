/* SPDX-License-Identifier: Apache-2.0 */
/* A plan of made-up rules on a made-up tree, for tests of what a plan holds and what it leaves. */
#ifndef REMIT_TESTS_PLANNED_H
#define REMIT_TESTS_PLANNED_H

#include <stdio.h>
#include <stdlib.h>

#include "policy/plan/access.h"
#include "tests/unit/model_builder.h"
#include "tests/unit/plan_fixture.h"

static const char *const default_tree[] = {
    "/dev/null!",	 "/dev/pts/0!",
    "/etc/hosts",	 "/etc/shadow",
    "/home/u/.ssh/id",	 "/home/u/notes",
    "/home/u/work/a/x",	 "/home/u/work/b",
    "/home/u/work/.env", "/lib64/ld.so",
    "/proc/self@",	 "/proc/1/environ",
    "/run/docker.sock!", "/srv/in/one",
    "/srv/link@",	 "/usr/bin/git",
    "/usr/bin/python3@", "/usr/bin/python3.11",
    "/usr/bin/ssh",	 "/w/.git/hooks/pre",
    "/w/.git/config",	 "/w/src/main.c",
    "/w/src/deep/x.key", "/w/one.key",
    "/w/readme",	 NULL,
};

struct planned {
	struct builder b;
	struct plan plan;
	const char *const *tree;
};

static const char *const interpreters[] = {"/lib64/ld.so"};

static inline void plan_with(struct planned *p, const struct features *features, size_t limit)
{
	struct plan_view view = fixture_view(&p->tree);
	struct plan_options options = {
	    .interpreters = interpreters, .interpreter_count = 1, .carve_limit = limit};
	if (!p->tree)
		p->tree = default_tree;
	builder_open(&p->b);
	ck_assert_int_eq(plan_build(&p->b.scope, features, &view, &options, &p->plan), 0);
}

static inline struct planned start(void)
{
	return (struct planned){.b = builder_new()};
}

static inline void plan(struct planned *p)
{
	plan_with(p, &fixture_features, 0);
}

static inline void done(struct planned *p)
{
	plan_free(&p->plan);
	builder_free(&p->b);
}

static inline bool in_wall(const struct planned *p, const char *path, uint32_t rights)
{
	return plan_in_wall(&p->plan, path, strlen(path), rights);
}

/* Of a few names, so that rules meet; with pattern also of wildcards. Valid until the next call. */
static inline const char *random_path(unsigned int *seed, bool pattern)
{
	static const char *const names[] = {"a", "b", "c", "a*", "?", "**", "[ab]"};
	static char text[128];
	size_t used = 0;
	unsigned int depth = 1 + (unsigned int)rand_r(seed) % 4;
	for (unsigned int i = 0; i < depth; i++) {
		bool last = i + 1 == depth;
		unsigned int pick = (unsigned int)rand_r(seed) % (pattern ? 7 : 3);
		if (last && pick == 5)
			pick = 0;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "/%s", names[pick]);
	}
	return text;
}

/* Every path of up to four of these names; code is below PLANNED_PATHS. */
#define PLANNED_PATHS (4 * 5 * 5 * 5)

static inline void planned_path(unsigned int code, char path[64])
{
	const char *const names = "abcd";
	unsigned int rest = code / 4, used = 2;

	sprintf(path, "/%c", names[code % 4]);
	for (; rest; rest /= 5) {
		if (rest % 5)
			used += (unsigned int)sprintf(path + used, "/%c", names[rest % 5 - 1]);
	}
}

#endif
