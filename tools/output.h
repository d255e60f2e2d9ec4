/* SPDX-License-Identifier: Apache-2.0 */
/* What people and programs read: messages on stderr, text that cannot forge a terminal escape,
 * JSON. */
#ifndef REMIT_TOOLS_OUTPUT_H
#define REMIT_TOOLS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* "remit: …" and a newline on stderr. */
void output_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void output_oom(void);

/* True for a terminal, unless NO_COLOR is set to something (no-color.org) or TERM is dumb. */
bool output_colour(FILE *stream);

enum colour { COLOUR_GOOD, COLOUR_BAD, COLOUR_WARN, COLOUR_DIM };
/* `text` in colour when the stream takes it. */
void output_coloured(FILE *stream, enum colour colour, const char *text);

/* Bytes as text on one line: what deceives (policy/core/shown.h) and what is no UTF-8 as \xNN. */
void output_text(FILE *stream, const char *text);

/* "2GiB", "10m": in the manifest's own spelling, when it divides; buf of at least 32 bytes. */
const char *output_size(uint64_t bytes, char *buf);
const char *output_duration(uint64_t seconds, char *buf);
/* RFC 3339 in UTC; buf of at least 32 bytes. */
const char *output_time(int64_t seconds, char *buf);
/* Lower-case hex; buf of at least 2 * len + 1 bytes. */
const char *output_hex(const uint8_t *bytes, size_t len, char *buf);

/* Flushes stdout; when that fails says so and returns STATUS_USAGE, else `status`: output that was
 * lost must not look like success. */
int output_finish(int status);

/*
 * JSON (RFC 8259), written as it goes: braces and commas are kept by the writer, nothing is
 * allocated. `key` is NULL in arrays and at the top. Bytes that are not UTF-8 become the \u00XX of
 * that byte.
 */
struct writer {
	FILE *stream;
	unsigned int depth;
	uint64_t used; /* bit d: level d has a member already */
};

void writer_open(struct writer *json, const char *key, char bracket); /* '{' or '[' */
void writer_close(struct writer *json, char bracket);		      /* '}' or ']' */
void writer_text(struct writer *json, const char *key, const char *text);
void writer_number(struct writer *json, const char *key, int64_t number);
void writer_bool(struct writer *json, const char *key, bool value);
void writer_null(struct writer *json, const char *key);

#endif
