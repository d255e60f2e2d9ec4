/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded JSON writer: see json.h. A line is either whole and valid or reported as too long. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/core/shown.h"
#include "shim/broker/json.h"

static void put(struct json *json, const char *bytes, size_t len)
{
	if (json->overflow || len > json->size - json->len) {
		json->overflow = true;
		return;
	}
	memcpy(json->buf + json->len, bytes, len);
	json->len += len;
}

static void put_char(struct json *json, char c)
{
	put(json, &c, 1);
}

static void put_escaped(struct json *json, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len;) {
		char shown[SHOWN_JSON];
		size_t n;

		i += shown_json(bytes + i, len - i, shown, &n);
		put(json, shown, n);
	}
}

static void put_hex(struct json *json, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		put_char(json, "0123456789abcdef"[(unsigned char)bytes[i] >> 4]);
		put_char(json, "0123456789abcdef"[(unsigned char)bytes[i] & 15]);
	}
}

/* What is too long loses its middle. */
static void put_cut(struct json *json, const char *bytes, size_t len,
		    void (*write)(struct json *, const char *, size_t))
{
	put_char(json, '"');
	if (len <= JSON_BYTES_MAX) {
		write(json, bytes, len);
	} else {
		write(json, bytes, JSON_BYTES_MAX / 2);
		put(json, "…", strlen("…"));
		write(json, bytes + len - JSON_BYTES_MAX / 2, JSON_BYTES_MAX / 2);
	}
	put_char(json, '"');
}

static void put_quoted(struct json *json, const char *bytes, size_t len)
{
	put_cut(json, bytes, len, put_escaped);
}

static void put_key(struct json *json, const char *key)
{
	if (!json->first)
		put_char(json, ',');
	json->first = false;
	if (key) {
		put_quoted(json, key, strlen(key));
		put_char(json, ':');
	}
}

static void nest(struct json *json, char opening, char closing)
{
	put_char(json, opening);
	if (json->depth == JSON_DEPTH) {
		json->overflow = true;
		return;
	}
	json->closing[json->depth++] = closing;
	json->first = true;
}

void json_open(struct json *json, char *buf, size_t size)
{
	*json = (struct json){.buf = buf, .size = size};
	nest(json, '{', '}');
}

void json_end(struct json *json)
{
	if (json->depth == 0)
		return;
	put_char(json, json->closing[--json->depth]);
	json->first = false;
}

long json_close(struct json *json)
{
	while (json->depth > 0)
		json_end(json);
	put_char(json, '\n');
	return json->overflow ? -EMSGSIZE : (long)json->len;
}

void json_object(struct json *json, const char *key)
{
	put_key(json, key);
	nest(json, '{', '}');
}

void json_array(struct json *json, const char *key)
{
	put_key(json, key);
	nest(json, '[', ']');
}

void json_bytes(struct json *json, const char *key, const char *bytes, size_t len)
{
	char hex[JSON_KEY_MAX];

	put_key(json, key);
	put_quoted(json, bytes, len);
	/* The byte 9b and the character U+009B look alike. */
	if (!key || shown_is_utf8(bytes, len))
		return;
	snprintf(hex, sizeof(hex), "%s_hex", key);
	json_hex(json, hex, bytes, len);
}

void json_hex(struct json *json, const char *key, const char *bytes, size_t len)
{
	put_key(json, key);
	put_cut(json, bytes, len, put_hex);
}

void json_string(struct json *json, const char *key, const char *text)
{
	json_bytes(json, key, text, strlen(text));
}

void json_number(struct json *json, const char *key, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%lld", (long long)value);

	put_key(json, key);
	put(json, text, (size_t)n);
}

void json_bool(struct json *json, const char *key, bool value)
{
	put_key(json, key);
	put(json, value ? "true" : "false", value ? 4 : 5);
}

void json_null(struct json *json, const char *key)
{
	put_key(json, key);
	put(json, "null", 4);
}
