/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that need no handle. A text without ".." is a name, and the kernel is asked only whether a
 * link is on the way. That is enough to leave the call to the kernel, which walks by itself and is
 * bounded by the wall; what the gate does itself goes through handles.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shim/broker/files.h"
#include "shim/broker/resolve.h"

long files_full_name(const struct request *request, int dirfd, const char *path, char *out)
{
	char link[64], base[PATH_TEXT_MAX];
	ssize_t n;

	if (!resolve_is_plain(path))
		return -EINVAL;
	if (path[0] == '/')
		return path_join("/", 1, path, strlen(path), out, PATH_TEXT_MAX);
	if (dirfd < 0 && dirfd != AT_FDCWD)
		return -EBADF;
	if (dirfd == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%d/cwd", request->tid);
	else
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", request->tid, dirfd);
	n = readlink(link, base, sizeof(base));
	if (n <= 0 || n >= (ssize_t)sizeof(base) || base[0] != '/' ||
	    base[n - 1] == ')' /* perhaps " (deleted)" */)
		return -EACCES;
	return path_join(base, (size_t)n, path, strlen(path), out, PATH_TEXT_MAX);
}

/* Opened as a folder, what is none says ENOTDIR, without having been opened. */
int files_seek_links(const char *name, uint64_t flags)
{
	int fd =
	    resolve_openat2(AT_FDCWD, name, O_PATH | O_DIRECTORY | flags, 0, RESOLVE_NO_SYMLINKS);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || fd == -ENOTDIR ? 0 : fd;
}

bool files_kernel_may(struct request *request, int dirfd, const char *path, struct quick_name *out)
{
	long len = files_full_name(request, dirfd, path, out->text);

	if (len <= 0)
		return false;
	out->len = (size_t)len;
	if (!judge_would_allow(request, VERB_WRITE, out->text, out->len) ||
	    !judge_name_text_in_wall(request, out->text, out->len))
		return false;
	int error = files_seek_links(out->text, O_NOFOLLOW);

	return error == 0 || error == -ENOENT;
}
