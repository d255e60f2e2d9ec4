/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/self_test_report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/output.h"
#include "tools/probe/probe.h"

const char *const self_test_ways[WAYS] = {"shim", "no-shim", "static"};

enum outcome { OUTCOME_HELD, OUTCOME_OUT, OUTCOME_UNTRIED };

/* The control of a way is that of its program. */
static enum outcome outcome_of(const struct self_test_result *result)
{
	if (!result->outside[0] || !result->outside[1])
		return OUTCOME_UNTRIED;
	for (int i = 0; i < WAYS; i++) {
		if (result->inside[i])
			return OUTCOME_OUT;
	}
	return OUTCOME_HELD;
}

static const char *why_untried(const struct probe *probe)
{
	return (probe->needs & PROBE_ROOT) && geteuid() != 0
		   ? "needs root"
		   : "does not work here outside a session either";
}

static void print_text(const struct probe *probe, const struct self_test_result *result)
{
	static const char *const words[] = {"held", "OUT", "untried"};
	static const enum colour colours[] = {COLOUR_GOOD, COLOUR_BAD, COLOUR_DIM};
	enum outcome outcome = outcome_of(result);

	output_coloured(stdout, colours[outcome], words[outcome]);
	printf("%*s%-24s%s", (int)(9 - strlen(words[outcome])), "", probe->name, probe->what);
	if (outcome == OUTCOME_UNTRIED)
		printf(": %s", why_untried(probe));
	for (int i = 0; outcome == OUTCOME_OUT && i < WAYS; i++) {
		if (result->inside[i])
			printf("; %s: %s", self_test_ways[i], result->inside[i]);
	}
	putchar('\n');
}

static void print_json(struct writer *json, const struct probe *probe,
		       const struct self_test_result *result)
{
	static const char *const words[] = {"held", "out", "untried"};
	enum outcome outcome = outcome_of(result);

	writer_open(json, NULL, '{');
	writer_text(json, "case", probe->name);
	writer_text(json, "what", probe->what);
	writer_text(json, "result", words[outcome]);
	if (outcome == OUTCOME_UNTRIED)
		writer_text(json, "why", why_untried(probe));
	if (outcome == OUTCOME_OUT) {
		writer_open(json, "ways", '{');
		for (int i = 0; i < WAYS; i++) {
			if (result->inside[i])
				writer_text(json, self_test_ways[i], result->inside[i]);
		}
		writer_close(json, '}');
	}
	writer_close(json, '}');
}

int self_test_report(const struct self_test_result *results, bool as_json)
{
	struct writer json = {.stream = stdout};
	size_t counts[3] = {0};
	const struct probe *probe;

	if (as_json) {
		writer_open(&json, NULL, '{');
		writer_text(&json, "version", REMIT_VERSION);
		writer_number(&json, "uid", geteuid());
		writer_open(&json, "cases", '[');
	}
	for (size_t i = 0; (probe = probe_at(i)); i++) {
		if (probe->needs & PROBE_MUST_WORK)
			continue;
		counts[outcome_of(&results[i])]++;
		if (as_json)
			print_json(&json, probe, &results[i]);
		else
			print_text(probe, &results[i]);
	}
	if (as_json) {
		writer_close(&json, ']');
		writer_number(&json, "held", (int64_t)counts[OUTCOME_HELD]);
		writer_number(&json, "out", (int64_t)counts[OUTCOME_OUT]);
		writer_number(&json, "untried", (int64_t)counts[OUTCOME_UNTRIED]);
		writer_close(&json, '}');
	} else {
		printf("\n%zu ways out held, each with the shim, without it and from a static "
		       "program; %zu led out; %zu could not be tried here\n",
		       counts[OUTCOME_HELD], counts[OUTCOME_OUT], counts[OUTCOME_UNTRIED]);
	}
	if (!counts[OUTCOME_HELD] && !counts[OUTCOME_OUT])
		return STATUS_RUN;
	return counts[OUTCOME_OUT] ? STATUS_NO : STATUS_OK;
}
