// SPDX-License-Identifier: Apache-2.0
/*
 * Files of a manifest. Each is known by device and inode, so that no spelling hides a cycle and a
 * file that two others include is read once. Never blocks on what is no regular file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/compile/reader.h"

const char *source_why(int err)
{
	switch (err) {
	case -EFBIG:
		return "the file is larger than " LIMIT_FILE_NUMBER;
	case -EMLINK:
		return "more than " LIMIT_NUMBER(LIMIT_FILES) " files are included";
	case -ENODEV:
		return "it is not a regular file";
	case -ENOENT:
		return "there is no such file";
	case -EACCES:
		return "permission denied";
	case -EISDIR:
		return "it is a folder";
	default:
		return strerror(-err);
	}
}

/* Up to the bound and one byte more, which tells that there is more. */
static int read_all(int fd, char **out, size_t *out_len)
{
	size_t room = LIMIT_FILE_BYTES + 1, len = 0;
	char *text = malloc(room);
	ssize_t got = 1;

	if (!text)
		return -ENOMEM;
	while (got > 0 && len < room) {
		got = read(fd, text + len, room - len);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			len += (size_t)got;
	}
	if (got < 0 || len == room) {
		int err = got < 0 ? -errno : -EFBIG;

		free(text);
		return err;
	}
	*out = text;
	*out_len = len;
	return 0;
}

static int open_source(const char *path, bool pipes, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, st))
		err = -errno;
	else if (S_ISDIR(st->st_mode))
		err = -EISDIR;
	else if (!S_ISREG(st->st_mode) && !(pipes && S_ISFIFO(st->st_mode)))
		err = -ENODEV;
	else if (S_ISREG(st->st_mode) && st->st_size > LIMIT_FILE_BYTES)
		err = -EFBIG;
	else if (S_ISFIFO(st->st_mode) && fcntl(fd, F_SETFL, 0))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* The real path, so that the launcher protects the file itself. */
static int remember(struct reading *all, const char *path, const struct stat *st, size_t *seen)
{
	char *real = realpath(path, NULL);
	int err = string_list_add(&all->model->files, real ? real : path);

	free(real);
	if (err)
		return err;
	*seen = all->seen_count++;
	all->seen[*seen] = (struct seen_file){st->st_dev, st->st_ino, true};
	return 0;
}

enum source_result source_read(struct reading *all, const char *path, bool pipes, char **text,
			       size_t *len, size_t *seen, int *err)
{
	struct stat st;
	int fd = open_source(path, pipes, &st);

	*err = fd < 0 ? fd : 0;
	if (fd < 0)
		return SOURCE_FAILED;
	for (size_t i = 0; i < all->seen_count; i++) {
		if (all->seen[i].device != st.st_dev || all->seen[i].inode != st.st_ino)
			continue;
		close(fd);
		return all->seen[i].open ? SOURCE_CYCLE : SOURCE_SEEN;
	}
	/* A manifest that came from memory is a document, but no file that was seen. */
	bool full = all->seen_count == LIMIT_FILES || all->document_count == LIMIT_FILES;

	*err = full ? -EMLINK : read_all(fd, text, len);
	close(fd);
	if (!*err) {
		*err = remember(all, path, &st, seen);
		if (*err) {
			free(*text);
			*text = NULL;
		}
	}
	return *err ? SOURCE_FAILED : SOURCE_READ;
}
