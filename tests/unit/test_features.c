/* SPDX-License-Identifier: Apache-2.0 */
/* Features are only ever taken away; losses and layers say what that costs, each for itself. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/plan/layers.h"
#include "policy/plan/losses.h"
#include "tests/unit/plan_fixture.h"

static struct features without(const char *list)
{
	struct features features = fixture_features;
	const char *wrong;
	ck_assert_int_eq(features_without(&features, list, &wrong), 0);
	return features;
}

START_TEST(table_is_sorted_and_complete)
{
	size_t bools = 0;
	for (size_t i = 0; i < feature_table_size; i++) {
		ck_assert(feature_there(&fixture_features, &feature_table[i]));
		ck_assert(!i || strcmp(feature_table[i - 1].name, feature_table[i].name) < 0);
		bools++;
	}
	/* All bools lie between the two numbers. */
	ck_assert_uint_eq(bools, offsetof(struct features, proc_mounted) -
				     offsetof(struct features, seccomp_notify) + 1);
}
END_TEST

START_TEST(each_can_be_taken_away)
{
	for (size_t i = 0; i < feature_table_size; i++) {
		struct features less = without(feature_table[i].name);
		ck_assert(!feature_there(&less, &feature_table[i]));
	}
	ck_assert_int_eq(without("landlock").landlock_abi, 0);
	ck_assert_int_eq(without("landlock=3").landlock_abi, 3);
	ck_assert_int_eq(without("landlock=9").landlock_abi, 7);
	ck_assert_int_eq(without("landlock=2,landlock=5,openat2").landlock_abi, 2);
	ck_assert(!without("landlock=2,openat2").openat2);
	ck_assert_int_eq(without("").landlock_abi, 7);
	struct features yama = without("yama=2");
	ck_assert(yama.yama == 2 && !yama.process_vm && !yama.proc_mem && !yama.pidfd_getfd);
	ck_assert_int_eq(without("yama=2,yama=1").yama, 2);
	ck_assert(without("yama=1").process_vm);
	ck_assert(!without("seccomp-notify").seccomp_addfd_send);
}
END_TEST

START_TEST(wrong_words_are_told)
{
	static const char *const lists[] = {
	    "nonsense", "openat2,nonsense", "landlock=", "landlock=x", "landlock=77",
	    "yama",	",openat2",	    "Openat2",	 "proc ",      "landlock=-1"};
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct features features = fixture_features;
		const char *wrong = NULL;
		ck_assert_int_eq(features_without(&features, lists[i], &wrong), -EINVAL);
		ck_assert_ptr_nonnull(wrong);
	}
}
END_TEST

static struct plan lost(const char *list)
{
	struct features features = without(list);
	struct plan plan = {0};
	ck_assert_int_eq(losses_build(&features, &plan), 0);
	return plan;
}

static void forget(struct plan *plan)
{
	plan_free(plan);
}

/* What is needed is a loss, what is needed to start stops, and speed alone is neither. */
START_TEST(losses_follow_the_table)
{
	for (size_t i = 0; i < feature_table_size; i++) {
		struct plan plan = lost(feature_table[i].name);
		enum feature_need need = feature_table[i].need;
		ck_assert_int_eq(plan.loss_count > 0, need != NEED_SPEED);
		ck_assert_int_eq(plan.impossible != NULL, need == NEED_START);
		forget(&plan);
	}
	struct plan plan = lost("landlock");
	ck_assert(plan.loss_count == 1 && plan.impossible);
	forget(&plan);
	for (int abi = 1; abi < 6; abi++) {
		char list[] = "landlock=N";
		list[9] = (char)('0' + abi);
		plan = lost(list);
		ck_assert_uint_eq(plan.loss_count, (size_t)(6 - abi));
		ck_assert_ptr_null(plan.impossible);
		forget(&plan);
	}
	plan = lost("yama=2");
	ck_assert(plan.loss_count >= 2 && plan.impossible);
	forget(&plan);
	plan = lost("process-vm,proc-mem");
	ck_assert(plan.loss_count == 1 && !plan.impossible);
	forget(&plan);
}
END_TEST

static struct layer_line line_of(const char *list, const char *name)
{
	struct features features = without(list);
	struct layer_line lines[LAYER_LINES];
	struct plan plan = {0};
	ck_assert_int_eq(losses_build(&features, &plan), 0);
	plan.wall.scoped = features.landlock_abi >= 6 ? 3 : 0;
	layers_build(&features, &plan, lines);
	plan_free(&plan);
	for (size_t i = 0; i < LAYER_LINES; i++) {
		if (!strcmp(lines[i].name, name))
			return lines[i];
	}
	ck_abort_msg("no line %s", name);
}

START_TEST(layers_are_what_is_left)
{
	static const struct {
		const char *without, *name;
		unsigned int layers;
		bool full;
	} rows[] = {
	    {"", "tcp", LAYER_WALL | LAYER_GATE, true},
	    {"landlock=3", "tcp", LAYER_GATE, false},
	    {"landlock=4", "tcp", LAYER_WALL | LAYER_GATE, true},
	    {"landlock=5", "signals", LAYER_GATE, false},
	    {"", "signals", LAYER_WALL, true},
	    {"landlock=5", "abstract", LAYER_GATE, false},
	    {"landlock=4", "devices", LAYER_FILTER, false},
	    {"landlock=2", "truncate", LAYER_GATE, false},
	    {"landlock=1", "move", LAYER_WALL | LAYER_GATE, false},
	    {"landlock=2", "move", LAYER_WALL | LAYER_GATE, true},
	    {"landlock=1", "tracing", LAYER_WALL, true},
	    {"process-vm", "programs", LAYER_WALL | LAYER_GATE, true},
	    {"process-vm,proc-mem", "programs", LAYER_WALL, false},
	    {"unshare-fs", "datagrams", LAYER_GATE, false},
	    {"pidfd-getfd", "datagrams", 0, false},
	    {"memfd-noexec", "memfd", LAYER_GATE, false},
	    {"landlock", "files", 0, false},
	    {"openat2", "system", 0, false},
	};
	char text[LAYER_TEXT_MAX];
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct layer_line line = line_of(rows[i].without, rows[i].name);
		ck_assert_msg(line.layers == rows[i].layers, "%s %s", rows[i].without,
			      rows[i].name);
		ck_assert_int_eq(line.layers == line.usual && !line.note, rows[i].full);
	}
	ck_assert_str_eq(layers_text(LAYER_WALL | LAYER_FILTER, text), "wall+filter");
	ck_assert_str_eq(layers_text(0, text), "nothing");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("features");
	TCase *tcase = tcase_create("features");
	tcase_add_test(tcase, table_is_sorted_and_complete);
	tcase_add_test(tcase, each_can_be_taken_away);
	tcase_add_test(tcase, wrong_words_are_told);
	tcase_add_test(tcase, losses_follow_the_table);
	tcase_add_test(tcase, layers_are_what_is_left);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
