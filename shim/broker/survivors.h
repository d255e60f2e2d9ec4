/* SPDX-License-Identifier: Apache-2.0 */
/* Acting on the whole session at once: ending what the agent left running, and holding everything
 * while the job is stopped. The caller is the broker: child subreaper and ancestor of all. */
#ifndef REMIT_BROKER_SURVIVORS_H
#define REMIT_BROKER_SURVIVORS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Ends every descendant and reaps it. *count, when not NULL, gets how many were still running. 0,
 * or -ETIME when some could not be ended within SURVIVORS_SECONDS (stuck in the kernel, or of
 * another user). */
#define SURVIVORS_SECONDS 10
int survivors_end(size_t *count);

/* The same for those that belong() names, who are not reaped: their parents may be others. */
int survivors_end_some(bool (*belongs)(void *context, pid_t pid), void *context, int seconds,
		       size_t *count);

/* Stops every descendant that runs. 0 when none runs code of its own any more, with the pids that
 * were stopped here in *out (malloc'ed); else a negative errno and everything runs again. */
int survivors_freeze(pid_t **out, size_t *count);
/* Lets them go on; frees pids. */
void survivors_thaw(pid_t *pids, size_t count);

#endif
