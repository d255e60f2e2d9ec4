/* SPDX-License-Identifier: Apache-2.0 */
/* The gate's table against the filter's: sorted, every call that the filter may notify has a row,
 * and every row a call that the filter may notify. */
#include <check.h>
#include <stdlib.h>

#include "policy/plan/syscalls.h"
#include "shim/broker/broker.h"

static bool may_notify(const struct syscall_row *row)
{
	switch (row->treatment) {
	case TREAT_ALLOW:
	case TREAT_ERRNO:
	case TREAT_NEVER: /* what has no row is refused */
		return false;
	default:
		return true;
	}
}

static const struct gate_row *gate_row_of(int nr)
{
	for (size_t i = 0; i < gate_table_size; i++) {
		if (gate_table[i].nr == nr)
			return &gate_table[i];
	}
	return NULL;
}

START_TEST(rows_are_sorted)
{
	for (size_t i = 1; i < gate_table_size; i++)
		ck_assert_msg(gate_table[i - 1].nr < gate_table[i].nr, "%s before %s",
			      gate_table[i - 1].name, gate_table[i].name);
}
END_TEST

START_TEST(what_is_notified_has_a_row)
{
	for (size_t i = 0; i < syscall_table_size; i++) {
		const struct syscall_row *row = &syscall_table[i];
		const struct gate_row *gate = gate_row_of(row->nr);

		if (may_notify(row)) {
			ck_assert_msg(gate != NULL, "%s is notified, and the gate refuses it",
				      row->name);
			ck_assert_str_eq(gate->name, row->name);
		} else {
			ck_assert_msg(gate == NULL, "%s never reaches the gate", row->name);
		}
	}
}
END_TEST

START_TEST(every_row_is_known_to_the_filter)
{
	for (size_t i = 0; i < gate_table_size; i++)
		ck_assert_msg(syscall_find(gate_table[i].nr) != NULL, "%s", gate_table[i].name);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gate table");
	TCase *cases = tcase_create("gate table");

	tcase_add_test(cases, rows_are_sorted);
	tcase_add_test(cases, what_is_notified_has_a_row);
	tcase_add_test(cases, every_row_is_known_to_the_filter);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
