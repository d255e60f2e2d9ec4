/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few string functions that the decision and the compiler call, hidden in this library: libc's
 * are interposed by sanitizers that are not initialised when we first run. Built with -fno-builtin,
 * or the loops would be compiled into calls of themselves.
 */
#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int byte, size_t count);
int memcmp(const void *a, const void *b, size_t count);
int bcmp(const void *a, const void *b, size_t count);
void *memchr(const void *bytes, int byte, size_t count);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t count);
char *strchr(const char *text, int byte);

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	return start;
}

void *memmove(void *to, const void *from, size_t count)
{
	unsigned char *out = to;
	const unsigned char *in = from;

	if ((uintptr_t)to - (uintptr_t)from >= count)
		return memcpy(to, from, count);
	while (count--)
		out[count] = in[count];
	return to;
}

void *memset(void *to, int byte, size_t count)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(byte) : "memory");
	return start;
}

int memcmp(const void *a, const void *b, size_t count)
{
	const unsigned char *x = a, *y = b;
	uint64_t left, right;
	size_t i = 0;

	for (; count - i >= sizeof(left); i += sizeof(left)) {
		__builtin_memcpy(&left, x + i, sizeof(left));
		__builtin_memcpy(&right, y + i, sizeof(right));
		if (left != right)
			break;
	}
	for (; i < count; i++) {
		if (x[i] != y[i])
			return x[i] - y[i];
	}
	return 0;
}

/* What clang makes of a memcmp() for equality. */
int bcmp(const void *a, const void *b, size_t count)
{
	return memcmp(a, b, count);
}

void *memchr(const void *bytes, int byte, size_t count)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < count; i++) {
		if (p[i] == (unsigned char)byte)
			return (void *)(uintptr_t)(p + i);
	}
	return NULL;
}

/* Whole aligned blocks: they never cross into a page that the text does not reach. */
size_t strlen(const char *text)
{
	const __m128i zero = _mm_setzero_si128();
	const __m128i *block = (const void *)((uintptr_t)text & ~(uintptr_t)15);
	unsigned int skip = (unsigned int)((uintptr_t)text & 15), found;

	found = (unsigned int)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_load_si128(block), zero));
	found = found >> skip << skip;
	while (!found) {
		block++;
		found =
		    (unsigned int)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_load_si128(block), zero));
	}
	return (size_t)((const char *)block + __builtin_ctz(found) - text);
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (a[i] != b[i] || !a[i])
			return (unsigned char)a[i] - (unsigned char)b[i];
	}
	return 0;
}

char *strchr(const char *text, int byte)
{
	for (; *text != (char)byte; text++) {
		if (!*text)
			return NULL;
	}
	return (char *)(uintptr_t)text;
}
