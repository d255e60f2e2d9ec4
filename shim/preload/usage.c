/* SPDX-License-Identifier: Apache-2.0 */
/* See usage.h. What is written is testimony, which the broker sums up and never acts on. */
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "policy/core/decide.h"
#include "policy/core/path.h"
#include "shim/common/protocol.h"
#include "shim/preload/lane.h"
#include "shim/preload/state.h"
#include "shim/preload/usage.h"
#include "shim/preload/banned.h"

/* Names longer than this are not looked up: threads may have a stack of a few pages. */
#define NAME_ROOM 1024

/* The folder that a relative name starts from; 0: not to be known. */
static size_t folder_of(int dirfd, char out[NAME_ROOM])
{
	char self[] = "/proc/self/fd/0000000000";
	char *digit = self + sizeof(self) - 1;
	unsigned int number = (unsigned int)dirfd;
	long length;

	if (dirfd == AT_FDCWD) {
		length = raw3(SYS_getcwd, (long)out, NAME_ROOM, 0);
		return length > 1 ? (size_t)length - 1 : 0;
	}
	if (dirfd < 0)
		return 0;
	/* Leading zeros are no name there: from the right, and what is left over is taken out. */
	do
		*--digit = (char)('0' + number % 10);
	while (number /= 10);
	memmove(self + sizeof("/proc/self/fd/") - 1, digit, (size_t)(self + sizeof(self) - digit));
	length = raw3(SYS_readlink, (long)self, (long)out, NAME_ROOM - 1);
	return length > 0 && length < NAME_ROOM - 1 ? (size_t)length : 0;
}

static struct decision decide_name(enum verb verb, int dirfd, const char *path)
{
	const struct decision unknown = {.rule = RULE_NONE};
	char folder[NAME_ROOM], name[NAME_ROOM];
	size_t length = strlen(path), base = 1;
	long joined;

	if (path_is_clean(path, length))
		return decide_path(&state.scope, verb, path, length);
	folder[0] = '/';
	if (path[0] != '/')
		base = folder_of(dirfd, folder);
	if (!base)
		return unknown;
	joined = path_join(folder, base, path, length, name, sizeof(name));
	return joined > 0 ? decide_path(&state.scope, verb, name, (size_t)joined) : unknown;
}

static uint64_t *count(enum verb verb, int dirfd, const char *path)
{
	struct decision decision = decide_name(verb, dirfd, path);
	uint64_t *counter = &state.uses[verb];

	if (decision.verdict == VERDICT_ALLOWED)
		counter = &state.uses[USAGE_UNKNOWN + decision.rule];
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
	return counter;
}

static void count_write(int dirfd, long path)
{
	count(VERB_WRITE, dirfd, (const char *)path);
}

__attribute__((noinline)) void usage_count(long nr, long a, long b, long c, long d, long result)
{
	if (result < 0 && result >= -4095)
		return;
	switch (nr) {
	case SYS_openat:
		count(lane_open_verb((int)c), (int)a, (const char *)b);
		break;
	case SYS_creat:
	case SYS_truncate:
	case SYS_mkdir:
	case SYS_rmdir:
	case SYS_mknod:
	case SYS_unlink:
		count_write(AT_FDCWD, a);
		break;
	case SYS_symlink:
		count_write(AT_FDCWD, b);
		break;
	case SYS_mkdirat:
	case SYS_mknodat:
	case SYS_unlinkat:
		count_write((int)a, b);
		break;
	case SYS_symlinkat:
		count_write((int)b, c);
		break;
	case SYS_rename:
	case SYS_link:
		count_write(AT_FDCWD, a);
		count_write(AT_FDCWD, b);
		break;
	case SYS_renameat:
	case SYS_renameat2:
	case SYS_linkat:
		count_write((int)a, b);
		count_write((int)c, d);
		break;
	}
}

uint64_t *usage_count_exec(int dirfd, const char *path)
{
	return state.uses ? count(VERB_EXEC, dirfd, path) : NULL;
}

void usage_take_back(uint64_t *counter)
{
	if (counter)
		__atomic_fetch_sub(counter, 1, __ATOMIC_RELAXED);
}
