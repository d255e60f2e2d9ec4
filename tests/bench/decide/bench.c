/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nanoseconds per decision against the number of rules, as JSON:
 *
 *   bench_decide ROUNDS RULES…
 *
 * In each round every scope answers a batch of the same query, by turns, and the first one a second
 * time at the end: the control. {"NAME": {"RULES": [ns of each round], …, "again": […]}, …,
 * "open": {"RULES": {"us": …, "bytes": …}}}. The rows "spread" ask for objects all over the scope,
 * so they pay its cache misses; a scope of only FEW rules has none such.
 */
#include <time.h>

#include "tests/bench/decide/scopes.h"

#define ROUNDS_MAX 1000
#define SCOPES_MAX 16
#define BATCH 10000U
#define QUERIES 4096U
#define OPENS 5

struct row {
	const char *name;
	struct query *queries; /* asked in turn */
	size_t count;
};

static struct builder scopes[SCOPES_MAX];
static unsigned int sizes[SCOPES_MAX];
static int scope_count;
static unsigned int rounds;
static double times[SCOPES_MAX + 1][ROUNDS_MAX];
static volatile uint32_t sink;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double batch(const struct scope *scope, const struct row *row)
{
	uint32_t sum = 0;
	double start = now();

	for (size_t i = 0, q = 0; i < BATCH; i++) {
		struct decision decision = decide(scope, &row->queries[q]);

		sum += decision.rule;
		q = q + 1 == row->count ? 0 : q + 1;
	}
	sink = sum;
	return (now() - start) / BATCH;
}

static void print_times(const char *name, const double *each)
{
	printf("\"%s\": [", name);
	for (unsigned int i = 0; i < rounds; i++)
		printf("%s%.2f", i ? ", " : "", each[i]);
	printf("]");
}

/* One query of all scopes. */
static void measure(const struct sample *sample)
{
	struct query query = sample_query(sample);
	const struct row row = {sample->name, &query, 1};
	char name[16];

	for (unsigned int i = 0; i < rounds; i++) {
		for (int s = 0; s < scope_count; s++)
			times[s][i] = batch(&scopes[s].scope, &row);
		times[scope_count][i] = batch(&scopes[0].scope, &row);
	}
	printf("\"%s\": {", sample->name);
	for (int s = 0; s < scope_count; s++) {
		snprintf(name, sizeof(name), "%u", sizes[s]);
		print_times(name, times[s]);
		printf(", ");
	}
	print_times("again", times[scope_count]);
	puts("},");
}

/* Each scope is asked for its own objects; the rows of scopes without any stay empty. */
static void measure_spread(const char *title, bool address)
{
	static struct query queries[SCOPES_MAX][QUERIES];
	static char texts[SCOPES_MAX][QUERIES][128];
	struct row rows[SCOPES_MAX] = {0};
	const char *comma = "";

	for (int s = 0; s < scope_count; s++) {
		uint64_t objects = sizes[s] > FEW ? (sizes[s] - FEW) / 10 * 10 : 0;

		if (objects)
			rows[s] = (struct row){title, queries[s], QUERIES};
		for (uint64_t i = 0; i < rows[s].count; i++)
			queries[s][i] =
			    spread_query(address, (unsigned int)(i * 2654435761U % objects),
					 texts[s][i], sizeof(texts[s][i]));
	}
	for (unsigned int i = 0; i < rounds; i++)
		for (int s = 0; s < scope_count; s++)
			if (rows[s].count)
				times[s][i] = batch(&scopes[s].scope, &rows[s]);
	printf("\"%s\": {", title);
	for (int s = 0; s < scope_count; s++) {
		char name[16];

		if (!rows[s].count)
			continue;
		snprintf(name, sizeof(name), "%u", sizes[s]);
		printf("%s", comma);
		print_times(name, times[s]);
		comma = ", ";
	}
	puts("},");
}

static void measure_open(void)
{
	puts("\"open\": {");
	for (int s = 0; s < scope_count; s++) {
		double best = 0;

		for (int i = 0; i < OPENS; i++) {
			struct scope scope;
			double start = now(), took;

			sink = (uint32_t)scope_open(&scope, scopes[s].image, scopes[s].size, NULL);
			took = now() - start;
			best = i && best < took ? best : took;
		}
		printf("\"%u\": {\"us\": %.1f, \"bytes\": %zu}%s\n", sizes[s], best / 1e3,
		       scopes[s].size, s + 1 < scope_count ? "," : "");
	}
	puts("}");
}

int main(int argc, char **argv)
{
	rounds = argc > 2 ? (unsigned int)atoi(argv[1]) : 0;
	scope_count = argc - 2;
	if (!rounds || rounds > ROUNDS_MAX || scope_count > SCOPES_MAX) {
		fputs("usage: bench_decide ROUNDS RULES...\n", stderr);
		return 2;
	}
	for (int s = 0; s < scope_count; s++) {
		sizes[s] = (unsigned int)atoi(argv[s + 2]);
		if (sizes[s] < FEW) {
			fprintf(stderr, "bench_decide: at least %u rules\n", FEW);
			return 2;
		}
		scopes[s] = scope_of(sizes[s]);
	}
	puts("{");
	for (const struct sample *sample = samples; sample->name; sample++)
		measure(sample);
	measure_spread("paths spread, 8 components", false);
	measure_spread("addresses spread", true);
	measure_open();
	puts("}");
	for (int s = 0; s < scope_count; s++)
		builder_free(&scopes[s]);
	return 0;
}
