/* SPDX-License-Identifier: Apache-2.0 */
/* From a handle to the object: what the kernel calls it, as the caller would spell that. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/broker/resolve.h"

static const char deleted[] = " (deleted)";
#define DELETED_LEN (sizeof(deleted) - 1)

/* "/proc/N" of the caller's own process or thread becomes "/proc/self". Only for what is in procfs,
 * where no folder made by anybody can look like it. */
static long spell_own(struct request *request, char *path, size_t len)
{
	char *end;

	if (strncmp(path, "/proc/", 6) != 0)
		return strcmp(path, "/proc") == 0 ? (long)len : -EACCES; /* another procfs */
	long pid = strtol(path + 6, &end, 10);
	pid_t tgid = request_tgid(request);

	if (tgid < 0)
		return tgid;
	if (end == path + 6 || (*end != '/' && *end != '\0') ||
	    (pid != tgid && pid != request->tid))
		return (long)len;
	size_t rest = len - (size_t)(end - path);

	if (strlen("/proc/self") + rest >= PATH_TEXT_MAX)
		return -ENAMETOOLONG;
	memmove(path + strlen("/proc/self"), end, rest + 1);
	memcpy(path, "/proc/self", strlen("/proc/self"));
	return (long)(strlen("/proc/self") + rest);
}

/* 1, 0, or a negative errno: not to be known. */
static int same_file(const char *path, const struct stat *st)
{
	struct stat other;

	if (lstat(path, &other) != 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
		/* Moved between the two looks, or back: asked once more. */
		return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? -EAGAIN : 0;
	}
	return other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

/*
 * The kernel adds " (deleted)" to a name that is gone. Such a file may live on under another name,
 * so only one without any name left is anonymous; else it is judged by the name that it was reached
 * by. And a file may simply be called that.
 */
static long without_deleted(char *path, size_t len, const struct stat *st, bool *anonymous)
{
	if (len <= DELETED_LEN || strcmp(path + len - DELETED_LEN, deleted) != 0)
		return (long)len;
	if (st->st_nlink == 0) {
		*anonymous = true;
		return (long)len;
	}
	int same = same_file(path, st);

	if (same != 0)
		return same < 0 ? -EACCES : (long)len;
	path[len - DELETED_LEN] = '\0';
	return (long)(len - DELETED_LEN);
}

long resolve_read_name(int fd, const struct stat *st, char *buf, bool *anonymous, bool *gone)
{
	char self_path[32];
	ssize_t n = readlink(object_self_path(fd, self_path), buf, PATH_TEXT_MAX);

	if (n < 0)
		return -errno;
	if (n >= PATH_TEXT_MAX)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	*anonymous = buf[0] != '/';
	if (*anonymous)
		return buf[0] == '(' ? -EACCES : n;
	long len = without_deleted(buf, (size_t)n, st, anonymous);

	*gone = len != n;
	return len;
}

/* True when the path names something else. One that is gone is no such. */
static bool is_elsewhere(const char *path, const struct stat *st)
{
	struct stat other;

	return lstat(path, &other) == 0 &&
	       (other.st_dev != st->st_dev || other.st_ino != st->st_ino);
}

/*
 * The real path of fd into buf of PATH_TEXT_MAX, as the caller's spelling has it; its length, or a
 * negative errno. *anonymous: it has none. A handle of a mount that no path leads to has a path
 * that names something else; so has one that is being replaced, for a moment.
 */
static long path_of(struct request *request, int fd, const struct stat *st, bool by_fd, char *buf,
		    bool *anonymous)
{
	struct stat now = *st;
	bool gone = false;

	for (int tries = 0; tries < 4; tries++) {
		long len = resolve_read_name(fd, &now, buf, anonymous, &gone);

		if (len < 0 || *anonymous)
			return len;
		if (resolve_is_proc(fd, &now))
			return spell_own(request, buf, (size_t)len);
		if (!by_fd || gone || !is_elsewhere(buf, &now))
			return len;
		if (fstat(fd, &now) != 0)
			return -errno;
	}
	return -EACCES;
}

int resolve_fill(struct request *request, int handle, bool by_fd, struct object *out)
{
	struct stat st;

	out->handle = handle;
	if (fstat(handle, &st) != 0)
		return -errno;
	out->type = st.st_mode & S_IFMT;
	long len = path_of(request, handle, &st, by_fd, out->path, &out->anonymous);

	if (len < 0)
		return (int)len;
	out->len = (size_t)len;
	if (out->slash && out->type != S_IFDIR)
		return -ENOTDIR;
	return 0;
}

int resolve_step_beneath(struct object *out, const char *name, size_t len)
{
	out->parent = out->handle;
	out->handle = out->magic_fd = -1;
	out->by_magic_link = false;
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	if (out->type != S_IFDIR)
		return -ENOTDIR;
	/* A folder that was removed takes no new names. */
	if (out->anonymous)
		return -ENOENT;
	size_t at = out->len == 1 ? 0 : out->len;

	if (at + 1 + len >= PATH_TEXT_MAX)
		return -ENAMETOOLONG;
	memcpy(out->name, name, len);
	out->name[len] = '\0';
	out->path[at] = '/';
	memcpy(out->path + at + 1, out->name, len + 1);
	out->len = at + 1 + len;
	out->type = 0;
	return 0;
}

int resolve_fill_parent(struct request *request, int parent, const char *name, size_t len,
			struct object *out)
{
	bool slash = out->slash; /* of the name, not of the folder */

	out->slash = false;
	int error = resolve_fill(request, parent, false, out);

	out->slash = slash;
	return error ? error : resolve_step_beneath(out, name, len);
}
