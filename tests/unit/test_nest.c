/* SPDX-License-Identifier: Apache-2.0 */
/* What images of inner sessions may hold together is counted before they are there. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "shim/broker/nest.h"

START_TEST(test_reserve)
{
	const size_t half = NEST_MEMORY_MAX / 2;

	ck_assert_int_eq(nest_reserve(half), 0);
	ck_assert_int_eq(nest_reserve(half + 1), -ENOMEM);
	ck_assert_int_eq(nest_reserve(half), 0);
	ck_assert_int_eq(nest_reserve(1), -ENOMEM);
	nest_unreserve(half);
	ck_assert_int_eq(nest_reserve(1), 0);
	nest_unreserve(1);
	nest_unreserve(half);
	ck_assert_int_eq(nest_reserve(NEST_MEMORY_MAX), 0);
	nest_unreserve(NEST_MEMORY_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nest");
	TCase *tests = tcase_create("nest");
	SRunner *runner;

	tcase_add_test(tests, test_reserve);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
