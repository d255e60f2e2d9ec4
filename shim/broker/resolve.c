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
		len = resolve_read_name(fd, &st, out->path, &out->anonymous, &gone);
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
		error = resolve_step_beneath(out, name, name_len);
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
