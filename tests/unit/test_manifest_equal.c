// SPDX-License-Identifier: Apache-2.0
/*
 * Groups of manifests in tests/table/equal/NAME.group: the first, then others after lines that say
 * whether they must compile to the same digest as the first:
 *
 *   files: {read: [/a]}
 *   === same
 *   files: {read: [/a/]}
 *   === other
 *   files: {read: [/b]}
 *
 * The version and the agent are put before each. What is compiled twice must give the same bytes.
 * Runs from the top of the tree.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/model.h"
#include "tests/unit/case_files.h"

#define HEAD "remit: 1\nagent: {id: a, purpose: b}\n"

static struct case_files groups = {.folder = "tests/table/equal", .suffix = ".group"};

static const struct variable VARIABLES[] = {{"DATA", "/data"}, {"STAR", "/s*r"}};

static const struct compile_options OPTIONS = {
    .workspace = "/w",
    .home = "/home/u",
    .user = "u",
    .uid = "1000",
    .tmp = "/tmp/remit",
    .set = VARIABLES,
    .set_count = 2,
    .profile_dir = "policy/profiles",
};

struct compiled {
	uint8_t digest[SCOPE_DIGEST_SIZE];
	void *image;
	size_t size;
};

static struct compiled compile(const char *group, const char *body, size_t body_len)
{
	size_t len = strlen(HEAD) + body_len, canonical_len;
	struct diagnostics diagnostics = {0};
	struct compiled out = {0};
	char *text = malloc(len + 1), *canonical;
	struct model model;

	ck_assert_ptr_nonnull(text);
	memcpy(text, HEAD, strlen(HEAD));
	memcpy(text + strlen(HEAD), body, body_len);
	text[len] = '\0';
	if (manifest_read(group, text, len, &OPTIONS, &model, &diagnostics))
		diagnostics_print(&diagnostics, stderr, false);
	ck_assert_msg(!diagnostics.errors, "%s does not compile:\n%s", group, text);
	ck_assert_int_eq(canonical_text(&model, &OPTIONS, &canonical, &canonical_len), 0);
	canonical_digest(canonical, canonical_len, out.digest);
	ck_assert_int_eq(image_build(&model, out.digest, &out.image, &out.size), 0);
	free(canonical);
	free(text);
	model_free(&model);
	diagnostics_free(&diagnostics);
	return out;
}

START_TEST(group)
{
	char path[512], *text = case_files_read(&groups, _i, path), *at = text;
	struct compiled first = {0};
	bool same = true;
	unsigned int number = 0;

	for (;; number++) {
		char *mark = strncmp(at, "=== ", 4) ? strstr(at, "\n=== ") : at - 1;
		size_t len = mark ? (size_t)(mark + 1 - at) : strlen(at);
		struct compiled one = compile(path, at, len);
		struct compiled again = compile(path, at, len);
		bool equal;

		ck_assert_uint_eq(one.size, again.size);
		ck_assert_int_eq(memcmp(one.image, again.image, one.size), 0);
		free(again.image);
		if (!number)
			first = one;
		equal = !memcmp(first.digest, one.digest, sizeof(one.digest));
		ck_assert_msg(equal == same, "%s: number %u has %s digest:\n%.*s", path, number,
			      equal ? "the same" : "another", (int)len, at);
		if (number)
			free(one.image);
		if (!mark)
			break;
		same = !strncmp(mark + 1, "=== same\n", 9);
		ck_assert(same || !strncmp(mark + 1, "=== other\n", 10));
		at = strchr(mark + 1, '\n') + 1;
	}
	ck_assert_uint_gt(number, 0);
	free(first.image);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("manifest_equal");
	TCase *tests = tcase_create("equal");
	SRunner *runner;
	int failed;

	if (!case_files_list(&groups, 10))
		return 1;
	tcase_add_loop_test(tests, group, 0, groups.count);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
