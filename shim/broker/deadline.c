/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/broker/deadline.h"

#include <stddef.h>
#include <time.h>

/* Past this no clock will ever come; keeps sums from overflowing. */
#define FOREVER_MS (INT64_MAX / 4)

int64_t deadline_now_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void deadline_start(struct deadline *deadline, const struct scope_about *about)
{
	*deadline = (struct deadline){.expires = about->expires};
	if (about->wall_seconds == 0)
		return;
	deadline->wall_end = FOREVER_MS;
	if (about->wall_seconds < (uint64_t)FOREVER_MS / 2000)
		deadline->wall_end =
		    deadline_now_ms(CLOCK_BOOTTIME) + (int64_t)about->wall_seconds * 1000;
}

enum deadline_act deadline_check(struct deadline *deadline)
{
	int64_t now = deadline_now_ms(CLOCK_BOOTTIME);

	if (deadline->terminated)
		return now - deadline->terminated >= DEADLINE_GRACE * 1000 ? DEADLINE_KILL
									   : DEADLINE_WAIT;
	if (deadline->wall_end && now >= deadline->wall_end)
		deadline->why = "wall_time";
	else if (deadline->expires && deadline_now_ms(CLOCK_REALTIME) / 1000 >= deadline->expires)
		deadline->why = "expired";
	if (!deadline->why)
		return DEADLINE_WAIT;
	deadline->terminated = now;
	return DEADLINE_TERMINATE;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int deadline_wait(const struct deadline *deadline, int most)
{
	int64_t now = deadline_now_ms(CLOCK_BOOTTIME), left = most;

	if (deadline->terminated)
		left = sooner(left, deadline->terminated + DEADLINE_GRACE * 1000 - now);
	else if (deadline->wall_end)
		left = sooner(left, deadline->wall_end - now);
	if (!deadline->terminated && deadline->expires && deadline->expires < FOREVER_MS / 1000)
		left = sooner(left, deadline->expires * 1000 - deadline_now_ms(CLOCK_REALTIME));
	return left < 1 ? 1 : (int)left;
}
