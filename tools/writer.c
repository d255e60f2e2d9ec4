/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as RFC 8259 has it, one writer for all subcommands. */
#include <inttypes.h>
#include <string.h>

#include "policy/core/shown.h"
#include "tools/output.h"

static void write_string(FILE *stream, const char *bytes, size_t len)
{
	fputc('"', stream);
	for (size_t i = 0; i < len;) {
		char shown[SHOWN_JSON];
		size_t n;

		i += shown_json(bytes + i, len - i, shown, &n);
		fwrite(shown, 1, n, stream);
	}
	fputc('"', stream);
}

static void begin(struct writer *json, const char *key)
{
	uint64_t bit = 1ULL << (json->depth & 63);

	if (json->depth && (json->used & bit))
		fputc(',', json->stream);
	json->used |= bit;
	if (key) {
		write_string(json->stream, key, strlen(key));
		fputc(':', json->stream);
	}
}

void writer_open(struct writer *json, const char *key, char bracket)
{
	begin(json, key);
	fputc(bracket, json->stream);
	json->depth++;
	json->used &= ~(1ULL << (json->depth & 63));
}

void writer_close(struct writer *json, char bracket)
{
	fputc(bracket, json->stream);
	json->depth--;
	if (!json->depth)
		fputc('\n', json->stream);
}

void writer_text(struct writer *json, const char *key, const char *text)
{
	size_t len = strlen(text);

	begin(json, key);
	write_string(json->stream, text, len);
	/* As the log has it, shim/broker/json.h. */
	if (!key || shown_is_utf8(text, len))
		return;
	fprintf(json->stream, ",\"%s_hex\":\"", key);
	for (size_t i = 0; i < len; i++)
		fprintf(json->stream, "%02x", (unsigned char)text[i]);
	fputc('"', json->stream);
}

void writer_number(struct writer *json, const char *key, int64_t number)
{
	begin(json, key);
	fprintf(json->stream, "%" PRId64, number);
}

void writer_bool(struct writer *json, const char *key, bool value)
{
	begin(json, key);
	fputs(value ? "true" : "false", json->stream);
}

void writer_null(struct writer *json, const char *key)
{
	begin(json, key);
	fputs("null", json->stream);
}
