/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder that is listed says of each name what lstat(2) says, or nothing; and a manifest compiles
 * to the same bytes whether its folders may be listed or not.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/compile/listing.h"
#include "policy/compile/model.h"
#include "policy/compile/siblings.h"

#define FILES 120

static char top[64];

static char *place(char out[256], const char *folder, const char *kind, int number)
{
	snprintf(out, 256, "%s/%s/%s%d", top, folder, kind, number);
	return out;
}

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

/* top/in: files, folders and links; top/target: what the links lead to. */
static void make_world(void)
{
	char path[256], target[256];

	strcpy(top, "/tmp/remit-siblings-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(path, sizeof(path), "%s/in", top);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/target", top);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	for (int i = 0; i < FILES; i++) {
		make_file(place(path, "in", "file", i));
		ck_assert_int_eq(mkdir(place(path, "in", "folder", i), 0700), 0);
		make_file(place(target, "target", "file", i));
		ck_assert_int_eq(symlink(target, place(path, "in", "link", i)), 0);
	}
}

static void remove_world(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", top);
	ck_assert_int_eq(system(command), 0);
}

static size_t asked(struct siblings *siblings, const char *kind, uint8_t type)
{
	char path[256];
	size_t known = 0;

	for (int i = 0; i < FILES; i++) {
		place(path, "in", kind, i);
		uint8_t got = siblings_type(siblings, path, strlen(path));
		ck_assert(got == DT_UNKNOWN || got == type);
		known += got == type;
	}
	return known;
}

START_TEST(types_are_lstats)
{
	struct siblings *siblings = siblings_new();
	const char *kinds[] = {"file", "folder", "link"};
	const uint8_t types[] = {DT_REG, DT_DIR, DT_LNK};
	size_t known = 0;

	ck_assert_ptr_nonnull(siblings);
	for (int i = 0; i < 3; i++)
		asked(siblings, kinds[i], types[i]);
	for (int i = 0; i < 3; i++)
		known += asked(siblings, kinds[i], types[i]);
	/* Some file systems tell no types. */
	ck_assert(known == 0 || known == 3 * FILES);
	ck_assert_uint_eq(asked(siblings, "absent", DT_UNKNOWN), FILES);
	siblings_free(siblings);
}
END_TEST

START_TEST(few_names_list_nothing)
{
	struct siblings *siblings = siblings_new();
	char path[256];

	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 4; i++)
			ck_assert_uint_eq(
			    siblings_type(siblings, place(path, "in", "file", i), strlen(path)),
			    DT_UNKNOWN);
	siblings_free(siblings);
}
END_TEST

START_TEST(folders_take_turns)
{
	struct siblings *siblings = siblings_new();
	char path[256];

	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < FILES; i++) {
			snprintf(path, sizeof(path), "%s/in/folder%d/x", top, i);
			ck_assert_uint_eq(siblings_type(siblings, path, strlen(path)), DT_UNKNOWN);
		}
		asked(siblings, "file", DT_REG);
	}
	ck_assert_uint_eq(siblings_type(siblings, "/", 1), DT_UNKNOWN);
	ck_assert_uint_eq(siblings_type(NULL, "/etc/passwd", 11), DT_UNKNOWN);
	siblings_free(siblings);
}
END_TEST

static char *manifest_text(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	fputs("remit: 1\nagent: {id: t, purpose: t}\nfiles:\n  read:\n", stream);
	for (int i = 0; i < FILES; i++)
		fprintf(stream,
			"    - %s/in/file%d\n    - %s/in/folder%d/below\n    - %s/in/gone%d\n", top,
			i, top, i, top, i);
	fprintf(stream, "  write: [%s/target]\n  deny:\n", top);
	for (int i = 0; i < FILES; i++)
		fprintf(stream, "    - %s/in/link%d\n", top, i);
	fclose(stream);
	return text;
}

static void compile(const char *text, bool list_folders, void **image, size_t *size,
		    bool *ret_denied)
{
	struct siblings *siblings = list_folders ? siblings_new() : NULL;
	const struct compile_options options = {
	    .workspace = "/", .resolve = true, .siblings = siblings};
	uint8_t digest[SCOPE_DIGEST_SIZE] = {0};
	struct diagnostics diagnostics = {0};
	struct model model = {0};
	char target[256];

	ck_assert_int_eq(
	    manifest_read("t.yaml", text, strlen(text), &options, &model, &diagnostics), 0);
	/* Each denial is spelled through its link. */
	*ret_denied = true;
	for (size_t i = 0, n = 0; i < model.rule_count; i++) {
		const struct model_rule *rule = &model.rules[i];
		if (rule->section != SECTION_FILES_DENY)
			continue;
		place(target, "target", "file", (int)n++);
		*ret_denied = *ret_denied && rule->spellings.count == 1 &&
			      !strcmp(rule->spellings.items[0], target);
	}
	ck_assert_int_eq(image_build(&model, digest, image, size), 0);
	model_free(&model);
	siblings_free(siblings);
	diagnostics_free(&diagnostics);
}

/* A folder is listed once; others take its turn when there are too many; what is none has no list.
 */
START_TEST(listings_are_kept)
{
	struct siblings *siblings = siblings_new();
	char path[256], file[256];
	const struct listing *first;

	snprintf(path, sizeof(path), "%s/in", top);
	first = siblings_listing(siblings, path);
	ck_assert_ptr_nonnull(first);
	ck_assert_uint_eq(first->count, 3 * FILES);
	make_file(place(file, "in", "late", 0));
	ck_assert_ptr_eq(siblings_listing(siblings, path), first);
	ck_assert_uint_eq(first->count, 3 * FILES);
	for (int i = 0; i < 20; i++)
		ck_assert_ptr_nonnull(siblings_listing(siblings, place(file, "in", "folder", i)));
	ck_assert_uint_eq(siblings_listing(siblings, path)->count, 3 * FILES + 1);
	ck_assert_ptr_null(siblings_listing(siblings, place(file, "in", "file", 0)));
	ck_assert_ptr_null(siblings_listing(siblings, place(file, "in", "link", 0)));
	ck_assert_ptr_null(siblings_listing(siblings, place(file, "in", "absent", 0)));
	ck_assert_ptr_null(siblings_listing(NULL, path));
	siblings_free(siblings);
}
END_TEST

START_TEST(listing_changes_no_scope)
{
	char *text = manifest_text();
	void *images[2];
	size_t sizes[2];
	bool denied;

	for (int i = 0; i < 2; i++) {
		compile(text, i == 1, &images[i], &sizes[i], &denied);
		ck_assert(denied);
	}
	ck_assert_uint_eq(sizes[0], sizes[1]);
	ck_assert_mem_eq(images[0], images[1], sizes[0]);
	free(images[0]);
	free(images[1]);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("siblings");
	TCase *cases = tcase_create("siblings");

	tcase_add_checked_fixture(cases, make_world, remove_world);
	tcase_add_test(cases, types_are_lstats);
	tcase_add_test(cases, few_names_list_nothing);
	tcase_add_test(cases, folders_take_turns);
	tcase_add_test(cases, listings_are_kept);
	tcase_add_test(cases, listing_changes_no_scope);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
