/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a path as the caller means it to an object.
 *
 * Opens first and names afterwards: the path that is judged is what the kernel calls the handle. It
 * is what the caller wrote where the kernel has just walked exactly that from "/", name by name,
 * without a link: what is renamed meanwhile was there then. The kernel walks where it walks for the
 * broker as it would for the caller: no symbolic link at all, else no magic link and no end in
 * /proc. Everything else, errors after links included, is walked by resolve_walk(), which knows
 * whose /proc/self it is.
 *
 * Relies on: caller and broker sharing root, mounts and pid namespace (the filter sees to it).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "shim/broker/resolve.h"

static const char deleted[] = " (deleted)";
#define DELETED_LEN (sizeof(deleted) - 1)

int resolve_openat2(int base, const char *path, uint64_t flags, uint64_t mode, uint64_t how)
{
	struct open_how open_how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = how};
	int fd;

	/* EAGAIN: a ".." met a rename somewhere in the system (openat2(2)). */
	for (int tries = 0; tries < 64; tries++) {
		fd = (int)syscall(SYS_openat2, base, path, &open_how, sizeof(open_how));
		if (fd >= 0 || errno != EAGAIN || (flags & O_NONBLOCK))
			break;
	}
	return fd < 0 ? -errno : fd;
}

bool resolve_is_proc(int fd, const struct stat *st)
{
	struct statfs fs;

	/* procfs has no device of its own: its major number is 0. */
	return major(st->st_dev) == 0 && (fstatfs(fd, &fs) != 0 || fs.f_type == PROC_SUPER_MAGIC);
}

char *object_self_path(int handle, char *buf)
{
	snprintf(buf, 32, "/proc/self/fd/%d", handle);
	return buf;
}

static void object_clear(struct object *object)
{
	object->handle = object->parent = object->magic_fd = -1;
	object->name[0] = object->path[0] = '\0';
	object->slash = object->anonymous = object->by_magic_link = false;
	object->type = 0;
	object->len = 0;
}

void object_close(struct object *object)
{
	if (object->handle >= 0)
		close(object->handle);
	if (object->parent >= 0)
		close(object->parent);
	object->handle = object->parent = -1;
}

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

/* What the kernel calls fd now. *gone: it had this name. */
static long read_name(int fd, const struct stat *st, char *buf, bool *anonymous, bool *gone)
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

/* A handle of a mount that no path leads to has a path that names something else; so has one that
 * is being replaced, for a moment. */
long resolve_path_of(struct request *request, int fd, const struct stat *st, bool by_fd, char *buf,
		     bool *anonymous)
{
	struct stat now = *st;
	bool gone = false;

	for (int tries = 0; tries < 4; tries++) {
		long len = read_name(fd, &now, buf, anonymous, &gone);

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
	long len = resolve_path_of(request, handle, &st, by_fd, out->path, &out->anonymous);

	if (len < 0)
		return (int)len;
	out->len = (size_t)len;
	if (out->slash && out->type != S_IFDIR)
		return -ENOTDIR;
	return 0;
}

/* out is a folder (handle, type, path); it becomes a name beneath it. */
static int step_beneath(struct object *out, const char *name, size_t len)
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
	return error ? error : step_beneath(out, name, len);
}

/* Where a relative path starts: an O_PATH fd, or a negative errno. */
static int open_base(struct request *request, int dirfd)
{
	char path[64];

	if (dirfd == AT_FDCWD)
		snprintf(path, sizeof(path), "/proc/%d/cwd", request->tid);
	else if (dirfd >= 0)
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", request->tid, dirfd);
	else
		return -EBADF;
	int fd = open(path, O_PATH | O_CLOEXEC);

	/* Whose folder it is, is asked at the end of resolve(). */
	if (fd < 0)
		return errno == ENOENT && dirfd != AT_FDCWD ? -EBADF : -errno;
	return fd;
}

bool resolve_is_plain(const char *path)
{
	size_t n = 1;

	for (const char *at = path; *at; at += n + strspn(at + n, "/")) {
		n = strcspn(at, "/");
		if ((n == 2 && at[0] == '.' && at[1] == '.') || n > NAME_MAX)
			return false;
		if (at[n] == '\0' && n == 1 && at[0] == '.')
			return false;
	}
	return path[0] != '\0' && path[strlen(path) - 1] != '/';
}

/* Where no link was on the way and none was gone up, the text is what the kernel walked: it has no
 * other name to tell. */
static long name_by_text(int base, const char *path, char *out)
{
	if (base != AT_FDCWD || path[0] != '/' || (path[1] != '\0' && !resolve_is_plain(path)))
		return 0;
	long len = path_join("/", 1, path, strlen(path), out, PATH_TEXT_MAX);

	return len > 0 ? len : 0;
}

/* What resolve_by_kernel() leaves to be done. */
enum { WALK = 1, ABSENT = 2 };

/* 0 filled, a negative errno that is final, or one of the above. */
static int resolve_by_kernel(int base, const char *path, unsigned int flags, struct object *out)
{
	uint64_t open_flags = O_PATH | ((flags & RESOLVE_NOFOLLOW_LAST) ? O_NOFOLLOW : 0);
	int fd = -ELOOP;

	if (!(flags & RESOLVE_LINKED))
		fd = resolve_openat2(base, path, open_flags, 0, RESOLVE_NO_SYMLINKS);
	bool linkless = fd >= 0;

	/* Without a link on the way the answer is the caller's as well as ours. */
	if (fd < 0 && fd != -ELOOP && fd != -EAGAIN)
		return fd == -ENOENT && (flags & RESOLVE_CREATE) ? ABSENT : fd;
	if (fd < 0)
		fd = resolve_openat2(base, path, open_flags, 0, RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return WALK;
	struct stat st;

	if (fstat(fd, &st) != 0 || resolve_is_proc(fd, &st)) {
		close(fd);
		return WALK;
	}
	long len = linkless ? name_by_text(base, path, out->path) : 0;
	bool gone;

	out->handle = fd;
	out->type = st.st_mode & S_IFMT;
	if (len == 0)
		len = read_name(fd, &st, out->path, &out->anonymous, &gone);
	if (len < 0)
		return (int)len;
	out->len = (size_t)len;
	return out->slash && out->type != S_IFDIR ? -ENOTDIR : 0;
}

/* Splits the last component off: its place in path, *parent_len and *name_len. */
static const char *last_component(const char *path, size_t *parent_len, size_t *name_len)
{
	size_t end = strlen(path);

	while (end > 0 && path[end - 1] == '/')
		end--;
	size_t start = end;

	while (start > 0 && path[start - 1] != '/')
		start--;
	*parent_len = start;
	*name_len = end - start;
	return path + start;
}

/* The parent of the last component, links in it followed. *name is then within path. */
static int resolve_parent(struct request *request, int base, const char *path, struct object *out)
{
	char parent_path[PATH_TEXT_MAX];
	size_t parent_len, name_len;
	const char *name = last_component(path, &parent_len, &name_len);
	bool slash = out->slash; /* of the name, not of the folder */

	if (name_len == 0) { /* only slashes */
		name = "/";
		name_len = 1;
		parent_len = 1;
	}
	if (parent_len >= sizeof(parent_path))
		return -ENAMETOOLONG;
	while (parent_len > 1 && path[parent_len - 1] == '/')
		parent_len--;
	memcpy(parent_path, path, parent_len);
	parent_path[parent_len] = '\0';
	if (parent_len == 0)
		strcpy(parent_path, ".");
	out->slash = false;
	int error = resolve_by_kernel(base, parent_path, 0, out);

	if (error > 0) {
		object_close(out);
		object_clear(out);
		error = resolve_walk(request, base, parent_path, 0, out);
	}
	if (!error)
		error = step_beneath(out, name, name_len);
	out->slash = slash;
	return error;
}

static bool ends_with_slash(const char *path)
{
	size_t len = strlen(path);

	return len > 0 && path[len - 1] == '/';
}

/* True when the last component as written is "." or "..". */
static bool ends_with_dots(const char *path)
{
	size_t parent_len, name_len;
	const char *name = last_component(path, &parent_len, &name_len);

	return (name_len == 1 && name[0] == '.') || (name_len == 2 && !memcmp(name, "..", 2));
}

/* A name that is not there yet: its parent, and nothing at the name, not even a dangling link. */
static int resolve_absent(struct request *request, int base, const char *path, unsigned int flags,
			  struct object *out)
{
	struct stat st;

	if (ends_with_dots(path))
		return -ENOENT;
	int error = resolve_parent(request, base, path, out);

	if (error)
		return error;
	if (fstatat(out->parent, out->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -errno;
	object_close(out);
	object_clear(out);
	out->slash = ends_with_slash(path);
	return resolve_walk(request, base, path, flags, out);
}

static int resolve_at(struct request *request, int base, const char *path, unsigned int flags,
		      struct object *out)
{
	out->slash = ends_with_slash(path);
	if (flags & RESOLVE_PARENT)
		return resolve_parent(request, base, path, out);
	int error = resolve_by_kernel(base, path, flags, out);

	if (error <= 0)
		return error;
	if (error == ABSENT)
		return resolve_absent(request, base, path, flags, out);
	return resolve_walk(request, base, path, flags, out);
}

int resolve(struct request *request, int dirfd, const char *path, unsigned int flags,
	    struct object *out)
{
	object_clear(out);
	if (path[0] == '\0' && !(flags & RESOLVE_EMPTY_PATH))
		return -ENOENT;
	if (path[0] == '\0' && dirfd != AT_FDCWD)
		return resolve_fd(request, dirfd, out);
	if (strlen(path) >= PATH_TEXT_MAX)
		return -ENAMETOOLONG;
	int base = path[0] == '/' ? AT_FDCWD : open_base(request, dirfd);

	if (base < 0 && base != AT_FDCWD)
		return base;
	int error = resolve_at(request, base, path[0] ? path : ".", flags, out);

	if (base >= 0)
		close(base);
	if (!error && !request_alive(request))
		error = -ESRCH;
	if (error)
		object_close(out);
	return error;
}

int resolve_fd(struct request *request, int fd, struct object *out)
{
	object_clear(out);
	int handle = request_getfd(request, fd);

	if (handle < 0)
		return handle;
	int error = resolve_fill(request, handle, true, out);

	if (error)
		object_close(out);
	return error;
}
