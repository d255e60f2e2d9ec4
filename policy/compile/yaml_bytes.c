/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a manifest, checked before libyaml sees them, so that what a reviewer's editor shows
 * is what is parsed: YAML 1.1 ends a line at U+0085, U+2028 and U+2029 and at a lone CR, where most
 * editors do not, and a comment could hide a rule behind one.
 */
#include <stdint.h>

#include "policy/compile/yaml_internal.h"
#include "policy/core/word.h"

/* The code point at text and its length; length 0 when it is not UTF-8. */
static uint32_t decode(const unsigned char *text, size_t left, size_t *len)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t code = text[0];
	size_t want = code < 0x80 ? 1 : code >= 0xf0 ? 4 : code >= 0xe0 ? 3 : 2;

	*len = 0;
	if (want > left || (code >= 0x80 && code < 0xc2) || code > 0xf4)
		return 0;
	if (want > 1)
		code &= 0xffu >> (want + 1);
	for (size_t i = 1; i < want; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < least[want] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*len = want;
	return code;
}

/* What is wrong with a character of a manifest, or NULL. */
static const char *character_fault(uint32_t code, bool lone_return, const char **hint)
{
	*hint = NULL;
	if (code == '\t') {
		*hint = "indent and separate with spaces; within double quotes write \\t";
		return "a tab";
	}
	if (code == '\n' || (code == '\r' && !lone_return))
		return NULL;
	if (code == '\r')
		return "a carriage return that ends no line";
	if (code == 0)
		return "a NUL byte";
	if (code < 0x20 || code == 0x7f || (code >= 0x80 && code < 0xa0))
		return "a control character";
	if (code == 0x2028 || code == 0x2029)
		return "a line separator that editors do not show as one (U+2028, U+2029)";
	if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069))
		return "a character that turns the direction of text: what is read is not what is "
		       "meant";
	if (code == 0xfeff)
		return "a byte order mark within the file";
	return NULL;
}

/* How many of the bytes, by eights, are plain ASCII that people see. */
static size_t plain_bytes(const char *text, size_t left)
{
	const uint64_t high = WORD_OF(0x80);
	size_t len = 0;

	for (; left - len >= 8; len += 8) {
		uint64_t word = word_read(text + len);
		/* Of ASCII, what lies below the blank has none of the bits of 0x60. */
		uint64_t low = word_zeros(word & WORD_OF(0x60));
		if ((word & high) || low || word_zeros(word ^ WORD_OF(0x7f)))
			break;
	}
	return len;
}

int document_check_bytes(const struct document *document, struct diagnostics *diagnostics)
{
	const unsigned char *text = (const unsigned char *)document->text;
	unsigned int line = 1, column = 1;
	size_t len;

	for (size_t i = 0; i < document->len; i += len, column++) {
		size_t plain = plain_bytes(document->text + i, document->len - i);

		i += plain;
		column += (unsigned int)plain;
		if (i == document->len)
			break;
		uint32_t code = decode(text + i, document->len - i, &len);
		bool lone = i + 1 >= document->len || text[i + 1] != '\n';
		const char *hint = NULL, *fault;

		fault = len ? character_fault(code, lone, &hint) : "not valid UTF-8";
		if (fault)
			return document_complain(diagnostics, document, line, column, hint, fault);
		if (code == '\n') {
			line++;
			column = 0;
		}
	}
	return 0;
}
