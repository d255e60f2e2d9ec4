/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that knows which characters are shown as they are. */
#include "policy/core/shown.h"

#include <string.h>

size_t shown_utf8(const char *bytes, size_t len, uint32_t *ret_code)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *text = (const unsigned char *)bytes;

	if (len == 0)
		return 0;
	size_t n = text[0] < 0x80   ? 1
		   : text[0] < 0xc2 ? 0
		   : text[0] < 0xe0 ? 2
		   : text[0] < 0xf0 ? 3
		   : text[0] < 0xf5 ? 4
				    : 0;
	if (n == 0 || n > len)
		return 0;
	uint32_t code = n == 1 ? text[0] : text[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < least[n] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
		return 0;
	*ret_code = code;
	return n;
}

bool shown_is_utf8(const char *bytes, size_t len)
{
	uint32_t code;

	for (size_t i = 0, n; i < len; i += n) {
		n = shown_utf8(bytes + i, len - i, &code);
		if (n == 0)
			return false;
	}
	return true;
}

/* C0 and C1 controls; Unicode 15: Bidi_Control, line and paragraph separators, and what has no
 * width. */
bool shown_deceives(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad || code == 0x61c ||
	       code == 0xfeff || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) ||
	       (code >= 0xfff9 && code <= 0xfffb) || code >= 0xe0000;
}

size_t shown_next(const char *bytes, size_t len, char shown[4], size_t *shown_len)
{
	uint32_t code = 0;
	size_t n = shown_utf8(bytes, len, &code);

	if (n > 0 && !shown_deceives(code)) {
		memcpy(shown, bytes, n);
		*shown_len = n;
		return n;
	}
	shown[0] = '\\';
	shown[1] = 'x';
	shown[2] = "0123456789abcdef"[(unsigned char)bytes[0] >> 4];
	shown[3] = "0123456789abcdef"[(unsigned char)bytes[0] & 15];
	*shown_len = 4;
	return 1;
}

static size_t put_unit(char *out, uint32_t unit)
{
	out[0] = '\\';
	out[1] = 'u';
	for (int i = 0; i < 4; i++)
		out[2 + i] = "0123456789abcdef"[unit >> (12 - 4 * i) & 15];
	return 6;
}

size_t shown_json(const char *bytes, size_t len, char shown[SHOWN_JSON], size_t *shown_len)
{
	uint32_t code = (unsigned char)bytes[0];
	size_t n = shown_utf8(bytes, len, &code), out = 0;

	if (code == '"' || code == '\\') {
		shown[out++] = '\\';
		shown[out++] = (char)code;
	} else if (n > 0 && !shown_deceives(code)) {
		memcpy(shown, bytes, n);
		out = n;
	} else if (code < 0x10000) {
		out = put_unit(shown, code);
	} else {
		out = put_unit(shown, 0xd800 + ((code - 0x10000) >> 10));
		out += put_unit(shown + out, 0xdc00 + ((code - 0x10000) & 0x3ff));
	}
	*shown_len = out;
	return n ? n : 1;
}

void shown_text(const char *bytes, size_t len, char *buf, size_t size)
{
	size_t out = 0;

	if (size == 0)
		return;
	for (size_t i = 0; i < len;) {
		char shown[4];
		size_t n;

		i += shown_next(bytes + i, len - i, shown, &n);
		if (out + n >= size)
			break;
		memcpy(buf + out, shown, n);
		out += n;
	}
	buf[out] = '\0';
}
