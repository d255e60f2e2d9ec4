/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening for a caller, where the wall does not do it.
 *
 * What is opened is judged by what it is, not by what it was called: an O_PATH handle first, its
 * real path judged, then a reopen through the handle. Where the text is lexically clean,
 * files_open_quick.c takes one openat2 without links instead. In the wall the kernel opens it
 * itself.
 *
 * Differs from the native call in one thing: a terminal never becomes the caller's controlling
 * terminal by being opened (TIOCSCTTY does that).
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "shim/broker/files.h"
#include "shim/broker/files_open.h"
#include "shim/broker/resolve.h"

#define CREATE_TRIES 32

enum verb open_verb(const struct open_call *call)
{
	return (call->flags & O_ACCMODE) != O_RDONLY || (call->flags & O_TRUNC) ? VERB_WRITE
										: VERB_READ;
}

/* Opens what handle stands for with the caller's flags, never as a controlling terminal; an fd or a
 * negative errno. */
static int open_handle(int handle, uint64_t flags)
{
	char self_path[32];
	uint64_t keep = flags & ~(uint64_t)(O_CREAT | O_EXCL | O_NOFOLLOW);
	int fd = open(object_self_path(handle, self_path), (int)(keep | O_NOCTTY | O_CLOEXEC));

	return fd < 0 ? -errno : fd;
}

int open_set_blocking(int fd, uint64_t flags)
{
	if (flags & O_NONBLOCK)
		return 0;
	int status = (int)(flags & (O_APPEND | O_DIRECT | O_NOATIME));

	return fcntl(fd, F_SETFL, status) == 0 ? 0 : -errno;
}

static struct reply opened(const struct open_call *call, int fd)
{
	if (fd < 0)
		return files_error(fd);
	return reply_fd(fd, (uint32_t)(call->flags & O_CLOEXEC));
}

/* Regular files and folders: only a lease of another process can make them wait. */
static struct reply reopen_file(struct request *request, const struct open_call *call, int handle)
{
	int fd = open_handle(handle, call->flags | O_NONBLOCK);

	if (fd == -EWOULDBLOCK && !(call->flags & O_NONBLOCK)) {
		if (!request_may_block(request))
			return (struct reply){.kind = REPLY_LATER, .fd = -1};
		return opened(call, open_handle(handle, call->flags));
	}
	if (fd >= 0) {
		int error = open_set_blocking(fd, call->flags);

		if (error) {
			close(fd);
			fd = error;
		}
	}
	return opened(call, fd);
}

/* True when what is behind the caller's own fd N may be opened again by right of that fd: the same
 * file, with no more access. */
static bool covered_by_own_fd(struct request *request, const struct open_call *call,
			      const struct object *object)
{
	if (object->magic_fd < 0 || (object->type != S_IFREG && object->type != S_IFCHR))
		return false;
	int fd = request_getfd(request, object->magic_fd);

	if (fd < 0)
		return false;
	int flags = files_held_flags(object, fd);
	int has = flags & O_ACCMODE, wants = (int)(call->flags & O_ACCMODE);
	bool reads = has == O_RDONLY || has == O_RDWR, writes = has == O_WRONLY || has == O_RDWR;

	close(fd);
	/* An append-only description is no right to write elsewhere in the file. */
	if ((flags & O_APPEND) && (!(call->flags & O_APPEND) || (call->flags & O_TRUNC)))
		writes = false;
	if (flags < 0 || wants == O_ACCMODE)
		return false;
	return (wants == O_WRONLY || reads) && (wants == O_RDONLY || writes) &&
	       (!(call->flags & O_TRUNC) || writes);
}

/* The errno that the kernel gives for the type alone, 0: none. Existence and type are no secret. */
static int type_error(const struct open_call *call, mode_t type)
{
	if ((call->flags & O_CREAT) && (call->flags & O_EXCL))
		return -EEXIST;
	if (type == S_IFLNK)
		return (call->flags & O_DIRECTORY) ? -ENOTDIR : -ELOOP;
	if ((call->flags & O_DIRECTORY) && type != S_IFDIR)
		return -ENOTDIR;
	if (type == S_IFDIR && (open_verb(call) == VERB_WRITE || (call->flags & O_CREAT)))
		return -EISDIR;
	return type == S_IFSOCK ? -ENXIO : 0;
}

static bool is_own_tty(const struct object *object)
{
	struct stat st;

	/* /dev/tty: which terminal that is depends on who opens it. In doubt it is. */
	return object->type == S_IFCHR &&
	       (fstat(object->handle, &st) != 0 || st.st_rdev == makedev(5, 0));
}

static bool may_wait(const struct open_call *call, const struct object *object)
{
	if (object->type == S_IFIFO)
		return !(call->flags & O_NONBLOCK) && (call->flags & O_ACCMODE) != O_RDWR;
	return object->type == S_IFCHR || object->type == S_IFBLK;
}

bool open_bounded(const struct request *request, const struct open_call *call)
{
	uint64_t access = call->flags & O_ACCMODE;

	if (call->rewritable || access == O_ACCMODE)
		return false;
	return files_truncation_bounded(request) || !(call->flags & O_TRUNC) ||
	       access == O_WRONLY || access == O_RDWR;
}

/* Only the kernel can do it. ENOSYS, because openat() is there to fall back to. */
static struct reply leave_to_kernel(struct request *request, const struct open_call *call,
				    const struct object *object)
{
	if (call->rewritable)
		return reply_error(ENOSYS);
	if (call->bounded)
		return reply_continue();
	return files_error(judge_never(request, verb_name(open_verb(call)), object->path,
				       "the kernel alone can open it, and not in this mode",
				       EACCES));
}

static struct reply reopen(struct request *request, const struct open_call *call,
			   const struct object *object)
{
	if (is_own_tty(object)) /* ours is another */
		return leave_to_kernel(request, call, object);
	if (object->type == S_IFREG || object->type == S_IFDIR)
		return reopen_file(request, call, object->handle);
	return opened(call, open_handle(object->handle, call->flags));
}

/* By right of the caller's own fd: where the hull reaches, which is to what the session was handed
 * and to what some rule names. */
static struct reply reopen_own(struct request *request, const struct open_call *call,
			       const struct object *object)
{
	struct reply reply = reopen(request, call, object);

	if (reply.kind != REPLY_ERROR || reply.value != EACCES)
		return reply;
	return files_error(judge_never(request, verb_name(open_verb(call)), object->path,
				       "it can be used as it is open, and not opened again",
				       EACCES));
}

/* The walk stopped at a magic link of a process outside the session. */
static struct reply refuse_foreign(struct request *request, const struct open_call *call,
				   const struct object *object)
{
	int error = judge_path(request, open_verb(call), object);

	if (!error)
		error = judge_never(request, verb_name(open_verb(call)), object->path,
				    "it belongs to a process outside the session", EACCES);
	return files_error(error);
}

static struct reply open_existing(struct request *request, const struct open_call *call,
				  const struct object *object)
{
	enum verb verb = open_verb(call);

	if (object->type == S_IFLNK && !(call->flags & (O_NOFOLLOW | O_EXCL)))
		return refuse_foreign(request, call, object);
	int error = type_error(call, object->type);

	if (error)
		return files_error(error);
	/* Without a path there is nothing to judge and nothing that the wall has a rule for, but a
	 * file without a name is still in the folder that it was in. */
	if (object->anonymous && covered_by_own_fd(request, call, object))
		return reopen(request, call, object);
	if (object->anonymous)
		return leave_to_kernel(request, call, object);
	if (may_wait(call, object) && !request_may_block(request))
		return (struct reply){.kind = REPLY_LATER, .fd = -1};
	if (!judge_would_allow(request, verb, object->path, object->len) &&
	    covered_by_own_fd(request, call, object))
		return reopen_own(request, call, object);
	error = judge_path(request, verb, object);
	if (error)
		return files_error(error);
	if (call->bounded && judge_in_wall(request, verb, object))
		return reply_continue();
	return reopen(request, call, object);
}

/* -EEXIST when another was faster: the caller of this resolves again. */
static int open_new(struct request *request, const struct open_call *call,
		    const struct object *object, struct reply *reply)
{
	int error = judge_path(request, VERB_WRITE, object);

	if (error)
		return error;
	if (call->bounded && judge_name_in_wall(request, object)) {
		*reply = reply_continue();
		return 0;
	}
	error = files_take_umask(request);
	if (error)
		return error;
	/* O_EXCL never follows the last component. */
	int fd = openat(object->parent, object->name,
			(int)(call->flags | O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC),
			(mode_t)call->mode);

	files_give_umask(request);
	if (fd < 0)
		return -errno;
	*reply = opened(call, fd);
	return 0;
}

static struct reply open_tmpfile(struct request *request, const struct open_call *call,
				 const struct object *object)
{
	char self_path[32];

	if (object->type != S_IFDIR)
		return reply_error(ENOTDIR);
	int error = judge_path(request, VERB_WRITE, object);

	if (!error && call->bounded && judge_in_wall(request, VERB_WRITE, object))
		return reply_continue();
	if (!error)
		error = files_take_umask(request);
	if (error)
		return files_error(error);
	int fd = open(object_self_path(object->handle, self_path),
		      (int)((call->flags & ~(uint64_t)O_NOFOLLOW) | O_NOCTTY | O_CLOEXEC),
		      (mode_t)call->mode);

	files_give_umask(request);
	return opened(call, fd < 0 ? -errno : fd);
}

static int open_resolve(struct request *request, const struct open_call *call, struct object *out)
{
	unsigned int flags = 0;

	if (call->resolve)
		return open_resolve_how(request, call, out);
	if ((call->flags & O_NOFOLLOW) || ((call->flags & O_CREAT) && (call->flags & O_EXCL)))
		flags |= RESOLVE_NOFOLLOW_LAST;
	if (call->flags & O_CREAT)
		flags |= RESOLVE_CREATE;
	if (call->linked)
		flags |= RESOLVE_LINKED;
	return resolve(request, call->dirfd, call->path, flags, out);
}

struct reply open_slowly(struct request *request, const struct open_call *call)
{
	struct reply reply = reply_error(EACCES);

	for (int tries = 0; tries < CREATE_TRIES; tries++) {
		struct object object;
		int error = open_resolve(request, call, &object);

		if (error == OPEN_NATIVE)
			return leave_to_kernel(request, call, &object);
		if (error)
			return files_error(error);
		if ((call->flags & O_CREAT) && object.slash)
			reply = reply_error(EISDIR);
		else if ((call->flags & TMPFILE_BIT) == TMPFILE_BIT)
			reply = open_tmpfile(request, call, &object);
		else if (object.handle >= 0)
			reply = open_existing(request, call, &object);
		else
			error = open_new(request, call, &object, &reply);
		object_close(&object);
		if (error == 0)
			return reply;
		if (error != -EEXIST || (call->flags & O_EXCL))
			return files_error(error);
	}
	return reply_error(EAGAIN);
}
