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

/* The path in the argument numbered at. */
static void count_argument(const struct lane_paths *paths, const long *argument, short at)
{
	int dirfd = paths->at ? (int)argument[at - 1] : AT_FDCWD;

	count(paths->verb, dirfd, (const char *)argument[at]);
}

__attribute__((noinline)) void usage_count(long nr, long a, long b, long c, long d, long result)
{
	const long argument[] = {a, b, c, d};
	struct lane_paths paths;

	if ((result < 0 && result >= -4095) || !lane_paths(nr, c, &paths))
		return;
	count_argument(&paths, argument, paths.first);
	if (paths.second >= 0)
		count_argument(&paths, argument, paths.second);
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
