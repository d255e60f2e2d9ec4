/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `remit test`: the manifest's own tests, or tables of lines
 *
 *   QUERY -> allowed|refused [rule-id]      # comments and empty lines are skipped
 *
 * Each test is one query asked of the scope that `remit run` would use. A run without a single test
 * is an error: a check that cannot fail proves nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ask.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/load.h"
#include "tools/output.h"

static const char usage[] =
    "Usage: remit test [OPTIONS] MANIFEST\n"
    "       remit test -m MANIFEST [OPTIONS] TABLE…\n"
    "Runs the tests that the manifest holds, or those of the tables: one a line,\n"
    "QUERY -> allowed|refused [rule-id].\n\n" LOAD_USAGE
    "      --no-resolve      take paths as they are spelled, without following links\n"
    "  -v, --verbose         also the tests that pass\n"
    "      --json            results as JSON\n"
    "Exit status: 0 all pass, 1 some fail, 2 usage or manifest error, or no test at all.\n";

struct test {
	struct load_flags load;
	bool verbose;
	struct loaded loaded;
	struct writer json;
	size_t passed, failed, wrong;
};

struct expected {
	const char *query, *file;
	uint32_t line;
	enum verdict verdict;
	bool variables;	  /* not replaced yet in query */
	const char *rule; /* the id that must decide; NULL: any */
};

static const char *verdict_name(enum verdict verdict)
{
	return verdict == VERDICT_ALLOWED ? "allowed" : "refused";
}

static void print_result(const struct expected *expected, const struct answer *answer, bool pass)
{
	output_coloured(stdout, pass ? COLOUR_GOOD : COLOUR_BAD, pass ? "ok  " : "FAIL");
	putchar(' ');
	output_text(stdout, expected->file);
	printf(":%u: ", expected->line);
	output_text(stdout, expected->query);
	if (pass)
		printf(": %s", verdict_name(expected->verdict));
	else
		printf(": expected %s%s%s, got %s", verdict_name(expected->verdict),
		       expected->rule ? " by " : "", expected->rule ? expected->rule : "",
		       verdict_name(answer->decision.verdict));
	fputs(" (", stdout);
	ask_print_rule(answer, stdout);
	puts(")");
}

static void json_result(struct test *test, const struct expected *expected,
			const struct answer *answer, const char *why, bool pass)
{
	struct writer *json = &test->json;

	writer_open(json, NULL, '{');
	writer_bool(json, "pass", pass);
	writer_text(json, "file", expected->file);
	writer_number(json, "line", expected->line);
	writer_text(json, "expected", verdict_name(expected->verdict));
	if (expected->rule)
		writer_text(json, "expected_rule", expected->rule);
	if (why)
		writer_text(json, "error", why);
	else
		ask_print_json(answer, expected->query, json);
	writer_close(json, '}');
}

static void try(struct test *test, const struct expected *expected)
{
	struct answer answer;
	char why[512];
	bool pass;

	if (ask(&test->loaded, expected->query, expected->variables, &answer, why, sizeof(why))) {
		output_error("%s:%u: query \"%s\": %s", expected->file, expected->line,
			     expected->query, why);
		if (test->load.json)
			json_result(test, expected, NULL, why, false);
		test->wrong++;
		return;
	}
	pass = answer.decision.verdict == expected->verdict &&
	       (!expected->rule || !strcmp(expected->rule, answer.rule.id ? answer.rule.id : "-"));
	if (test->load.json)
		json_result(test, expected, &answer, NULL, pass);
	else if (!pass || test->verbose)
		print_result(expected, &answer, pass);
	if (pass)
		test->passed++;
	else
		test->failed++;
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	return text;
}

/* The last "->" counts: a path may hold one. */
static char *find_arrow(char *text)
{
	char *found = NULL;

	for (char *at = strstr(text, " -> "); at; at = strstr(at + 1, " -> "))
		found = at;
	return found;
}

/* Splits "QUERY -> verdict [rule]"; NULL and the fault when it is none. */
static const char *split(char *text, struct expected *out)
{
	char *arrow = find_arrow(text), *verdict, *rule;

	if (!arrow)
		return "write it as QUERY -> allowed|refused [rule-id]";
	*arrow = '\0';
	verdict = trim(arrow + 4);
	rule = verdict + strcspn(verdict, " \t");
	if (*rule)
		*rule++ = '\0';
	rule = trim(rule);
	if (!strcmp(verdict, "allowed"))
		out->verdict = VERDICT_ALLOWED;
	else if (!strcmp(verdict, "refused"))
		out->verdict = VERDICT_REFUSED;
	else
		return "after the arrow stands allowed or refused";
	out->rule = *rule ? rule : NULL;
	out->query = trim(text);
	return NULL;
}

static int run_table(struct test *test, const char *path)
{
	FILE *stream = fopen(path, "re");
	struct expected expected = {.file = path, .variables = true};
	char *line = NULL;
	size_t size = 0;
	int error = 0;

	if (!stream) {
		error = -errno;
		output_error("%s: %s", path, strerror(-error));
		return error;
	}
	while (getline(&line, &size, stream) > 0) {
		char *text = trim(line);
		const char *fault;

		expected.line++;
		if (!*text || *text == '#')
			continue;
		fault = split(text, &expected);
		if (fault) {
			output_error("%s:%u: %s", path, expected.line, fault);
			test->wrong++;
			continue;
		}
		try(test, &expected);
	}
	if (ferror(stream)) {
		output_error("%s: %s", path, strerror(errno));
		error = -EIO;
	}
	free(line);
	fclose(stream);
	return error;
}

static void run_own(struct test *test)
{
	for (size_t i = 0; i < test->loaded.model.test_count; i++) {
		const struct model_test *own = &test->loaded.model.tests[i];
		struct expected expected = {
		    .query = own->query,
		    .file = own->file,
		    .line = own->line,
		    .verdict = own->allow ? VERDICT_ALLOWED : VERDICT_REFUSED,
		};

		try(test, &expected);
	}
}

/* `status` is what the reading of the tables came to. */
static int finish(struct test *test, int status)
{
	if (test->load.json) {
		writer_close(&test->json, ']');
		writer_number(&test->json, "passed", (int64_t)test->passed);
		writer_number(&test->json, "failed", (int64_t)(test->failed + test->wrong));
		writer_close(&test->json, '}');
	} else if (test->passed + test->failed + test->wrong) {
		printf("%zu passed, %zu failed\n", test->passed, test->failed + test->wrong);
	}
	if (status || test->wrong)
		return STATUS_USAGE;
	if (!test->passed && !test->failed) {
		output_error(
		    "%s: no tests; `tests: {allow: [...], deny: [...]}` in the manifest or "
		    "a table makes some",
		    test->load.manifest);
		return STATUS_USAGE;
	}
	return test->failed ? STATUS_NO : STATUS_OK;
}

static int run_tests(struct test *test, int argc, char **argv)
{
	int status = STATUS_OK;

	if (!test->load.manifest && argc > 0) {
		test->load.manifest = *argv++;
		argc--;
	}
	if (load_any(&test->load, true, &test->loaded))
		return STATUS_USAGE;
	test->json = (struct writer){.stream = stdout};
	if (test->load.json) {
		writer_open(&test->json, NULL, '{');
		writer_open(&test->json, "tests", '[');
	}
	if (!argc)
		run_own(test);
	for (int i = 0; i < argc; i++)
		if (run_table(test, argv[i]))
			status = STATUS_USAGE;
	return finish(test, status);
}

int test_command(int argc, char **argv)
{
	struct test test = {0};
	const struct flag flags[] = {
	    LOAD_FLAGS(&test.load),
	    LOAD_FLAGS_RESOLVE(&test.load),
	    {"verbose", 'v', FLAG_SWITCH, &test.verbose, NULL},
	    {"json", 0, FLAG_SWITCH, &test.load.json, NULL},
	};
	int first = flags_parse(argc, argv, flags, sizeof(flags) / sizeof(flags[0]), false, usage);
	int status;

	if (first < 0)
		status = first == FLAGS_HELP ? STATUS_OK : STATUS_USAGE;
	else
		status = run_tests(&test, argc - first, argv + first);
	load_free(&test.loaded);
	load_flags_free(&test.load);
	return status;
}
