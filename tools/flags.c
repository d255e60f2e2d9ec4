/* SPDX-License-Identifier: Apache-2.0 */
/* getopt_long behind a table. Guarantees that every error names the option and the subcommand, and
 * offers the nearest one that exists. */
#include "tools/flags.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "policy/compile/diagnostics.h"
#include "tools/output.h"

/* Values beyond any letter, so that a flag without one is told by its index. */
#define VALUE_BASE 0x1000
#define VALUE_HELP (VALUE_BASE + FLAGS_MAX)

static void wrong_option(const char *command, const char *text, const struct flag *flags,
			 size_t count)
{
	const char *names[FLAGS_MAX + 1];
	const char *near;
	char word[64];

	if (text[0] != '-' || text[1] != '-') {
		output_error("%s: no option %s; `remit %s --help` lists them", command, text,
			     command);
		return;
	}
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(text + 2, "="), text + 2);
	for (size_t i = 0; i < count; i++)
		names[i] = flags[i].name;
	names[count] = "help";
	near = diagnostics_near(word, names, count + 1);
	if (near)
		output_error("%s: no option --%s; did you mean --%s?", command, word, near);
	else
		output_error("%s: no option --%s; `remit %s --help` lists them", command, word,
			     command);
}

static int take(const struct flag *flag, const char *value)
{
	switch (flag->kind) {
	case FLAG_SWITCH:
		*(bool *)flag->target = true;
		return 0;
	case FLAG_TEXT:
		*(const char **)flag->target = value;
		return 0;
	case FLAG_EACH:
		return flag->each(flag->target, value);
	}
	return -EINVAL;
}

struct tables {
	char letters[2 * FLAGS_MAX + 8];
	struct option names[FLAGS_MAX + 2];
};

static void make_tables(struct tables *tables, const struct flag *flags, size_t count,
			bool in_order)
{
	size_t used = 0;

	/* ':' first: a missing value is told from an unknown option. */
	if (in_order)
		tables->letters[used++] = '+';
	tables->letters[used++] = ':';
	tables->letters[used++] = 'h';
	for (size_t i = 0; i < count; i++) {
		bool value = flags[i].kind != FLAG_SWITCH;

		tables->names[i] = (struct option){
		    .name = flags[i].name,
		    .has_arg = value ? required_argument : no_argument,
		    .val = VALUE_BASE + (int)i,
		};
		if (!flags[i].letter)
			continue;
		tables->letters[used++] = flags[i].letter;
		if (value)
			tables->letters[used++] = ':';
	}
	tables->names[count] = (struct option){.name = "help", .val = VALUE_HELP};
}

static const struct flag *find(const struct flag *flags, size_t count, int value)
{
	if (value >= VALUE_BASE && (size_t)(value - VALUE_BASE) < count)
		return &flags[value - VALUE_BASE];
	for (size_t i = 0; i < count; i++)
		if (flags[i].letter == value)
			return &flags[i];
	return NULL;
}

/* The word that getopt_long has just refused, as it was typed. */
static const char *refused_word(char **argv, char *letter)
{
	if (optopt > 0 && optopt < VALUE_BASE) {
		letter[0] = '-';
		letter[1] = (char)optopt;
		letter[2] = '\0';
		return letter;
	}
	return argv[optind - 1];
}

int flags_parse(int argc, char **argv, const struct flag *flags, size_t count, bool in_order,
		const char *usage)
{
	struct tables tables = {0};
	const struct flag *flag;
	char letter[3];
	int value;

	make_tables(&tables, flags, count, in_order);
	optind = 0; /* glibc: start anew, also with the flavour that letters asks for */
	opterr = 0;
	while ((value = getopt_long(argc, argv, tables.letters, tables.names, NULL)) != -1) {
		if (value == VALUE_HELP || value == 'h') {
			fputs(usage, stdout);
			return FLAGS_HELP;
		}
		if (value == ':') {
			output_error("%s: %s needs a value", argv[0], refused_word(argv, letter));
			return FLAGS_WRONG;
		}
		flag = value == '?' ? NULL : find(flags, count, value);
		if (!flag) {
			wrong_option(argv[0], refused_word(argv, letter), flags, count);
			return FLAGS_WRONG;
		}
		if (take(flag, optarg))
			return FLAGS_WRONG;
	}
	return optind;
}
