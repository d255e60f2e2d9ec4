/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent chose every name, mode and depth in here. So: nothing is followed, a folder without
 * rights gets them back, and what lies deeper than DEPTH is first moved to the top, so that neither
 * the stack nor the descriptors grow with its depth.
 */
#include "tools/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/broker/broker.h"
#include "shim/kernel/kernel.h"

#define DEPTH 32
#define MOVE_TRIES 100000 /* the agent may have used such names */

struct removal {
	int top;
	dev_t device;
	unsigned long moved;
	bool again; /* something was moved to the top: look there once more */
	int error;  /* the first */
};

static void failed(struct removal *removal, int error)
{
	if (!removal->error && error != ENOENT)
		removal->error = -error;
}

/* A folder of the same file system, ready to be emptied; -1. */
static int open_folder(struct removal *removal, int parent, const char *name)
{
	int handle = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), fd = -1;
	struct stat about;
	char self[32];

	if (handle < 0) {
		failed(removal, errno);
		return -1;
	}
	object_self_path(handle, self);
	if (fstat(handle, &about) != 0 || about.st_dev != removal->device) {
		failed(removal, EBUSY);
	} else {
		if ((about.st_mode & 0700) != 0700)
			chmod(self, 0700);
		fd = open(self, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			failed(removal, errno);
	}
	close(handle);
	return fd;
}

static void move_to_top(struct removal *removal, int folder, const char *name)
{
	char moved[64];
	int result, tries = 0;
	int fd = open_folder(removal, folder, name); /* its ".." changes: that takes rights on it */

	if (fd < 0)
		return;
	close(fd);
	do {
		snprintf(moved, sizeof(moved), ".remit-removed-%lu", removal->moved++);
		result = renameat2(folder, name, removal->top, moved, RENAME_NOREPLACE);
	} while (result != 0 && errno == EEXIST && ++tries < MOVE_TRIES);
	if (faccessat(removal->top, moved, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		removal->again = true;
	else
		failed(removal, errno);
}

/* Owns fd. */
static void empty(struct removal *removal, int fd, int depth)
{
	DIR *folder = fdopendir(fd);
	struct dirent *entry;

	if (!folder) {
		failed(removal, errno);
		close(fd);
		return;
	}
	while ((entry = readdir(folder))) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (unlinkat(fd, name, 0) == 0)
			continue;
		if (errno != EISDIR) {
			failed(removal, errno);
			continue;
		}
		if (unlinkat(fd, name, AT_REMOVEDIR) == 0)
			continue;
		if (depth >= DEPTH) {
			move_to_top(removal, fd, name);
			continue;
		}
		int inner = open_folder(removal, fd, name);

		if (inner < 0)
			continue;
		empty(removal, inner, depth + 1);
		if (unlinkat(fd, name, AT_REMOVEDIR) != 0)
			failed(removal, errno);
	}
	closedir(folder);
}

/* The folder that holds it, reached without a link: an agent that may write above its ${TMP} could
 * have moved that away and left a link to somebody else's. */
static int open_parent(const char *path, const char **name)
{
	char folder[PATH_TEXT_MAX];
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path || !slash[1] || (size_t)(slash - path) >= sizeof(folder))
		return -EINVAL;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	*name = slash + 1;
	return kernel_open_plain(folder);
}

static void empty_top(struct removal *removal)
{
	do {
		removal->again = false;
		int fd = openat(removal->top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			failed(removal, errno);
		else
			empty(removal, fd, 0);
	} while (removal->again);
}

int scratch_empty(int folder)
{
	struct removal removal = {.top = folder};
	struct stat about;

	if (fstat(folder, &about) != 0)
		return -errno;
	removal.device = about.st_dev;
	if ((about.st_mode & 0700) != 0700 && fchmod(folder, 0700) != 0)
		return -errno;
	empty_top(&removal);
	return removal.error;
}

static int remove_at(int parent, const char *name)
{
	struct removal removal = {0};
	struct stat about;

	if (fstatat(parent, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(about.st_mode))
		return -ENOTDIR;
	removal.device = about.st_dev;
	removal.top = open_folder(&removal, parent, name);
	if (removal.top < 0)
		return removal.error ? removal.error : -EACCES;
	empty_top(&removal);
	close(removal.top);
	if (unlinkat(parent, name, AT_REMOVEDIR) != 0)
		failed(&removal, errno);
	return removal.error;
}

int scratch_remove(const char *path)
{
	const char *name;
	int parent = open_parent(path, &name);

	if (parent < 0)
		return parent == -ENOENT ? 0 : parent;
	int error = remove_at(parent, name);

	close(parent);
	return error;
}
