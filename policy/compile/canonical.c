/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical text: the scope as people and the digest see it. The same meaning gives the same
 * bytes whatever the order of rules, items, exceptions and ports, and however an address is
 * spelled; identical rules count once. Where a rule stands, its id and its reason are not part of
 * it, nor are rules that follow from others or protect the session, nor what symbolic links of
 * this machine add.
 *
 * Every text is quoted, so that no value can pose as another line: `"`, `\`, control bytes, and in
 * plain paths also the wildcards, which are written \xNN there to tell them from a pattern's.
 */
#include "policy/compile/canonical.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/compile/text.h"

static const char *record_name(enum record_mode mode)
{
	switch (mode) {
	case RECORD_DENIALS:
		return "denials";
	case RECORD_ALL:
		return "all";
	case RECORD_STRICT:
		return "strict";
	case RECORD_NONE:
		return "none";
	}
	return "?";
}

struct line {
	enum rule_section section;
	char *text;
};

static int compare_lines(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	return strcmp(x->text, y->text);
}

static void put_limit(struct text *out, const char *name, uint64_t value)
{
	if (value)
		text_format(out, "limits.%s %llu\n", name, (unsigned long long)value);
}

static void put_about(struct text *out, const struct model *model)
{
	const char *texts[][2] = {{"agent.id", model->agent_id},
				  {"agent.purpose", model->purpose},
				  {"agent.owner", model->owner}};

	text_string(out, "remit 1\n");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!texts[i][1] || !*texts[i][1])
			continue;
		text_string(out, texts[i][0]);
		text_byte(out, ' ');
		canonical_put_quoted(out, texts[i][1], NULL, false);
		text_byte(out, '\n');
	}
	if (model->expires) {
		time_t when = (time_t)model->expires;
		struct tm tm;
		char text[40] = "";
		if (gmtime_r(&when, &tm))
			strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
		text_format(out, "agent.expires %s\n", text);
	}
	text_format(out, "audit.record %s\n", record_name(model->record));
	if (model->log_bytes)
		text_format(out, "audit.max_size %llu\n", (unsigned long long)model->log_bytes);
	for (unsigned int i = 0; i < 64; i++) {
		if (model->capabilities >> i & 1)
			text_format(out, "capability %u\n", i);
	}
	put_limit(out, "processes", model->processes);
	put_limit(out, "open_files", model->open_files);
	put_limit(out, "memory", model->memory_bytes);
	put_limit(out, "cpu_time", model->cpu_seconds);
	put_limit(out, "wall_time", model->wall_seconds);
	put_limit(out, "file_size", model->file_bytes);
}

/* The lines of the rules that count, unsorted; -ENOMEM leaves *count lines to free. */
static int collect_lines(const struct model *model, const char *tmp, struct line *lines,
			 size_t *count)
{
	for (size_t i = 0; i < model->rule_count; i++) {
		const struct model_rule *rule = &model->rules[i];
		if (rule->origin == ORIGIN_SESSION || rule->origin == ORIGIN_IMPLIED)
			continue;
		lines[*count] = (struct line){rule->section, canonical_rule(rule, tmp)};
		if (!lines[(*count)++].text)
			return -ENOMEM;
	}
	return 0;
}

int canonical_text(const struct model *model, const struct compile_options *options, char **out,
		   size_t *len)
{
	struct line *lines = calloc(model->rule_count + 1, sizeof(*lines));
	struct text text = {0};
	size_t count = 0;
	int r = -ENOMEM;

	if (!lines)
		return r;
	r = collect_lines(model, options ? options->tmp : NULL, lines, &count);
	if (r < 0)
		goto out;
	qsort(lines, count, sizeof(*lines), compare_lines);
	put_about(&text, model);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && compare_lines(&lines[i - 1], &lines[i]) == 0)
			continue;
		text_string(&text, lines[i].text);
		text_byte(&text, '\n');
	}
	*len = text.len;
	*out = text_take(&text);
	r = *out ? 0 : -ENOMEM;
out:
	for (size_t i = 0; i < count; i++)
		free(lines[i].text);
	free(lines);
	return r;
}

void canonical_digest(const char *text, size_t len, uint8_t digest[SCOPE_DIGEST_SIZE])
{
	/* Needs no sodium_init(): it draws no random numbers and hashes alike on every machine. */
	crypto_generichash_blake2b(digest, SCOPE_DIGEST_SIZE, (const unsigned char *)text, len,
				   NULL, 0);
}
