/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drops capabilities for good: ambient, bounding, inheritable, permitted and effective, and locks
 * the rule by which root gets them back at exec. Raw capset(2), version 3 (capabilities(7)).
 *
 * What is kept for root must come back after exec, and with SECBIT_NOROOT only ambient capabilities
 * do: so the kept ones are made inheritable and ambient.
 */
#include "shim/kernel/kernel.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOCKED                                                                                     \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |                    \
	 SECBIT_KEEP_CAPS_LOCKED)

/* linux/prctl.h: SECBIT_NO_CAP_AMBIENT_RAISE and its lock, once the ambient set is as wanted. */
#define AMBIENT_LOCKED (SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

struct sets {
	uint64_t effective, permitted, inheritable;
};

static int get(struct sets *out)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	out->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	out->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	out->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return 0;
}

static int set(const struct sets *sets)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
	    {(uint32_t)sets->effective, (uint32_t)sets->permitted, (uint32_t)sets->inheritable},
	    {(uint32_t)(sets->effective >> 32), (uint32_t)(sets->permitted >> 32),
	     (uint32_t)(sets->inheritable >> 32)},
	};
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* Needs CAP_SETPCAP; without it nothing in the set can be gained anyway, because no_new_privs and
 * an empty permitted set hold. */
static int drop_bounding(uint64_t keep, bool may)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		int there = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (there < 0)
			/* Past the last one, of which newer kernels have more than we know. */
			return errno == EINVAL && cap > CAP_LAST_CAP ? 0 : -errno;
		if (!there || (keep & (1ULL << cap)) || !may)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

static int raise_ambient(uint64_t keep)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if ((keep & (1ULL << cap)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

/* Nothing is taken on trust: what the kernel says now must be no more than keep. */
static int verify(uint64_t keep)
{
	struct sets now;
	int ret = get(&now);
	if (ret < 0)
		return ret;
	return (now.effective | now.permitted | now.inheritable) & ~keep ? -EPERM : 0;
}

int kernel_keep_capabilities(uint64_t keep)
{
	struct sets now;
	int ret = get(&now);
	if (ret < 0)
		return ret;
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (!(keep & (1ULL << cap)) && (now.inheritable & (1ULL << cap)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, cap, 0, 0) < 0)
			return -errno;
	}
	struct sets kept = {
	    .effective = now.effective & keep,
	    .permitted = now.permitted & keep,
	    .inheritable = now.inheritable & keep,
	};
	ret = set(&kept);
	return ret < 0 ? ret : verify(keep);
}

int kernel_drop_capabilities(uint64_t keep)
{
	struct sets now;
	int ret = get(&now);
	if (ret < 0)
		return ret;
	const uint64_t setpcap = 1ULL << CAP_SETPCAP;
	bool may = (now.effective & setpcap) != 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	keep &= now.permitted;
	ret = drop_bounding(keep, may);
	if (ret < 0)
		return ret;
	/* The securebits need CAP_SETPCAP once more after the kept ones are inheritable. */
	struct sets kept = {
	    .effective = keep | (now.effective & setpcap),
	    .permitted = keep | (now.permitted & setpcap),
	    .inheritable = keep,
	};
	ret = set(&kept);
	if (ret == 0)
		ret = raise_ambient(keep);
	if (ret == 0 && may && prctl(PR_SET_SECUREBITS, LOCKED | AMBIENT_LOCKED, 0, 0, 0) < 0)
		ret = -errno;
	kept = (struct sets){.effective = keep, .permitted = keep, .inheritable = keep};
	if (ret == 0)
		ret = set(&kept);
	return ret < 0 ? ret : verify(keep);
}
