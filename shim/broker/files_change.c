/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkdir, mknod, symlink, unlink, rmdir, truncate.
 *
 * What makes or removes a name is judged by the name: the parent's real path plus the last
 * component, never followed; then done relative to the parent's handle. In the wall the kernel does
 * it itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/broker/files.h"
#include "shim/broker/performers.h"

/* What is done at one name. */
struct change {
	enum { CHANGE_MKDIR, CHANGE_MKNOD, CHANGE_SYMLINK, CHANGE_UNLINK, CHANGE_RMDIR } what;
	mode_t mode;
	const char *target; /* of a symbolic link */
};

/* "." and ".." and "/" are never made nor removed; what do_mkdirat(), do_rmdir(), do_unlinkat() of
 * fs/namei.c say to them. */
static int dots_error(const struct change *change, const char *name)
{
	switch (change->what) {
	case CHANGE_UNLINK:
		return EISDIR;
	case CHANGE_RMDIR:
		return strcmp(name, ".") == 0	 ? EINVAL
		       : strcmp(name, "..") == 0 ? ENOTEMPTY
						 : EBUSY;
	default:
		return EEXIST;
	}
}

static struct reply make_folder_at(int parent, const char *name, mode_t mode)
{
	pthread_mutex_lock(&files_move_lock);
	struct reply reply = reply_result(mkdirat(parent, name, mode));

	pthread_mutex_unlock(&files_move_lock);
	return reply;
}

static struct reply act_now(const struct change *change, const struct object *object)
{
	char buf[NAME_MAX + 2];
	const char *name = files_name(object, buf);
	int parent = object->parent;

	switch (change->what) {
	case CHANGE_MKDIR:
		return make_folder_at(parent, name, change->mode);
	case CHANGE_MKNOD:
		return reply_result(mknodat(parent, name, change->mode, 0));
	case CHANGE_SYMLINK:
		return reply_result(symlinkat(change->target, parent, name));
	case CHANGE_UNLINK:
		return reply_result(unlinkat(parent, name, 0));
	case CHANGE_RMDIR:
		return reply_result(unlinkat(parent, name, AT_REMOVEDIR));
	}
	return reply_error(EACCES);
}

/* Only what has a mode is cut by the umask. */
static struct reply act(struct request *request, const struct change *change,
			const struct object *object)
{
	if (change->what != CHANGE_MKDIR && change->what != CHANGE_MKNOD)
		return act_now(change, object);
	int error = files_take_umask(request);

	if (error)
		return files_error(error);
	struct reply reply = act_now(change, object);

	files_give_umask(request);
	return reply;
}

/*
 * What the kernel answers before it asks whether the caller may: `mkdir -p` makes every folder on
 * the way and expects EEXIST, `rm -f` removes what may not be there and expects ENOENT. That a name
 * exists or not is no secret here, so this is no refusal. 0: go on and judge.
 */
static int forgone(struct request *request, const struct change *change,
		   const struct object *object)
{
	bool removes = change->what == CHANGE_UNLINK || change->what == CHANGE_RMDIR;
	struct stat st;

	if (judge_would_allow(request, VERB_WRITE, object->path, object->len))
		return 0;
	if (fstatat(object->parent, object->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return removes ? 0 : EEXIST;
	return removes && errno == ENOENT ? ENOENT : 0;
}

/* In the wall, and no link on the way. A new link may be more than a name: see below. */
static bool kernel_changes(struct request *request, int dirfd, const char *path,
			   const struct change *change, struct reply *reply)
{
	struct quick_name name;

	if (change->what == CHANGE_SYMLINK || !files_kernel_may(request, dirfd, path, &name))
		return false;
	int error = judge_allowed(request, VERB_WRITE, name.text, name.len);

	*reply = error ? files_error(error) : reply_continue();
	return true;
}

static struct reply change_at(struct request *request, int dirfd, uint64_t address,
			      const struct change *change)
{
	char path[PATH_TEXT_MAX];
	struct object object;
	struct reply reply;

	if (files_read_path(request, address, true, path, &reply) != 0 ||
	    kernel_changes(request, dirfd, path, change, &reply))
		return reply;
	int error = resolve(request, dirfd, path, RESOLVE_PARENT, &object);

	if (error)
		return files_error(error);
	if (files_is_dots(&object)) {
		reply = reply_error(dots_error(change, object.name));
		goto out;
	}
	error = forgone(request, change, &object);
	if (error) {
		reply = reply_error(error);
		goto out;
	}
	error = judge_path(request, VERB_WRITE, &object);
	if (!error && change->what == CHANGE_SYMLINK)
		error = files_judge_link(request, &object);
	if (error) {
		reply = files_error(error);
	} else if (judge_name_in_wall(request, &object)) {
		reply = reply_continue();
	} else {
		reply = act(request, change, &object);
	}
out:
	object_close(&object);
	return reply;
}

/* A device node is a door to the kernel, whatever folder it stands in (0:0 character nodes are
 * whiteouts, which hide files of an overlay). */
static struct reply refuse_device(struct request *request, int dirfd, uint64_t address)
{
	char path[PATH_TEXT_MAX];
	struct object object;
	struct reply reply;

	if (files_read_path(request, address, true, path, &reply) != 0)
		return reply;
	int error = resolve(request, dirfd, path, RESOLVE_PARENT, &object);

	if (error)
		return files_error(error);
	error = judge_never(request, request->name, object.path,
			    "device nodes cannot be made in a session", EPERM);
	object_close(&object);
	return files_error(error);
}

static struct reply make_node(struct request *request, int dirfd, uint64_t address, uint64_t mode)
{
	mode_t type = (mode_t)mode & S_IFMT;

	if (type == S_IFCHR || type == S_IFBLK)
		return refuse_device(request, dirfd, address);
	if (type == S_IFDIR)
		return reply_error(EPERM);
	if (type != 0 && type != S_IFREG && type != S_IFIFO && type != S_IFSOCK)
		return reply_error(EINVAL);
	struct change change = {.what = CHANGE_MKNOD, .mode = type | (mode & 07777)};

	return change_at(request, dirfd, address, &change);
}

static struct reply make_folder(struct request *request, int dirfd, uint64_t address, uint64_t mode)
{
	struct change change = {.what = CHANGE_MKDIR, .mode = (mode_t)mode & 07777};

	return change_at(request, dirfd, address, &change);
}

static struct reply make_link(struct request *request, uint64_t target_address, int dirfd,
			      uint64_t address)
{
	char target[PATH_TEXT_MAX];
	struct reply reply;

	if (files_read_path(request, target_address, true, target, &reply) != 0)
		return reply;
	if (target[0] == '\0')
		return reply_error(ENOENT);
	struct change change = {.what = CHANGE_SYMLINK, .target = target};

	return change_at(request, dirfd, address, &change);
}

static struct reply remove_name(struct request *request, int dirfd, uint64_t address,
				uint64_t flags)
{
	struct change change = {.what = (flags & AT_REMOVEDIR) ? CHANGE_RMDIR : CHANGE_UNLINK};

	if ((uint32_t)flags & ~(uint32_t)AT_REMOVEDIR)
		return reply_error(EINVAL);
	return change_at(request, dirfd, address, &change);
}

struct reply perform_mkdir(struct request *request)
{
	return make_folder(request, AT_FDCWD, request->notif.data.args[0],
			   request->notif.data.args[1]);
}

struct reply perform_mkdirat(struct request *request)
{
	return make_folder(request, (int)request->notif.data.args[0], request->notif.data.args[1],
			   request->notif.data.args[2]);
}

struct reply perform_mknod(struct request *request)
{
	return make_node(request, AT_FDCWD, request->notif.data.args[0],
			 request->notif.data.args[1]);
}

struct reply perform_mknodat(struct request *request)
{
	return make_node(request, (int)request->notif.data.args[0], request->notif.data.args[1],
			 request->notif.data.args[2]);
}

struct reply perform_unlink(struct request *request)
{
	return remove_name(request, AT_FDCWD, request->notif.data.args[0], 0);
}

struct reply perform_rmdir(struct request *request)
{
	return remove_name(request, AT_FDCWD, request->notif.data.args[0], AT_REMOVEDIR);
}

struct reply perform_unlinkat(struct request *request)
{
	return remove_name(request, (int)request->notif.data.args[0], request->notif.data.args[1],
			   request->notif.data.args[2]);
}

struct reply perform_symlink(struct request *request)
{
	return make_link(request, request->notif.data.args[0], AT_FDCWD,
			 request->notif.data.args[1]);
}

struct reply perform_symlinkat(struct request *request)
{
	return make_link(request, request->notif.data.args[0], (int)request->notif.data.args[1],
			 request->notif.data.args[2]);
}

/* limits.file_size and the caller's own RLIMIT_FSIZE bind the caller, not the broker: as
 * inode_newsize_ok() of fs/attr.c. */
static int check_size(struct request *request, const struct object *object, int64_t length)
{
	uint64_t limit = files_limit(request, RLIMIT_FSIZE);
	struct stat st;

	if ((uint64_t)length <= limit)
		return 0;
	if (fstat(object->handle, &st) != 0)
		return -errno;
	if (length <= st.st_size)
		return 0;
	pid_t tgid = request_tgid(request);

	if (tgid > 0)
		syscall(SYS_tgkill, tgid, request->tid, SIGXFSZ);
	return -EFBIG;
}

static struct reply truncate_object(struct request *request, const struct object *object,
				    int64_t length)
{
	char self_path[32];

	if (object->type == S_IFDIR)
		return reply_error(EISDIR);
	if (object->type != S_IFREG)
		return reply_error(EINVAL);
	/* Without a name it can only have come from a magic link of the caller's, and nothing says
	 * that the fd was open for writing: the kernel does not ask either, but Landlock does. */
	if (object->anonymous)
		return files_truncation_bounded(request) ? reply_continue() : reply_error(EACCES);
	int error = judge_path(request, VERB_WRITE, object);

	if (!error && judge_in_wall(request, VERB_WRITE, object))
		return reply_continue();
	if (!error)
		error = check_size(request, object, length);
	if (error)
		return files_error(error);
	return reply_result(truncate(object_self_path(object->handle, self_path), length));
}

struct reply perform_truncate(struct request *request)
{
	int64_t length = (int64_t)request->notif.data.args[1];
	char path[PATH_TEXT_MAX];
	struct object object;
	struct reply reply;

	if (length < 0)
		return reply_error(EINVAL);
	if (files_read_path(request, request->notif.data.args[0], files_truncation_bounded(request),
			    path, &reply) != 0)
		return reply;
	int error = resolve(request, AT_FDCWD, path, 0, &object);

	if (error)
		return files_error(error);
	reply = truncate_object(request, &object, length);
	object_close(&object);
	return reply;
}
