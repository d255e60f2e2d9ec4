/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a manifest, checked before libyaml sees them, so that what a reviewer's editor shows
 * is what is parsed: YAML 1.1 ends a line at U+0085, U+2028 and U+2029 and at a lone CR, where most
 * editors do not, and a comment could hide a rule behind one.
 */
#include <stdint.h>

#include "policy/compile/yaml_internal.h"
#include "policy/core/shown.h"
#include "policy/core/word.h"

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
	if (!shown_deceives(code))
		return NULL;
	*hint = "within double quotes write it by its number, like \\u200b";
	return "a character that nobody sees";
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
	const char *text = document->text;
	unsigned int line = 1, column = 1;
	size_t len;

	for (size_t i = 0; i < document->len; i += len, column++) {
		size_t plain = plain_bytes(text + i, document->len - i);

		i += plain;
		column += (unsigned int)plain;
		if (i == document->len)
			break;
		uint32_t code = 0;

		len = shown_utf8(text + i, document->len - i, &code);
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
