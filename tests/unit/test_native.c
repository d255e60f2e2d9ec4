/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that go without the gate, where nothing is recorded: only where the wall is all of the
 * scope for them. That the wall holds nothing else is test_plan.c's.
 */
#include <check.h>
#include <stdlib.h>

#include "policy/plan/access.h"
#include "tests/unit/planned.h"

static uint32_t native_of(const struct plan *plan)
{
	uint32_t rights = 0;
	for (enum native i = 0; i < NATIVE_COUNT; i++)
		rights |= plan->native[i].on ? 1U << i : 0;
	return rights; /* as enum right: read, write, exec */
}

/* A grant of each kind, held whole: nothing needs the gate. One thing more, and something does. */
START_TEST(what_the_wall_holds_whole_goes_without_the_gate)
{
	static const struct {
		enum rule_section section;
		const char *text;
		uint32_t native;
	} more[] = {
	    {SECTION_FILES_READ, "/etc/hosts", 7},
	    {SECTION_FILES_WRITE, "/dev/null", 7},
	    {SECTION_FILES_DENY, "/home/u/.ssh", 7}, /* where nothing is granted */
	    {SECTION_FILES_READ, "/etc/absent", RIGHT_EXEC},
	    {SECTION_FILES_READ, "/home/u/*", RIGHT_EXEC},
	    {SECTION_FILES_READ, "/srv/link", RIGHT_EXEC},
	    {SECTION_FILES_READ, "/proc/self", RIGHT_EXEC},
	    {SECTION_FILES_WRITE, "/etc/hosts", RIGHT_READ | RIGHT_EXEC}, /* may be made anew */
	    {SECTION_FILES_WRITE, "/home/u/absent", RIGHT_EXEC},
	    {SECTION_FILES_DENY, "/w/src", RIGHT_EXEC},
	    {SECTION_FILES_DENY, "/w/**/x", RIGHT_EXEC},
	    {SECTION_FILES_DENY_WRITE, "/w/src", RIGHT_READ | RIGHT_EXEC},
	    {SECTION_FILES_DENY_WRITE, "/w/absent", RIGHT_READ | RIGHT_EXEC},
	    {SECTION_EXEC_ALLOW, "/usr/bin/s*", 0},
	    {SECTION_EXEC_ALLOW, "/usr/bin/absent", 0},
	};
	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++) {
		struct planned p = start();
		p.b.model.record = RECORD_NONE;
		builder_rule(&p.b, SECTION_FILES_READ, "/lib64");
		builder_rule(&p.b, SECTION_FILES_WRITE, "/w");
		builder_rule(&p.b, SECTION_EXEC_ALLOW, "/usr/bin/git");
		builder_rule(&p.b, more[i].section, more[i].text);
		plan(&p);
		ck_assert_msg(native_of(&p.plan) == more[i].native, "%s: %#x", more[i].text,
			      native_of(&p.plan));
		done(&p);
	}
}
END_TEST

START_TEST(records_and_older_kernels_keep_the_gate)
{
	static const enum record_mode modes[] = {RECORD_DENIALS, RECORD_ALL, RECORD_STRICT,
						 RECORD_NONE};
	for (size_t i = 0; i < 4; i++) {
		for (int abi = 0; abi <= 7; abi++) {
			struct features features = fixture_features;
			features.landlock_abi = abi;
			struct planned p = start();
			p.b.model.record = modes[i];
			builder_rule(&p.b, SECTION_FILES_WRITE, "/w");
			plan_with(&p, &features, 0);
			ck_assert_int_eq(plan_is_native(&p.plan),
					 modes[i] == RECORD_NONE && abi >= ACCESS_ABI_BOUNDS);
			done(&p);
		}
	}
	struct planned p = start();
	p.b.model.record = RECORD_NONE;
	builder_rule(&p.b, SECTION_FILES_WRITE, "/w");
	builder_unix(&p.b, SECTION_NETWORK_CONNECT, NETWORK_UNIX, "/w/run/s");
	plan(&p);
	ck_assert_uint_eq(native_of(&p.plan), RIGHT_READ | RIGHT_EXEC);
	done(&p);
}
END_TEST

/* Of thousands of files, one each, only the first get rules: the gate opens the others. */
START_TEST(more_files_than_rules_keep_the_gate)
{
	static char names[1000][16];
	static const char *tree[1001];
	for (size_t i = 0; i < 1000; i++) {
		snprintf(names[i], sizeof(names[i]), "/f/%03zu", i);
		tree[i] = names[i];
	}
	for (size_t count = 100; count <= 1000; count += 900) {
		struct planned p = start();
		p.tree = tree;
		p.b.model.record = RECORD_NONE;
		for (size_t i = 0; i < count; i++)
			builder_rule(&p.b, SECTION_FILES_READ, names[i]);
		plan(&p);
		ck_assert_int_eq(p.plan.native[NATIVE_READ].on, count == 100);
		ck_assert(p.plan.native[NATIVE_EXEC].on);
		done(&p);
	}
}
END_TEST

static bool beneath_file(const char *const *tree, const char *path)
{
	char above[64];
	snprintf(above, sizeof(above), "%s", path);
	for (char *slash = strrchr(above, '/'); slash && slash != above;
	     slash = strrchr(above, '/')) {
		*slash = '\0';
		if (fixture_kind(&tree, above) == VIEW_FILE)
			return true;
	}
	return false;
}

/* scope ⊆ wall, where calls go without the gate: whatever is allowed, of the tree or made beside
 * it, the wall holds. */
START_TEST(random_native_calls_lose_nothing)
{
	static const char *const tree[] = {"/a/a/a/", "/a/b/c", "/b/a/", "/c/", "/d", NULL};
	static const enum rule_section sections[] = {
	    SECTION_FILES_READ, SECTION_FILES_WRITE, SECTION_EXEC_ALLOW,
	    SECTION_FILES_READ, SECTION_FILES_DENY,  SECTION_FILES_DENY_WRITE,
	};
	static const enum verb verbs[] = {VERB_READ, VERB_WRITE, VERB_EXEC};
	unsigned int seed = (unsigned int)_i;
	struct planned p = start();
	char path[64];
	p.tree = tree;
	p.b.model.record = RECORD_NONE;
	for (unsigned int n = 0; n < 4; n++)
		builder_rule(&p.b, sections[(unsigned int)rand_r(&seed) % 6],
			     random_path(&seed, rand_r(&seed) % 8 == 0));
	plan(&p);
	for (unsigned int code = 0; code < PLANNED_PATHS; code++) {
		planned_path(code, path);
		for (size_t i = 0; i < 3 && !beneath_file(tree, path); i++) {
			struct decision decision =
			    decide_path(&p.b.scope, verbs[i], path, strlen(path));
			if (p.plan.native[i].on && decision.verdict == VERDICT_ALLOWED)
				ck_assert_msg(in_wall(&p, path, 1U << i), "%s %s",
					      verb_name(verbs[i]), path);
		}
	}
	done(&p);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("native");
	Suite *suite = suite_create("native");
	tcase_add_test(cases, what_the_wall_holds_whole_goes_without_the_gate);
	tcase_add_test(cases, records_and_older_kernels_keep_the_gate);
	tcase_add_test(cases, more_files_than_rules_keep_the_gate);
	tcase_add_loop_test(cases, random_native_calls_lose_nothing, 0, 2000);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
