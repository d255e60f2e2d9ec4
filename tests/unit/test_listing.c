/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a folder: with the types that lstat(2) says, no more than are asked for. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/compile/listing.h"

#define FILES 300

static char top[] = "/tmp/remit-listing-XXXXXX";
static int folder;

static void make_world(void)
{
	char name[64];

	strcpy(top, "/tmp/remit-listing-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	folder = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(folder, 0);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "file-%d-%s", i, "of the first listing");
		close(openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	}
	ck_assert_int_eq(mkdirat(folder, "folder", 0700), 0);
	ck_assert_int_eq(symlinkat("folder", folder, "link"), 0);
	ck_assert_int_eq(mkfifoat(folder, "pipe", 0600), 0);
}

static void remove_world(void)
{
	char command[128];

	close(folder);
	snprintf(command, sizeof(command), "rm -rf %s", top);
	ck_assert_int_eq(system(command), 0);
}

static uint8_t type_of(const char *name)
{
	struct stat about;

	ck_assert_int_eq(fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW), 0);
	return (uint8_t)IFTODT(about.st_mode);
}

START_TEST(names_are_sorted_and_have_types)
{
	struct listing listing;
	bool typed = listing_types_hold(folder);

	ck_assert_int_eq(listing_read(folder, 10000, &listing), 0);
	ck_assert_uint_eq(listing.count, FILES + 3);
	listing_sort(listing.names, listing.count);
	for (size_t i = 0; i < listing.count; i++) {
		const struct listing_name *name = &listing.names[i];

		ck_assert_uint_eq(name->type, typed ? type_of(name->text) : DT_UNKNOWN);
		if (i > 0)
			ck_assert_int_lt(strcmp(listing.names[i - 1].text, name->text), 0);
	}
	listing_free(&listing);
}
END_TEST

START_TEST(no_more_than_asked_for)
{
	struct listing listing;

	ck_assert_int_eq(listing_read(folder, 20, &listing), 0);
	ck_assert_uint_eq(listing.count, 21);
	listing_free(&listing);
}
END_TEST

START_TEST(what_cannot_be_read_has_no_names)
{
	struct listing listing;
	int file = openat(folder, "pipe", O_PATH | O_CLOEXEC);

	ck_assert_int_eq(listing_read(file, 20, &listing), 0);
	ck_assert_uint_eq(listing.count, 0);
	listing_free(&listing);
	close(file);
}
END_TEST

START_TEST(a_process_s_own_file_system_is_asked)
{
	struct listing listing;
	int proc = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert(!listing_types_hold(proc));
	ck_assert_int_eq(listing_read(proc, 1000, &listing), 0);
	ck_assert_uint_gt(listing.count, 0);
	for (size_t i = 0; i < listing.count; i++)
		ck_assert_uint_eq(listing.names[i].type, DT_UNKNOWN);
	listing_free(&listing);
	close(proc);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("listing");
	TCase *tests = tcase_create("listing");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, make_world, remove_world);
	tcase_add_test(tests, names_are_sorted_and_have_types);
	tcase_add_test(tests, no_more_than_asked_for);
	tcase_add_test(tests, what_cannot_be_read_has_no_names);
	tcase_add_test(tests, a_process_s_own_file_system_is_asked);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
