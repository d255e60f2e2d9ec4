/* SPDX-License-Identifier: Apache-2.0 */
/* Which lane a path takes. Reads the path as libc's own wrappers do not: a pointer that is neither
 * NULL nor a small number must point to a string. */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/core/path.h"
#include "shim/preload/lane.h"
#include "shim/preload/state.h"
#include "shim/preload/banned.h"

#define FIRST_PAGE 4096

bool lane_tags(enum verb verb, const char *path)
{
	struct decision decision;
	size_t len;

	if (!state.fast || (verb == VERB_EXEC && !state.tag_exec))
		return false;
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

enum verb lane_open_verb(int flags)
{
	if ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)))
		return VERB_WRITE;
	return VERB_READ;
}

bool lane_waits(long nr, long a, long b)
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
