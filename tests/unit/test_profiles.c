// SPDX-License-Identifier: Apache-2.0
/*
 * Every built-in profile compiles, by itself and included by a small manifest, and its own tests
 * hold by decide(): as the paths are spelled, and as they resolve on this machine. Runs from the
 * top of the tree.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/model.h"
#include "policy/compile/query.h"

static const char *const PROFILES[] = {"base", "git", "node", "python", "shell"};
#define PROFILE_COUNT ((int)(sizeof(PROFILES) / sizeof(*PROFILES)))

static struct compile_options options(bool resolve)
{
	return (struct compile_options){.workspace = "/w",
					.home = "/home/u",
					.user = "u",
					.uid = "1000",
					.tmp = "/tmp/remit",
					.profile_dir = "policy/profiles",
					.profile = true,
					.resolve = resolve};
}

/* The image of a model, opened. */
static void *open_image(const struct model *model, const struct compile_options *with,
			struct scope *scope)
{
	uint8_t digest[SCOPE_DIGEST_SIZE];
	const char *why = NULL;
	void *image = NULL;
	size_t size, len;
	char *text;

	ck_assert_int_eq(canonical_text(model, with, &text, &len), 0);
	canonical_digest(text, len, digest);
	free(text);
	ck_assert_int_eq(image_build(model, digest, &image, &size), 0);
	ck_assert_msg(scope_open(scope, image, size, &why) == 0, "%s", why);
	return image;
}

static void run_tests(const struct model *model, const struct scope *scope, bool follow)
{
	for (size_t i = 0; i < model->test_count; i++) {
		const struct model_test *test = &model->tests[i];
		struct parsed_query parsed;
		struct decision decision;
		const char *why = "";

		ck_assert_msg(query_parse(test->query, "/w", follow, &parsed, &why) == 0, "%s: %s",
			      test->query, why);
		decision = decide(scope, &parsed.query);
		ck_assert_msg((decision.verdict == VERDICT_ALLOWED) == test->allow,
			      "%s:%u: %s is %s", test->file, test->line, test->query,
			      test->allow ? "refused" : "allowed");
	}
}

static void check_profile(const char *name, bool resolve)
{
	struct compile_options with = options(resolve);
	struct diagnostics diagnostics = {0};
	struct model model;
	struct scope scope;
	char path[128];
	void *image;

	snprintf(path, sizeof(path), "policy/profiles/%s.yaml", name);
	if (manifest_read_file(path, &with, &model, &diagnostics))
		diagnostics_print(&diagnostics, stderr, false);
	ck_assert_uint_eq(diagnostics.errors, 0);
	ck_assert_uint_eq(diagnostics.warnings, 0);
	ck_assert_uint_gt(model.test_count, 5);
	image = open_image(&model, &with, &scope);
	run_tests(&model, &scope, resolve);
	free(image);
	model_free(&model);
	diagnostics_free(&diagnostics);
}

START_TEST(as_spelled)
{
	check_profile(PROFILES[_i], false);
}
END_TEST

START_TEST(as_resolved)
{
	check_profile(PROFILES[_i], true);
}
END_TEST

START_TEST(included)
{
	static const char text[] = "remit: 1\n"
				   "agent: {id: a, purpose: b}\n"
				   "include: [base, shell, python, node, git, base]\n"
				   "files: {read: [/etc/shadow]}\n";
	struct compile_options with = options(true);
	struct diagnostics diagnostics = {0};
	struct model model;
	struct scope scope;
	void *image;

	with.profile = false;
	ck_assert_int_eq(
	    manifest_read("m.yaml", text, sizeof(text) - 1, &with, &model, &diagnostics), 0);
	/* A profile's tests are its own: the manifest may grant what base by itself refuses. */
	ck_assert_uint_eq(model.test_count, 0);
	ck_assert_uint_eq(model.files.count, PROFILE_COUNT);
	image = open_image(&model, &with, &scope);
	ck_assert_int_eq(decide_path(&scope, VERB_READ, "/etc/shadow", 11).verdict,
			 VERDICT_ALLOWED);
	free(image);
	model_free(&model);
	diagnostics_free(&diagnostics);
}
END_TEST

/* A loud denial in a profile would take something from every manifest that includes it. */
START_TEST(denials_are_quiet)
{
	struct compile_options with = options(false);
	struct diagnostics diagnostics = {0};
	struct model model;
	char path[128];

	snprintf(path, sizeof(path), "policy/profiles/%s.yaml", PROFILES[_i]);
	ck_assert_int_eq(manifest_read_file(path, &with, &model, &diagnostics), 0);
	for (size_t i = 0; i < model.rule_count; i++)
		ck_assert_msg(!model.rules[i].denial || model.rules[i].quiet, "%s",
			      model.rules[i].id);
	model_free(&model);
	diagnostics_free(&diagnostics);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("profiles");
	TCase *tests = tcase_create("profiles");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, as_spelled, 0, PROFILE_COUNT);
	tcase_add_loop_test(tests, as_resolved, 0, PROFILE_COUNT);
	tcase_add_loop_test(tests, denials_are_quiet, 0, PROFILE_COUNT);
	tcase_add_test(tests, included);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
