/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_whole(int fd, const char *bytes, size_t size)
{
	mode_t mask = umask(0);
	ssize_t put;

	umask(mask);
	if (fchmod(fd, 0666 & ~mask))
		return -errno;
	while (size) {
		put = write(fd, bytes, size);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		bytes += put;
		size -= (size_t)put;
	}
	return fsync(fd) ? -errno : 0;
}

/* The rename itself must survive a crash: the folder is written out too. */
static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder =
	    slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int fd, error = 0;

	if (!folder)
		return -ENOMEM;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0)
		return -errno;
	/* Some file systems cannot sync a folder (EINVAL); the file is in place all the same. */
	if (fsync(fd) && errno != EINVAL)
		error = -errno;
	close(fd);
	return error;
}

int replace_file(const char *path, const void *bytes, size_t size)
{
	struct stat status;
	char *draft = NULL;
	int fd, error;

	/* A rename would put a plain file where a device or a pipe is. */
	if (!stat(path, &status) && !S_ISREG(status.st_mode))
		return S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
	if (asprintf(&draft, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(draft, O_CLOEXEC);
	if (fd < 0) {
		error = -errno;
		free(draft);
		return error;
	}
	error = write_whole(fd, bytes, size);
	if (close(fd) && !error)
		error = -errno;
	if (!error && rename(draft, path))
		error = -errno;
	if (error)
		unlink(draft);
	else
		error = sync_folder(path);
	free(draft);
	return error;
}
