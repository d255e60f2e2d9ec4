/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text that grows. A stream in memory would do the same, but each clears eight kibibytes first,
 * and a manifest makes some texts for every rule. Without memory it is failed, and stays so:
 * text_take() is where that shows.
 */
#ifndef REMIT_COMPILE_TEXT_H
#define REMIT_COMPILE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct text {
	char *bytes; /* not NUL-ended before text_take() */
	size_t len, room;
	bool failed;
};

void text_add(struct text *text, const char *bytes, size_t len);
void text_string(struct text *text, const char *string);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The whole, NUL-ended and the caller's; NULL when it failed. The text is empty afterwards. */
char *text_take(struct text *text);
void text_free(struct text *text);

static inline void text_byte(struct text *text, char byte)
{
	if (text->len < text->room)
		text->bytes[text->len++] = byte;
	else
		text_add(text, &byte, 1);
}

#endif
