/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log's writer on any bytes that an agent may call an object: each line is whole, ends once, is
 * well-formed UTF-8 without a control character, and its quotes and braces balance. No name forges
 * a record.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shim/broker/json.c" // NOLINT: the runner links no broker

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Walks the line as a JSON reader would; anything but one object is an error. */
static void check_line(const char *line, size_t len)
{
	int depth = 0;
	bool quoted = false;
	uint32_t code;

	for (size_t i = 0; i < len;) {
		size_t n = shown_utf8(line + i, len - i, &code);
		unsigned char c = (unsigned char)line[i];

		check(n > 0 && (code == '\n' || !shown_deceives(code)));
		check(n > 0 && (n > 1 || (c >= 0x20 && c != 0x7f)));
		if (quoted && c == '\\') {
			check(i + 1 < len && strchr("\"\\u", line[i + 1]));
			i += 2;
			continue;
		}
		if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']'))
			depth--;
		check(depth > 0 || i + n == len);
		i += n;
	}
	check(depth == 0 && !quoted);
}

static void check_text(const char *bytes, size_t size)
{
	char text[64];
	uint32_t code;

	shown_text(bytes, size, text, sizeof(text));
	size_t len = strnlen(text, sizeof(text));

	check(len < sizeof(text));
	for (size_t i = 0; i < len;) {
		size_t n = shown_utf8(text + i, len - i, &code);

		check(n > 0 && !shown_deceives(code));
		i += n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char line[98304];
	const char *bytes = (const char *)data;
	struct json json;

	json_open(&json, line, sizeof(line));
	json_bytes(&json, "exe", bytes, size / 2);
	json_array(&json, "list");
	json_bytes(&json, NULL, bytes + size / 2, size - size / 2);
	json_number(&json, NULL, (int64_t)size);
	json_end(&json);
	json_bytes(&json, "object", bytes, size);
	long len = json_close(&json);

	if (len >= 0) {
		check(line[len - 1] == '\n' && !memchr(line, '\n', (size_t)len - 1));
		check_line(line, (size_t)len - 1);
	}
	check_text(bytes, size);

	/* However small the buffer, nothing is written past it and nothing half passes. */
	size_t room = size ? data[0] : 0;

	memset(line, '#', 512);
	json_open(&json, line, room);
	json_bytes(&json, "object", bytes, size);
	check(json_close(&json) <= (long)room && line[room] == '#');
	return 0;
}
