/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names as people may see them: whatever comes from an agent passes here on its way to a terminal
 * or a log. No allocation, no libc.
 */
#ifndef REMIT_CORE_SHOWN_H
#define REMIT_CORE_SHOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the UTF-8 character that starts here (RFC 3629: no overlong forms, no surrogates, nothing
 * past U+10FFFF), 1..4, and which one it is; 0 when the bytes are none. */
size_t shown_utf8(const char *bytes, size_t len, uint32_t *ret_code);

/* True when all of it is UTF-8. */
bool shown_is_utf8(const char *bytes, size_t len);

/* Characters that end a line, hide text, turn its direction or command a terminal. */
bool shown_deceives(uint32_t code);

/* One step of what is shown: the character itself, or \xNN for its first byte. Returns how many of
 * the bytes it took; len is not 0. */
size_t shown_next(const char *bytes, size_t len, char shown[4], size_t *shown_len);

/* One step of the same within a JSON string (RFC 8259 section 7): what deceives as \uNNNN, a byte
 * that is no UTF-8 as \u00NN. At most SHOWN_JSON bytes. */
#define SHOWN_JSON 12
size_t shown_json(const char *bytes, size_t len, char shown[SHOWN_JSON], size_t *shown_len);

/* All of it, ended by NUL, cut between characters to fit. */
void shown_text(const char *bytes, size_t len, char *buf, size_t size);

#endif
