/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill(). The kernel never interrupts it, but a call that waits for the gate can be interrupted, by
 * the very signals that the program sends itself. So the kernel is tried first, where Landlock keeps
 * signals inside the session; what it refuses is asked of the gate, which records and explains it.
 * raise(), pthread_kill() and groups are the kernel's alone in any case.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/types.h>

#include "shim/preload/hook.h"
#include "shim/preload/lane.h"
#include "shim/preload/banned.h"

HOOK("kill", HOOK_LANE, int, hook_kill, (pid_t pid, int number));
int hook_kill(pid_t pid, int number)
{
	long result = -EPERM;

	if (state.fast)
		result = raw_tagged(SYS_kill, pid, number, 0, 0, 0);
	/* EINTR: an older kernel, where the tag means nothing. */
	if (result == -EPERM || result == -EINTR)
		result = lane_gate(SYS_kill, pid, number, 0, 0, 0);
	return (int)raw_finish(result);
}
