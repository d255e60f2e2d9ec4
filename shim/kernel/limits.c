/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits that the kernel keeps by itself, per process. Hard and soft alike, so the agent cannot
 * raise them; a limit that is already lower stays. processes is counted by the gate, wall_time by
 * the session.
 */
#include "shim/kernel/kernel.h"

#include <errno.h>
#include <sys/resource.h>

static int lower(int which, uint64_t most)
{
	struct rlimit now;
	if (getrlimit((__rlimit_resource_t)which, &now) < 0)
		return -errno;
	if (now.rlim_max > most)
		now.rlim_max = most;
	if (now.rlim_cur > now.rlim_max)
		now.rlim_cur = now.rlim_max;
	return setrlimit((__rlimit_resource_t)which, &now) < 0 ? -errno : 0;
}

/* The manifest's number is what the agent gets, also where the shell's soft limit is lower, as long
 * as the hard limit lets it. */
static int limit(int which, uint64_t most)
{
	struct rlimit now;
	if (!most)
		return 0;
	int ret = lower(which, most);
	if (ret < 0 || getrlimit((__rlimit_resource_t)which, &now) < 0)
		return ret < 0 ? ret : -errno;
	now.rlim_cur = now.rlim_max;
	return setrlimit((__rlimit_resource_t)which, &now) < 0 ? -errno : 0;
}

/* At the soft limit the kernel sends SIGXCPU, a second later SIGKILL. */
static int limit_cpu(uint64_t seconds)
{
	struct rlimit now;
	if (!seconds)
		return 0;
	int ret = lower(RLIMIT_CPU, seconds + 1 ? seconds + 1 : seconds);
	if (ret < 0 || getrlimit(RLIMIT_CPU, &now) < 0)
		return ret < 0 ? ret : -errno;
	if (now.rlim_cur > seconds)
		now.rlim_cur = seconds;
	return setrlimit(RLIMIT_CPU, &now) < 0 ? -errno : 0;
}

int kernel_limits(const struct scope_about *about)
{
	int ret = lower(RLIMIT_CORE, 0);
	if (ret == 0)
		ret = limit(RLIMIT_NOFILE, about->open_files);
	if (ret == 0)
		ret = limit(RLIMIT_DATA, about->memory_bytes);
	if (ret == 0)
		ret = limit(RLIMIT_FSIZE, about->file_bytes);
	if (ret == 0)
		ret = limit_cpu(about->cpu_seconds);
	return ret;
}
