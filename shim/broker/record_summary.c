/* SPDX-License-Identifier: Apache-2.0 */
/* What was refused, counted for the summary on stderr, and what has been explained already; both in
 * bounded memory. */
#include <stdlib.h>
#include <string.h>

#include "policy/core/hash.h"
#include "policy/core/shown.h"
#include "shim/broker/record_internal.h"

#define TOP_SHOWN 10

void record_count_refusal(struct records *records, const struct record *record)
{
	char text[TOP_TEXT];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s ", record->op);

	if (n >= sizeof(text))
		n = sizeof(text) - 1;
	shown_text(record->object, record->object_len, text + n, sizeof(text) - n);
	uint64_t hash = hash_bytes(record->object, record->object_len,
				   hash_bytes(record->op, strlen(record->op), 0));

	for (size_t i = 0; i < records->top_count; i++) {
		if (records->top[i].hash == hash) {
			records->top[i].count++;
			return;
		}
	}
	if (records->top_count == TOP_MAX) {
		records->top_missed++;
		return;
	}
	struct top *top = &records->top[records->top_count++];

	top->hash = hash;
	top->count = 1;
	memcpy(top->text, text, sizeof(text));
}

bool records_first_time(struct records *records, pid_t pid, enum verb verb, const char *object,
			size_t len)
{
	uint64_t key = hash_bytes(object, len, (uint64_t)(uint32_t)pid << 8 | (uint64_t)verb);
	size_t bucket = (key >> 8) & ((1u << SEEN_BITS) / SEEN_WAYS - 1);
	uint64_t *ways = records->seen + bucket * SEEN_WAYS;

	key |= 1; /* zero is an empty place */
	pthread_mutex_lock(&records->lock);
	bool first = true;

	for (size_t i = 0; i < SEEN_WAYS; i++)
		first = first && ways[i] != key;
	if (first)
		ways[records->seen_next[bucket]++ % SEEN_WAYS] = key;
	pthread_mutex_unlock(&records->lock);
	return first;
}

static int by_count(const void *a, const void *b)
{
	const struct top *left = a, *right = b;

	if (left->count != right->count)
		return left->count < right->count ? 1 : -1;
	return strcmp(left->text, right->text);
}

void records_summary(struct records *records, FILE *stream)
{
	pthread_mutex_lock(&records->lock);
	uint64_t shown = records->totals.refused - records->totals.quiet;

	if (shown != 0) {
		qsort(records->top, records->top_count, sizeof(*records->top), by_count);
		fprintf(stream, "remit: %llu refused (agent %s)\n", (unsigned long long)shown,
			records->agent);
		for (size_t i = 0; i < records->top_count && i < TOP_SHOWN; i++)
			fprintf(stream, "  %6llu  %s\n", (unsigned long long)records->top[i].count,
				records->top[i].text);
		if (records->top_count > TOP_SHOWN)
			fprintf(stream, "          and %s%zu more\n",
				records->top_missed ? "at least " : "",
				records->top_count - TOP_SHOWN);
	}
	pthread_mutex_unlock(&records->lock);
}

void records_print_broken(bool full, FILE *stream)
{
	fprintf(stream, "remit: the audit log %s; everything was refused since\n",
		full ? "has reached audit.max_size" : "could not be written");
}
