/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast lane of calls that name files. A tagged call is let through by the filter and judged by
 * Landlock; one that Landlock refuses is repeated once without the tag, so the broker has the last
 * word and the record. The shim never refuses a file call: only the kernel knows what a path means.
 */
#ifndef REMIT_PRELOAD_LANE_H
#define REMIT_PRELOAD_LANE_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "policy/core/decide.h"
#include "shim/preload/syscall.h"

/*
 * Whether trying the wall first is worth it: the decision says so, or there is none to be had
 * cheaply (relative and unclean paths would need the working folder). A wrong guess costs one
 * system call, never an outcome.
 */
bool lane_tags(enum verb verb, const char *path);

/* The verb that open flags ask for. */
enum verb lane_open_verb(int flags);

/* Whether a call may wait for something else than the gate: opening a FIFO or a device. */
bool lane_waits(long nr, long a, long b);

/*
 * Until the gate has taken a call, a signal ends it with EINTR (unless its handler says
 * SA_RESTART), though natively most calls are never interrupted. Nothing was done yet then, so it
 * is asked again; what may rightly be interrupted is not.
 */
static inline long lane_gate(long nr, long a, long b, long c, long d, long e)
{
	long result;

	do
		result = raw6(nr, a, b, c, d, e, 0);
	while (result == -EINTR && !lane_waits(nr, a, b));
	return result;
}

/* The kernel's answer to a call of at most five arguments. */
static inline long lane_call(bool tagged, long nr, long a, long b, long c, long d, long e)
{
	if (tagged) {
		long result = raw_tagged(nr, a, b, c, d, e);

		if (result != -EACCES)
			return result;
	}
	return lane_gate(nr, a, b, c, d, e);
}

/* The same for renames and links, where Landlock says EXDEV for a change of folder that it cannot
 * judge. */
static inline long lane_move(bool tagged, long nr, long a, long b, long c, long d, long e)
{
	if (tagged) {
		long result = raw_tagged(nr, a, b, c, d, e);

		if (result != -EACCES && result != -EXDEV)
			return result;
	}
	return lane_gate(nr, a, b, c, d, e);
}

/*
 * open() is a cancellation point: around the call the thread can be cancelled at any time, as in
 * libc itself. Nothing is held, so there is nothing to clean up. Weak: glibc before 2.34 has the
 * first in another library, musl lacks the second.
 */
extern int pthread_setcanceltype(int type, int *old) __attribute__((weak));
extern char __libc_single_threaded __attribute__((weak));

static inline int lane_cancel_begin(void)
{
	int old = -1;

	if (!pthread_setcanceltype || (&__libc_single_threaded && __libc_single_threaded))
		return -1;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
	return old;
}

static inline void lane_cancel_end(int old)
{
	if (old >= 0)
		pthread_setcanceltype(old, &old);
}

#endif
