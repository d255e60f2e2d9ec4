/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and text for people. Guarantees that no name from a manifest or a file system reaches a
 * terminal with its control characters whole. */
#include "tools/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/core/shown.h"
#include "tools/command.h"

void output_error(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	fflush(stdout);
	fputs("remit: ", stderr);
	output_text(stderr, len < 0 ? format : text);
	fputc('\n', stderr);
	if (len >= 0)
		free(text);
}

void output_oom(void)
{
	output_error("out of memory");
}

bool output_colour(FILE *stream)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (no && *no)
		return false;
	if (!term || !strcmp(term, "dumb"))
		return false;
	return isatty(fileno(stream)) == 1;
}

void output_coloured(FILE *stream, enum colour colour, const char *text)
{
	static const char *const codes[] = {
	    [COLOUR_GOOD] = "\033[32m",
	    [COLOUR_BAD] = "\033[31m",
	    [COLOUR_WARN] = "\033[33m",
	    [COLOUR_DIM] = "\033[2m",
	};

	if (!output_colour(stream)) {
		fputs(text, stream);
		return;
	}
	fprintf(stream, "%s%s\033[0m", codes[colour], text);
}

void output_text(FILE *stream, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		char shown[4];
		size_t n;

		i += shown_next(text + i, len - i, shown, &n);
		fwrite(shown, 1, n, stream);
	}
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const char *in_units(uint64_t number, const struct unit *units, char *buf)
{
	while (units->factor > 1 && (number == 0 || number % units->factor))
		units++;
	snprintf(buf, 32, "%" PRIu64 "%s", number / units->factor, units->name);
	return buf;
}

const char *output_size(uint64_t bytes, char *buf)
{
	static const struct unit units[] = {
	    {"TiB", 1ULL << 40},
	    {"GiB", 1ULL << 30},
	    {"MiB", 1ULL << 20},
	    {"KiB", 1ULL << 10},
	    {"B", 1},
	};

	return in_units(bytes, units, buf);
}

const char *output_duration(uint64_t seconds, char *buf)
{
	static const struct unit units[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};

	return in_units(seconds, units, buf);
}

const char *output_time(int64_t seconds, char *buf)
{
	time_t when = (time_t)seconds;
	struct tm utc;

	if (!gmtime_r(&when, &utc) || !strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &utc))
		snprintf(buf, 32, "@%" PRId64, seconds);
	return buf;
}

const char *output_hex(const uint8_t *bytes, size_t len, char *buf)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		buf[2 * i] = digits[bytes[i] >> 4];
		buf[2 * i + 1] = digits[bytes[i] & 15];
	}
	buf[2 * len] = '\0';
	return buf;
}

int output_finish(int status)
{
	bool failed = ferror(stdout) != 0;

	if (fflush(stdout) || failed) {
		output_error("standard output: %s", strerror(errno ? errno : EIO));
		return STATUS_USAGE;
	}
	return status;
}
