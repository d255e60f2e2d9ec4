/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random scopes, held against an evaluator that looks at every rule in turn and knows no tree, no
 * hash and no lane: the decision itself, the promise of the wall's lane, safe moves, and what lies
 * beneath a folder.
 */
#include <check.h>

#include "tests/unit/model_builder.h"

static const char *const parts[] = {"a", "b", "ab", "c"};
static const char *const wild[] = {"a", "b", "ab", "*", "**", "a*", "?", "[ab]"};

static void random_path(char *out, const char *const *choice, int choices, int most)
{
	int n = 1 + rand() % most;

	out[0] = '\0';
	for (int i = 0; i < n; i++) {
		strcat(out, "/");
		strcat(out, choice[rand() % choices]);
	}
}

static struct builder random_scope(void)
{
	static const enum rule_section sections[] = {
	    SECTION_FILES_READ, SECTION_FILES_WRITE,	  SECTION_FILES_WRITE, SECTION_FILES_DENY,
	    SECTION_FILES_DENY, SECTION_FILES_DENY_WRITE, SECTION_EXEC_ALLOW,  SECTION_EXEC_DENY};
	struct builder b = builder_new();
	int n = 1 + rand() % 8;

	for (int i = 0; i < n; i++) {
		char path[128];
		random_path(path, rand() % 2 ? wild : parts, 4, 4);
		if (rand() % 3 == 0)
			random_path(path, wild, 8, 4);
		struct model_rule *rule = builder_rule(&b, sections[rand() % 8], path);
		if (rule->denial && rand() % 2) {
			random_path(path, wild, 8, 4);
			builder_except(rule, path);
		}
	}
	builder_open(&b);
	return b;
}

static bool text_covers(const char *text, bool pattern, const char *path)
{
	size_t len = strlen(path);

	return pattern ? path_matches(text, strlen(text), path, len)
		       : path_within(path, len, text, strlen(text));
}

static bool rule_covers(const struct model_rule *rule, uint32_t right, const char *path)
{
	if (!(rule->rights & right) || !text_covers(rule->text, rule->pattern, path))
		return false;
	for (size_t i = 0; i < rule->excepts.count; i++) {
		if (text_covers(rule->excepts.items[i], true, path))
			return false;
	}
	return true;
}

static bool naive_allows(const struct builder *b, enum verb verb, const char *path)
{
	static const uint32_t rights[] = {RIGHT_READ, RIGHT_WRITE, RIGHT_EXEC};
	bool granted = false;

	for (size_t i = 0; i < b->model.rule_count; i++) {
		const struct model_rule *rule = &b->model.rules[i];
		if (!rule_covers(rule, rights[verb], path))
			continue;
		if (rule->denial)
			return false;
		granted = true;
	}
	return granted;
}

START_TEST(test_random_decisions)
{
	int allowed = 0, refused = 0;

	srand(17);
	for (int round = 0; round < 4000; round++) {
		struct builder b = random_scope();
		for (int i = 0; i < 60; i++) {
			char path[128];
			enum verb verb = (enum verb)(rand() % 3);
			random_path(path, parts, 4, 6);
			bool ours = builder_decide(&b, verb, path).verdict;
			ck_assert_msg(ours == naive_allows(&b, verb, path), "round %d: %s %s",
				      round, verb_name(verb), path);
			*(ours ? &allowed : &refused) += 1;
		}
		builder_free(&b);
	}
	/* The generator must not have become one-sided. */
	ck_assert_int_gt(allowed, 20000);
	ck_assert_int_gt(refused, 20000);
}
END_TEST

/* An object in the wall's lane must have nothing denied beneath the grant that gives it. */
START_TEST(test_random_lanes)
{
	int walls = 0;

	srand(19);
	for (int round = 0; round < 4000; round++) {
		struct builder b = random_scope();
		for (int i = 0; i < 30; i++) {
			char path[128], below[300], rest[128];
			enum verb verb = (enum verb)(rand() % 3);
			random_path(path, parts, 4, 4);
			struct decision d = builder_decide(&b, verb, path);
			if (d.lane != LANE_WALL)
				continue;
			walls++;
			random_path(rest, parts, 4, 3);
			snprintf(below, sizeof(below), "%s%s", path, rest);
			ck_assert_msg(naive_allows(&b, verb, below), "round %d: %s %s", round,
				      verb_name(verb), below);
		}
		builder_free(&b);
	}
	ck_assert_int_gt(walls, 2000);
}
END_TEST

START_TEST(test_random_moves)
{
	int safe = 0, unsafe = 0;

	srand(23);
	for (int round = 0; round < 4000; round++) {
		struct builder b = random_scope();
		for (int i = 0; i < 10; i++) {
			char from[128], to[128];
			random_path(from, parts, 4, 3);
			random_path(to, parts, 4, 3);
			bool moves =
			    decide_moves_safely(&b.scope, from, strlen(from), to, strlen(to));
			*(moves ? &safe : &unsafe) += 1;
			for (int k = 0; moves && k < 40; k++) {
				char rest[128] = "", before[300], after[300];
				enum verb verb = (enum verb)(rand() % 3);
				if (k)
					random_path(rest, parts, 4, 4);
				snprintf(before, sizeof(before), "%s%s", from, rest);
				snprintf(after, sizeof(after), "%s%s", to, rest);
				ck_assert_msg(!naive_allows(&b, verb, after) ||
						  naive_allows(&b, verb, before),
					      "round %d: %s as %s wins %s", round, before, after,
					      verb_name(verb));
			}
		}
		builder_free(&b);
	}
	ck_assert_int_gt(safe, 4000);
	ck_assert_int_gt(unsafe, 4000);
}
END_TEST

START_TEST(test_random_beneath)
{
	srand(29);
	for (int round = 0; round < 4000; round++) {
		struct builder b = random_scope();
		char path[128], rest[128], below[300];
		random_path(path, parts, 4, 3);
		uint32_t beneath = decide_beneath(&b.scope, path, strlen(path));
		for (int k = 0; k < 40; k++) {
			enum verb verb = (enum verb)(rand() % 3);
			random_path(rest, parts, 4, 3);
			snprintf(below, sizeof(below), "%s%s", path, rest);
			bool here = naive_allows(&b, verb, path);
			bool there = naive_allows(&b, verb, below);
			/* An exception within a denial of the folder itself is no grant beneath. */
			if (here && !there)
				ck_assert_msg(beneath & BENEATH_DENIAL, "round %d: %s", round,
					      below);
			if (!here && there)
				ck_assert_msg(beneath ||
						  builder_decide(&b, verb, path).rule != RULE_NONE,
					      "round %d: %s", round, below);
		}
		builder_free(&b);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("decide_random");
	TCase *tests = tcase_create("decide_random");
	SRunner *runner;

	tcase_set_timeout(tests, 300);
	tcase_add_test(tests, test_random_decisions);
	tcase_add_test(tests, test_random_lanes);
	tcase_add_test(tests, test_random_moves);
	tcase_add_test(tests, test_random_beneath);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
