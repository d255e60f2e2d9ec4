/* SPDX-License-Identifier: Apache-2.0 */
/* Options as tables: a subcommand lists its flags, flags_parse() does the rest over getopt_long. */
#ifndef REMIT_TOOLS_FLAGS_H
#define REMIT_TOOLS_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

enum flag_kind {
	FLAG_SWITCH, /* target: bool, set to true */
	FLAG_TEXT,   /* target: const char *, the last one given counts */
	FLAG_EACH,   /* target: handed to each() once a use */
};

struct flag {
	const char *name; /* long, without "--" */
	char letter;	  /* short, or 0 */
	enum flag_kind kind;
	void *target;
	/* Takes one value; prints what is wrong with it and returns a negative errno, or 0. */
	int (*each)(void *target, const char *value);
};

#define FLAGS_MAX 32 /* most flags of one subcommand */

/* What flags_parse() returns beside the index of the first operand. */
enum { FLAGS_HELP = -1, FLAGS_WRONG = -2 };

/*
 * Parses argv by the table and returns the index of the first operand; FLAGS_HELP when --help was
 * given (usage is printed on stdout), FLAGS_WRONG when something is wrong (said on stderr). With
 * in_order the first operand ends the options: what follows belongs to someone else.
 */
int flags_parse(int argc, char **argv, const struct flag *flags, size_t count, bool in_order,
		const char *usage);

#endif
