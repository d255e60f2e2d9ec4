/* SPDX-License-Identifier: Apache-2.0 */
/* open, creat, openat, openat2: their arguments as one struct open_call, and which way it is
 * answered.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>

#include "shim/broker/census.h"
#include "shim/broker/files.h"
#include "shim/broker/files_open.h"
#include "shim/broker/performers.h"

/* fs/fcntl.h VALID_OPEN_FLAGS: what openat2 takes and open silently drops the rest of. 0100000 is
 * O_LARGEFILE, which glibc defines as 0 on x86-64. */
#define LARGEFILE_BIT 0100000
#define KNOWN_FLAGS                                                                                \
	((uint64_t)(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK |    \
		    O_SYNC | O_DSYNC | O_ASYNC | O_DIRECT | LARGEFILE_BIT | O_DIRECTORY |          \
		    O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE))
#define KNOWN_RESOLVE                                                                              \
	((uint64_t)(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS |                \
		    RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED))

/* What build_open_flags() of fs/open.c refuses of open and openat2 alike. */
static int check_flags(const struct open_call *call)
{
	if ((call->flags & O_DIRECTORY) && (call->flags & O_CREAT))
		return -EINVAL;
	if (call->flags & TMPFILE_BIT) {
		if ((call->flags & O_TMPFILE) != O_TMPFILE || (call->flags & O_CREAT) ||
		    (call->flags & O_ACCMODE) == O_RDONLY)
			return -EINVAL;
	}
	return 0;
}

static struct reply open_any(struct request *request, const struct open_call *asked,
			     uint64_t address)
{
	char path[PATH_TEXT_MAX];
	struct open_call call = *asked;
	struct reply reply;
	int error = check_flags(&call);

	if (error)
		return files_error(error);
	/* A handle that can neither read nor write: the wall lets it be. The kernel takes none from
	 * us (NOTIF_ADDFD). */
	if (call.flags & O_PATH)
		return call.rewritable ? reply_error(ENOSYS) : reply_continue();
	call.bounded = open_bounded(request, &call);
	if (files_read_path(request, address, call.bounded, path, &reply) != 0)
		return reply;
	call.path = path;
	if (path[0] == '\0')
		return reply_error(ENOENT);
	census_open(request, path);
	if ((call.flags & O_ACCMODE) != O_ACCMODE &&
	    open_quickly(request, &call, &reply, &call.linked))
		return reply;
	return open_slowly(request, &call);
}

static struct reply open_classic(struct request *request, int dirfd, uint64_t address,
				 uint64_t flags, uint64_t mode)
{
	struct open_call call = {
	    .dirfd = dirfd,
	    .flags = (uint32_t)flags & KNOWN_FLAGS,
	    .mode = mode & 07777,
	};

	if (!(call.flags & (O_CREAT | TMPFILE_BIT)))
		call.mode = 0;
	return open_any(request, &call, address);
}

struct reply perform_open(struct request *request)
{
	const __u64 *args = request->notif.data.args;

	return open_classic(request, AT_FDCWD, args[0], args[1], args[2]);
}

struct reply perform_creat(struct request *request)
{
	const __u64 *args = request->notif.data.args;

	return open_classic(request, AT_FDCWD, args[0], O_CREAT | O_WRONLY | O_TRUNC, args[1]);
}

struct reply perform_openat(struct request *request)
{
	const __u64 *args = request->notif.data.args;

	return open_classic(request, (int)args[0], args[1], args[2], args[3]);
}

/* copy_struct_from_user(): fields that we do not know must be zero. */
static int read_how(struct request *request, uint64_t address, uint64_t size, struct open_how *how)
{
	unsigned char rest[256];

	memset(how, 0, sizeof(*how));
	if (size < sizeof(*how))
		return -EINVAL;
	if (size > 4096)
		return -E2BIG;
	int error = memory_read(request, address, how, sizeof(*how));

	for (uint64_t at = sizeof(*how); !error && at < size; at += sizeof(rest)) {
		size_t n = size - at < sizeof(rest) ? size - at : sizeof(rest);

		error = memory_read(request, address + at, rest, n);
		for (size_t i = 0; !error && i < n; i++)
			error = rest[i] ? -E2BIG : 0;
	}
	return error;
}

struct reply perform_openat2(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	struct open_how how;

	int error = read_how(request, args[2], args[3], &how);

	if (error == -EPERM) /* memory that cannot be read */
		return reply_error(ENOSYS);
	if (error)
		return files_error(error);
	bool creates = how.flags & (O_CREAT | TMPFILE_BIT);

	if ((how.flags & ~KNOWN_FLAGS) || (how.resolve & ~KNOWN_RESOLVE) ||
	    (creates ? how.mode & ~(uint64_t)07777 : how.mode) ||
	    ((how.resolve & RESOLVE_BENEATH) && (how.resolve & RESOLVE_IN_ROOT)) ||
	    ((how.flags & O_PATH) &&
	     (how.flags & ~(uint64_t)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))))
		return reply_error(EINVAL);
	struct open_call call = {
	    .dirfd = (int)args[0],
	    .flags = how.flags,
	    .mode = how.mode,
	    .resolve = how.resolve,
	    .rewritable = true,
	};

	return open_any(request, &call, args[1]);
}
