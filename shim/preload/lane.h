/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast lane of calls that name files. A tagged call is let through by the filter and judged by
 * Landlock; one that Landlock refuses is repeated once without the tag, so the broker has the last
 * word and the record. The shim never refuses a file call: only the kernel knows what a path means.
 */
#ifndef REMIT_PRELOAD_LANE_H
#define REMIT_PRELOAD_LANE_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>

#include "policy/core/decide.h"
#include "shim/preload/state.h"
#include "shim/preload/syscall.h"
#include "shim/preload/usage.h"

/*
 * Whether trying the wall first is worth it. A try that the wall refuses costs one system call,
 * never an outcome, and most programs meet no refusal at all; so the wall is tried without looking
 * at the path until it refuses something. From then on each path is put to the decision, until
 * LANE_DOUBT of them in a row were the wall's. A hint that anybody may write at any time.
 */
#define LANE_DOUBT 16
extern unsigned char lane_doubt;

/* The answer in doubt: the decision's, or true where there is none to be had cheaply (relative and
 * unclean paths would need the working folder). */
bool lane_considers(enum verb verb, const char *path);

static inline bool lane_tags(enum verb verb, const char *path)
{
	if (verb == VERB_EXEC ? !state.tag_exec : !state.fast)
		return false;
	return !__atomic_load_n(&lane_doubt, __ATOMIC_RELAXED) || lane_considers(verb, path);
}

/* A tagged call, and what its answer teaches. */
static inline long lane_try(long nr, long a, long b, long c, long d, long e)
{
	long result = raw_tagged(nr, a, b, c, d, e);

	if (result == -EACCES)
		__atomic_store_n(&lane_doubt, LANE_DOUBT, __ATOMIC_RELAXED);
	if (__builtin_expect(state.uses != NULL, 0))
		usage_count(nr, a, b, c, d, result);
	return result;
}

/* The verb that open flags ask for. */
static inline enum verb lane_open_verb(int flags)
{
	return flags & (O_ACCMODE | O_CREAT | O_TRUNC) ? VERB_WRITE : VERB_READ;
}

/* Which arguments of a call are paths. */
struct lane_paths {
	enum verb verb;
	short first, second; /* -1: no second */
	bool at;	     /* before each stands the folder that it starts from */
};

/* False for a call that has no fast lane. flags: of an open; others have none. */
bool lane_paths(long nr, long flags, struct lane_paths *out);

/* The call without the tag, by the gate in any session; asked again when a signal came before the
 * gate had taken it. */
long lane_gate(long nr, long a, long b, long c, long d, long e);

/* The kernel's answer to a call of at most five arguments. */
static inline long lane_call(bool tagged, long nr, long a, long b, long c, long d, long e)
{
	if (tagged) {
		long result = lane_try(nr, a, b, c, d, e);

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
		long result = lane_try(nr, a, b, c, d, e);

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
