/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short way to open: for a text without "..", the name that is judged and the name that is
 * opened are the same bytes, and RESOLVE_NO_SYMLINKS makes the kernel say so. One openat2 instead
 * of a handle, its name and a reopen. Every doubt goes the slow way: a refusal too, because the
 * text may lead through a link to what is granted.
 *
 * And the way for callers that bring RESOLVE_* flags of their own: the kernel walks with their
 * flags.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/broker/files.h"
#include "shim/broker/files_open.h"
#include "shim/broker/resolve.h"

static bool is_plain(const char *path)
{
	size_t len = strlen(path);

	if (path[len - 1] == '/')
		return false;
	for (const char *at = path; *at;) {
		size_t n = strcspn(at, "/");

		if ((n == 2 && at[0] == '.' && at[1] == '.') || n > NAME_MAX)
			return false;
		if (n == 1 && at[0] == '.' && at[1] == '\0')
			return false;
		at += n;
		at += strspn(at, "/");
	}
	return true;
}

/* The absolute name of the text. Its length, or a negative errno. */
static long full_name(struct request *request, const struct open_call *call, char *out)
{
	char link[64], base[PATH_TEXT_MAX] = "/";
	ssize_t n = 1;

	if (call->path[0] != '/') {
		if (call->dirfd == AT_FDCWD)
			snprintf(link, sizeof(link), "/proc/%d/cwd", request->tid);
		else
			snprintf(link, sizeof(link), "/proc/%d/fd/%d", request->tid, call->dirfd);
		n = call->dirfd < 0 && call->dirfd != AT_FDCWD ? -1
							       : readlink(link, base, sizeof(base));
		if (n <= 0 || n >= (ssize_t)sizeof(base) || base[0] != '/' ||
		    base[n - 1] == ')' /* perhaps " (deleted)" */ || !request_alive(request))
			return -EACCES;
	}
	return path_join(base, (size_t)n, call->path, strlen(call->path), out, PATH_TEXT_MAX);
}

/* Opening has effects of its own in /dev, and a meaning of its own in /proc. */
static bool is_special(const char *path)
{
	return strncmp(path, "/proc", 5) == 0 || strncmp(path, "/dev", 4) == 0;
}

/* The object is at its judged name, or the name is free. false: not sure. */
static bool native(const struct open_call *call, const char *name, struct reply *reply)
{
	int fd = resolve_openat2(AT_FDCWD, name, O_PATH, 0, RESOLVE_NO_SYMLINKS);

	if (fd >= 0) {
		struct stat st;
		bool proc = fstat(fd, &st) != 0 || resolve_is_proc(fd, &st);

		close(fd);
		if (proc)
			return false;
	} else if (fd != -ENOENT) {
		return false;
	} else if (!(call->flags & O_CREAT)) {
		/* A folder of the caller may have been moved while its name was read. */
		if (call->path[0] != '/')
			return false;
		*reply = reply_error(ENOENT);
		return true;
	}
	*reply = reply_continue();
	return true;
}

/* Decides what may be made of an fd that was opened without links and without waiting. */
static bool keep(const struct open_call *call, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || resolve_is_proc(fd, &st))
		return false;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return open_set_blocking(fd, call->flags) == 0;
	return false;
}

/* A reader that does not wait lets a waiting writer go on, and must not be closed before the real
 * one is there. */
static bool is_fifo(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0 && S_ISFIFO(st.st_mode);
}

static bool broker_opens(struct request *request, const struct open_call *call, const char *name,
			 size_t len, enum verb verb, struct reply *reply)
{
	uint64_t flags = call->flags | O_NONBLOCK | O_NOCTTY;

	if (is_fifo(name))
		return false;
	if ((call->flags & O_CREAT) && files_take_umask(request) != 0)
		return false;
	int fd = resolve_openat2(AT_FDCWD, name, flags, call->mode, RESOLVE_NO_SYMLINKS);

	if (call->flags & O_CREAT)
		files_give_umask(request);
	if (fd < 0) {
		if (fd != -ENOENT || call->path[0] != '/' || (call->flags & O_CREAT))
			return false;
		*reply = reply_error(ENOENT);
		return true;
	}
	if (!keep(call, fd)) {
		close(fd);
		return false;
	}
	int error = judge_text(request, verb, name, len);

	if (error) {
		close(fd);
		*reply = files_error(error);
	} else {
		*reply = reply_fd(fd, (uint32_t)(call->flags & O_CLOEXEC));
	}
	return true;
}

bool open_quickly(struct request *request, const struct open_call *call, struct reply *reply)
{
	char name[PATH_TEXT_MAX];

	if (call->resolve || (call->flags & (O_TMPFILE & ~O_DIRECTORY)) || !is_plain(call->path))
		return false;
	long len = full_name(request, call, name);

	if (len <= 0 || is_special(name))
		return false;
	/* A file that may have to be made needs the right to make it; one that is only to be read
	 * if it is there is left to the slow way. */
	enum verb verb = (call->flags & O_CREAT) ? VERB_WRITE : open_verb(call);
	struct object object = {.handle = -1, .parent = -1, .magic_fd = -1, .len = (size_t)len};

	if (!judge_would_allow(request, verb, name, (size_t)len))
		return false;
	memcpy(object.path, name, (size_t)len + 1);
	if (!judge_in_wall(request, verb, &object))
		return broker_opens(request, call, name, (size_t)len, verb, reply);
	if (!native(call, name, reply))
		return false;
	if (reply->kind == REPLY_CONTINUE) {
		int error = judge_text(request, verb, name, (size_t)len);

		if (error)
			*reply = files_error(error);
	}
	return true;
}

/* The kernel walks, with the caller's flags and without magic links, which would be the broker's.
 */
static int walk_with(int base, const char *path, uint64_t flags, uint64_t how)
{
	return resolve_openat2(base, path, O_PATH | flags, 0,
			       (how & ~(uint64_t)RESOLVE_CACHED) | RESOLVE_NO_MAGICLINKS);
}

static int parent_with(struct request *request, const struct open_call *call, int base,
		       struct object *out)
{
	char parent_path[PATH_TEXT_MAX];
	const char *slash = strrchr(call->path, '/');
	const char *name = slash ? slash + 1 : call->path;
	size_t len = (size_t)(name - call->path);
	struct stat st;

	if (name[0] == '\0')
		return -EISDIR;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -ENOENT;
	memcpy(parent_path, call->path, len);
	strcpy(parent_path + len, len ? "" : ".");
	int parent = walk_with(base, parent_path, O_DIRECTORY, call->resolve);

	if (parent < 0)
		return parent;
	int error = resolve_fill_parent(request, parent, name, strlen(name), out);

	if (!error && fstatat(out->parent, out->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		error = -ELOOP; /* a link to nowhere: its target is not made through it */
	return error;
}

static int resolve_how_at(struct request *request, const struct open_call *call, int base,
			  struct object *out)
{
	bool nofollow =
	    (call->flags & O_NOFOLLOW) || ((call->flags & O_CREAT) && (call->flags & O_EXCL));
	int fd = walk_with(base, call->path, nofollow ? O_NOFOLLOW : 0, call->resolve);

	if (fd == -ENOENT && (call->flags & O_CREAT))
		return parent_with(request, call, base, out);
	if (fd < 0)
		return fd == -ELOOP &&
			       !(call->resolve & (RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS))
			   ? OPEN_NATIVE
			   : fd;
	struct stat st;

	if (fstat(fd, &st) != 0 || resolve_is_proc(fd, &st)) {
		close(fd);
		return OPEN_NATIVE;
	}
	return resolve_fill(request, fd, false, out);
}

int open_resolve_how(struct request *request, const struct open_call *call, struct object *out)
{
	struct object base;

	/* "Only if it is in the cache": never a lie to say that it is not. */
	if (call->resolve & RESOLVE_CACHED)
		return -EAGAIN;
	bool needs_base =
	    call->path[0] != '/' || (call->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT));
	int error = resolve(request, needs_base ? call->dirfd : AT_FDCWD, needs_base ? "" : "/",
			    RESOLVE_EMPTY_PATH, &base);

	if (error)
		return error;
	memset(out, 0, sizeof(*out));
	out->handle = out->parent = out->magic_fd = -1;
	error = resolve_how_at(request, call, base.handle, out);
	if (error)
		object_close(out);
	object_close(&base);
	return error;
}
