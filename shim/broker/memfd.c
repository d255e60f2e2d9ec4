/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memfd_create: Landlock says nothing about executing such a file, so the gate makes it, sealed
 * against ever becoming executable. Everything else is as the caller asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/broker/broker.h"
#include "shim/broker/gate.h"
#include "shim/broker/performers.h"
#include "shim/common/uapi.h"

/* mm/memfd.c: MFD_NAME_MAX_LEN, NAME_MAX less "memfd:". */
#define MEMFD_NAME_MAX 249

/* Why it is not made at all, or NULL. */
static const char *never_made(const struct request *request, unsigned int flags)
{
	if (flags & MFD_EXEC)
		return "memory that can be executed as a program";
	/* hugetlbfs_setattr() looks at no such seal: a chmod would make it executable. */
	if (flags & MFD_HUGETLB)
		return "nothing keeps huge pages from being executed; make it without them";
	if (!broker_features(request->broker)->memfd_noexec)
		return "this kernel cannot keep it from being executed (Linux 6.3 can)";
	return NULL;
}

struct reply perform_memfd_create(struct request *request)
{
	char name[MEMFD_NAME_MAX + 1];
	unsigned int flags = (unsigned int)request->notif.data.args[1];
	long len = memory_read_string(request, request->notif.data.args[0], name, sizeof(name));

	if (len < 0)
		return reply_error(len == -ENAMETOOLONG ? EINVAL
				   : len == -EPERM	? EACCES
							: (int)-len);
	const char *why = never_made(request, flags);

	if (why)
		return reply_error(-judge_never(request, "memfd_create", name, why, EACCES));
	int fd = memfd_create(name, flags | MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0)
		return reply_error(errno);
	/* The seal against execution comes with leave to seal; who did not ask for that does not
	 * get it. */
	if (!(flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL)) &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL) != 0) {
		int error = errno;

		close(fd);
		return reply_error(error);
	}
	return reply_fd(fd, flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
}
