/* SPDX-License-Identifier: Apache-2.0 */
/* `remit check` and `remit explain`: what a manifest says to one query, or to one a line of
 * standard input. Starts nothing and needs no privilege; the answer is the gate's own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ask.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/load.h"
#include "tools/output.h"

#define QUERY_MAX 8192

static const char check_usage[] =
    "Usage: remit check -m FILE [OPTIONS] QUERY\n"
    "       remit check -m FILE [OPTIONS] --stdin\n"
    "Says whether the manifest (or scope image) FILE allows QUERY, by which rule, on which lane.\n"
    "QUERY: read PATH, write PATH, exec PATH, connect ADDRESS, listen ADDRESS, env "
    "NAME.\n\n" LOAD_USAGE
    "      --no-resolve      take paths as they are spelled, without following links\n"
    "      --stdin           one query a line, one answer a line\n"
    "      --json            answers as JSON, one object a query\n"
    "Exit status: 0 allowed, 1 refused (with --stdin: any), 2 usage or manifest error.\n";

static const char explain_usage[] =
    "Usage: remit explain -m FILE [OPTIONS] QUERY\n"
    "Prints the sentence with which a refusal of QUERY is told, or that it is allowed and "
    "why.\n\n" LOAD_USAGE
    "      --no-resolve      take paths as they are spelled, without following links\n"
    "      --json            the answer as JSON\n"
    "Exit status: 0 allowed, 1 refused, 2 usage or manifest error.\n";

struct check {
	struct load_flags load;
	bool stdin_lines, explain;
	struct loaded loaded;
};

static void print_answer(const struct check *check, const struct answer *answer)
{
	bool allowed = answer->decision.verdict == VERDICT_ALLOWED;

	if (check->explain && !allowed) {
		puts(answer->sentence);
		return;
	}
	output_coloured(stdout, allowed ? COLOUR_GOOD : COLOUR_BAD,
			allowed ? "allowed" : "refused");
	printf(" %s %s (", verb_name(answer->parsed.query.verb), answer->object);
	ask_print_rule(answer, stdout);
	printf("; lane %s)\n", lane_name(answer->decision.lane));
	if (check->explain && *answer->rule.reason) {
		fputs("reason: ", stdout);
		output_text(stdout, answer->rule.reason);
		putchar('\n');
	}
	if (allowed || check->stdin_lines)
		return;
	puts(answer->sentence);
	if (answer->decision.conditions & CONDITION_SESSION_TERMINAL)
		puts("it is allowed where the object is the session's own terminal");
}

static int one(const struct check *check, const char *line)
{
	struct writer json = {.stream = stdout};
	struct answer answer;
	char why[512];

	if (ask(&check->loaded, line, true, &answer, why, sizeof(why))) {
		output_error("query \"%s\": %s", line, why);
		if (check->load.json) {
			writer_open(&json, NULL, '{');
			writer_text(&json, "query", line);
			writer_text(&json, "error", why);
			writer_close(&json, '}');
		}
		return STATUS_USAGE;
	}
	if (check->load.json) {
		writer_open(&json, NULL, '{');
		ask_print_json(&answer, line, &json);
		writer_close(&json, '}');
	} else {
		print_answer(check, &answer);
	}
	return answer.decision.verdict == VERDICT_ALLOWED ? STATUS_OK : STATUS_NO;
}

/* The worst status of all lines; empty lines and those that begin with '#' are skipped. */
static int each_line(const struct check *check)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int worst = STATUS_OK, status;

	while ((len = getline(&line, &size, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[--len] = '\0';
		if (len && line[len - 1] == '\r')
			line[--len] = '\0';
		if (!len || line[0] == '#')
			continue;
		if (strlen(line) != (size_t)len) {
			output_error("a line of standard input holds a NUL byte");
			status = STATUS_USAGE;
		} else {
			status = one(check, line);
		}
		if (status > worst)
			worst = status;
	}
	free(line);
	if (ferror(stdin)) {
		output_error("standard input: %s", strerror(errno));
		return STATUS_USAGE;
	}
	return worst;
}

/* A word of exec stays one word, whatever the shell took off. */
static void put_argument(FILE *out, const char *word)
{
	if (*word && !strpbrk(word, " \"\\")) {
		fputs(word, out);
		return;
	}
	fputc('"', out);
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			fputc('\\', out);
		fputc(*word, out);
	}
	fputc('"', out);
}

/* A line as it is, or the words of one. */
static int join(char *const *words, int count, char *out, size_t size)
{
	bool exec = count && !strcmp(words[0], "exec"), whole;
	FILE *stream;

	if (count > 2 && !exec) {
		output_error("\"%s\" stands after the query: options come before it, and what has "
			     "blanks in quotes",
			     words[2]);
		return -EINVAL;
	}
	stream = fmemopen(out, size, "w");
	whole = stream != NULL;
	for (int i = 0; i < count && whole; i++) {
		if (i)
			fputc(' ', stream);
		if (i && exec)
			put_argument(stream, words[i]);
		else
			fputs(words[i], stream);
		/* What does not fit with its ending NUL is cut: then the last byte is used. */
		whole = fflush(stream) == 0 && (size_t)ftell(stream) < size - 1;
	}
	if (stream && fclose(stream) != 0)
		whole = false;
	if (!whole)
		output_error("the query is too long");
	return whole ? 0 : -ENAMETOOLONG;
}

static int answer_all(struct check *check, int argc, char **argv)
{
	char line[QUERY_MAX];

	if (check->stdin_lines ? argc != 0 : argc == 0) {
		output_error(check->stdin_lines
				 ? "with --stdin the queries stand on standard input"
				 : "no query: e.g. `remit check -m FILE read /etc/passwd`");
		return STATUS_USAGE;
	}
	if (join(argv, argc, line, sizeof(line)) || load_any(&check->load, true, &check->loaded))
		return STATUS_USAGE;
	return check->stdin_lines ? each_line(check) : one(check, line);
}

static int answer(int argc, char **argv, bool explain)
{
	struct check check = {.explain = explain};
	const struct flag flags[] = {
	    LOAD_FLAGS(&check.load),
	    LOAD_FLAGS_RESOLVE(&check.load),
	    {"json", 0, FLAG_SWITCH, &check.load.json, NULL},
	    {"stdin", 0, FLAG_SWITCH, &check.stdin_lines, NULL},
	};
	size_t count = sizeof(flags) / sizeof(flags[0]) - (explain ? 1 : 0);
	int first =
	    flags_parse(argc, argv, flags, count, true, explain ? explain_usage : check_usage);
	int status;

	if (first < 0)
		status = first == FLAGS_HELP ? STATUS_OK : STATUS_USAGE;
	else
		status = answer_all(&check, argc - first, argv + first);
	load_free(&check.loaded);
	load_flags_free(&check.load);
	return status;
}

int check_command(int argc, char **argv)
{
	return answer(argc, argv, false);
}

int explain_command(int argc, char **argv)
{
	return answer(argc, argv, true);
}
