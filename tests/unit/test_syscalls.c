/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The syscall table: sorted, complete against the installed headers, and every refusal named. The
 * numbers are those of x86-64, the names everybody's: what other 64-bit machines have (arm64 and
 * the generic table) has a row of its name here, and so the same treatment.
 */
#include <check.h>
#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
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

static const struct syscall_row *row_named(const char *name)
{
	for (size_t i = 0; i < syscall_table_size; i++) {
		if (!strcmp(syscall_table[i].name, name))
			return &syscall_table[i];
	}
	return NULL;
}

START_TEST(names_are_used_once)
{
	for (size_t i = 0; i < syscall_table_size; i++)
		ck_assert_ptr_eq(row_named(syscall_table[i].name), &syscall_table[i]);
}
END_TEST

/* libseccomp has the tables of every machine, from another hand than the headers. */
static int compare_with_machine(uint32_t machine, bool same_numbers)
{
	int seen = 0;
	for (int nr = 0; nr < 1024; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(machine, nr);
		if (!name)
			continue;
		const struct syscall_row *row = row_named(name);
		ck_assert_msg(row != NULL, "no row for %s", name);
		if (same_numbers)
			ck_assert_msg(row->nr == nr, "%s is %d, not %d", name, nr, row->nr);
		free(name);
		seen++;
	}
	return seen;
}

START_TEST(every_call_of_both_machines_has_a_row)
{
	ck_assert_int_gt(compare_with_machine(SCMP_ARCH_X86_64, true), 300);
	ck_assert_int_gt(compare_with_machine(SCMP_ARCH_AARCH64, false), 250);
}
END_TEST

/* True while the lines read are for machines of 32 bits. Conditions nest at most DEPTH deep. */
#define DEPTH 8
struct condition {
	bool wide, narrow;
};

static bool is_narrow(struct condition *stack, size_t *depth, const char *line)
{
	bool narrow = false;
	if (!strncmp(line, "#if", 3) && *depth < DEPTH)
		stack[(*depth)++] =
		    (struct condition){.wide = strstr(line, "__BITS_PER_LONG == 64") != NULL,
				       .narrow = strstr(line, "__BITS_PER_LONG == 32") != NULL};
	else if (!strncmp(line, "#else", 5) && *depth)
		stack[*depth - 1].narrow = stack[*depth - 1].wide;
	else if (!strncmp(line, "#endif", 6) && *depth)
		(*depth)--;
	for (size_t i = 0; i < *depth; i++)
		narrow |= stack[i].narrow;
	return narrow;
}

/* A call of two widths is first __NR3264_NAME, and below it is said which name it has here. */
START_TEST(every_generic_call_has_a_row)
{
	FILE *header = fopen("/usr/include/asm-generic/unistd.h", "re");
	struct condition stack[DEPTH];
	char line[512], name[128];
	size_t depth = 0;
	int seen = 0;
	ck_assert_msg(header != NULL, "no asm-generic/unistd.h to compare with");
	while (fgets(line, sizeof(line), header)) {
		if (is_narrow(stack, &depth, line) || sscanf(line, "#define __NR_%127s", name) != 1)
			continue;
		/* The table's own marks, and a spelling that no 64-bit machine asks for. */
		if (!strcmp(name, "syscalls") || !strcmp(name, "arch_specific_syscall") ||
		    !strcmp(name, "sync_file_range2"))
			continue;
		ck_assert_msg(row_named(name) != NULL, "no row for %s", name);
		seen++;
	}
	fclose(header);
	ck_assert_int_gt(seen, 250);
}
END_TEST

/* Each row says in a few words why. */
START_TEST(reasons_are_short)
{
	for (size_t i = 0; i < syscall_table_size; i++) {
		const char *why = syscall_table[i].why;
		ck_assert_msg(strlen(why) > 5 && strlen(why) < 80, "%s: %s", syscall_table[i].name,
			      why);
	}
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
	tcase_add_test(cases, names_are_used_once);
	tcase_add_test(cases, every_call_of_both_machines_has_a_row);
	tcase_add_test(cases, every_generic_call_has_a_row);
	tcase_add_test(cases, reasons_are_short);
	tcase_add_test(cases, dangerous_calls_are_not_native);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
