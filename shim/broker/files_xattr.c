/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Setting and removing extended attributes, by path and by fd. As files_attributes.c: never left to
 * the kernel, judged for writing, done through the handle. Which names an agent may set is the
 * kernel's business: the broker has no privilege that the agent has not.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "shim/broker/attributes.h"
#include "shim/broker/performers.h"

struct xattr {
	char name[XATTR_NAME_MAX + 1];
	bool removes;
	void *value; /* owned */
	size_t size;
	int flags;
};

/* struct xattr_args, linux/xattr.h of Linux 6.13. */
struct value_args {
	uint64_t value;
	uint32_t size;
	uint32_t flags;
};

static int read_name(struct request *request, uint64_t address, struct xattr *out)
{
	long len = memory_read_string(request, address, out->name, sizeof(out->name));

	if (len == 0 || len == -ENAMETOOLONG)
		return -ERANGE;
	return len < 0 ? (int)len : 0;
}

static int read_value(struct request *request, uint64_t address, uint64_t size, uint64_t flags,
		      struct xattr *out)
{
	if ((uint32_t)flags & ~(uint32_t)(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	out->flags = (int)flags;
	out->size = size;
	if (size == 0)
		return 0;
	out->value = malloc(size);
	return out->value ? memory_read(request, address, out->value, size) : -ENOMEM;
}

static struct reply read_error(struct request *request, int error)
{
	if (error == -EPERM)
		error = judge_never(request, request->name, "?",
				    "the caller's memory cannot be read", EACCES);
	return files_error(error);
}

/* handle: the caller's own fd when by_fd, else an O_PATH handle. */
static struct reply apply(const struct xattr *xattr, int handle, bool by_fd)
{
	char path[32];

	object_self_path(handle, path);
	if (xattr->removes)
		return reply_result(by_fd ? fremovexattr(handle, xattr->name)
					  : removexattr(path, xattr->name));
	return reply_result(
	    by_fd ? fsetxattr(handle, xattr->name, xattr->value, xattr->size, xattr->flags)
		  : setxattr(path, xattr->name, xattr->value, xattr->size, xattr->flags));
}

/* Of a device, setting any is refused: most names are for files and folders alone. */
static int judge(struct request *request, const struct object *object, bool by_fd)
{
	int error = attributes_judge(request, object, by_fd);

	return error ? error : attributes_judge_device(request, object, NULL);
}

static struct reply change(struct request *request, int dirfd, uint64_t address, uint64_t at_flags,
			   const struct xattr *xattr)
{
	struct object object;
	struct reply reply;
	bool by_fd;

	if (attributes_resolve(request, dirfd, address, at_flags, &object, &by_fd, &reply) != 0)
		return reply;
	int error = judge(request, &object, by_fd);

	reply = error ? files_error(error) : apply(xattr, object.handle, false);
	object_close(&object);
	return reply;
}

static struct reply change_fd(struct request *request, int fd, const struct xattr *xattr)
{
	struct object object;
	int error = resolve_fd(request, fd, &object);

	if (error)
		return files_error(error);
	error = judge(request, &object, true);
	struct reply reply = error ? files_error(error) : apply(xattr, object.handle, true);

	object_close(&object);
	return reply;
}

/* (path or fd, name, value, size, flags) */
static int read_set(struct request *request, struct xattr *out)
{
	const __u64 *args = request->notif.data.args;
	int error = read_name(request, args[1], out);

	return error ? error : read_value(request, args[2], args[3], args[4], out);
}

static struct reply set_path(struct request *request, uint64_t at_flags)
{
	struct xattr xattr = {.removes = false};
	int error = read_set(request, &xattr);
	struct reply reply =
	    error ? read_error(request, error)
		  : change(request, AT_FDCWD, request->notif.data.args[0], at_flags, &xattr);

	free(xattr.value);
	return reply;
}

struct reply perform_setxattr(struct request *request)
{
	return set_path(request, 0);
}

struct reply perform_lsetxattr(struct request *request)
{
	return set_path(request, AT_SYMLINK_NOFOLLOW);
}

struct reply perform_fsetxattr(struct request *request)
{
	struct xattr xattr = {.removes = false};
	int error = read_set(request, &xattr);
	struct reply reply = error ? read_error(request, error)
				   : change_fd(request, (int)request->notif.data.args[0], &xattr);

	free(xattr.value);
	return reply;
}

/* (dirfd, path, at_flags, name, struct xattr_args *, size) */
struct reply perform_setxattrat(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	struct xattr xattr = {.removes = false};
	struct value_args value;

	if (args[5] < sizeof(value))
		return reply_error(EINVAL);
	if (args[5] > sizeof(value)) /* later fields, which we do not know */
		return reply_error(E2BIG);
	int error = memory_read(request, args[4], &value, sizeof(value));

	if (!error)
		error = read_name(request, args[3], &xattr);
	if (!error)
		error = read_value(request, value.value, value.size, value.flags, &xattr);
	struct reply reply = error ? read_error(request, error)
				   : change(request, (int)args[0], args[1], args[2], &xattr);

	free(xattr.value);
	return reply;
}

static struct reply remove_at(struct request *request, int dirfd, uint64_t path, uint64_t at_flags,
			      uint64_t name)
{
	struct xattr xattr = {.removes = true};
	int error = read_name(request, name, &xattr);

	return error ? read_error(request, error) : change(request, dirfd, path, at_flags, &xattr);
}

struct reply perform_removexattr(struct request *request)
{
	return remove_at(request, AT_FDCWD, request->notif.data.args[0], 0,
			 request->notif.data.args[1]);
}

struct reply perform_lremovexattr(struct request *request)
{
	return remove_at(request, AT_FDCWD, request->notif.data.args[0], AT_SYMLINK_NOFOLLOW,
			 request->notif.data.args[1]);
}

struct reply perform_fremovexattr(struct request *request)
{
	struct xattr xattr = {.removes = true};
	int error = read_name(request, request->notif.data.args[1], &xattr);

	return error ? read_error(request, error)
		     : change_fd(request, (int)request->notif.data.args[0], &xattr);
}

struct reply perform_removexattrat(struct request *request)
{
	const __u64 *args = request->notif.data.args;

	return remove_at(request, (int)args[0], args[1], args[2], args[3]);
}
