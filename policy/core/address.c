/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses to and from text, strictly: one spelling in, one spelling out (RFC 5952). No libc
 * parser: inet_pton() is not everywhere this links, inet_aton() takes what we must refuse.
 */
#include "policy/core/address.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define IP6_WORDS 8

struct text {
	char *buf;
	size_t size, len;
};

static void put_char(struct text *text, char c)
{
	if (text->len + 1 < text->size)
		text->buf[text->len++] = c;
}

static void put_string(struct text *text, const char *string)
{
	while (*string)
		put_char(text, *string++);
}

static void put_number(struct text *text, unsigned int value, unsigned int base)
{
	char digits[16];
	size_t n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n > 0)
		put_char(text, digits[--n]);
}

static void put_ip4(struct text *text, const uint8_t *ip)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			put_char(text, '.');
		put_number(text, ip[i], 10);
	}
}

static unsigned int ip6_word(const uint8_t *ip, int i)
{
	return (unsigned int)ip[2 * i] << 8 | ip[2 * i + 1];
}

/* The first longest run of at least two zero words, RFC 5952 4.2. */
static void longest_zeros(const uint8_t *ip, int *start, int *len)
{
	*start = -1;
	*len = 1;
	for (int i = 0; i < IP6_WORDS; i++) {
		int n = 0;
		while (i + n < IP6_WORDS && ip6_word(ip, i + n) == 0)
			n++;
		if (n > *len) {
			*start = i;
			*len = n;
		}
		i += n;
	}
}

static void put_ip6(struct text *text, const uint8_t *ip)
{
	int start, len;

	longest_zeros(ip, &start, &len);
	for (int i = 0; i < IP6_WORDS; i++) {
		if (i == start) {
			put_string(text, "::");
			i += len - 1;
			continue;
		}
		if (i && i != start + len)
			put_char(text, ':');
		else if (i && start < 0)
			put_char(text, ':');
		put_number(text, ip6_word(ip, i), 16);
	}
}

size_t address_format(const struct address *address, char *buf, size_t size)
{
	struct text text = {buf, size, 0};

	if (size == 0)
		return 0;
	if (address->protocol == PROTOCOL_UDP)
		put_string(&text, "udp:");
	if (address->family == FAMILY_IP6) {
		put_char(&text, '[');
		put_ip6(&text, address->ip);
		put_char(&text, ']');
	} else {
		put_ip4(&text, address->ip);
	}
	put_char(&text, ':');
	put_number(&text, address->port, 10);
	buf[text.len] = '\0';
	return text.len;
}

/* "a.b.c.d", each 0..255 without leading zero, all of text. */
static bool parse_ip4(const char *text, size_t len, uint8_t out[4])
{
	size_t i = 0;

	for (int part = 0; part < 4; part++) {
		unsigned int value = 0;
		size_t start = i;

		if (part && (i >= len || text[i++] != '.'))
			return false;
		start = i;
		for (; i < len && text[i] >= '0' && text[i] <= '9' && i - start < 3; i++)
			value = value * 10 + (unsigned int)(text[i] - '0');
		if (i == start || value > 255 || (i - start > 1 && text[start] == '0'))
			return false;
		out[part] = (uint8_t)value;
	}
	return i == len;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Up to four hexadecimal digits at *i; false when there are none or more. */
static bool parse_word(const char *text, size_t len, size_t *i, uint8_t out[2])
{
	unsigned int value = 0;
	size_t start = *i;

	while (*i < len && *i - start < 5 && hex_digit(text[*i]) >= 0)
		value = value << 4 | (unsigned int)hex_digit(text[(*i)++]);
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
	return *i > start && *i - start <= 4;
}

/*
 * The words from *i to the end or to a "::", whose place is set in *gap (in bytes of ip); `used`
 * counts bytes. A dotted quad may stand for the last two words.
 */
static bool parse_words(const char *text, size_t len, uint8_t ip[16], size_t *used, long *gap)
{
	size_t i = 0;

	if (len >= 2 && text[0] == ':' && text[1] == ':') {
		*gap = 0;
		i = 2;
	}
	while (i < len) {
		size_t start = i;

		if (*used > 14 || !parse_word(text, len, &i, ip + *used)) {
			if (*used > 12 || !parse_ip4(text + start, len - start, ip + *used))
				return false;
			*used += 4;
			return true;
		}
		if (i < len && text[i] == '.') {
			if (*used > 12 || !parse_ip4(text + start, len - start, ip + *used))
				return false;
			*used += 4;
			return true;
		}
		*used += 2;
		if (i == len)
			return true;
		if (text[i++] != ':' || i == len)
			return false;
		if (text[i] == ':') {
			if (*gap >= 0)
				return false;
			*gap = (long)*used;
			i++;
		}
	}
	return true;
}

static bool parse_ip6(const char *text, size_t len, uint8_t out[16])
{
	uint8_t ip[16] = {0};
	size_t used = 0;
	long gap = -1;

	if (!parse_words(text, len, ip, &used, &gap))
		return false;
	memset(out, 0, 16);
	if (gap < 0) {
		memcpy(out, ip, 16);
		return used == 16;
	}
	/* "::" stands for at least one word, RFC 4291 2.2. */
	if (used > 14)
		return false;
	memcpy(out, ip, (size_t)gap);
	memcpy(out + 16 - (used - (size_t)gap), ip + gap, used - (size_t)gap);
	return true;
}

int address_parse_ip(const char *text, size_t len, struct address *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	uint8_t ip[16] = {0};

	if (parse_ip4(text, len, ip)) {
		out->family = FAMILY_IP4;
	} else if (parse_ip6(text, len, ip)) {
		out->family = FAMILY_IP6;
		if (memcmp(ip, mapped, sizeof(mapped)) == 0) {
			out->family = FAMILY_IP4;
			memcpy(ip, ip + 12, 4);
			memset(ip + 4, 0, 12);
		}
	} else {
		return -EINVAL;
	}
	memcpy(out->ip, ip, sizeof(out->ip));
	return 0;
}
