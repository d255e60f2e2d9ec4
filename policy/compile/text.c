// SPDX-License-Identifier: Apache-2.0
#include "policy/compile/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 64

/* Room for `more` bytes; false and failed without memory. */
static bool reserve(struct text *text, size_t more)
{
	size_t room = text->room ? text->room : ROOM_FIRST;
	char *bytes;

	if (text->failed)
		return false;
	if (text->room - text->len >= more)
		return true;
	while (room - text->len < more)
		room *= 2;
	bytes = realloc(text->bytes, room);
	if (!bytes) {
		text->failed = true;
		text->room = text->len; /* text_byte() comes here from now on */
		return false;
	}
	text->bytes = bytes;
	text->room = room;
	return true;
}

void text_add(struct text *text, const char *bytes, size_t len)
{
	if (!len || !reserve(text, len))
		return;
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
}

void text_string(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void text_format(struct text *text, const char *format, ...)
{
	char buffer[256];
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(buffer, sizeof(buffer), format, arguments);
	va_end(arguments);
	if (len < 0 || (size_t)len >= sizeof(buffer))
		text->failed = true; /* only short words are written so */
	else
		text_add(text, buffer, (size_t)len);
}

char *text_take(struct text *text)
{
	char *bytes;

	text_byte(text, '\0');
	bytes = text->bytes;
	if (text->failed) {
		free(bytes);
		bytes = NULL;
	}
	*text = (struct text){0};
	return bytes;
}

void text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}
