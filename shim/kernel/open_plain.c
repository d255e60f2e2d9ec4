/* SPDX-License-Identifier: Apache-2.0 */
/* Within a session openat2() gives no handles, which the gate cannot hand over: there each name is
 * opened by itself. */
#include "shim/kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A name of folder, which is no link. folder is closed. */
static int step(int folder, const char *name, size_t len)
{
	char buf[NAME_MAX + 1];
	struct stat status;
	int fd = -1, error = -ENAMETOOLONG;
	if (len <= NAME_MAX) {
		memcpy(buf, name, len);
		buf[len] = '\0';
		fd = openat(folder, buf, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		error = fd < 0 || fstat(fd, &status) < 0 ? -errno : 0;
	}
	if (!error && S_ISLNK(status.st_mode))
		error = -ELOOP;
	close(folder);
	if (!error)
		return fd;
	if (fd >= 0)
		close(fd);
	return error;
}

static int walk(const char *path)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (path += strspn(path, "/"); fd >= 0 && *path; path += strspn(path, "/")) {
		size_t len = strcspn(path, "/");
		fd = step(fd, path, len);
		path += len;
	}
	return fd;
}

int kernel_open_plain(const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	if (path[0] != '/')
		return -EINVAL;
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	if (fd >= 0 || errno != ENOSYS)
		return fd < 0 ? -errno : fd;
	return walk(path);
}
