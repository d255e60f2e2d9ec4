/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and patterns: tables, and patterns held against a naive recursive matcher. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/core/glob.h"
#include "policy/core/path.h"

START_TEST(test_clean)
{
	static const struct {
		const char *path;
		bool clean;
	} cases[] = {
	    {"/", true},
	    {"/a", true},
	    {"/a/b.c/..d/...", true},
	    {"/.a", true},
	    {"/a/.b/c", true},
	    {"/eightbyt/eightbyt/eightbyt", true},
	    {"/\n\x1b\xff/x", true},
	    {"", false},
	    {"a", false},
	    {"//", false},
	    {"/a/", false},
	    {"/a//b", false},
	    {"/.", false},
	    {"/..", false},
	    {"/./a", false},
	    {"/../a", false},
	    {"/a/.", false},
	    {"/a/..", false},
	    {"/abcdefg/./b", false},
	    {"/abcdef/../b", false},
	    {"/abcdef/..", false},
	    {"/abcdefgh//i", false},
	    {"/abcdefgh/", false},
	};
	char longest[PATH_TEXT_MAX + 1];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(path_is_clean(cases[i].path, strlen(cases[i].path)) == cases[i].clean,
			      "%s", cases[i].path);
	ck_assert(!path_is_clean("/a\0b", 4));
	ck_assert(!path_is_clean("/abcdefghijk\0b", 14));
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	ck_assert(path_is_clean(longest, PATH_TEXT_MAX - 1));
	ck_assert(!path_is_clean(longest, PATH_TEXT_MAX));
}
END_TEST

static bool naive_clean(const char *path, size_t len)
{
	if (len == 0 || path[0] != '/')
		return false;
	if (len == 1)
		return true;
	for (size_t i = 0; i < len;) {
		size_t end = ++i;
		while (end < len && path[end] != '/')
			end++;
		if (end == i || (end - i == 1 && path[i] == '.') ||
		    (end - i == 2 && path[i] == '.' && path[i + 1] == '.'))
			return false;
		i = end;
	}
	return true;
}

START_TEST(test_clean_random)
{
	srand(7);
	for (int round = 0; round < 200000; round++) {
		char path[40];
		size_t len = (size_t)(rand() % 33);
		for (size_t i = 0; i < len; i++)
			path[i] = "/.ab\xaf\x2e"[rand() % 6];
		if (len)
			path[0] = '/';
		ck_assert_msg(path_is_clean(path, len) == naive_clean(path, len), "%.*s", (int)len,
			      path);
	}
}
END_TEST

START_TEST(test_join)
{
	static const struct {
		const char *base, *path, *out;
		long result;
	} cases[] = {
	    {"/w", "a", "/w/a", 0},
	    {"/w", "./a//b/", "/w/a/b", 0},
	    {"/w", "..", "/", 0},
	    {"/w", "../../../x", "/x", 0},
	    {"/w/a", "../b", "/w/b", 0},
	    {"/", "a", "/a", 0},
	    {"/", ".", "/", 0},
	    {"/w", "/", "/", 0},
	    {"/w", "/a/../b/.", "/b", 0},
	    {"/w", "///a", "/a", 0},
	    {"not clean", "/a", "/a", 0},
	    {"/w", "", "", -ENOENT},
	    {"w", "a", "", -EINVAL},
	    {"/w/", "a", "", -EINVAL},
	    {"/w", "0123456789abcdef", "", -ENAMETOOLONG},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[16];
		long r = path_join(cases[i].base, strlen(cases[i].base), cases[i].path,
				   strlen(cases[i].path), out, sizeof(out));
		if (cases[i].result) {
			ck_assert_int_eq(r, cases[i].result);
			continue;
		}
		ck_assert_msg(r == (long)strlen(cases[i].out), "%s", cases[i].path);
		ck_assert_str_eq(out, cases[i].out);
	}
	char out[8];
	ck_assert_int_eq(path_join("/", 1, "a\0b", 3, out, sizeof(out)), -EINVAL);
	ck_assert_int_eq(path_join("/", 1, "abcdef", 6, out, sizeof(out)), 7);
	ck_assert_int_eq(path_join("/", 1, "abcdefg", 7, out, sizeof(out)), -ENAMETOOLONG);
	ck_assert_int_eq(path_join("/", 1, "a", 1, out, 1), -ENAMETOOLONG);
}
END_TEST

START_TEST(test_within)
{
	ck_assert(path_within("/a/b", 4, "/a", 2));
	ck_assert(path_within("/a", 2, "/a", 2));
	ck_assert(path_within("/a", 2, "/", 1));
	ck_assert(path_within("/", 1, "/", 1));
	ck_assert(!path_within("/ab", 3, "/a", 2));
	ck_assert(!path_within("/", 1, "/a", 2));
}
END_TEST

static const struct {
	const char *pattern, *path;
	bool matches;
} match_cases[] = {
    {"/a", "/a", true},
    {"/a", "/a/b", true},
    {"/a", "/ab", false},
    {"/a/*.c", "/a/x.c", true},
    {"/a/*.c", "/a/.c", true},
    {"/a/*.c", "/a/x.c/under", true},
    {"/a/*.c", "/a/b/x.c", false},
    {"/a/*", "/a", false},
    {"/a/*/c", "/a/b/c", true},
    {"/a/**", "/a", true},
    {"/a/**", "/a/b/c", true},
    {"/a/**/.env", "/a/.env", true},
    {"/a/**/.env", "/a/b/c/.env", true},
    {"/a/**/.env", "/a/b/.env/under", true},
    {"/a/**/.env", "/a/b/x.env", false},
    {"/a/**/.env", "/b/.env", false},
    {"/**/x", "/x", true},
    {"/**/b/**/d", "/a/b/c/d", true},
    {"/**/b/**/d", "/a/d/c/b", false},
    {"/**/a/b", "/a/a/b", true},
    {"/**/a/b", "/a/c/a/x/a/b", true},
    {"/a?c", "/abc", true},
    {"/a?c", "/ac", false},
    {"/a?c", "/a/c", false},
    {"/[a-c]x", "/bx", true},
    {"/[a-c]x", "/dx", false},
    {"/[!a-c]x", "/dx", true},
    {"/[!a-c]x", "/ax", false},
    {"/[]]x", "/]x", true},
    {"/[a-]x", "/-x", true},
    {"/[\\]a]x", "/]x", true},
    {"/[ax", "/[ax", true},
    {"/[ax", "/ax", false},
    {"/[a/b]", "/a", false},
    {"/\\*x", "/*x", true},
    {"/\\*x", "/ax", false},
    {"/a**b", "/axyb", true},
    {"/a**b", "/ax/b", false},
    {"/a*b*c*d", "/axbxcxbcd", true},
    {"/a*b*c*d", "/axbxcxbc", false},
    {"a", "/a", false},
    {"/a", "a", false},
    {"", "/a", false},
};

START_TEST(test_matches)
{
	for (size_t i = 0; i < sizeof(match_cases) / sizeof(match_cases[0]); i++)
		ck_assert_msg(path_matches(match_cases[i].pattern, strlen(match_cases[i].pattern),
					   match_cases[i].path,
					   strlen(match_cases[i].path)) == match_cases[i].matches,
			      "%s on %s", match_cases[i].pattern, match_cases[i].path);
}
END_TEST

START_TEST(test_is_pattern)
{
	ck_assert(!path_is_pattern("/a/b", 4));
	ck_assert(path_is_pattern("/a*", 3));
	ck_assert(path_is_pattern("/a?", 3));
	ck_assert(path_is_pattern("/[a]", 4));
	ck_assert(!path_is_pattern("/\\*\\?\\[", 7));
	ck_assert(path_is_pattern("/\\\\*", 4));
	ck_assert(!path_is_pattern("/a\\", 3));
}
END_TEST

/* One component of letters, `*` and `?`, by recursion: slow and plainly right. */
static bool naive_component(const char *p, size_t pn, const char *t, size_t tn)
{
	if (pn == 0)
		return tn == 0;
	if (*p == '*')
		return naive_component(p + 1, pn - 1, t, tn) ||
		       (tn > 0 && naive_component(p, pn, t + 1, tn - 1));
	return tn > 0 && (*p == '?' || *p == *t) && naive_component(p + 1, pn - 1, t + 1, tn - 1);
}

static size_t component_len(const char *p)
{
	return strcspn(p, "/");
}

static const char *after(const char *p)
{
	p += component_len(p);
	return *p ? p + 1 : p;
}

static bool naive_tail(const char *p, const char *t)
{
	if (!*p)
		return true;
	if (strncmp(p, "**", 2) == 0 && component_len(p) == 2)
		return naive_tail(after(p), t) || (*t && naive_tail(p, after(t)));
	return *t && naive_component(p, component_len(p), t, component_len(t)) &&
	       naive_tail(after(p), after(t));
}

static void random_components(char *out, const char *const *choice, int choices, int most)
{
	int n = rand() % (most + 1);

	out[0] = '\0';
	for (int i = 0; i < n; i++) {
		if (i)
			strcat(out, "/");
		strcat(out, choice[rand() % choices]);
	}
}

static const char *const pattern_parts[] = {"a", "b",  "ab",  "*",    "**",
					    "?", "a*", "*b*", "a*b*", "?b"};
static const char *const path_parts[] = {"a", "b", "ab", "aab", "abb", "ba"};

START_TEST(test_tail_random)
{
	srand(11);
	for (int round = 0; round < 300000; round++) {
		char tail[64], rest[64];
		random_components(tail, pattern_parts, 10, 6);
		random_components(rest, path_parts, 6, 6);
		ck_assert_msg(glob_tail(tail, strlen(tail), rest, strlen(rest)) ==
				  naive_tail(tail, rest),
			      "%s on %s", tail, rest);
	}
}
END_TEST

/* The states after a folder must foretell what happens beneath it. */
START_TEST(test_states_random)
{
	srand(13);
	for (int round = 0; round < 100000; round++) {
		char tail[64], folder[64], below[64], whole[140];
		uint64_t states;

		random_components(tail, pattern_parts, 10, 5);
		random_components(folder, path_parts, 6, 4);
		random_components(below, path_parts, 6, 4);
		snprintf(whole, sizeof(whole), "%s%s%s", folder, *folder && *below ? "/" : "",
			 below);
		ck_assert(glob_states(tail, strlen(tail), folder, strlen(folder), &states));
		bool covers = glob_tail(tail, strlen(tail), folder, strlen(folder));
		ck_assert_msg(covers == !!(states & GLOB_COVERED), "%s at %s", tail, folder);
		if (glob_tail(tail, strlen(tail), whole, strlen(whole)))
			ck_assert_msg(states != 0, "%s at %s beneath %s", tail, folder, below);
	}
}
END_TEST

START_TEST(test_states_long)
{
	char tail[2 * (GLOB_COMPONENTS + 1) + 1];
	uint64_t states;

	for (int n = 1; n <= GLOB_COMPONENTS + 1; n++) {
		tail[0] = '\0';
		for (int i = 0; i < n; i++)
			strcat(tail, i ? "/a" : "a");
		bool said = glob_states(tail, strlen(tail), tail, strlen(tail), &states);
		ck_assert(said == (n <= GLOB_COMPONENTS));
		if (said)
			ck_assert_uint_eq(states, GLOB_COVERED);
	}
}
END_TEST

/* What makes a backtracking matcher run for years must not take a second. */
START_TEST(test_no_blowup)
{
	char pattern[PATH_TEXT_MAX] = "", path[PATH_TEXT_MAX] = "";
	clock_t start = clock();

	for (int i = 0; i < 40; i++)
		strcat(pattern, "/**/a*a*a*a*b");
	for (int i = 0; i < 60; i++)
		strcat(path, "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	ck_assert(!path_matches(pattern, strlen(pattern), path, strlen(path)));
	ck_assert(clock() - start < CLOCKS_PER_SEC);
}
END_TEST

START_TEST(test_prefix_and_quotes)
{
	char out[32];

	ck_assert_uint_eq(glob_prefix("/a/b*", 5), 2);
	ck_assert_uint_eq(glob_prefix("/*", 2), 0);
	ck_assert_uint_eq(glob_prefix("/a/b", 4), 4);
	ck_assert_uint_eq(glob_prefix("/a\\*/[x]", 8), 4);
	ck_assert_uint_eq(glob_unquote("/a\\*b", 5, out), 4);
	ck_assert_int_eq(memcmp(out, "/a*b", 4), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("path");
	TCase *tests = tcase_create("path");
	SRunner *runner;

	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, test_clean);
	tcase_add_test(tests, test_clean_random);
	tcase_add_test(tests, test_join);
	tcase_add_test(tests, test_within);
	tcase_add_test(tests, test_matches);
	tcase_add_test(tests, test_is_pattern);
	tcase_add_test(tests, test_tail_random);
	tcase_add_test(tests, test_states_random);
	tcase_add_test(tests, test_states_long);
	tcase_add_test(tests, test_no_blowup);
	tcase_add_test(tests, test_prefix_and_quotes);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
