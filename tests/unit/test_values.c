// SPDX-License-Identifier: Apache-2.0
/* Single values: every accepted form with its meaning, every refused one with its reason. */
#include <check.h>
#include <string.h>

#include "policy/compile/values.h"

static const char *why;

static void size_is(const char *text, uint64_t want)
{
	uint64_t got = 0;

	ck_assert_msg(value_size(text, &got, &why) == 0, "%s: %s", text, why);
	ck_assert_uint_eq(got, want);
}

static void size_bad(const char *text)
{
	uint64_t got = 77;

	ck_assert_int_eq(value_size(text, &got, &why), -22);
	ck_assert_uint_eq(got, 77);
}

START_TEST(sizes)
{
	static const char *const bad[] = {"",
					  "1",
					  "GiB",
					  "1GB",
					  "1g",
					  "1 GiB",
					  "1GiB ",
					  "-1B",
					  "+1B",
					  "0B",
					  "1.5GiB",
					  "8388608TiB",
					  "18446744073709551616B",
					  "9223372036854775808B"};

	size_is("1B", 1);
	size_is("2KiB", 2048);
	size_is("512MiB", 512ull << 20);
	size_is("2GiB", 2ull << 30);
	size_is("8388607TiB", 8388607ull << 40);
	size_is("9223372036854775807B", INT64_MAX);
	size_is("007B", 7);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		size_bad(bad[i]);
}
END_TEST

START_TEST(durations)
{
	static const char *const bad[] = {"",	  "1",	  "s",	    "1x",
					  "1h1h", "1s1m", "1m30",   "0s",
					  "-1s",  "1 h",  "99999d", "18446744073709551616s"};
	uint64_t got;

	ck_assert_int_eq(value_duration("90s", &got, &why), 0);
	ck_assert_uint_eq(got, 90);
	ck_assert_int_eq(value_duration("1d2h3m4s", &got, &why), 0);
	ck_assert_uint_eq(got, 86400 + 7200 + 180 + 4);
	ck_assert_int_eq(value_duration("10m", &got, &why), 0);
	ck_assert_uint_eq(got, 600);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(value_duration(bad[i], &got, &why) == -22, "%s", bad[i]);
}
END_TEST

START_TEST(times)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {
	    {"2027-03-31T00:00:00Z", 1806451200},      {"2027-03-31T02:00:00+02:00", 1806451200},
	    {"2027-03-30T19:30:00-04:30", 1806451200}, {"2027-03-31T00:00:00.999Z", 1806451200},
	    {"2028-02-29T23:59:59Z", 1835481599},      {"2000-02-29T00:00:00Z", 951782400},
	    {"9999-12-31T23:59:59Z", 253402300799},
	};
	static const char *const bad[] = {
	    "",
	    "2027-03-31",
	    "2027-3-31T00:00:00Z",
	    "2027-03-31T00:00Z",
	    "2027-03-31T24:00:00Z",
	    "2027-03-31T00:60:00Z",
	    "2027-02-29T00:00:00Z",
	    "2100-02-29T00:00:00Z",
	    "2027-04-31T00:00:00Z",
	    "2027-00-01T00:00:00Z",
	    "2027-03-00T00:00:00Z",
	    "2027-03-31t00:00:00z",
	    "2027-03-31T00:00:00",
	    "2027-03-31T00:00:00+2",
	    "2027-03-31T00:00:00+24:00",
	    "2027-03-31T00:00:00.Z",
	    "2027-03-31T00:00:00Zx",
	    "1970-01-01T00:00:00Z",
	    "20270331T000000Z",
	};
	int64_t got;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		ck_assert_msg(value_time(good[i].text, &got, &why) == 0, "%s", good[i].text);
		ck_assert_int_eq(got, good[i].seconds);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(value_time(bad[i], &got, &why) == -22, "%s", bad[i]);
}
END_TEST

START_TEST(counts_and_ports)
{
	static const char *const bad_ports[] = {"", "0", "65536", "080", "-1", "8a", "99999999999"};
	uint64_t count;
	uint16_t port;

	ck_assert_int_eq(value_count("64", 100, &count, &why), 0);
	ck_assert_uint_eq(count, 64);
	ck_assert_int_eq(value_count("101", 100, &count, &why), -22);
	ck_assert_int_eq(value_count("0", 100, &count, &why), -22);
	ck_assert_int_eq(value_count("1x", 100, &count, &why), -22);
	ck_assert_int_eq(value_port("65535", 5, &port, &why), 0);
	ck_assert_uint_eq(port, 65535);
	ck_assert_int_eq(value_port("4433", 3, &port, &why), 0);
	ck_assert_uint_eq(port, 443);
	for (size_t i = 0; i < sizeof(bad_ports) / sizeof(*bad_ports); i++)
		ck_assert_msg(value_port(bad_ports[i], strlen(bad_ports[i]), &port, &why) == -22,
			      "%s", bad_ports[i]);
}
END_TEST

START_TEST(booleans_and_digests)
{
	static const char text[] =
	    "00ff102030405060708090a0b0c0d0e0f0ABCDEFabcdef0123456789deadbeef";
	uint8_t digest[32];
	bool value;

	ck_assert_int_eq(value_boolean("true", &value, &why), 0);
	ck_assert(value);
	ck_assert_int_eq(value_boolean("false", &value, &why), 0);
	ck_assert(!value);
	ck_assert_int_eq(value_boolean("yes", &value, &why), -22);
	ck_assert_int_eq(value_boolean("True", &value, &why), -22);
	ck_assert_int_eq(value_sha256(text, digest, &why), 0);
	ck_assert_uint_eq(digest[1], 0xff);
	ck_assert_uint_eq(digest[17], 0xab);
	ck_assert_uint_eq(digest[31], 0xef);
	ck_assert_int_eq(value_sha256(text + 1, digest, &why), -22);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("values");
	TCase *tests = tcase_create("values");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, sizes);
	tcase_add_test(tests, durations);
	tcase_add_test(tests, times);
	tcase_add_test(tests, counts_and_ports);
	tcase_add_test(tests, booleans_and_digests);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
