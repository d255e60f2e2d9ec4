/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session within a session has two filters: the one around it, which alone notifies, and its own,
 * which refuses. What the two let pass is compared with what its plan would let pass by itself, for
 * every row, around every compare, with and without the tags.
 */
#include "policy/plan/syscalls.h"
#include "tests/unit/filter_machine.h"

/* What an inner session's own filter and the one around it make of a call together. */
static uint32_t nested(const struct program *around, const struct program *narrow,
		       const struct seccomp_data *data)
{
	uint32_t own = narrow->count ? run(narrow->code, narrow->count, data) : SECCOMP_RET_ALLOW;
	ck_assert(own == SECCOMP_RET_ALLOW || data->args[TAG_ARGUMENT] == REMIT_TAG);
	return own == SECCOMP_RET_ALLOW ? run(around->code, around->count, data) : own;
}

/* No call that the inner plan would ask the gate about passes the gate by. */
static void compare_nested(const struct program *around, const struct program *narrow,
			   const struct program *inner, const struct filter_row *row)
{
	static uint64_t values[3][SAMPLES];
	static const uint64_t tags[] = {0, REMIT_TAG, REMIT_TAG_GATE};
	size_t count[3];
	for (uint8_t a = 0; a < 3; a++)
		count[a] = samples(row, a, values[a], SAMPLES);
	for (size_t i = 0; i < count[0] * count[1] * 3; i++) {
		size_t first = i / 3 / count[1], second = i / 3 % count[1];
		struct seccomp_data data = {.nr = row->nr, .arch = AUDIT_ARCH_X86_64};
		data.args[0] = values[0][first];
		data.args[1] = values[1][second];
		data.args[2] = values[2][(first + second) % count[2]];
		data.args[TAG_ARGUMENT] = tags[i % 3];
		uint32_t want = run(inner->code, inner->count, &data);
		uint32_t got = nested(around, narrow, &data);
		if (got == SECCOMP_RET_ALLOW && want != SECCOMP_RET_ALLOW)
			ck_abort_msg("%s (%#lx %#lx %#lx) tag %lu passes the gate by", row->name,
				     (long)data.args[0], (long)data.args[1], (long)data.args[2],
				     (long)(i % 3));
	}
}

/* Left to others: signals to its own threads, which Landlock scopes and a strict log misses;
 * addressed sends where no datagram socket can be. */
static bool held_elsewhere(const struct filter_row *row, unsigned int around, unsigned int inner)
{
	enum treatment treatment = syscall_find(row->nr)->treatment;
	if (treatment == TREAT_SIGNAL)
		return !(inner & 1);
	return (treatment == TREAT_SENDS || treatment == TREAT_SENDTO) && (inner & ~around & 16);
}

START_TEST(an_inner_session_passes_no_gate_by)
{
	unsigned int outer = (unsigned int)_i & 1 ? 12 : 15;
	outer |= (unsigned int)_i & 2 ? 16 : 0;
	outer |= (unsigned int)_i & 4 ? 32 : 0;
	struct program around = make(outer);
	for (unsigned int n = 0; n < 16; n++) {
		unsigned int own = 12 | (n & 3) | (n & 12) << 2;
		struct program inner = make(own), narrow = {0};
		/* Such an inner session is not begun: tools/run.c. */
		bool uncounted = own & ~outer & 32;
		ck_assert_int_eq(kernel_narrow_build(&inner.plan, &narrow.code, &narrow.count), 0);
		for (size_t i = 0; i < inner.plan.filter_count && !uncounted; i++) {
			if (!held_elsewhere(&inner.plan.filter[i], outer, own))
				compare_nested(&around, &narrow, &inner, &inner.plan.filter[i]);
		}
		drop(&narrow);
		drop(&inner);
	}
	drop(&around);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("filter of an inner session");
	TCase *cases = tcase_create("nested");
	tcase_set_timeout(cases, 300);
	tcase_add_loop_test(cases, an_inner_session_passes_no_gate_by, 0, 8);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
