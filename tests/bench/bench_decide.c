/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nanoseconds per decision, with 10 rules and with 100,000. The small scope's rules are also in the
 * large one, and the same queries are asked of both, so the ratio says what the number of rules
 * costs; "spread" asks for 4096 objects all over the large scope, which adds its cache misses.
 *
 * Each row is measured in rounds, the scopes by turns; a round is the mean of a batch. Reported is
 * the median of the rounds and, in percent of it, the distance between the quartiles.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/model_builder.h"

#define FEW 10U
#define MANY 100000U
#define ROUNDS 41
#define BATCH 20000U
#define QUERIES 4096U

struct row {
	const char *name;
	struct query *queries;
	size_t count;
	bool spread; /* only the large scope knows these objects */
	double few, many, few_spread, many_spread;
};

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

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void summarise(double *rounds, double *median, double *spread)
{
	qsort(rounds, ROUNDS, sizeof(*rounds), compare);
	*median = rounds[ROUNDS / 2];
	*spread = 100 * (rounds[ROUNDS * 3 / 4] - rounds[ROUNDS / 4]) / *median;
}

static void measure(const struct scope *few, const struct scope *many, struct row *row)
{
	double small[ROUNDS], large[ROUNDS];

	batch(few, row);
	batch(many, row);
	for (int i = 0; i < ROUNDS; i++) {
		small[i] = batch(few, row);
		large[i] = batch(many, row);
	}
	summarise(small, &row->few, &row->few_spread);
	summarise(large, &row->many, &row->many_spread);
}

/* --- The scopes --- */

static void spread_path(char *buf, size_t size, unsigned int i)
{
	snprintf(buf, size, "/srv/data/region-%u/customer-%u/project-%u", i % 16, i % 512, i);
}

static void spread_ip(char *buf, size_t size, unsigned int i)
{
	snprintf(buf, size, "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
}

static struct builder make_scope(unsigned int rules)
{
	struct builder b = builder_new();
	char text[128];

	builder_rule(&b, SECTION_FILES_READ, "/usr");
	builder_rule(&b, SECTION_FILES_READ, "/etc/ssl");
	builder_rule(&b, SECTION_FILES_WRITE, "/home/user/work");
	builder_rule(&b, SECTION_FILES_WRITE, "/home/user/work/a/b/c/d/e");
	builder_rule(&b, SECTION_FILES_WRITE, "/var/cache/*/agent");
	builder_rule(&b, SECTION_FILES_DENY, "/home/user/work/**/.env");
	builder_rule(&b, SECTION_EXEC_ALLOW, "/usr/bin/git");
	builder_ip(&b, SECTION_NETWORK_CONNECT, "192.168.7.9", 32, 8080, 8080);
	builder_ip(&b, SECTION_NETWORK_CONNECT, "172.16.0.0", 16, 5432, 5432);
	builder_ip(&b, SECTION_NETWORK_DENY, "172.16.9.0", 24, 0, 65535);
	for (unsigned int i = 0; i + FEW < rules; i++) {
		if (i % 10 == 9) {
			spread_ip(text, sizeof(text), i);
			builder_ip(&b, SECTION_NETWORK_CONNECT, text, 32, 443, 443);
			continue;
		}
		spread_path(text, sizeof(text), i);
		if (i % 10 == 8)
			strcat(text, "/**/*.key");
		builder_rule(&b,
			     i % 10 == 8  ? SECTION_FILES_DENY
			     : i % 10 < 4 ? SECTION_FILES_READ
					  : SECTION_FILES_WRITE,
			     text);
	}
	builder_open(&b);
	return b;
}

/* --- The queries --- */

static struct query path_query(enum verb verb, const char *path)
{
	return (struct query){.verb = verb,
			      .object = OBJECT_PATH,
			      .text = builder_check(strdup(path)),
			      .len = strlen(path)};
}

static struct query ip_query(const char *ip, uint16_t port)
{
	struct query query = {.verb = VERB_CONNECT,
			      .object = OBJECT_ADDRESS,
			      .address = {.protocol = PROTOCOL_TCP, .port = port}};

	if (address_parse_ip(ip, strlen(ip), &query.address) < 0)
		abort();
	return query;
}

static struct row one(const char *name, struct query query)
{
	struct row row = {.name = name, .count = 1};

	row.queries = builder_check(malloc(sizeof(query)));
	row.queries[0] = query;
	return row;
}

static struct row spread(const char *name, bool address)
{
	struct row row = {.name = name, .count = QUERIES, .spread = true};
	char text[160];

	row.queries = builder_check(calloc(QUERIES, sizeof(*row.queries)));
	for (unsigned int i = 0; i < QUERIES; i++) {
		unsigned int rule = (unsigned int)((uint64_t)i * 2654435761U % (MANY - FEW));
		rule = rule / 10 * 10 + (address ? 9 : rule % 8);
		if (address) {
			spread_ip(text, sizeof(text), rule);
			row.queries[i] = ip_query(text, 443);
		} else {
			spread_path(text, sizeof(text), rule);
			strcat(text, "/src/core/main.c");
			row.queries[i] = path_query(VERB_READ, text);
		}
	}
	return row;
}

static void print_table(const struct row *rows, size_t count)
{
	printf("%-34s %12s %8s %12s %8s %7s\n", "decision", "10 rules", "spread", "100,000",
	       "spread", "ratio");
	for (size_t i = 0; i < count; i++)
		printf("%-34s %9.1f ns %7.1f%% %9.1f ns %7.1f%% %7.2f\n", rows[i].name, rows[i].few,
		       rows[i].few_spread, rows[i].many, rows[i].many_spread,
		       rows[i].many / rows[i].few);
	puts("\n\"spread\" rows ask for objects that only the large scope has: their ratio is no "
	     "measure of its size.");
}

static void print_json(const struct row *rows, size_t count)
{
	puts("[");
	for (size_t i = 0; i < count; i++)
		printf("  {\"decision\": \"%s\", \"ns_10\": %.2f, \"spread_10\": %.2f, "
		       "\"ns_100000\": %.2f, \"spread_100000\": %.2f, \"ratio\": %.3f, "
		       "\"comparable\": %s}%s\n",
		       rows[i].name, rows[i].few, rows[i].few_spread, rows[i].many,
		       rows[i].many_spread, rows[i].many / rows[i].few,
		       rows[i].spread ? "false" : "true", i + 1 < count ? "," : "");
	puts("]");
}

static void print_open(const struct builder *b, const char *name)
{
	double start = now();
	struct scope scope;

	for (int i = 0; i < 10; i++)
		sink = (uint32_t)scope_open(&scope, b->image, b->size, NULL);
	printf("scope_open, %s rules: %.1f us, %zu bytes\n", name, (now() - start) / 10e3, b->size);
}

int main(int argc, char **argv)
{
	bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
	struct builder few = make_scope(FEW), many = make_scope(MANY);
	struct row rows[] = {
	    one("path hit, 3 components", path_query(VERB_READ, "/usr/lib/libc.so")),
	    one("path hit, 8 components",
		path_query(VERB_READ, "/usr/lib/python3/dist-packages/a/b/c/d.py")),
	    one("path hit, 8 components of rules",
		path_query(VERB_WRITE, "/home/user/work/a/b/c/d/e")),
	    one("path hit beside a ** denial", path_query(VERB_WRITE, "/home/user/work/src/x.c")),
	    one("path miss at the root", path_query(VERB_READ, "/root/.ssh/id_ed25519")),
	    one("path miss, 8 components", path_query(VERB_READ, "/home/user/other/a/b/c/d/e")),
	    one("glob hit", path_query(VERB_WRITE, "/var/cache/x/agent/y")),
	    one("glob denial", path_query(VERB_READ, "/home/user/work/src/.env")),
	    one("exec hit", path_query(VERB_EXEC, "/usr/bin/git")),
	    one("address hit", ip_query("192.168.7.9", 8080)),
	    one("address in a /16", ip_query("172.16.1.1", 5432)),
	    one("address miss", ip_query("9.9.9.9", 53)),
	    spread("paths spread, 8 components", false),
	    spread("addresses spread", true),
	};
	size_t count = sizeof(rows) / sizeof(rows[0]);

	for (size_t i = 0; i < count; i++)
		measure(&few.scope, &many.scope, &rows[i]);
	if (json) {
		print_json(rows, count);
	} else {
		print_table(rows, count);
		print_open(&few, "10");
		print_open(&many, "100,000");
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < rows[i].count; k++)
			free((void *)(uintptr_t)rows[i].queries[k].text);
		free(rows[i].queries);
	}
	builder_free(&few);
	builder_free(&many);
	return 0;
}
