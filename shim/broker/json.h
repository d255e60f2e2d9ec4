/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes one JSON object into a fixed buffer. What does not fit makes json_close() fail instead of
 * a broken line. No allocation.
 */
#ifndef REMIT_BROKER_JSON_H
#define REMIT_BROKER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH 8
/* Of one string's raw bytes; a longer one is cut in the middle with "…". */
#define JSON_BYTES_MAX 4096
/* Of a key with its NUL. */
#define JSON_KEY_MAX 32

struct json {
	char *buf;
	size_t size, len;
	unsigned int depth;
	char closing[JSON_DEPTH];
	bool first, overflow;
};

void json_open(struct json *json, char *buf, size_t size);
/* Closes all that is open and adds a newline; the length, or -EMSGSIZE. No NUL is written. */
long json_close(struct json *json);

/* A NULL key adds an element to an array. */
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_end(struct json *json); /* of the innermost object or array */
void json_string(struct json *json, const char *key, const char *text);
/* Any bytes: characters that deceive (policy/core/shown.h) are escaped, a byte that is not part of
 * UTF-8 becomes \u00XX; where there is one, KEY_hex follows with all bytes, two digits each (but for
 * elements of an array). */
void json_bytes(struct json *json, const char *key, const char *bytes, size_t len);
void json_hex(struct json *json, const char *key, const char *bytes, size_t len);
void json_number(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

#endif
