/* SPDX-License-Identifier: Apache-2.0 */
/* Uses of rules: what the shims' memory may cost, what a hostile writer may do to it, and that
 * neither loses nor invents a use. */
#include <check.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/broker/record.h"
#include "shim/broker/usage.h"
#include "shim/common/protocol.h"
#include "tests/unit/model_builder.h"

#define MANY 20000

static struct builder scope_of(unsigned int rules)
{
	struct builder b = builder_new();
	char text[32];

	for (unsigned int i = 0; i < rules; i++) {
		snprintf(text, sizeof(text), "/r/%05u", i);
		builder_rule(&b, SECTION_FILES_READ, text);
	}
	builder_open(&b);
	return b;
}

static struct usage *counters(const struct builder *b)
{
	struct usage *usage = NULL;

	ck_assert_int_eq(usage_create(&b->scope, true, &usage), 0);
	return usage;
}

static uint64_t *mapped(const struct usage *usage, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, usage_fd(usage), 0);

	ck_assert_ptr_ne(memory, MAP_FAILED);
	return memory;
}

static struct usage_totals totals_of(struct usage *usage)
{
	struct usage_totals totals;

	usage_read(usage);
	usage_totals(usage, &totals);
	return totals;
}

START_TEST(both_sides_are_summed)
{
	struct builder b = scope_of(4);
	struct usage *usage = counters(&b);
	uint64_t *shared = mapped(usage, USAGE_SIZE(4));

	usage_count(usage, 0);
	usage_count(usage, 0);
	usage_count(usage, RULE_NONE);
	usage_count(usage, 4);
	usage_count(NULL, 0);
	shared[USAGE_UNKNOWN + 1] = 7;
	shared[VERB_READ] = 3;
	struct usage_totals totals = totals_of(usage);

	ck_assert_uint_eq(totals.rules, 4);
	ck_assert_uint_eq(totals.used, 2);
	ck_assert_uint_eq(totals.unknown, 3);
	ck_assert(totals.shims);
	usage_free(usage);
	builder_free(&b);
}
END_TEST

START_TEST(the_size_is_sealed)
{
	struct builder b = scope_of(4);
	struct usage *usage = counters(&b);
	int fd = usage_fd(usage);

	ck_assert_int_ne(ftruncate(fd, 0), 0);
	ck_assert_int_ne(ftruncate(fd, 1 << 20), 0);
	ck_assert_int_ne(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	usage_free(usage);
	builder_free(&b);
}
END_TEST

START_TEST(a_lie_stays_within_bounds)
{
	struct builder b = scope_of(300);
	struct usage *usage = counters(&b);
	uint64_t *shared = mapped(usage, USAGE_SIZE(300));
	char name[] = "/tmp/remit-usage-XXXXXX", text[1 << 17];
	int fd = mkstemp(name), again = open(name, O_RDONLY);
	struct records *records;

	unlink(name);
	memset(shared, 0xff, USAGE_SIZE(300));
	struct usage_totals totals = totals_of(usage);

	ck_assert_uint_eq(totals.used, 300);
	ck_assert_uint_eq(totals.unknown, (1ULL << 53) - 1);
	ck_assert_int_eq(records_open(fd, "s-1", &b.scope, &records), 0);
	ck_assert_int_eq(usage_record(usage, records), 0);
	ck_assert(!records_broken(records));
	ssize_t n = read(again, text, sizeof(text) - 1);

	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "\"broker\":0,\"shim\":9007199254740991}"));
	ck_assert_ptr_null(strstr(text, "unused"));
	records_close(records);
	close(again);
	usage_free(usage);
	builder_free(&b);
}
END_TEST

START_TEST(memory_grows_with_use_not_with_rules)
{
	struct builder b = scope_of(MANY);
	struct usage *usage = counters(&b);
	uint64_t *shared = mapped(usage, USAGE_SIZE(MANY));
	struct stat info;

	ck_assert_int_eq(fstat(usage_fd(usage), &info), 0);
	ck_assert_int_eq(info.st_blocks, 0);
	shared[USAGE_UNKNOWN + MANY - 1]++;
	ck_assert_int_eq(fstat(usage_fd(usage), &info), 0);
	ck_assert_int_le(info.st_blocks * 512, 2 * 4096);
	ck_assert_uint_eq(totals_of(usage).used, 1);
	usage_free(usage);
	builder_free(&b);
}
END_TEST

START_TEST(without_sealed_memory_the_gate_counts_alone)
{
	struct builder b = scope_of(2);
	struct usage *usage = NULL;

	ck_assert_int_eq(usage_create(&b.scope, false, &usage), 0);
	ck_assert_int_eq(usage_fd(usage), -1);
	usage_count(usage, 1);
	struct usage_totals totals = totals_of(usage);

	ck_assert_uint_eq(totals.used, 1);
	ck_assert(!totals.shims);
	usage_free(usage);
	builder_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("usage");
	TCase *usage = tcase_create("usage");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(usage, both_sides_are_summed);
	tcase_add_test(usage, the_size_is_sealed);
	tcase_add_test(usage, a_lie_stays_within_bounds);
	tcase_add_test(usage, memory_grows_with_use_not_with_rules);
	tcase_add_test(usage, without_sealed_memory_the_gate_counts_alone);
	suite_add_tcase(suite, usage);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
