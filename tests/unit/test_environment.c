/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's environment: nothing but what rules pass and set, and remit's own two variables. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "shim/broker/environment.h"
#include "tests/unit/model_builder.h"

static const char *value(char **environment, const char *name)
{
	const char *found = NULL;

	for (; *environment; environment++) {
		size_t len = strlen(name);

		if (strncmp(*environment, name, len) != 0 || (*environment)[len] != '=')
			continue;
		ck_assert_msg(!found, "%s stands there twice", name);
		found = *environment + len + 1;
	}
	return found;
}

static size_t count(char **environment)
{
	size_t n = 0;

	while (environment[n])
		n++;
	return n;
}

static struct builder scope_of(void)
{
	struct builder b = builder_new();
	struct model_rule *rule;

	builder_rule(&b, SECTION_ENV_PASS, "PATH");
	builder_rule(&b, SECTION_ENV_PASS, "LC_*")->pattern = true;
	builder_rule(&b, SECTION_ENV_PASS, "BOTH");
	rule = builder_rule(&b, SECTION_ENV_SET, "BOTH");
	rule->value = (char *)builder_check(strdup("set=x"));
	rule = builder_rule(&b, SECTION_ENV_SET, "EMPTY");
	rule->value = (char *)builder_check(strdup(""));
	return b;
}

START_TEST(only_what_rules_say)
{
	static char path[] = "PATH=/bin", second[] = "PATH=/evil", lc[] = "LC_ALL=C",
		    secret[] = "TOKEN=x", longer[] = "PATHS=x", odd[] = "PATH", none[] = "=x",
		    both[] = "BOTH=passed", preload[] = "LD_PRELOAD=/evil.so", empty[] = "";
	char *from[] = {path, second, lc, secret, longer, odd, none, both, preload, empty, NULL};
	struct builder b = scope_of();
	char **out = NULL;

	builder_open(&b);
	ck_assert_int_eq(environment_build(&b.scope, from, NULL, NULL, &out), 0);
	ck_assert_str_eq(value(out, "PATH"), "/bin");
	ck_assert_str_eq(value(out, "LC_ALL"), "C");
	ck_assert_str_eq(value(out, "BOTH"), "set=x");
	ck_assert_str_eq(value(out, "EMPTY"), "");
	ck_assert_uint_eq(count(out), 4);
	environment_free(out);

	ck_assert_int_eq(environment_build(&b.scope, from, "/lib/s.so", "/t", &out), 0);
	ck_assert_str_eq(value(out, "LD_PRELOAD"), "/lib/s.so");
	ck_assert_str_eq(value(out, "TMPDIR"), "/t");
	ck_assert_uint_eq(count(out), 6);
	environment_free(out);
	builder_free(&b);
}
END_TEST

START_TEST(shim_comes_first)
{
	static char user[] = "LD_PRELOAD=/user.so:/other.so", unset[] = "LD_PRELOAD=";
	char *from[] = {user, NULL}, *blank[] = {unset, NULL};
	struct builder b = builder_new();
	char **out = NULL;

	builder_rule(&b, SECTION_ENV_PASS, "LD_PRELOAD");
	builder_open(&b);
	ck_assert_int_eq(environment_build(&b.scope, from, "/s.so", NULL, &out), 0);
	ck_assert_str_eq(value(out, "LD_PRELOAD"), "/s.so:/user.so:/other.so");
	environment_free(out);
	ck_assert_int_eq(environment_build(&b.scope, blank, "/s.so", NULL, &out), 0);
	ck_assert_str_eq(value(out, "LD_PRELOAD"), "/s.so");
	environment_free(out);
	ck_assert_int_eq(environment_build(&b.scope, from, NULL, NULL, &out), 0);
	ck_assert_str_eq(value(out, "LD_PRELOAD"), "/user.so:/other.so");
	environment_free(out);
	builder_free(&b);
}
END_TEST

START_TEST(nothing_from_nothing)
{
	struct builder b = builder_new();
	char **out = NULL;

	builder_open(&b);
	ck_assert_int_eq(environment_build(&b.scope, NULL, NULL, NULL, &out), 0);
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(count(out), 0);
	environment_free(out);
	environment_free(NULL);
	builder_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("environment");
	TCase *cases = tcase_create("all");

	tcase_add_test(cases, only_what_rules_say);
	tcase_add_test(cases, shim_comes_first);
	tcase_add_test(cases, nothing_from_nothing);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
