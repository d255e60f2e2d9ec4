/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rename and link: what gives an object another name.
 *
 * Guarantees: nothing gets rights by its new name that it did not have; no folder moves so that a
 * denial beneath it is lost, or so that something comes to lie at a denied name, or into a private
 * folder, whose end no denial stops. Where both names may be written but the move itself would do
 * that, the answer is EXDEV, upon which programs copy, and the copy is judged file by file.
 *
 * Whether a name is a folder is asked and acted upon under one lock, and folders are made under it
 * too: where a denial lies beneath the folder that holds the new name, the wall lets nothing be
 * renamed, so nothing is swapped meanwhile. The other folder may be in the wall, whatever it is
 * called by now, and there one native exchange puts a folder in a file's place: so between folders
 * a file may go where a folder might.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/broker/files.h"
#include "shim/broker/performers.h"
#include "shim/broker/private.h"

pthread_mutex_t files_move_lock = PTHREAD_MUTEX_INITIALIZER;

static int refuse_move(struct request *request, const struct object *object, const char *why)
{
	return judge_never(request, request->name, object->path, why, EXDEV);
}

/* True when the object may do at `to` what it may not do at `from`. */
static bool gains_rights(struct request *request, const struct object *from,
			 const struct object *to)
{
	static const enum verb verbs[] = {VERB_READ, VERB_WRITE, VERB_EXEC, VERB_CONNECT,
					  VERB_LISTEN};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (judge_would_allow(request, verbs[i], to->path, to->len) &&
		    !judge_would_allow(request, verbs[i], from->path, from->len))
			return true;
	}
	return false;
}

static bool folder_moves_safely(struct request *request, const struct object *from,
				const struct object *to)
{
	if (!judge_moves_safely(request, from->path, from->len, to->path, to->len))
		return false;
	/* Arriving where something beneath is denied would put things at denied names, or make the
	 * parent of one: only if the denial goes with the folder. */
	if (!(judge_beneath(request, to->path, to->len) & BENEATH_DENIAL))
		return true;
	return judge_moves_safely(request, to->path, to->len, from->path, from->len);
}

/* What is moved into a private folder is removed with it, what is denied beneath as well. Where
 * nothing is denied beneath the old name the agent could remove it itself; and where something is,
 * the wall has no rule for its folder, so that a file is not swapped for a folder meanwhile. */
static bool would_be_removed(struct request *request, const struct object *from,
			     const struct object *to)
{
	struct private_folder left, entered;

	if (!(judge_beneath(request, from->path, from->len) & BENEATH_DENIAL))
		return false;
	if (private_nearest(request->broker, to->parent, &entered) != 0)
		return true;
	return entered.inode && (private_nearest(request->broker, from->parent, &left) != 0 ||
				 left.inode != entered.inode || left.device != entered.device);
}

static bool same_folder(const struct object *from, const struct object *to)
{
	size_t from_len = from->len - strlen(from->name), to_len = to->len - strlen(to->name);

	return from_len == to_len && memcmp(from->path, to->path, to_len) == 0;
}

static bool same_parent(const struct quick_name *from, const struct quick_name *to)
{
	const char *from_end = strrchr(from->text, '/'), *to_end = strrchr(to->text, '/');

	return from_end && to_end && from_end - from->text == to_end - to->text &&
	       memcmp(from->text, to->text, (size_t)(to_end - to->text)) == 0;
}

/* One direction. 0 or a negative errno. */
static int check_move(struct request *request, const struct object *from, const struct object *to)
{
	struct stat st;

	if (fstatat(from->parent, from->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	if ((S_ISDIR(st.st_mode) || !same_folder(from, to)) &&
	    !folder_moves_safely(request, from, to))
		return refuse_move(request, from, "something is denied beneath one of the names");
	if (S_ISDIR(st.st_mode) && would_be_removed(request, from, to))
		return refuse_move(request, from,
				   "what is denied beneath would end with the session");
	if (gains_rights(request, from, to))
		return refuse_move(request, from, "it would have more rights at its new name");
	return 0;
}

/* What cannot be looked at counts as a link. */
static bool is_link(const struct object *object)
{
	struct stat st;

	if (fstatat(object->parent, object->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno != ENOENT;
	return S_ISLNK(st.st_mode);
}

/* Looked at afterwards, because what is moved may be swapped for a link until then; what stands at
 * a place for no link cannot be, under the lock: the wall has no rule for its folder. */
static int take_link_away(struct request *request, const struct object *object)
{
	if (!files_why_no_link(request, object) || !is_link(object))
		return 0;
	unlinkat(object->parent, object->name, 0);
	return files_judge_link(request, object);
}

static struct reply move(struct request *request, const struct object *from,
			 const struct object *to, uint32_t flags)
{
	char from_buf[NAME_MAX + 2], to_buf[NAME_MAX + 2];
	int error = check_move(request, from, to);

	if (!error && (flags & RENAME_EXCHANGE))
		error = check_move(request, to, from);
	if (!error && is_link(from))
		error = files_judge_link(request, to);
	if (!error && (flags & RENAME_EXCHANGE) && is_link(to))
		error = files_judge_link(request, from);
	if (error)
		return files_error(error);
	if (syscall(SYS_renameat2, from->parent, files_name(from, from_buf), to->parent,
		    files_name(to, to_buf), flags) != 0)
		return reply_error(errno);
	error = take_link_away(request, to);
	if (!error && (flags & RENAME_EXCHANGE))
		error = take_link_away(request, from);
	return error ? files_error(error) : reply_value(0);
}

/* As the kernel, which looks for the name before it asks whether the caller may. */
static bool is_absent(const struct object *object)
{
	struct stat st;

	return fstatat(object->parent, object->name, &st, AT_SYMLINK_NOFOLLOW) != 0 &&
	       errno == ENOENT;
}

static struct reply rename_objects(struct request *request, const struct object *from,
				   const struct object *to, uint32_t flags)
{
	if (files_is_dots(from) || files_is_dots(to))
		return reply_error((flags & RENAME_NOREPLACE) && files_is_dots(to) ? EEXIST
										   : EBUSY);
	if (is_absent(from))
		return reply_error(ENOENT);
	int error = judge_path(request, VERB_WRITE, from);

	if (!error)
		error = judge_path(request, VERB_WRITE, to);
	if (error)
		return files_error(error);
	/* Between folders Landlock compares its own rules, which know less than the scope. */
	if (same_folder(from, to) && judge_name_in_wall(request, from) &&
	    judge_name_in_wall(request, to))
		return reply_continue();
	pthread_mutex_lock(&files_move_lock);
	struct reply reply = move(request, from, to, flags);

	pthread_mutex_unlock(&files_move_lock);
	return reply;
}

/* Within one folder in the wall, and no link on the way to it. */
static bool kernel_renames(struct request *request, int from_dirfd, const char *from_path,
			   int to_dirfd, const char *to_path, struct reply *reply)
{
	struct quick_name from, to;

	if (!files_kernel_may(request, from_dirfd, from_path, &from) ||
	    !files_kernel_may(request, to_dirfd, to_path, &to) || !same_parent(&from, &to))
		return false;
	int error = judge_allowed(request, VERB_WRITE, from.text, from.len);

	if (!error)
		error = judge_allowed(request, VERB_WRITE, to.text, to.len);
	*reply = error ? files_error(error) : reply_continue();
	return true;
}

static struct reply rename_any(struct request *request, int from_dirfd, uint64_t from_address,
			       int to_dirfd, uint64_t to_address, uint64_t flag_word)
{
	char from_path[PATH_TEXT_MAX], to_path[PATH_TEXT_MAX];
	struct object from, to;
	struct reply reply;
	uint32_t flags = (uint32_t)flag_word;

	if ((flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) ||
	    ((flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) && (flags & RENAME_EXCHANGE)))
		return reply_error(EINVAL);
	if (flags & RENAME_WHITEOUT) /* leaves a device node behind */
		return reply_error(EPERM);
	if (files_read_path(request, from_address, true, from_path, &reply) != 0 ||
	    files_read_path(request, to_address, true, to_path, &reply) != 0 ||
	    kernel_renames(request, from_dirfd, from_path, to_dirfd, to_path, &reply))
		return reply;
	int error = resolve(request, from_dirfd, from_path, RESOLVE_PARENT, &from);

	if (error)
		return files_error(error);
	error = resolve(request, to_dirfd, to_path, RESOLVE_PARENT, &to);
	if (!error) {
		reply = rename_objects(request, &from, &to, flags);
		object_close(&to);
	} else {
		reply = files_error(error);
	}
	object_close(&from);
	return reply;
}

struct reply perform_rename(struct request *request)
{
	return rename_any(request, AT_FDCWD, request->notif.data.args[0], AT_FDCWD,
			  request->notif.data.args[1], 0);
}

struct reply perform_renameat(struct request *request)
{
	return rename_any(request, (int)request->notif.data.args[0], request->notif.data.args[1],
			  (int)request->notif.data.args[2], request->notif.data.args[3], 0);
}

struct reply perform_renameat2(struct request *request)
{
	return rename_any(request, (int)request->notif.data.args[0], request->notif.data.args[1],
			  (int)request->notif.data.args[2], request->notif.data.args[3],
			  request->notif.data.args[4]);
}

/* The source must be writable by its name: a second name is a way to write to it, and outlives the
 * first. Readable only: EXDEV, as Landlock says, so that programs copy. */
static int check_link(struct request *request, const struct object *from, bool by_fd,
		      const struct object *to)
{
	if (from->anonymous)
		return files_judge_nameless(request, VERB_WRITE, from, by_fd);
	if (!judge_would_allow(request, VERB_WRITE, from->path, from->len)) {
		int error = judge_path(request, VERB_WRITE, from);

		if (error == -EACCES &&
		    judge_would_allow(request, VERB_READ, from->path, from->len))
			return -EXDEV;
		return error ? error : -EACCES;
	}
	if (gains_rights(request, from, to))
		return refuse_move(request, from, "it would have more rights at its new name");
	return 0;
}

static struct reply link_objects(struct request *request, const struct object *from, bool by_fd,
				 const struct object *to)
{
	char self_path[32], name[NAME_MAX + 2];

	if (files_is_dots(to))
		return reply_error(EEXIST);
	if (from->type == S_IFDIR)
		return reply_error(EPERM);
	int error = check_link(request, from, by_fd, to);

	if (!error)
		error = judge_path(request, VERB_WRITE, to);
	if (!error && from->type == S_IFLNK)
		error = files_judge_link(request, to);
	if (error)
		return files_error(error);
	/* Through the handle: exactly the object that was judged gets the name. */
	return reply_result(linkat(AT_FDCWD, object_self_path(from->handle, self_path), to->parent,
				   files_name(to, name), AT_SYMLINK_FOLLOW));
}

static struct reply link_any(struct request *request, int from_dirfd, uint64_t from_address,
			     int to_dirfd, uint64_t to_address, uint64_t flags)
{
	char from_path[PATH_TEXT_MAX], to_path[PATH_TEXT_MAX];
	struct object from, to;
	struct reply reply;
	unsigned int how = (flags & AT_SYMLINK_FOLLOW) ? 0 : RESOLVE_NOFOLLOW_LAST;

	if ((uint32_t)flags & ~(uint32_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return reply_error(EINVAL);
	if (files_read_path(request, from_address, true, from_path, &reply) != 0 ||
	    files_read_path(request, to_address, true, to_path, &reply) != 0)
		return reply;
	/* By fd alone: Linux 6.10 asks for the opener's own credentials, which are the broker's. */
	if (flags & AT_EMPTY_PATH)
		how |= RESOLVE_EMPTY_PATH;
	int error = resolve(request, from_dirfd, from_path, how, &from);

	if (error)
		return files_error(error);
	error = resolve(request, to_dirfd, to_path, RESOLVE_PARENT, &to);
	if (!error) {
		reply = link_objects(request, &from, from_path[0] == '\0', &to);
		object_close(&to);
	} else {
		reply = files_error(error);
	}
	object_close(&from);
	return reply;
}

struct reply perform_link(struct request *request)
{
	return link_any(request, AT_FDCWD, request->notif.data.args[0], AT_FDCWD,
			request->notif.data.args[1], 0);
}

struct reply perform_linkat(struct request *request)
{
	return link_any(request, (int)request->notif.data.args[0], request->notif.data.args[1],
			(int)request->notif.data.args[2], request->notif.data.args[3],
			request->notif.data.args[4]);
}
