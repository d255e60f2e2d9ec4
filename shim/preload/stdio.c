/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fopen(): a tagged open and fdopen(). Only modes that glibc's fopen() and fdopen() read alike take
 * this way ("rwa", then any of "+bex" in any order); "m", "c" and ",ccs=" are handed to libc's own
 * fopen(). freopen() is not hooked: closing and opening a stream in place cannot be rebuilt from
 * outside.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>

#include "shim/preload/hook.h"
#include "shim/preload/lane.h"
#include "shim/preload/banned.h"

struct stream_mode {
	int flags;
	char text[3]; /* what fdopen() is told */
};

/* False for a mode that is left to libc. glibc's fopen() looks at seven characters. */
static bool mode_parse(const char *mode, struct stream_mode *out)
{
	int access = O_WRONLY, extra = 0;

	if (mode[0] == 'r')
		access = O_RDONLY;
	else if (mode[0] == 'w')
		extra = O_CREAT | O_TRUNC;
	else if (mode[0] == 'a')
		extra = O_CREAT | O_APPEND;
	else
		return false;
	*out = (struct stream_mode){.text = {mode[0]}};
	for (int i = 1; mode[i]; i++) {
		if (i == 7)
			return false;
		if (mode[i] == '+') {
			access = O_RDWR;
			out->text[1] = '+';
		} else if (mode[i] == 'x') {
			extra |= O_EXCL;
		} else if (mode[i] == 'e') {
			extra |= O_CLOEXEC;
		} else if (mode[i] != 'b') {
			return false;
		}
	}
	out->flags = access | extra;
	return true;
}

/* fopen() moves an appending stream to the end, fdopen() only one that it made appending itself. */
static bool position(int fd, const struct stream_mode *mode)
{
	long result;

	if (mode->text[0] != 'a' || mode->text[1] == '+')
		return true;
	result = raw3(SYS_lseek, fd, 0, SEEK_END);
	if (result >= 0 || result == -ESPIPE)
		return true;
	errno = (int)-result;
	return false;
}

static FILE *stream_of(int fd, const struct stream_mode *mode)
{
	FILE *stream = position(fd, mode) ? fdopen(fd, mode->text) : NULL;

	if (!stream)
		raw3(SYS_close, fd, 0, 0);
	return stream;
}

HOOK_DECLARE(next_fopen, "fopen");

HOOK("fopen", HOOK_LANE | HOOK_GLIBC, FILE *, hook_fopen, (const char *path, const char *text));
HOOK_ALSO("fopen64", HOOK_LANE | HOOK_GLIBC, hook_fopen);
FILE *hook_fopen(const char *path, const char *text)
{
	FILE *(*next)(const char *, const char *) =
	    (FILE * (*)(const char *, const char *)) hook_next(&next_fopen);
	struct stream_mode mode;
	long fd;

	if (!mode_parse(text, &mode))
		return next(path, text);
	fd = lane_call(lane_tags(lane_open_verb(mode.flags), path), SYS_openat, AT_FDCWD,
		       (long)path, mode.flags, 0666, 0);
	if (fd < 0) {
		raw_finish(fd);
		return NULL;
	}
	return stream_of((int)fd, &mode);
}
