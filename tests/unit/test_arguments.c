// SPDX-License-Identifier: Apache-2.0
/* Patterns of arguments, as they are read and as they match; and what decide() makes of them. */
#include <check.h>

#include "policy/compile/arguments.h"
#include "policy/compile/variables.h"
#include "policy/core/arguments.h"
#include "tests/unit/model_builder.h"

static const struct {
	const char *pattern, *args; /* of the manifest; of a query */
	bool match;
} cases[] = {
    {"", "", true},
    {"", "a", false},
    {"", "\"\"", false},
    {"\"\"", "\"\"", true},
    {"\"\"", "", false},
    {"status", "status", true},
    {"status", "status x", false},
    {"status", "stat", false},
    {"**", "", true},
    {"**", "a b c", true},
    {"log **", "log", true},
    {"log **", "log -p x", true},
    {"log **", "-p log", false},
    {"** -x **", "a -x b", true},
    {"** -x **", "-x", true},
    {"** -x **", "a b", false},
    {"** a ** b", "a a b a b", true},
    {"** a ** b", "a a b a", false},
    {"** a b", "a c a b", true},
    {"** **", "", true},
    {"*", "a/b", true},
    {"*", "\"a b\"", true},
    {"*", "\"\"", true},
    {"*", "", false},
    {"--out=*", "--out=/x/y", true},
    {"[ab]?", "bz", true},
    {"\\*\\*", "**", true},
    {"\\*\\*", "x", false},
    {"\"a b\" c", "\"a b\" c", true},
    {"\"a b\" c", "a b c", false},
};

START_TEST(test_match)
{
	struct compile_options options = {0};
	struct variable_fault fault;
	const char *why = "";
	char block[256], *pattern;
	size_t len;

	ck_assert_int_eq(arguments_pattern(cases[_i].pattern, &options, &pattern, &fault, &why), 0);
	ck_assert_int_eq(arguments_block(cases[_i].args, block, sizeof(block), &len, &why), 0);
	ck_assert_msg(arguments_match(pattern, strlen(pattern), block, len) == cases[_i].match,
		      "\"%s\" against \"%s\"", cases[_i].pattern, cases[_i].args);
	free(pattern);
}
END_TEST

START_TEST(test_literal)
{
	static const char *const words[] = {"", "*", "**", "a b", "[x]", "\"\"", "\\", "a\"b"};
	const char *why = "";

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		char *pattern = arguments_literal(words[i]);

		ck_assert(
		    arguments_match(pattern, strlen(pattern), words[i], strlen(words[i]) + 1));
		ck_assert(!arguments_match(pattern, strlen(pattern), "other", 6));
		free(pattern);
	}
	/* A block that does not end is no block. */
	ck_assert(!arguments_match("**", 2, "abc", 3));
	char small[4];
	size_t len;
	ck_assert_int_eq(arguments_block("abcd", small, sizeof(small), &len, &why), -22);
}
END_TEST

static struct decision ask(const struct builder *b, const char *args, size_t len)
{
	struct query query = {.verb = VERB_EXEC,
			      .object = OBJECT_PATH,
			      .text = "/bin/git",
			      .len = 8,
			      .facts = {.args = args, .args_len = len}};

	return decide(&b->scope, &query);
}

START_TEST(test_decide)
{
	struct builder b = builder_new();
	struct model_rule *rule = builder_rule(&b, SECTION_EXEC_ALLOW, "/bin/git");

	rule->conditions = CONDITION_ARGS;
	builder_push(&rule->args, "log **");
	builder_push(&rule->args, "push **");
	rule = builder_rule(&b, SECTION_EXEC_DENY, "/bin");
	rule->conditions = CONDITION_ARGS;
	builder_push(&rule->args, "** --force **");
	builder_open(&b);
	ck_assert_uint_eq(ask(&b, NULL, 0).conditions, CONDITION_ARGS);
	ck_assert_int_eq(ask(&b, "log", 4).verdict, VERDICT_ALLOWED);
	ck_assert_int_eq(ask(&b, "pull", 5).verdict, VERDICT_REFUSED);
	ck_assert_uint_eq(ask(&b, "pull", 5).conditions, 0);
	struct decision d = ask(&b, "push\0--force", 13);
	ck_assert_int_eq(d.verdict, VERDICT_REFUSED);
	struct rule deciding;
	scope_rule(&b.scope, d.rule, &deciding);
	ck_assert(deciding.denial);
	/* To read the program asks for no arguments. */
	ck_assert_int_eq(builder_decide(&b, VERB_READ, "/bin/git").verdict, VERDICT_ALLOWED);
	/* A denial of which nothing is known refuses what is granted without conditions, too. */
	builder_rule(&b, SECTION_EXEC_ALLOW, "/bin");
	builder_open(&b);
	d = ask(&b, NULL, 0);
	ck_assert_int_eq(d.verdict, VERDICT_REFUSED);
	ck_assert_uint_eq(d.conditions, CONDITION_ARGS);
	ck_assert_int_eq(ask(&b, "pull", 5).verdict, VERDICT_ALLOWED);
	builder_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arguments");
	TCase *tests = tcase_create("arguments");

	tcase_add_loop_test(tests, test_match, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(tests, test_literal);
	tcase_add_test(tests, test_decide);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
