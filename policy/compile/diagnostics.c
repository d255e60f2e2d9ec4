// SPDX-License-Identifier: Apache-2.0
/*
 * Collects diagnostics and writes them for people and machines. A manifest is hostile text until it
 * is understood: whatever of it is printed has its control characters escaped and its length
 * bounded, so that a manifest cannot drive the terminal of who checks it.
 */
#include "policy/compile/diagnostics.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/core/shown.h"

/* The part of a long source line that is shown. */
#define WINDOW_BEFORE 60
#define WINDOW_TOTAL 100

/* Longest word that is searched for a near match. */
#define NEAR_MAX 48

void diagnostics_free(struct diagnostics *diagnostics)
{
	if (!diagnostics)
		return;
	for (size_t i = 0; i < diagnostics->count; i++) {
		struct diagnostic *item = &diagnostics->items[i];

		free(item->file);
		free(item->source);
		free(item->message);
		free(item->hint);
	}
	memset(diagnostics, 0, sizeof(*diagnostics));
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

int diagnostics_add(struct diagnostics *diagnostics, enum severity severity, const char *file,
		    unsigned int line, unsigned int column, unsigned int width, const char *source,
		    const char *hint, const char *format, ...)
{
	struct diagnostic *item;
	va_list arguments;

	if (severity == SEVERITY_ERROR)
		diagnostics->errors++;
	else
		diagnostics->warnings++;
	if (diagnostics->count == DIAGNOSTICS_MAX)
		return -EINVAL;
	item = &diagnostics->items[diagnostics->count++];
	item->severity = severity;
	item->file = copy(file);
	item->line = line;
	item->column = column;
	item->width = width ? width : 1;
	item->source = copy(source);
	item->hint = copy(hint);
	va_start(arguments, format);
	if (vasprintf(&item->message, format, arguments) < 0)
		item->message = NULL;
	va_end(arguments);
	return -EINVAL;
}

/* One character as it is shown; *used bytes of text are consumed. Returns the columns that it
 * takes. */
static unsigned int show_character(const char *text, size_t *used, char shown[8])
{
	size_t len;

	*used = shown_next(text, strnlen(text, 4), shown, &len);
	shown[len] = '\0';
	return len == *used ? 1 : (unsigned int)len;
}

static void print_text(FILE *stream, const char *text)
{
	char shown[8];
	size_t used;

	for (; *text; text += used) {
		show_character(text, &used, shown);
		fputs(shown, stream);
	}
}

static void print_repeated(FILE *stream, char byte, unsigned int times)
{
	while (times--)
		fputc(byte, stream);
}

/* The line and, beneath it, the caret; columns count characters. */
static void print_source(FILE *stream, const struct diagnostic *item, bool colour)
{
	const char *at = item->source;
	unsigned int column = 1, first, pad = 0, under = 0, total = 0;
	char shown[8];
	size_t used;

	first = item->column > WINDOW_BEFORE ? item->column - WINDOW_BEFORE : 1;
	for (; *at && (column < first || (column < item->column && *at == ' ')); at += used) {
		show_character(at, &used, shown);
		column++;
	}
	fputs(first > 1 ? "    …" : "    ", stream);
	pad = first > 1 ? 5 : 4;
	for (; *at && total < WINDOW_TOTAL; at += used, column++) {
		unsigned int width = show_character(at, &used, shown);

		fputs(shown, stream);
		total += width;
		if (column < item->column)
			pad += width;
		else if (column < item->column + item->width)
			under += width;
	}
	fputs(*at ? "…\n" : "\n", stream);
	if (!item->column)
		return;
	print_repeated(stream, ' ', pad);
	fputs(colour ? "\033[1;32m^" : "^", stream);
	print_repeated(stream, '~', under > 1 ? under - 1 : 0);
	fputs(colour ? "\033[0m\n" : "\n", stream);
}

static void print_item(FILE *stream, const struct diagnostic *item, bool colour)
{
	const char *severity = item->severity == SEVERITY_ERROR ? "error" : "warning";
	const char *tint = item->severity == SEVERITY_ERROR ? "\033[1;31m" : "\033[1;35m";

	if (item->file) {
		print_text(stream, item->file);
		if (item->line)
			fprintf(stream, ":%u", item->line);
		if (item->line && item->column)
			fprintf(stream, ":%u", item->column);
		fputs(": ", stream);
	}
	fprintf(stream, "%s%s:%s ", colour ? tint : "", severity, colour ? "\033[0m" : "");
	print_text(stream, item->message ? item->message : "out of memory");
	fputc('\n', stream);
	if (item->source && item->line)
		print_source(stream, item, colour);
	if (item->hint) {
		fputs("  ", stream);
		print_text(stream, item->hint);
		fputc('\n', stream);
	}
}

void diagnostics_print(const struct diagnostics *diagnostics, FILE *stream, bool colour)
{
	size_t all = diagnostics->errors + diagnostics->warnings;

	for (size_t i = 0; i < diagnostics->count; i++)
		print_item(stream, &diagnostics->items[i], colour);
	if (all > diagnostics->count)
		fprintf(stream, "%zu more not shown\n", all - diagnostics->count);
}

static void print_json_text(FILE *stream, const char *text)
{
	if (!text) {
		fputs("null", stream);
		return;
	}
	fputc('"', stream);
	for (size_t left = strlen(text); left > 0;) {
		char shown[SHOWN_JSON];
		size_t n, used = shown_json(text, left, shown, &n);

		fwrite(shown, 1, n, stream);
		text += used;
		left -= used;
	}
	fputc('"', stream);
}

void diagnostics_print_json(const struct diagnostics *diagnostics, FILE *stream)
{
	fputc('[', stream);
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *item = &diagnostics->items[i];

		fprintf(stream, "%s{\"severity\":\"%s\",\"file\":", i ? "," : "",
			item->severity == SEVERITY_ERROR ? "error" : "warning");
		print_json_text(stream, item->file);
		fprintf(stream, ",\"line\":%u,\"column\":%u,\"message\":", item->line,
			item->column);
		print_json_text(stream, item->message);
		fputs(",\"hint\":", stream);
		print_json_text(stream, item->hint);
		fputc('}', stream);
	}
	fputs("]\n", stream);
}

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Edit distance in which two neighbours that change places count once (optimal string alignment).
 */
static unsigned int distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	unsigned int row[3][NEAR_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned int *now = row[i % 3], *before = row[(i + 2) % 3];

		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_len; j++) {
			now[j] = least(before[j] + 1, now[j - 1] + 1,
				       before[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    row[(i + 1) % 3][j - 2] + 1 < now[j])
				now[j] = row[(i + 1) % 3][j - 2] + 1;
		}
	}
	return row[a_len % 3][b_len];
}

const char *diagnostics_near(const char *word, const char *const *candidates, size_t count)
{
	const char *best = NULL;
	size_t len = strlen(word);
	unsigned int best_distance = len < 3 ? 2 : len < 6 ? 3 : 4;

	if (!len || len > NEAR_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		unsigned int far;

		if (!candidates[i] || strlen(candidates[i]) > NEAR_MAX)
			continue;
		far = distance(word, candidates[i]);
		/* Fewer edits than would replace every letter of the candidate. */
		if (far < best_distance && far < strlen(candidates[i])) {
			best = candidates[i];
			best_distance = far;
		}
	}
	return best;
}
