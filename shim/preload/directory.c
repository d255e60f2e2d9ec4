/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opendir(): a tagged open with the flags of glibc's, and fdopendir(). scandir(), ftw(), fts and
 * glob() open through names inside libc; rebuilding them would mean a heap and callbacks, so their
 * opens are the gate's.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>

#include "shim/preload/hook.h"
#include "shim/preload/lane.h"
#include "shim/preload/banned.h"

HOOK("opendir", HOOK_LANE | HOOK_GLIBC, DIR *, hook_opendir, (const char *path));
DIR *hook_opendir(const char *path)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC;
	DIR *stream;
	long fd;

	fd = lane_call(lane_tags(VERB_READ, path), SYS_openat, AT_FDCWD, (long)path, flags, 0, 0);
	if (fd < 0) {
		raw_finish(fd);
		return NULL;
	}
	stream = fdopendir((int)fd);
	if (!stream)
		raw3(SYS_close, fd, 0, 0);
	return stream;
}
