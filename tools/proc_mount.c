/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/proc_mount.h"

#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether this process is of the group that its mount lets see all (proc(5), gid). */
static bool in_seeing_group(const struct mntent *mount)
{
	const char *option = hasmntopt(mount, "gid");
	gid_t group = option ? (gid_t)strtoul(option + strlen("gid="), NULL, 10) : 0;

	return getegid() == group || group_member(group);
}

/* What is mounted last on /proc counts; what cannot be told hides. */
bool proc_mount_hides(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *mount;
	bool hides = true;

	while (mounts && (mount = getmntent(mounts))) {
		if (strcmp(mount->mnt_dir, "/proc") != 0)
			continue;
		const char *option = hasmntopt(mount, "hidepid");

		hides = option && (!in_seeing_group(mount) || strstr(option, "=ptraceable"));
	}
	if (mounts)
		endmntent(mounts);
	return hides;
}
