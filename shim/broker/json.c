/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded JSON writer: see json.h. A line is either whole and valid or reported as too long. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

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

size_t json_utf8(const char *bytes, size_t len)
{
	const unsigned char *b = (const unsigned char *)bytes;

	if (len == 0)
		return 0;
	if (b[0] < 0x80)
		return 1;
	size_t need = b[0] >= 0xc2 && b[0] <= 0xdf   ? 2
		      : b[0] >= 0xe0 && b[0] <= 0xef ? 3
		      : b[0] >= 0xf0 && b[0] <= 0xf4 ? 4
						     : 0;

	if (need == 0 || len < need)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Overlong forms, surrogates, and what lies above U+10FFFF. */
	if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) ||
	    (b[0] == 0xf0 && b[1] < 0x90) || (b[0] == 0xf4 && b[1] > 0x8f))
		return 0;
	return need;
}

/* C1 controls (U+0080..U+009F) are as good as an ESC to some terminals. */
static bool is_control(const char *bytes, size_t n)
{
	const unsigned char *b = (const unsigned char *)bytes;

	return (n == 1 && (b[0] < 0x20 || b[0] == 0x7f)) || (n == 2 && b[0] == 0xc2 && b[1] < 0xa0);
}

static void put_escaped(struct json *json, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = json_utf8(bytes + i, len - i);
		unsigned char c = (unsigned char)bytes[i];
		char text[8];

		if (n == 1 && (c == '"' || c == '\\')) {
			put_char(json, '\\');
			put_char(json, (char)c);
		} else if (n == 0 || is_control(bytes + i, n)) {
			unsigned char code = n == 2 ? (unsigned char)bytes[i + 1] : c;

			snprintf(text, sizeof(text), "\\u%04x", code);
			put(json, text, 6);
		} else {
			put(json, bytes + i, n);
		}
		i += n ? n : 1;
	}
}

static void put_quoted(struct json *json, const char *bytes, size_t len)
{
	put_char(json, '"');
	if (len <= JSON_BYTES_MAX) {
		put_escaped(json, bytes, len);
	} else {
		put_escaped(json, bytes, JSON_BYTES_MAX / 2);
		put(json, "…", strlen("…"));
		put_escaped(json, bytes + len - JSON_BYTES_MAX / 2, JSON_BYTES_MAX / 2);
	}
	put_char(json, '"');
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
	put_key(json, key);
	put_quoted(json, bytes, len);
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

void json_escape_text(const char *bytes, size_t len, char *buf, size_t size)
{
	size_t out = 0;

	if (size == 0)
		return;
	for (size_t i = 0; i < len;) {
		size_t n = json_utf8(bytes + i, len - i);
		bool plain = n > 0 && !is_control(bytes + i, n);
		size_t step = n ? n : 1, need = plain ? n : 4 * step;

		if (out + need >= size)
			break;
		if (plain)
			memcpy(buf + out, bytes + i, n);
		for (size_t k = 0; !plain && k < step; k++)
			snprintf(buf + out + 4 * k, 5, "\\x%02x", (unsigned char)bytes[i + k]);
		out += need;
		i += step;
	}
	buf[out] = '\0';
}
