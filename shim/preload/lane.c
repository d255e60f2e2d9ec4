/* SPDX-License-Identifier: Apache-2.0 */
/* Which lane a path takes. In doubt the path is read, as libc's own wrappers do not: a pointer that
 * is neither NULL nor a small number must then point to a string. */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/core/path.h"
#include "shim/preload/lane.h"
#include "shim/preload/state.h"
#include "shim/preload/banned.h"

#define FIRST_PAGE 4096

unsigned char lane_doubt;

static bool seems_in_wall(enum verb verb, const char *path)
{
	struct decision decision;
	size_t len;

	if (!state.has_scope)
		return true;
	if ((uintptr_t)path < FIRST_PAGE)
		return false;
	if (path[0] != '/')
		return true;
	len = strlen(path);
	decision = decide_path(&state.scope, verb, path, len);
	if (decision.verdict == VERDICT_ALLOWED)
		return decision.lane >= LANE_CARVE;
	/* An unclean path is refused for its spelling only. */
	return !path_is_clean(path, len);
}

bool lane_considers(enum verb verb, const char *path)
{
	bool tags = seems_in_wall(verb, path);
	unsigned char doubt = __atomic_load_n(&lane_doubt, __ATOMIC_RELAXED);

	/* Another thread may have been here in between. */
	doubt = tags ? (unsigned char)(doubt - (doubt > 0)) : LANE_DOUBT;
	__atomic_store_n(&lane_doubt, doubt, __ATOMIC_RELAXED);
	return tags;
}

bool lane_paths(long nr, long flags, struct lane_paths *out)
{
	*out = (struct lane_paths){.verb = VERB_WRITE, .second = -1};
	switch (nr) {
	case SYS_openat:
		out->at = true;
		out->first = 1;
		out->verb = lane_open_verb((int)flags);
		return true;
	case SYS_open:
		out->verb = lane_open_verb((int)flags);
		return true;
	case SYS_openat2:
		out->verb = VERB_READ;
		out->at = true;
		out->first = 1;
		return true;
	case SYS_creat:
	case SYS_truncate:
	case SYS_mkdir:
	case SYS_rmdir:
	case SYS_mknod:
	case SYS_unlink:
		return true;
	case SYS_mkdirat:
	case SYS_mknodat:
	case SYS_unlinkat:
		out->at = true;
		out->first = 1;
		return true;
	case SYS_symlink:
		out->first = 1;
		return true;
	case SYS_symlinkat:
		out->at = true;
		out->first = 2;
		return true;
	case SYS_rename:
	case SYS_link:
		out->second = 1;
		return true;
	case SYS_renameat:
	case SYS_renameat2:
	case SYS_linkat:
		out->at = true;
		out->first = 1;
		out->second = 3;
		return true;
	}
	return false;
}

/* Whether a call may wait for something else than the gate: opening a FIFO or a device. */
static bool waits(long nr, long a, long b)
{
	bool at = nr == SYS_openat || nr == SYS_openat2;
	struct stat st;

	if (!at && nr != SYS_open && nr != SYS_creat)
		return false;
	long result = raw6(SYS_newfstatat, at ? a : AT_FDCWD, at ? b : a, (long)&st, 0, 0, 0);

	/* A file that is to be made is a regular one. */
	if (result < 0)
		return result != -ENOENT;
	return !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

/*
 * Until the gate has taken a call, a signal ends it with EINTR (unless its handler says
 * SA_RESTART), though natively most calls are never interrupted. Nothing was done yet then, so it
 * is asked again; what may rightly be interrupted is not.
 */
long lane_gate(long nr, long a, long b, long c, long d, long e)
{
	long result;

	do
		result = raw_marked(REMIT_TAG_GATE, nr, a, b, c, d, e);
	while (result == -EINTR && !waits(nr, a, b));
	return result;
}
