/* SPDX-License-Identifier: Apache-2.0 */
/* Links that grants name, followed by text; and no others. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/compile/model.h"
#include "policy/core/path.h"
#include "shim/broker/links.h"

static char top[64];
static struct model model;
static struct scope scope;
static void *image;
static struct links *links;

static const char *in(const char *name)
{
	static char paths[8][256];
	static unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, 256, "%s/%s", top, name);
	return path;
}

/* The first link is the operator's, the second the agent's. */
static void make_world(void)
{
	strcpy(top, "/tmp/remit-links-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	ck_assert_int_eq(mkdir(in("real"), 0700), 0);
	ck_assert_int_eq(mkdir(in("real/deep"), 0700), 0);
	ck_assert_int_eq(mkdir(in("theirs"), 0700), 0);
	ck_assert_int_eq(symlink("real", in("link")), 0);
	ck_assert_int_eq(symlink("../real", in("theirs/link")), 0);
	ck_assert_int_eq(symlink("/", in("everything")), 0);
}

static void take(const char *rules)
{
	struct compile_options options = {.workspace = top, .resolve = true};
	struct diagnostics diagnostics = {0};
	uint8_t digest[SCOPE_DIGEST_SIZE] = {0};
	char text[1024];
	size_t size;

	snprintf(text, sizeof(text), "remit: 1\nagent: {id: a, purpose: p}\nfiles: {%s}\n", rules);
	ck_assert_int_eq(manifest_read("test", text, strlen(text), &options, &model, &diagnostics),
			 0);
	diagnostics_free(&diagnostics);
	ck_assert_int_eq(image_build(&model, digest, &image, &size), 0);
	ck_assert_int_eq(scope_open(&scope, image, size, NULL), 0);
	links = links_take(&scope);
	ck_assert_ptr_nonnull(links);
}

static void drop(void)
{
	char command[128];

	links_free(links);
	model_free(&model);
	free(image);
	snprintf(command, sizeof(command), "rm -rf %s", top);
	ck_assert_int_eq(system(command), 0);
}

/* What the name is with its link followed; "" when there is none in it. */
static const char *followed(const char *name)
{
	static char out[PATH_TEXT_MAX];

	out[0] = '\0';
	size_t len = links_follow(links, name, strlen(name), out);

	ck_assert_uint_eq(len, strlen(out));
	return out;
}

START_TEST(granted_links)
{
	take("read: [./link, ./link/deep, ./everything], deny: [./real/secret]");
	ck_assert_str_eq(followed(in("link/a")), in("real/a"));
	ck_assert_str_eq(followed(in("link")), in("real"));
	ck_assert_str_eq(followed(in("link/deep/a")), in("real/deep/a"));
	ck_assert_str_eq(followed(in("linked/a")), "");
	ck_assert_str_eq(followed(in("real/a")), "");
	ck_assert_str_eq(followed(in("everything/a")), "");
	drop();
}
END_TEST

START_TEST(no_link_of_the_agent_s)
{
	take("write: [./theirs], read: [./theirs/link], deny: [./link]");
	ck_assert_str_eq(followed(in("theirs/link/a")), "");
	ck_assert_str_eq(followed(in("link/a")), "");
	drop();
}
END_TEST

START_TEST(names_that_get_too_long)
{
	char name[PATH_TEXT_MAX];

	take("read: [./link]");
	snprintf(name, sizeof(name), "%s/", in("link"));
	size_t len = strlen(name);

	memset(name + len, 'x', sizeof(name) - 1 - len);
	name[sizeof(name) - 1] = '\0';
	ck_assert_uint_eq(strlen(followed(name)), strlen(name));
	ck_assert_int_eq(unlink(in("link")), 0);
	ck_assert_int_eq(mkdir(in("a-much-longer-name"), 0700), 0);
	ck_assert_int_eq(symlink("a-much-longer-name", in("link")), 0);
	links_free(links);
	model_free(&model);
	free(image);
	take("read: [./link]");
	ck_assert_str_eq(followed(name), "");
	drop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("links");
	TCase *tests = tcase_create("links");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, make_world, NULL);
	tcase_add_test(tests, granted_links);
	tcase_add_test(tests, no_link_of_the_agent_s);
	tcase_add_test(tests, names_that_get_too_long);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
