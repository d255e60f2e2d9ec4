/* SPDX-License-Identifier: Apache-2.0 */
/* The real file system as the plan sees it. What cannot be looked at is absent: it gets no rule. */
#include "shim/kernel/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
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
	crypto_hash_sha256_state state;
	uint8_t block[65536];
	struct stat status;
	ssize_t n = -1;
	(void)context;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
		crypto_hash_sha256_init(&state);
		while ((n = read(fd, block, sizeof(block))) > 0)
			crypto_hash_sha256_update(&state, block, (unsigned long long)n);
	}
	close(fd);
	if (n == 0)
		crypto_hash_sha256_final(&state, out);
	return n == 0;
}

const struct plan_view kernel_view = {
    .kind = kind, .list = list, .context = NULL, .sha256 = sha256};
