/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes to the caller's fd 2. The description is shared with the agent, which can make it
 * anything, so only what is a plain place for text is written to, and nothing here can wait: pipes
 * and files take RWF_NOWAIT, sockets MSG_DONTWAIT, and a terminal is asked first and the write is
 * ended by the reaper if it hangs all the same. No flag of the description is changed, and no file
 * grows beyond the caller's own limit, which the kernel does not ask of us.
 */
#include <errno.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "policy/core/shown.h"
#include "shim/broker/files.h"
#include "shim/broker/nest.h"
#include "shim/broker/record.h"
#include "shim/broker/tell.h"
#include "shim/broker/workers.h"
#include "shim/common/protocol.h"

/* Files of these are doors into the kernel, not places for text. The magics are those of
 * linux/magic.h. */
static bool is_door(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return true;
	switch ((unsigned long)fs.f_type) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
	case SELINUX_MAGIC:
	case SMACK_MAGIC:
	case BPF_FS_MAGIC:
	case EFIVARFS_MAGIC:
	case PSTOREFS_MAGIC:
	case RDTGROUP_SUPER_MAGIC:
	case NSFS_MAGIC:
	case BINDERFS_SUPER_MAGIC:
		return true;
	default:
		return false;
	}
}

static void write_now(int fd, const char *text, size_t len)
{
	struct iovec iov = {.iov_base = (char *)(uintptr_t)text, .iov_len = len};
	ssize_t n = pwritev2(fd, &iov, 1, -1, RWF_NOWAIT);

	/* Before 6.4 a pipe does not know RWF_NOWAIT, and few file systems take it for buffered
	 * writes; a terminal never does. */
	if (n < 0 && (errno == EOPNOTSUPP || errno == EAGAIN || errno == EINVAL)) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};

		if (poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLOUT)) {
			workers_hurry_begin();
			(void)!write(fd, text, len);
			workers_hurry_end();
		}
	}
}

/* The text comes at the file's end or where the shared offset is, whichever is further. */
static bool has_room(const struct request *request, int fd, const struct stat *about, size_t len)
{
	uint64_t limit = files_limit(request, RLIMIT_FSIZE);
	off_t at = lseek(fd, 0, SEEK_CUR);

	if (at < about->st_size)
		at = about->st_size;
	return (uint64_t)at <= limit && len <= limit - (uint64_t)at;
}

void tell_caller(struct request *request, const char *text, size_t len)
{
	struct stat st;
	int fd = request_getfd(request, STDERR_FILENO);

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0) {
		if (S_ISSOCK(st.st_mode))
			send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		else if (S_ISFIFO(st.st_mode) || (S_ISCHR(st.st_mode) && isatty(fd)) ||
			 (S_ISREG(st.st_mode) && !is_door(fd) && has_room(request, fd, &st, len)))
			write_now(fd, text, len);
	}
	close(fd);
}

void tell_never(struct request *request, const char *verb, const char *object, const char *why)
{
	char text[1024], name[512];
	struct records *records = broker_records(request->broker);

	if ((nest_flags(request) & SESSION_QUIET) ||
	    !records_first_time(records, request_tgid(request), VERB_COUNT, object, strlen(object)))
		return;
	shown_text(object, strlen(object), name, sizeof(name));
	int n = snprintf(text, sizeof(text), "remit: refused %s %s: %s; no rule can grant it\n",
			 verb, name, why);

	if (n > 0 && (size_t)n < sizeof(text))
		tell_caller(request, text, (size_t)n);
}
