/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What performers may ask about their caller.
 *
 * Guarantees: nothing known about a process outlives the request it was read for, but for what ends
 * with the process itself (known.h), so no reused pid inherits anything. Relies on: notification
 * ids being unique while their caller waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/broker/gate.h"
#include "shim/broker/known.h"
#include "shim/common/uapi.h"

bool request_alive(const struct request *request)
{
	uint64_t id = request->notif.id;

	if (request->held)
		return true;
	int result;

	/* The kernel takes a lock for this, and may be interrupted while it waits for it. */
	do
		result = ioctl(broker_listener(request->broker), SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
	while (result != 0 && errno == EINTR);
	return result == 0;
}

void request_is_now(struct request *request, pid_t pid)
{
	if (request->pidfd >= 0)
		close(request->pidfd);
	request->pidfd = -1;
	request->umask = -1;
	request->tid = request->tgid = pid;
	request->held = true;
}

/* The text of /proc/TID/status; its length, 0 or less when there is none. */
static ssize_t status_text(struct request *request, char *text, size_t size)
{
	int fd = known_take(request->known, KNOWN_STATUS, request->tid);
	ssize_t n = fd < 0 ? 0 : pread(fd, text, size, 0);

	if (n <= 0) {
		char path[32];

		if (fd >= 0)
			close(fd);
		snprintf(path, sizeof(path), "/proc/%d/status", request->tid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		n = pread(fd, text, size, 0);
	}
	known_keep(request->known, KNOWN_STATUS, request->tid, fd);
	return n;
}

/* The caller's process and umask come from one reading. */
static int read_status(struct request *request)
{
	char text[1024];
	ssize_t n = status_text(request, text, sizeof(text) - 1);

	if (n <= 0 || !request_alive(request))
		return -ESRCH;
	text[n] = '\0';
	/* "Name:" comes first and escapes its newlines, so no name can forge these lines. */
	const char *tgid = strstr(text, "\nTgid:\t"), *mask = strstr(text, "\nUmask:\t");

	if (!tgid || !mask)
		return -ESRCH;
	request->umask = (int)strtol(mask + 8, NULL, 8) & 0777;
	request->tgid = (pid_t)strtol(tgid + 7, NULL, 10);
	return request->tgid > 0 ? 0 : -ESRCH;
}

/* Of most processes their first thread calls, and a pidfd without flags is of no other. */
static bool is_first_thread(const struct request *request)
{
	int fd = (int)syscall(SYS_pidfd_open, request->tid, 0);

	if (fd < 0)
		return false;
	close(fd);
	return request_alive(request);
}

pid_t request_tgid(struct request *request)
{
	if (request->tgid == 0 && is_first_thread(request))
		request->tgid = request->tid;
	if (request->tgid == 0) {
		int error = read_status(request);

		if (error)
			return error;
	}
	return request->tgid;
}

int request_umask(struct request *request)
{
	if (request->umask < 0) {
		int error = read_status(request);

		if (error)
			return error;
	}
	return request->umask;
}

/* By thread where the kernel can: a thread may have a file table of its own. */
static int open_pidfd(struct request *request)
{
	bool thread = broker_features(request->broker)->pidfd_thread;
	int fd = thread ? (int)syscall(SYS_pidfd_open, request->tid, PIDFD_THREAD) : -1;

	if (!thread) {
		pid_t tgid = request_tgid(request);

		if (tgid < 0)
			return tgid;
		fd = (int)syscall(SYS_pidfd_open, tgid, 0);
	}
	if (fd < 0)
		return -errno;
	if (!request_alive(request)) {
		close(fd);
		return -ESRCH;
	}
	return fd;
}

static int getfd(const struct request *request, int fd)
{
	int copy = (int)syscall(SYS_pidfd_getfd, request->pidfd, fd, 0);

	return copy < 0 ? -errno : copy;
}

/* -ESRCH: nothing was kept, or it is of one that is gone. A pidfd of a process is not kept: threads
 * come and go under it. */
static int getfd_as_known(struct request *request, int fd)
{
	if (!broker_features(request->broker)->pidfd_thread)
		return -ESRCH;
	request->pidfd = known_take(request->known, KNOWN_PIDFD, request->tid);
	if (request->pidfd < 0)
		return -ESRCH;
	int copy = request_alive(request) ? getfd(request, fd) : -ESRCH;

	if (copy == -ESRCH) {
		close(request->pidfd);
		request->pidfd = -1;
	}
	return copy;
}

int request_getfd(struct request *request, int fd)
{
	if (fd < 0)
		return -EBADF;
	if (request->pidfd < 0) {
		int copy = getfd_as_known(request, fd);

		if (copy != -ESRCH)
			return copy;
		int pidfd = open_pidfd(request);

		if (pidfd < 0)
			return pidfd;
		request->pidfd = pidfd;
	}
	return getfd(request, fd);
}

void request_forget(struct request *request)
{
	if (request->pidfd < 0)
		return;
	if (broker_features(request->broker)->pidfd_thread)
		known_keep(request->known, KNOWN_PIDFD, request->tid, request->pidfd);
	else
		close(request->pidfd);
	request->pidfd = -1;
}
