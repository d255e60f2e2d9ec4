// SPDX-License-Identifier: Apache-2.0
/*
 * Every bad manifest of tests/table/bad, against the diagnostics that its leading comment pins:
 *
 *   #= 7:3: error: unknown key "raed" in files
 *   #=   did you mean "read"?
 *
 * File, line, column, severity, text and hint must be these and no others. Runs from the top of the
 * tree. With REMIT_SHOW set, prints what came out in that form instead of comparing.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/compile/limits.h"
#include "policy/compile/model.h"
#include "tests/unit/case_files.h"

#define FOLDER "tests/table/bad"

static struct case_files cases = {.folder = FOLDER, .suffix = ".yaml"};

static const struct variable VARIABLES[] = {
    {"PORT", "8080"}, {"EMPTY", ""}, {"UP", "../up"}, {"NOTHING", NULL}};

static const struct compile_options OPTIONS = {
    .workspace = "/w",
    .home = "/home/u",
    .user = "u",
    .uid = "1000",
    .set = VARIABLES,
    .set_count = 4,
    .profile_dir = "policy/profiles",
};

/* The lines that begin with "#= ", without it. */
static char *expected_of(const char *text)
{
	char *out = calloc(1, strlen(text) + 1), *to = out;

	ck_assert_ptr_nonnull(out);
	while (!strncmp(text, "#= ", 3)) {
		size_t len = strcspn(text, "\n");

		memcpy(to, text + 3, len - 3);
		to += len - 3;
		*to++ = '\n';
		text += len + 1;
	}
	return out;
}

static char *shown(const struct diagnostics *diagnostics, const char *path)
{
	char *out = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&out, &size);

	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *item = &diagnostics->items[i];
		const char *file = item->file ? item->file : "";

		if (!strcmp(file, path))
			file = "";
		else if (!strncmp(file, FOLDER "/", strlen(FOLDER "/")))
			file += strlen(FOLDER "/");
		fprintf(stream, "%s%s%u:%u: %s: %s\n", file, *file ? ":" : "", item->line,
			item->column, item->severity == SEVERITY_ERROR ? "error" : "warning",
			item->message);
		if (item->hint)
			fprintf(stream, "  %s\n", item->hint);
	}
	fclose(stream);
	return out;
}

/* The printed form is well made for any of them: it ends, and no control character is in it. */
static void check_printed(const struct diagnostics *diagnostics)
{
	char *out = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&out, &size);

	diagnostics_print(diagnostics, stream, false);
	diagnostics_print_json(diagnostics, stream);
	fclose(stream);
	for (size_t i = 0; i < size; i++)
		ck_assert_msg(out[i] == '\n' || (unsigned char)out[i] >= 0x20, "control character");
	free(out);
}

START_TEST(bad_manifest)
{
	struct diagnostics diagnostics = {0};
	struct model model;
	char path[512], *text, *expected, *got;

	text = case_files_read(&cases, _i, path);
	expected = expected_of(text);
	ck_assert_int_eq(manifest_read_file(path, &OPTIONS, &model, &diagnostics), -22);
	ck_assert_uint_gt(diagnostics.errors, 0);
	ck_assert_ptr_null(model.rules);
	got = shown(&diagnostics, path);
	if (getenv("REMIT_SHOW"))
		printf("%s\n%s", cases.names[_i], got);
	else
		ck_assert_msg(!strcmp(expected, got), "%s\nexpected:\n%sgot:\n%s", cases.names[_i],
			      expected, got);
	check_printed(&diagnostics);
	diagnostics_free(&diagnostics);
	free(expected);
	free(got);
	free(text);
}
END_TEST

static void refused_with(const struct compile_options *options, const char *name, const char *text,
			 size_t len, const char *message)
{
	struct diagnostics diagnostics = {0};
	struct model model;

	ck_assert_int_eq(manifest_read(name, text, len, options, &model, &diagnostics), -22);
	ck_assert_str_eq(diagnostics.items[0].message, message);
	diagnostics_free(&diagnostics);
}

static void refused(const char *text, size_t len, const char *message)
{
	refused_with(&OPTIONS, "big.yaml", text, len, message);
}

#define HEAD "remit: 1\nagent: {id: a, purpose: b}\n"

START_TEST(too_large)
{
	size_t len = LIMIT_FILE_BYTES + 1;
	char *text = malloc(len);

	ck_assert_ptr_nonnull(text);
	memset(text, '#', len);
	refused(text, len, "the file is larger than 1 MiB");
	refused(text, len - 1, "the file is empty");
	free(text);
}
END_TEST

START_TEST(too_many_values)
{
	size_t len = LIMIT_FILE_BYTES - 100;
	char *text = malloc(len);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i + 2 <= len; i += 2)
		memcpy(text + i, "1,", 2);
	memcpy(text, "remit: [", 8);
	refused(text, len, "too many values in one file (more than 200000)");
	free(text);
}
END_TEST

START_TEST(nul_byte)
{
	static const char text[] = "remit: 1\nagent: {id: a, purpose: b\0}\n";

	refused(text, sizeof(text) - 1, "a NUL byte");
}
END_TEST

START_TEST(too_many_tests)
{
	static const char head[] = HEAD "tests: {allow: [", test[] = "env A,\n";
	size_t len = sizeof(head) + (sizeof(test) - 1) * (LIMIT_TESTS + 1), at = sizeof(head) - 1;
	char *text = malloc(len + 8);

	ck_assert_ptr_nonnull(text);
	memcpy(text, head, at);
	for (int i = 0; i <= LIMIT_TESTS; i++, at += sizeof(test) - 1)
		memcpy(text + at, test, sizeof(test) - 1);
	memcpy(text + at, "]}\n", 3);
	refused(text, at + 3, "more than 20000 tests");
	free(text);
}
END_TEST

/* A folder of its own with a FIFO and as many parts as may be included, and one more. */
START_TEST(files)
{
	char folder[] = "/tmp/remit-test-XXXXXX", path[64], text[4096] = HEAD "include: [";
	size_t at = strlen(text);

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/fifo.yaml", folder);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/m.yaml", folder);
	refused_with(&OPTIONS, path, HEAD "include: [./fifo.yaml]\n",
		     strlen(HEAD "include: [./fifo.yaml]\n"),
		     "cannot include \"./fifo.yaml\": it is not a regular file");
	for (int i = 0; i < LIMIT_FILES; i++) {
		snprintf(path, sizeof(path), "%s/%d.yaml", folder, i);
		FILE *part = fopen(path, "w");
		ck_assert(part && fputs("remit: 1\n", part) >= 0 && fclose(part) == 0);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "./%d.yaml,", i);
	}
	at += (size_t)snprintf(text + at, sizeof(text) - at, "]\n");
	snprintf(path, sizeof(path), "%s/m.yaml", folder);
	refused_with(&OPTIONS, path, text, at,
		     "cannot include \"./63.yaml\": more than 64 files are included");
	for (int i = 0; i < LIMIT_FILES; i++) {
		snprintf(path, sizeof(path), "%s/%d.yaml", folder, i);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/fifo.yaml", folder);
	unlink(path);
	rmdir(folder);
}
END_TEST

/* What is wrong with a manifest because of where it is read. */
START_TEST(surroundings)
{
	static const char reads[] = HEAD "files: {read: [\"${WORKSPACE}\"]}\n";
	static const char dot[] = HEAD "files: {read: [.]}\n";
	static const char include[] = HEAD "include: [base]\n";
	struct compile_options options = OPTIONS;

	options.profile_dir = "/nonexistent";
	refused_with(&options, "m.yaml", include, sizeof(include) - 1,
		     "no profile \"base\": no built-in profiles in /nonexistent");
	options.workspace = NULL;
	refused_with(&options, "m.yaml", dot, sizeof(dot) - 1,
		     "`.` means the workspace, and there is none here");
	options.workspace = "w";
	refused_with(&options, "m.yaml", reads, sizeof(reads) - 1,
		     "${WORKSPACE} is no absolute path: w");
	options.workspace = "/w\a";
	refused_with(&options, "m.yaml", reads, sizeof(reads) - 1,
		     "a variable's value has a control character (0x07)");
}
END_TEST

/* --set NAME=value */
START_TEST(variables)
{
	static const struct {
		struct variable set[2];
		const char *message;
	} wrong[] = {
	    {{{"1A", "x"}, {"B", "x"}},
	     "--set 1A: a variable's name is letters, digits and underscores"},
	    {{{"", "x"}, {"B", "x"}},
	     "--set : a variable's name is letters, digits and underscores"},
	    {{{"HOME", "/x"}, {"B", "x"}}, "--set HOME: is built in and cannot be set"},
	    {{{"A", "x"}, {"A", "y"}}, "--set A: is set twice"},
	    {{{"A", "x\n"}, {"B", "y"}}, "--set A: has a control character in its value"},
	};
	struct compile_options options = OPTIONS;

	options.set = wrong[_i].set;
	options.set_count = 2;
	refused_with(&options, "m.yaml", HEAD, sizeof(HEAD) - 1, wrong[_i].message);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("manifest_bad");
	TCase *tests = tcase_create("bad");
	SRunner *runner;
	int failed;

	if (!case_files_list(&cases, 50))
		return 1;
	tcase_add_loop_test(tests, bad_manifest, 0, cases.count);
	tcase_add_test(tests, too_large);
	tcase_add_test(tests, too_many_values);
	tcase_add_test(tests, nul_byte);
	tcase_add_test(tests, too_many_tests);
	tcase_add_test(tests, files);
	tcase_add_test(tests, surroundings);
	tcase_add_loop_test(tests, variables, 0, 5);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
