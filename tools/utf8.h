/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF. */
#ifndef REMIT_TOOLS_UTF8_H
#define REMIT_TOOLS_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character that starts here, 1..4; 0 when the bytes are none. */
static inline size_t utf8_length(const char *text, size_t len)
{
	const unsigned char *b = (const unsigned char *)text;
	size_t need = b[0] < 0x80   ? 1
		      : b[0] < 0xc2 ? 0
		      : b[0] < 0xe0 ? 2
		      : b[0] < 0xf0 ? 3
		      : b[0] < 0xf5 ? 4
				    : 0;

	if (!need || need > len)
		return 0;
	for (size_t i = 1; i < need; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) ||
	    (b[0] == 0xf0 && b[1] < 0x90) || (b[0] == 0xf4 && b[1] > 0x8f))
		return 0;
	return need;
}

/* The C1 controls U+0080..U+009F: some terminals take them for escapes. */
static inline bool utf8_is_control(const char *text, size_t len)
{
	return len == 2 && (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0;
}

#endif
