/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on files, and the files that they are about. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bench/calls/calls.h"

static int failed(int result)
{
	return result < 0 ? errno : 0;
}

static int open_read_close(struct worker *worker)
{
	char byte;
	int fd = open(worker->file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &byte, 1) != 1)
		return errno ? errno : EIO;
	return failed(close(fd));
}

/* Nothing that any policy judges: what is left is the price of a filter on every call. */
static int pread_file(struct worker *worker)
{
	char byte;

	return pread(worker->fd, &byte, 1, 0) == 1 ? 0 : EIO;
}

static int stat_file(struct worker *worker)
{
	struct stat info;

	return failed(stat(worker->file, &info));
}

static int create_write_unlink(struct worker *worker)
{
	int fd = open(worker->fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, "x", 1) != 1)
		return errno ? errno : EIO;
	close(fd);
	return failed(unlink(worker->fresh));
}

static int mkdir_rmdir(struct worker *worker)
{
	return mkdir(worker->fresh, 0700) < 0 ? errno : failed(rmdir(worker->fresh));
}

/* There and back, so that it can be repeated: two calls. */
static int rename_twice(struct worker *worker)
{
	if (rename(worker->file, worker->moved) < 0)
		return errno;
	return failed(rename(worker->moved, worker->file));
}

static int chmod_file(struct worker *worker)
{
	return failed(chmod(worker->file, 0600));
}

const struct act file_acts[] = {
    {"pread", pread_file},
    {"stat", stat_file},
    {"open_read_close", open_read_close},
    {"create_write_unlink", create_write_unlink},
    {"mkdir_rmdir", mkdir_rmdir},
    {"rename_twice", rename_twice},
    {"chmod", chmod_file},
    {NULL, NULL},
};

static int make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int error = fd < 0 ? errno : 0;

	if (!error && write(fd, "content\n", 8) != 8)
		error = EIO;
	if (fd >= 0)
		close(fd);
	return error;
}

int worker_prepare(struct worker *worker, unsigned int number, unsigned int depth)
{
	char folder[sizeof(place.folder) + 2 * DEPTH_MAX + 1];
	size_t length = strlen(place.folder);
	int error;

	*worker = (struct worker){.number = number, .fd = -1, .udp = -1};
	memcpy(folder, place.folder, length + 1);
	for (; depth; depth--, length += 2) {
		memcpy(folder + length, "/d", 3);
		if (mkdir(folder, 0700) < 0 && errno != EEXIST)
			return errno;
	}
	snprintf(worker->file, sizeof(worker->file), "%s/file-%u", folder, number);
	snprintf(worker->fresh, sizeof(worker->fresh), "%s/new-%u", folder, number);
	snprintf(worker->moved, sizeof(worker->moved), "%s/moved-%u", folder, number);
	error = make_file(worker->file);
	if (error)
		return error;
	worker->fd = open(worker->file, O_RDONLY | O_CLOEXEC);
	/* A mode without a network still has files. */
	worker->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return failed(worker->fd);
}

void worker_end(struct worker *worker)
{
	if (worker->fd >= 0)
		close(worker->fd);
	if (worker->udp >= 0)
		close(worker->udp);
	unlink(worker->file);
}
