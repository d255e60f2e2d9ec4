/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Something to count instructions of (tests/bench/instructions.py): the same act N times. The price
 * of one is the difference between two runs, so what the program does before and after is not in
 * it.
 *
 *   count_decide list            the names of the queries
 *   count_decide "NAME" N        N decisions, in a scope of RULES rules
 */
#include "tests/bench/decide/scopes.h"

#define RULES 100U

static volatile uint32_t sink;

static const struct sample *find(const char *name)
{
	for (const struct sample *sample = samples; sample->name; sample++)
		if (!strcmp(sample->name, name))
			return sample;
	return NULL;
}

int main(int argc, char **argv)
{
	const struct sample *sample = argc == 3 ? find(argv[1]) : NULL;
	struct query query;
	struct builder b;

	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (sample = samples; sample->name; sample++)
			puts(sample->name);
		return 0;
	}
	if (!sample) {
		fputs("usage: count_decide list | NAME N\n", stderr);
		return 2;
	}
	b = scope_of(RULES);
	query = sample_query(sample);
	for (int i = atoi(argv[2]); i > 0; i--)
		sink = decide(&b.scope, &query).rule;
	builder_free(&b);
	return 0;
}
