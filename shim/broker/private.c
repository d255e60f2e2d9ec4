// SPDX-License-Identifier: Apache-2.0
/*
 * From the folder up to the root. Whoever could rename one of the folders on the way meanwhile, or
 * the private one, would do it by the gate and under files_move_lock, as it is done here: a folder
 * that holds something denied is moved by the gate alone, and only to where that stays denied.
 */
#include "shim/broker/private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/broker/gate.h"
#include "shim/broker/nest.h"

/* Folders within each other: more than a path of PATH_MAX can name, and the walk is no path. */
#define DEPTH_MAX 65536

int private_look(const char *path, struct private_folder *out)
{
	struct stat about;

	if (lstat(path, &about) != 0)
		return -errno;
	*out = (struct private_folder){about.st_dev, about.st_ino};
	return 0;
}

static bool is_private(const struct broker *broker, const struct private_folder *folder)
{
	const struct private_folder *own = broker_private(broker);

	return (own->inode == folder->inode && own->device == folder->device) ||
	       nest_has_private(folder);
}

static int look_at(int folder, struct private_folder *out)
{
	struct stat about;

	if (fstat(folder, &about) != 0)
		return -errno;
	*out = (struct private_folder){about.st_dev, about.st_ino};
	return 0;
}

/* Owns at. */
static int climb(const struct broker *broker, int at, struct private_folder *out)
{
	struct private_folder above = {0, 0};
	int error = look_at(at, out);

	for (int depth = 0; !error && !is_private(broker, out); depth++) {
		int up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		error = up < 0 ? -errno : depth == DEPTH_MAX ? -ELOOP : look_at(up, &above);
		close(at);
		at = up;
		if (!error && above.device == out->device && above.inode == out->inode) {
			*out = (struct private_folder){0, 0}; /* the root is above itself */
			break;
		}
		*out = above;
	}
	if (at >= 0)
		close(at);
	return error;
}

int private_nearest(const struct broker *broker, int folder, struct private_folder *out)
{
	int at = openat(folder, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return at < 0 ? -errno : climb(broker, at, out);
}
