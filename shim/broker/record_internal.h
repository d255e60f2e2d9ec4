/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that keep the audit log: record.c writes lines, record_session.c those about
 * the session itself, record_summary.c remembers what was said already and how often. */
#ifndef REMIT_BROKER_RECORD_INTERNAL_H
#define REMIT_BROKER_RECORD_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "shim/broker/json.h"
#include "shim/broker/record.h"

#define LINE_MAX_BYTES 98304 /* holds an object and an exe of escapes only, and both in hex */
#define SEEN_BITS 12	     /* explanations remembered: 4096, the oldest of a bucket goes */
#define SEEN_WAYS 4
#define TOP_MAX 256 /* different refusals that the summary can count */
#define TOP_TEXT 160

struct top {
	uint64_t hash, count;
	char text[TOP_TEXT];
};

struct records {
	int fd;
	bool regular;
	char session[64];
	char agent[80];
	char digest[2 * SCOPE_DIGEST_SIZE + 1];
	enum record_mode mode;
	pthread_mutex_t lock;
	uint64_t seq;
	atomic_ullong allowed; /* counted without the lock */
	struct record_totals totals;
	atomic_bool broken; /* for good: a line could not be written */
	atomic_bool full;   /* for good: the bound was met, only the last line is still written */
	uint64_t bytes, max_bytes; /* written by this session; 0: no bound */
	uint64_t seen[1 << SEEN_BITS];
	uint8_t seen_next[(1 << SEEN_BITS) / SEEN_WAYS];
	struct top top[TOP_MAX];
	size_t top_count;
	uint64_t top_missed;
	char line[LINE_MAX_BYTES];
};

/* All of these under the lock. */

/* Begins a line with the fields that every line opens with; event: NULL for a record of a call. */
void record_line_open(struct records *records, struct json *json, const char *event);
/* Puts the line out whole, or counts the log as broken: 0 or -EIO. Past the bound the log gets one
 * line that says so instead, and no other but the last. */
int record_line_close(struct records *records, struct json *json);
/* The same for the session's last line, which no bound keeps out. */
int record_line_close_last(struct records *records, struct json *json);
void record_put_place(struct json *json, const struct rule *rule);
void record_put_inner(struct json *json, const struct record_inner *inner);
void record_count_refusal(struct records *records, const struct record *record);

#endif
