/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open() and its spellings. On x86-64 the 64-bit names are the same functions. As in libc, the mode
 * is read only where the flags ask for one.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

#include "shim/preload/hook.h"
#include "shim/preload/lane.h"
#include "shim/preload/banned.h"

static bool needs_mode(int flags)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

static int open_at(int dirfd, const char *path, int flags, mode_t mode)
{
	bool tagged = lane_tags(lane_open_verb(flags), path);
	int cancel = lane_cancel_begin();
	long result = lane_call(tagged, SYS_openat, dirfd, (long)path, flags, mode, 0);

	lane_cancel_end(cancel);
	return (int)raw_finish(result);
}

HOOK("open", HOOK_LANE, int, hook_open, (const char *path, int flags, ...));
HOOK_ALSO("open64", HOOK_LANE, hook_open);
HOOK_ALSO("__open", HOOK_LANE, hook_open);
HOOK_ALSO("__open64", HOOK_LANE, hook_open);
int hook_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list arguments;

	if (needs_mode(flags)) {
		va_start(arguments, flags);
		mode = va_arg(arguments, mode_t);
		va_end(arguments);
	}
	return open_at(AT_FDCWD, path, flags, mode);
}

HOOK("openat", HOOK_LANE, int, hook_openat, (int dirfd, const char *path, int flags, ...));
HOOK_ALSO("openat64", HOOK_LANE, hook_openat);
int hook_openat(int dirfd, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list arguments;

	if (needs_mode(flags)) {
		va_start(arguments, flags);
		mode = va_arg(arguments, mode_t);
		va_end(arguments);
	}
	return open_at(dirfd, path, flags, mode);
}

HOOK("creat", HOOK_LANE, int, hook_creat, (const char *path, mode_t mode));
HOOK_ALSO("creat64", HOOK_LANE, hook_creat);
int hook_creat(const char *path, mode_t mode)
{
	bool tagged = lane_tags(VERB_WRITE, path);
	int cancel = lane_cancel_begin();
	long result = lane_call(tagged, SYS_creat, (long)path, mode, 0, 0, 0);

	lane_cancel_end(cancel);
	return (int)raw_finish(result);
}

/* The names that fortified programs call: flags that need a mode are an error of the program, which
 * libc reports in its own way. */
HOOK_DECLARE(next_open_2, "__open_2");
HOOK_DECLARE(next_openat_2, "__openat_2");

HOOK("__open_2", HOOK_LANE, int, hook_open_2, (const char *path, int flags));
HOOK_ALSO("__open64_2", HOOK_LANE, hook_open_2);
int hook_open_2(const char *path, int flags)
{
	int (*next)(const char *, int) = NULL;

	if (needs_mode(flags))
		next = (int (*)(const char *, int))hook_next(&next_open_2);
	return next ? next(path, flags) : open_at(AT_FDCWD, path, flags, 0);
}

HOOK("__openat_2", HOOK_LANE, int, hook_openat_2, (int dirfd, const char *path, int flags));
HOOK_ALSO("__openat64_2", HOOK_LANE, hook_openat_2);
int hook_openat_2(int dirfd, const char *path, int flags)
{
	int (*next)(int, const char *, int) = NULL;

	if (needs_mode(flags))
		next = (int (*)(int, const char *, int))hook_next(&next_openat_2);
	return next ? next(dirfd, path, flags) : open_at(dirfd, path, flags, 0);
}
