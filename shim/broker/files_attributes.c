/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chmod, chown and utimes in all their spellings. Landlock knows none of them, so none is ever left
 * to the kernel: the object is opened without access, judged for writing, and changed through that
 * handle, which for a link that is not followed is the link itself.
 *
 * By fd the duplicate itself is used, so that an O_PATH fd fails as it does natively. What has no
 * name (pipes, sockets, files that are gone) is the caller's own when that has it open for writing.
 *
 * The operator's terminal outlives the session, and who may open it reads what is typed there: its
 * owner stays, and its mode may only take rights from others (mesg n). Every other device is the
 * machine's: to write to /dev/null is not to take it from everybody else.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "shim/broker/attributes.h"
#include "shim/broker/performers.h"
#include "shim/broker/terminal.h"

struct attribute {
	enum { ATTRIBUTE_MODE, ATTRIBUTE_OWNER, ATTRIBUTE_TIMES } what;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	bool now; /* times: no struct was given */
	struct timespec times[2];
};

int attributes_judge(struct request *request, const struct object *object, bool by_fd)
{
	if (object->anonymous)
		return files_judge_nameless(request, VERB_WRITE, object, by_fd);
	return judge_path(request, VERB_WRITE, object);
}

static struct reply apply_path(const struct attribute *attribute, int handle)
{
	char path[32];

	object_self_path(handle, path);
	switch (attribute->what) {
	case ATTRIBUTE_MODE:
		return reply_result(chmod(path, attribute->mode));
	case ATTRIBUTE_OWNER:
		return reply_result(chown(path, attribute->uid, attribute->gid));
	case ATTRIBUTE_TIMES:
		return reply_result(
		    utimensat(AT_FDCWD, path, attribute->now ? NULL : attribute->times, 0));
	}
	return reply_error(EACCES);
}

static struct reply apply_fd(const struct attribute *attribute, int fd)
{
	switch (attribute->what) {
	case ATTRIBUTE_MODE:
		return reply_result(fchmod(fd, attribute->mode));
	case ATTRIBUTE_OWNER:
		return reply_result(fchown(fd, attribute->uid, attribute->gid));
	case ATTRIBUTE_TIMES:
		return reply_result(futimens(fd, attribute->now ? NULL : attribute->times));
	}
	return reply_error(EACCES);
}

static bool only_narrows(mode_t from, mode_t to)
{
	return (to & 07777 & ~from) == 0 && (to & S_IRWXU) == (from & S_IRWXU);
}

/* Unix98 ptys come and go with who uses them. */
static bool is_machines(const struct stat *about)
{
	unsigned int number = major(about->st_rdev);

	return S_ISBLK(about->st_mode) || number < PTY_SLAVE_MAJOR ||
	       number >= PTY_SLAVE_MAJOR + PTY_SLAVE_MAJORS;
}

int attributes_judge_device(struct request *request, const struct object *object,
			    const mode_t *mode)
{
	struct stat about;

	if (object->type != S_IFCHR && object->type != S_IFBLK)
		return 0;
	if (fstat(object->handle, &about) != 0)
		return -errno;
	bool operators = terminal_is_operators(&about, broker_tty_index(request->broker));

	if (operators && !(mode && only_narrows(about.st_mode, *mode)))
		return judge_never(
		    request, request->name, object->path,
		    "the operator's terminal would be open to others, also after the session",
		    EPERM);
	if (!operators && is_machines(&about))
		return judge_never(request, request->name, object->path,
				   "the device would change for the whole machine", EPERM);
	return 0;
}

static int judge(struct request *request, const struct object *object, bool by_fd,
		 const struct attribute *attribute)
{
	int error = attributes_judge(request, object, by_fd);

	if (error || attribute->what == ATTRIBUTE_TIMES)
		return error;
	return attributes_judge_device(
	    request, object, attribute->what == ATTRIBUTE_MODE ? &attribute->mode : NULL);
}

static struct reply change_fd(struct request *request, int fd, const struct attribute *attribute)
{
	struct object object;
	int error = resolve_fd(request, fd, &object);

	if (error)
		return files_error(error);
	error = judge(request, &object, true, attribute);
	struct reply reply = error ? files_error(error) : apply_fd(attribute, object.handle);

	object_close(&object);
	return reply;
}

int attributes_resolve(struct request *request, int dirfd, uint64_t address, uint64_t at_flags,
		       struct object *out, bool *by_fd, struct reply *reply)
{
	char path[PATH_TEXT_MAX];
	unsigned int flags = (at_flags & AT_SYMLINK_NOFOLLOW) ? RESOLVE_NOFOLLOW_LAST : 0;

	if (at_flags & AT_EMPTY_PATH)
		flags |= RESOLVE_EMPTY_PATH;
	if ((uint32_t)at_flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) {
		*reply = reply_error(EINVAL);
		return -1;
	}
	if (files_read_path(request, address, false, path, reply) != 0)
		return -1;
	*by_fd = path[0] == '\0' && dirfd != AT_FDCWD;
	int error = resolve(request, dirfd, path, flags, out);

	if (!error)
		return 0;
	*reply = files_error(error);
	return -1;
}

static struct reply change_path(struct request *request, int dirfd, uint64_t address,
				uint64_t at_flags, const struct attribute *attribute)
{
	struct object object;
	struct reply reply;
	bool by_fd;

	if (attributes_resolve(request, dirfd, address, at_flags, &object, &by_fd, &reply) != 0)
		return reply;
	int error = judge(request, &object, by_fd, attribute);

	reply = error ? files_error(error) : apply_path(attribute, object.handle);
	object_close(&object);
	return reply;
}

static struct attribute mode_of(uint64_t mode)
{
	return (struct attribute){.what = ATTRIBUTE_MODE, .mode = (mode_t)mode & 07777};
}

static struct attribute owner_of(uint64_t uid, uint64_t gid)
{
	return (struct attribute){.what = ATTRIBUTE_OWNER, .uid = (uid_t)uid, .gid = (gid_t)gid};
}

struct reply perform_chmod(struct request *request)
{
	struct attribute attribute = mode_of(request->notif.data.args[1]);

	return change_path(request, AT_FDCWD, request->notif.data.args[0], 0, &attribute);
}

struct reply perform_fchmod(struct request *request)
{
	struct attribute attribute = mode_of(request->notif.data.args[1]);

	return change_fd(request, (int)request->notif.data.args[0], &attribute);
}

struct reply perform_fchmodat(struct request *request)
{
	struct attribute attribute = mode_of(request->notif.data.args[2]);

	return change_path(request, (int)request->notif.data.args[0], request->notif.data.args[1],
			   0, &attribute);
}

struct reply perform_fchmodat2(struct request *request)
{
	struct attribute attribute = mode_of(request->notif.data.args[2]);

	return change_path(request, (int)request->notif.data.args[0], request->notif.data.args[1],
			   request->notif.data.args[3], &attribute);
}

struct reply perform_chown(struct request *request)
{
	struct attribute attribute =
	    owner_of(request->notif.data.args[1], request->notif.data.args[2]);

	return change_path(request, AT_FDCWD, request->notif.data.args[0], 0, &attribute);
}

struct reply perform_lchown(struct request *request)
{
	struct attribute attribute =
	    owner_of(request->notif.data.args[1], request->notif.data.args[2]);

	return change_path(request, AT_FDCWD, request->notif.data.args[0], AT_SYMLINK_NOFOLLOW,
			   &attribute);
}

struct reply perform_fchown(struct request *request)
{
	struct attribute attribute =
	    owner_of(request->notif.data.args[1], request->notif.data.args[2]);

	return change_fd(request, (int)request->notif.data.args[0], &attribute);
}

struct reply perform_fchownat(struct request *request)
{
	struct attribute attribute =
	    owner_of(request->notif.data.args[2], request->notif.data.args[3]);

	return change_path(request, (int)request->notif.data.args[0], request->notif.data.args[1],
			   request->notif.data.args[4], &attribute);
}

/* What do_utimes() of fs/utimes.c says to a path of NULL: the fd itself is meant. */
static struct reply change_times(struct request *request, int dirfd, uint64_t address,
				 uint64_t at_flags, const struct attribute *attribute)
{
	if (address != 0)
		return change_path(request, dirfd, address, at_flags, attribute);
	if (dirfd == AT_FDCWD)
		return reply_error(EFAULT);
	if (at_flags & ~(uint64_t)AT_EMPTY_PATH)
		return reply_error(EINVAL);
	return change_fd(request, dirfd, attribute);
}

/* For times whose memory cannot be read. */
static struct reply times_error(struct request *request, int error)
{
	if (error == -EPERM)
		error = judge_never(request, request->name, "?",
				    "the caller's memory cannot be read", EACCES);
	return files_error(error);
}

struct reply perform_utime(struct request *request)
{
	struct attribute attribute = {.what = ATTRIBUTE_TIMES};
	struct utimbuf times;
	uint64_t address = request->notif.data.args[1];

	attribute.now = address == 0;
	if (!attribute.now) {
		int error = memory_read(request, address, &times, sizeof(times));

		if (error)
			return times_error(request, error);
		attribute.times[0].tv_sec = times.actime;
		attribute.times[1].tv_sec = times.modtime;
	}
	return change_times(request, AT_FDCWD, request->notif.data.args[0], 0, &attribute);
}

static struct reply change_timevals(struct request *request, int dirfd, uint64_t path,
				    uint64_t address)
{
	struct attribute attribute = {.what = ATTRIBUTE_TIMES, .now = address == 0};
	struct timeval times[2];

	if (!attribute.now) {
		int error = memory_read(request, address, times, sizeof(times));

		if (error)
			return times_error(request, error);
		for (int i = 0; i < 2; i++) {
			/* UTIME_NOW and UTIME_OMIT have no meaning here. */
			if (times[i].tv_usec < 0 || times[i].tv_usec >= 1000000)
				return reply_error(EINVAL);
			attribute.times[i].tv_sec = times[i].tv_sec;
			attribute.times[i].tv_nsec = times[i].tv_usec * 1000;
		}
	}
	return change_times(request, dirfd, path, 0, &attribute);
}

struct reply perform_utimes(struct request *request)
{
	return change_timevals(request, AT_FDCWD, request->notif.data.args[0],
			       request->notif.data.args[1]);
}

struct reply perform_futimesat(struct request *request)
{
	return change_timevals(request, (int)request->notif.data.args[0],
			       request->notif.data.args[1], request->notif.data.args[2]);
}

struct reply perform_utimensat(struct request *request)
{
	struct attribute attribute = {.what = ATTRIBUTE_TIMES};
	uint64_t address = request->notif.data.args[2];

	attribute.now = address == 0;
	if (!attribute.now) {
		int error = memory_read(request, address, attribute.times, sizeof(attribute.times));

		if (error)
			return times_error(request, error);
		/* Nothing to do is done without a look at the path, as in the kernel. */
		if (attribute.times[0].tv_nsec == UTIME_OMIT &&
		    attribute.times[1].tv_nsec == UTIME_OMIT)
			return reply_value(0);
	}
	return change_times(request, (int)request->notif.data.args[0], request->notif.data.args[1],
			    request->notif.data.args[3], &attribute);
}
