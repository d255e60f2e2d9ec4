/* SPDX-License-Identifier: Apache-2.0 */
/* The syscall table: sorted, complete against the installed headers, and every refusal named. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/plan/syscalls.h"

static const char *const headers[] = {
    "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
    "/usr/include/asm/unistd_64.h",
};

START_TEST(sorted_and_named)
{
	for (size_t i = 0; i < syscall_table_size; i++) {
		const struct syscall_row *row = &syscall_table[i];
		ck_assert_msg(!i || syscall_table[i - 1].nr < row->nr, "%s is out of order",
			      row->name);
		ck_assert(row->treatment < TREAT_COUNT);
		ck_assert_msg(row->why[0] != '\0', "%s has no reason", row->name);
		ck_assert_ptr_eq(syscall_find(row->nr), row);
		if (row->treatment == TREAT_ERRNO)
			ck_assert_int_eq(row->value, ENOSYS);
	}
	ck_assert_ptr_null(syscall_find(-1));
	ck_assert_ptr_null(syscall_find(400));
	ck_assert_ptr_null(syscall_find(1023));
}
END_TEST

/* Returns how many calls the header names. */
static int compare_with(FILE *header)
{
	char line[256], name[128];
	int nr, seen = 0;
	while (fgets(line, sizeof(line), header)) {
		if (sscanf(line, "#define __NR_%127s %d", name, &nr) != 2)
			continue;
		const struct syscall_row *row = syscall_find(nr);
		ck_assert_msg(row != NULL, "no row for %s (%d)", name, nr);
		ck_assert_str_eq(row->name, name);
		seen++;
	}
	return seen;
}

START_TEST(every_call_of_the_headers_has_a_row)
{
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		FILE *header = fopen(headers[i], "re");
		if (!header)
			continue;
		int seen = compare_with(header);
		fclose(header);
		ck_assert_int_gt(seen, 300);
		return;
	}
	ck_abort_msg("no asm/unistd_64.h to compare with");
}
END_TEST

/* What must never be native, whatever else changes. */
START_TEST(dangerous_calls_are_not_native)
{
	static const char *const names[] = {
	    "connect",
	    "bind",
	    "listen",
	    "chmod",
	    "fchmodat2",
	    "setxattrat",
	    "mount",
	    "chroot",
	    "setns",
	    "clone3",
	    "bpf",
	    "io_uring_setup",
	    "keyctl",
	    "userfaultfd",
	    "open_by_handle_at",
	    "memfd_create",
	    "perf_event_open",
	    "mq_open",
	    "shmget",
	    "open_tree",
	    "fanotify_init",
	    "kexec_load",
	    "swapon",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct syscall_row *found = NULL;
		for (size_t n = 0; n < syscall_table_size; n++) {
			if (!strcmp(syscall_table[n].name, names[i]))
				found = &syscall_table[n];
		}
		ck_assert_msg(found != NULL, "%s", names[i]);
		ck_assert_msg(found->treatment == TREAT_ERRNO || found->treatment == TREAT_NEVER ||
				  found->treatment == TREAT_OBJECT,
			      "%s", names[i]);
	}
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("syscalls");
	Suite *suite = suite_create("syscalls");
	tcase_add_test(cases, sorted_and_named);
	tcase_add_test(cases, every_call_of_the_headers_has_a_row);
	tcase_add_test(cases, dangerous_calls_are_not_native);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
