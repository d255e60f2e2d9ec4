/* SPDX-License-Identifier: Apache-2.0 */
/* Text eight bytes at a time: where a path's slashes are, and whether two names are the same. Reads
 * nothing outside the lengths given. */
#ifndef REMIT_CORE_WORD_H
#define REMIT_CORE_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WORD_OF(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline uint64_t word_read(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return word;
}

static inline uint32_t word_half(const char *text)
{
	uint32_t half;

	memcpy(&half, text, sizeof(half));
	return half;
}

/* The high bit of every byte that is zero; exact (no carry between bytes). */
static inline uint64_t word_zeros(uint64_t word)
{
	const uint64_t high = WORD_OF(0x80);

	return ~(((word & ~high) + ~high) | word | ~high);
}

/* The bytes of text[i..len), fewer than eight, and behind them a byte that no test here looks for. */
static inline uint64_t word_rest(const char *text, size_t i, size_t len)
{
	size_t count = len - i;
	uint64_t word = 0;

	if (len >= 8)
		word = word_read(text + len - 8) >> (64 - 8 * count);
	else
		for (size_t k = 0; k < count; k++)
			word |= (uint64_t)(unsigned char)text[i + k] << (8 * k);
	return word | ~UINT64_C(0) << (8 * count);
}

/* Where the component that begins at i ends; i <= len. */
static inline size_t word_component_end(const char *text, size_t i, size_t len)
{
	uint64_t slash;

	for (; i + 8 <= len; i += 8) {
		slash = word_zeros(word_read(text + i) ^ WORD_OF('/'));
		if (slash)
			return i + (size_t)__builtin_ctzll(slash) / 8;
	}
	if (i == len)
		return len;
	slash = word_zeros(word_rest(text, i, len) ^ WORD_OF('/'));
	return slash ? i + (size_t)__builtin_ctzll(slash) / 8 : len;
}

/* Whether len bytes are the same; for short ones, without a call. */
static inline bool word_equal(const char *a, const char *b, size_t len)
{
	if (len > 16)
		return memcmp(a, b, len) == 0;
	if (len >= 8)
		return word_read(a) == word_read(b) &&
		       word_read(a + len - 8) == word_read(b + len - 8);
	if (len >= 4)
		return word_half(a) == word_half(b) &&
		       word_half(a + len - 4) == word_half(b + len - 4);
	for (size_t i = 0; i < len; i++) {
		if (a[i] != b[i])
			return false;
	}
	return true;
}

#endif
