/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall(): numbers that name files take the fast lane, exec keeps the environment, everything
 * else goes to libc's own syscall() by a jump, with its arguments where they were.
 */
#include <fcntl.h>
#include <stddef.h>

#include "shim/preload/exec.h"
#include "shim/preload/hook.h"
#include "shim/preload/lane.h"
#include "shim/preload/banned.h"

static long path_call(long nr, const long *argument, const struct lane_paths *paths)
{
	/* What openat2() asks for is in memory, where the filter cannot see it: it has no fast
	 * lane. */
	bool tagged =
	    nr != SYS_openat2 && lane_tags(paths->verb, (const char *)argument[paths->first]);

	/* open() itself has no fast lane. */
	if (nr == SYS_open)
		return lane_call(tagged, SYS_openat, AT_FDCWD, argument[0], argument[1],
				 argument[2], 0);
	if (paths->second < 0)
		return lane_call(tagged, nr, argument[0], argument[1], argument[2], argument[3],
				 argument[4]);
	tagged = tagged && lane_tags(paths->verb, (const char *)argument[paths->second]);
	return lane_move(tagged, nr, argument[0], argument[1], argument[2], argument[3],
			 argument[4]);
}

/* Out of the way of the others, so that they need no frame. */
__attribute__((noinline)) static long named_call(long nr, long a, long b, long c, long d, long e)
{
	const long argument[] = {a, b, c, d, e};
	struct lane_paths paths;

	if (nr == SYS_execve)
		return hook_execve((const char *)a, (char *const *)b, (char *const *)c);
	if (nr == SYS_execveat)
		return hook_execveat((int)a, (const char *)b, (char *const *)c, (char *const *)d,
				     (int)e);
	lane_paths(nr, nr == SYS_open ? b : c, &paths);
	return raw_finish(path_call(nr, argument, &paths));
}

HOOK_DECLARE(next_syscall, "syscall");

HOOK("syscall", 0, long, hook_syscall, (long nr, long a, long b, long c, long d, long e, long f));
long hook_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	long (*next)(long, long, long, long, long, long, long) = hook_next(&next_syscall);
	struct lane_paths paths;

	if (nr == SYS_execve || nr == SYS_execveat || lane_paths(nr, 0, &paths))
		return named_call(nr, a, b, c, d, e);
	if (!next)
		return raw_finish(raw6(nr, a, b, c, d, e, f));
	return next(nr, a, b, c, d, e, f);
}
