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
#include "shim/broker/gate.h"
#include "shim/broker/links.h"
#include "shim/broker/resolve.h"

/* What has a meaning of its own for each caller. */
static bool is_special(const char *path)
{
	return strncmp(path, "/proc", 5) == 0;
}

/* The kernel opens it, and says itself that it is not there. */
static bool kernel_opens(struct request *request, const struct open_call *call, const char *name,
			 size_t len, enum verb verb, struct reply *reply, bool *linked)
{
	int error = files_seek_links(name, 0);

	*linked = error == -ELOOP;
	if (error && error != -ENOENT)
		return false;
	error = error && !(call->flags & O_CREAT) ? 0 : judge_allowed(request, verb, name, len);

	*reply = error ? files_error(error) : reply_continue();
	return true;
}

/* The same through one of the manifest's links, by what it leads to. */
static bool kernel_opens_linked(struct request *request, const struct open_call *call,
				const char *real, size_t len, enum verb verb, struct reply *reply)
{
	bool another;

	return judge_would_allow(request, verb, real, len) &&
	       judge_text_in_wall(request, verb, real, len) &&
	       kernel_opens(request, call, real, len, verb, reply, &another);
}

/* Decides what may be made of an fd that was opened without links and without waiting. */
static bool keep(const struct open_call *call, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || resolve_is_proc(fd, &st))
		return false;
	if (S_ISREG(st.st_mode) || (S_ISDIR(st.st_mode) && !(call->flags & O_CREAT)))
		return open_set_blocking(fd, call->flags) == 0;
	return false;
}

/*
 * To open a device has effects of its own, and a FIFO's reader that does not wait lets a waiting
 * writer go on and must not be closed before the real one is there. What is put in a file's place
 * after this look costs such an effect where it is granted, no more.
 */
static bool is_file_or_absent(const char *name, uid_t *owner)
{
	struct stat st;

	*owner = (uid_t)-1;
	if (lstat(name, &st) != 0)
		return errno == ENOENT;
	if (S_ISREG(st.st_mode))
		*owner = st.st_uid;
	return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
}

/* An fd or a negative errno. */
static int open_name(struct request *request, const struct open_call *call, const char *name,
		     uint64_t flags)
{
	/* An fd of somebody who is gone is not taken by the kernel; what is made or emptied would
	 * stay so. */
	if ((flags & (O_CREAT | O_TRUNC)) && !request_alive(request))
		return -ESRCH;
	return resolve_openat2(AT_FDCWD, name, flags, flags & O_CREAT ? call->mode : 0,
			       RESOLVE_NO_SYMLINKS);
}

static int make_name(struct request *request, const struct open_call *call, const char *name,
		     uint64_t flags)
{
	int error = files_take_umask(request);

	if (error)
		return error;
	int fd = open_name(request, call, name, flags);

	files_give_umask(request);
	return fd;
}

static bool broker_opens(struct request *request, const struct open_call *call, const char *name,
			 size_t len, enum verb verb, struct reply *reply, bool *linked)
{
	uint64_t flags = call->flags | O_NONBLOCK | O_NOCTTY;
	uid_t owner;

	/* What is written down is written before a file is made or emptied: the slow way does. */
	if ((call->flags & (O_CREAT | O_TRUNC)) && judge_records_all(request))
		return false;
	if (!is_file_or_absent(name, &owner))
		return false;
	/* What is there needs no umask, which is dear to learn; of other people's files the kernel
	 * asks more where they might be made (fs.protected_regular). */
	if ((flags & (O_CREAT | O_EXCL)) == O_CREAT && owner == geteuid())
		flags &= ~(uint64_t)O_CREAT;
	int fd = flags & O_CREAT ? make_name(request, call, name, flags)
				 : open_name(request, call, name, flags);

	*linked = fd == -ELOOP;
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
	int error = judge_allowed(request, verb, name, len);

	if (error) {
		close(fd);
		*reply = files_error(error);
	} else {
		*reply = reply_fd(fd, (uint32_t)(call->flags & O_CLOEXEC));
	}
	return true;
}

bool open_quickly(struct request *request, const struct open_call *call, struct reply *reply,
		  bool *linked)
{
	char name[PATH_TEXT_MAX], real[PATH_TEXT_MAX];

	*linked = false;
	if (call->resolve || (call->flags & (O_TMPFILE & ~O_DIRECTORY)))
		return false;
	long len = files_full_name(request, call->dirfd, call->path, name);

	if (len <= 0 || is_special(name))
		return false;
	/* A file that may have to be made needs the right to make it; one that is only to be read
	 * if it is there is left to the slow way. */
	enum verb verb = (call->flags & O_CREAT) ? VERB_WRITE : open_verb(call);

	if (!judge_would_allow(request, verb, name, (size_t)len))
		return false;
	size_t real_len = call->bounded
			      ? links_follow(broker_links(request->broker), name, (size_t)len, real)
			      : 0;

	*linked = real_len > 0;
	if (*linked)
		return kernel_opens_linked(request, call, real, real_len, verb, reply);
	if (call->bounded && judge_text_in_wall(request, verb, name, (size_t)len))
		return kernel_opens(request, call, name, (size_t)len, verb, reply, linked);
	return broker_opens(request, call, name, (size_t)len, verb, reply, linked);
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

	int error = fstat(fd, &st) != 0 ? -errno : resolve_is_proc(fd, &st) ? OPEN_NATIVE : 0;

	if (error) {
		close(fd);
		return error;
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
