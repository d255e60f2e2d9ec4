// SPDX-License-Identifier: Apache-2.0
/*
 * Strict readers of single values: one spelling for one meaning, every overflow an error, no
 * dependence on locale or time zone.
 */
#include "policy/compile/values.h"

#include <errno.h>
#include <string.h>

#define DURATION_MAX (10ull * 366 * 24 * 3600)

struct unit {
	const char *name;
	uint64_t factor;
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static int fail(const char **why, const char *text)
{
	*why = text;
	return -EINVAL;
}

/* Decimal digits at *at, which moves past them; -ERANGE past 2^64. */
static int digits(const char **at, uint64_t *out)
{
	uint64_t value = 0;

	if (!is_digit(**at))
		return -EINVAL;
	for (; is_digit(**at); (*at)++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(**at - '0'), &value))
			return -ERANGE;
	*out = value;
	return 0;
}

static const struct unit *unit_find(const struct unit *units, const char *name, size_t len)
{
	for (; units->name; units++)
		if (strlen(units->name) == len && !memcmp(units->name, name, len))
			return units;
	return NULL;
}

int value_size(const char *text, uint64_t *ret_bytes, const char **why)
{
	static const struct unit units[] = {
	    {"B", 1},
	    {"KiB", 1ull << 10},
	    {"MiB", 1ull << 20},
	    {"GiB", 1ull << 30},
	    {"TiB", 1ull << 40},
	    {NULL, 0},
	};
	const struct unit *unit;
	uint64_t value;
	int err = digits(&text, &value);

	if (err == -ERANGE)
		return fail(why, "it is too large");
	if (err)
		return fail(why, "a size begins with a number, like 2GiB");
	unit = unit_find(units, text, strlen(text));
	if (!unit)
		return fail(why, *text ? "its unit is not one of B, KiB, MiB, GiB, TiB"
				       : "it has no unit: B, KiB, MiB, GiB or TiB");
	if (__builtin_mul_overflow(value, unit->factor, &value) || value > INT64_MAX)
		return fail(why, "it is too large");
	if (!value)
		return fail(why, "it must be more than 0; leave it out for no limit");
	*ret_bytes = value;
	return 0;
}

int value_duration(const char *text, uint64_t *ret_seconds, const char **why)
{
	static const struct unit units[] = {
	    {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 24 * 3600}, {NULL, 0}};
	const struct unit *unit, *last = units + 4;
	uint64_t total = 0, value;

	do {
		int err = digits(&text, &value);

		if (err == -ERANGE)
			return fail(why, "it is too long");
		if (err)
			return fail(why, "a duration is numbers with units, like 90s or 1h30m");
		unit = unit_find(units, text, *text ? 1 : 0);
		if (!unit)
			return fail(why, *text ? "its unit is not one of s, m, h, d"
					       : "it has no unit: s, m, h or d");
		if (unit >= last)
			return fail(why, "its units must go from long to short, each once");
		last = unit;
		text++;
		if (__builtin_mul_overflow(value, unit->factor, &value) ||
		    __builtin_add_overflow(total, value, &total) || total > DURATION_MAX)
			return fail(why, "it is too long");
	} while (*text);
	if (!total)
		return fail(why, "it must be more than 0; leave it out for no limit");
	*ret_seconds = total;
	return 0;
}

int value_count(const char *text, uint64_t max, uint64_t *ret_count, const char **why)
{
	uint64_t value;
	int err = digits(&text, &value);

	if (err == -ERANGE || (!err && !*text && value > max))
		return fail(why, "it is too large");
	if (err || *text)
		return fail(why, "a number without sign, blanks or unit is wanted");
	if (!value)
		return fail(why, "it must be more than 0; leave it out for no limit");
	*ret_count = value;
	return 0;
}

/* Exactly `count` digits, then the byte `after` (0: none is consumed). */
static bool field(const char **at, unsigned int count, char after, unsigned int *out)
{
	unsigned int value = 0;

	for (; count; count--, (*at)++) {
		if (!is_digit(**at))
			return false;
		value = value * 10 + (unsigned int)(**at - '0');
	}
	if (after && *(*at)++ != after)
		return false;
	*out = value;
	return true;
}

static unsigned int month_days(unsigned int year, unsigned int month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

static int64_t days_since_epoch(unsigned int year, unsigned int month, unsigned int day)
{
	int64_t days = 0;

	for (unsigned int y = 1970; y < year; y++)
		days += month_days(y, 2) == 29 ? 366 : 365;
	for (unsigned int m = 1; m < month; m++)
		days += month_days(year, m);
	return days + day - 1;
}

/* The zone: Z or ±hh:mm, in seconds east. */
static bool zone(const char **at, int64_t *out)
{
	unsigned int hours, minutes;
	char sign = **at;

	if (!sign)
		return false;
	(*at)++;
	*out = 0;
	if (sign == 'Z')
		return true;
	if ((sign != '+' && sign != '-') || !field(at, 2, ':', &hours) ||
	    !field(at, 2, 0, &minutes) || hours > 23 || minutes > 59)
		return false;
	*out = ((int64_t)hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
	return true;
}

int value_time(const char *text, int64_t *ret_seconds, const char **why)
{
	unsigned int year, month, day, hour, minute, second;
	int64_t seconds, east;

	if (!field(&text, 4, '-', &year) || !field(&text, 2, '-', &month) ||
	    !field(&text, 2, 'T', &day) || !field(&text, 2, ':', &hour) ||
	    !field(&text, 2, ':', &minute) || !field(&text, 2, 0, &second))
		return fail(why, "a time is written like 2027-03-31T00:00:00Z");
	if (*text == '.') {
		text++;
		if (!is_digit(*text))
			return fail(why, "a time is written like 2027-03-31T00:00:00Z");
		while (is_digit(*text))
			text++;
	}
	if (!zone(&text, &east) || *text)
		return fail(why, "it must end with its zone: Z, or an offset like +02:00");
	if (month < 1 || month > 12 || day < 1 || day > month_days(year, month) || hour > 23 ||
	    minute > 59 || second > 59)
		return fail(why, "there is no such day or hour");
	if (year < 1971)
		return fail(why, "it is before 1971");
	seconds = days_since_epoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
	*ret_seconds = seconds - east;
	return 0;
}

int value_boolean(const char *text, bool *ret_value, const char **why)
{
	bool value = !strcmp(text, "true");

	if (!value && strcmp(text, "false") != 0)
		return fail(why, "it is true or false");
	*ret_value = value;
	return 0;
}

static int nibble(char byte)
{
	if (is_digit(byte))
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

int value_sha256(const char *text, uint8_t ret_digest[32], const char **why)
{
	uint8_t digest[32];

	if (strlen(text) != 64)
		return fail(why, "a SHA-256 digest has 64 hexadecimal digits");
	for (unsigned int i = 0; i < 32; i++) {
		int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return fail(why, "a SHA-256 digest has hexadecimal digits only");
		digest[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret_digest, digest, sizeof(digest));
	return 0;
}

int value_port(const char *text, size_t len, uint16_t *ret_port, const char **why)
{
	unsigned int port = 0;

	if (!len || !is_digit(text[0]))
		return fail(why, "a port is a number");
	if (text[0] == '0')
		return fail(why, len == 1 ? "port 0 is no port" : "a port has no leading zero");
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]))
			return fail(why, "a port is a number");
		port = port * 10 + (unsigned int)(text[i] - '0');
		if (port > 65535)
			return fail(why, "a port is at most 65535");
	}
	*ret_port = (uint16_t)port;
	return 0;
}
