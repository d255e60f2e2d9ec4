/* SPDX-License-Identifier: Apache-2.0 */
/* The real file system as the plan sees it. What cannot be looked at is absent: it gets no rule. */
#include "shim/kernel/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum view_kind kind(void *context, const char *path)
{
	struct stat status;
	(void)context;
	if (fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return VIEW_ABSENT;
	switch (status.st_mode & S_IFMT) {
	case S_IFREG:
		return VIEW_FILE;
	case S_IFDIR:
		return VIEW_FOLDER;
	case S_IFLNK:
		return VIEW_LINK;
	default:
		return VIEW_OTHER;
	}
}

static int list(void *context, const char *folder, int (*each)(void *arg, const char *name),
		void *arg)
{
	(void)context;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	DIR *stream = fdopendir(fd);
	if (!stream) {
		int ret = -errno;
		close(fd);
		return ret;
	}
	int ret = 0;
	struct dirent *entry;
	while (ret == 0) {
		errno = 0;
		entry = readdir(stream);
		if (!entry) {
			ret = -errno;
			break;
		}
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			ret = each(arg, entry->d_name);
	}
	closedir(stream);
	return ret;
}

static bool sha256(void *context, const char *path, uint8_t out[32])
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool known = fd >= 0 && kernel_sha256(fd, out) == 0;
	(void)context;

	if (fd >= 0)
		close(fd);
	return known;
}

const struct plan_view kernel_view = {
    .kind = kind, .list = list, .context = NULL, .sha256 = sha256};
