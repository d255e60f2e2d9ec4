/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkstemp() and mkdtemp() with their kin, as glibc makes names: six of 62 letters, at most 62³
 * tries. tmpfile() is not hooked: it needs a stream whose file has no name, made inside libc.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "shim/preload/hook.h"
#include "shim/preload/lane.h"
#include "shim/preload/banned.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define LETTER_COUNT 62
#define MARK_LENGTH 6
#define ATTEMPTS (62 * 62 * 62)
#define GRND_NONBLOCK_FLAG 1 /* linux/random.h */

/* Early at boot the kernel has no random numbers yet; names then need only differ. */
static uint64_t random_bits(void)
{
	struct timespec now = {0};
	uint64_t bits;

	if (raw3(SYS_getrandom, (long)&bits, sizeof(bits), GRND_NONBLOCK_FLAG) == sizeof(bits))
		return bits;
	raw3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0);
	bits = (uint64_t)(uintptr_t)&now ^ (uint64_t)now.tv_sec << 32 ^ (uint64_t)now.tv_nsec;
	return bits * 2862933555777941757U + 3037000493U;
}

static char *find_mark(char *template, int suffix)
{
	size_t length = strlen(template);
	char *mark;

	if (suffix < 0 || length < MARK_LENGTH + (size_t)suffix)
		return NULL;
	mark = template + length - MARK_LENGTH - (size_t)suffix;
	for (int i = 0; i < MARK_LENGTH; i++) {
		if (mark[i] != 'X')
			return NULL;
	}
	return mark;
}

static void fill_mark(char *mark)
{
	/* The largest multiple of 62⁶ that fits: above it the low letters would be likelier. */
	const uint64_t range = 56800235584U, limit = UINT64_MAX - UINT64_MAX % range;
	uint64_t bits;

	do {
		bits = random_bits();
	} while (bits >= limit);
	for (int i = 0; i < MARK_LENGTH; i++) {
		mark[i] = LETTERS[bits % LETTER_COUNT];
		bits /= LETTER_COUNT;
	}
}

/* make(template, flags) until the name is new. */
static long make_new(char *template, int suffix, int flags, long (*make)(const char *, int))
{
	char *mark = find_mark(template, suffix);
	long result = -EEXIST;

	if (!mark)
		return -EINVAL;
	for (int i = 0; i < ATTEMPTS && result == -EEXIST; i++) {
		fill_mark(mark);
		result = make(template, flags);
	}
	return result;
}

static long make_file(const char *path, int flags)
{
	flags = (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL;
	return lane_call(lane_tags(VERB_WRITE, path), SYS_openat, AT_FDCWD, (long)path, flags, 0600,
			 0);
}

static long make_folder(const char *path, int flags)
{
	(void)flags;
	return lane_call(lane_tags(VERB_WRITE, path), SYS_mkdir, (long)path, 0700, 0, 0, 0);
}

HOOK("mkstemp", HOOK_LANE | HOOK_GLIBC, int, hook_mkstemp, (char *template));
HOOK_ALSO("mkstemp64", HOOK_LANE | HOOK_GLIBC, hook_mkstemp);
int hook_mkstemp(char *template)
{
	return (int)raw_finish(make_new(template, 0, 0, make_file));
}

HOOK("mkostemp", HOOK_LANE | HOOK_GLIBC, int, hook_mkostemp, (char *template, int flags));
HOOK_ALSO("mkostemp64", HOOK_LANE | HOOK_GLIBC, hook_mkostemp);
int hook_mkostemp(char *template, int flags)
{
	return (int)raw_finish(make_new(template, 0, flags, make_file));
}

HOOK("mkstemps", HOOK_LANE | HOOK_GLIBC, int, hook_mkstemps, (char *template, int suffix));
HOOK_ALSO("mkstemps64", HOOK_LANE | HOOK_GLIBC, hook_mkstemps);
int hook_mkstemps(char *template, int suffix)
{
	return (int)raw_finish(make_new(template, suffix, 0, make_file));
}

HOOK("mkostemps", HOOK_LANE | HOOK_GLIBC, int, hook_mkostemps,
     (char *template, int suffix, int flags));
HOOK_ALSO("mkostemps64", HOOK_LANE | HOOK_GLIBC, hook_mkostemps);
int hook_mkostemps(char *template, int suffix, int flags)
{
	return (int)raw_finish(make_new(template, suffix, flags, make_file));
}

HOOK("mkdtemp", HOOK_LANE | HOOK_GLIBC, char *, hook_mkdtemp, (char *template));
char *hook_mkdtemp(char *template)
{
	return raw_finish(make_new(template, 0, 0, make_folder)) < 0 ? NULL : template;
}
