/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's memory. Every read is bounded, made once, and checked afterwards: the bytes count
 * only while the caller still waits for this very answer, so that a pid that was reused is never
 * taken for it (memory_peek_string() leaves that to its caller). Relies on: process_vm_readv(2),
 * else /proc/TID/mem, and the agent's domain descending from the broker's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim/broker/broker.h"
#include "shim/broker/gate.h"

#define PAGE 4096 /* x86-64, the only architecture that the filter lets through */
#define FIRST_CHUNK 256

/* -EPERM: not readable at all (non-dumpable). -ESRCH: the caller is gone. */
static long transfer_error(int error)
{
	return error == EPERM || error == ESRCH || error == ENOMEM ? -error : -EFAULT;
}

/* The same, where its file did not open. -ENOMEM: no descriptor was left; every caller's call may
 * fail so, and nobody takes it for memory that may not be read. */
static long open_error(int error)
{
	return error == ENOENT || error == ESRCH   ? -ESRCH
	       : error == EPERM || error == EACCES ? -EPERM
						   : -ENOMEM;
}

/* For containers that refuse process_vm_readv. No address of a program is a negative offset. */
static long through_file(pid_t tid, uint64_t address, void *in, const void *out, size_t size)
{
	char path[32];

	if ((int64_t)address < 0)
		return -EFAULT;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)tid);
	int fd = open(path, (out ? O_WRONLY : O_RDONLY) | O_CLOEXEC);

	if (fd < 0)
		return open_error(errno);
	ssize_t n =
	    out ? pwrite(fd, out, size, (off_t)address) : pread(fd, in, size, (off_t)address);
	int error = errno;

	close(fd);
	/* 0: the memory is gone with its process. */
	return n < 0 ? transfer_error(error) : n == 0 ? -ESRCH : n;
}

static long read_some(const struct request *request, uint64_t address, void *buf, size_t size)
{
	const struct features *features = broker_features(request->broker);

	if (!features->process_vm)
		return features->proc_mem ? through_file(request->tid, address, buf, NULL, size)
					  : -EPERM;
	struct iovec local = {buf, size};
	struct iovec remote = {(void *)(uintptr_t)address, size}; // NOLINT: the caller's address
	ssize_t n = process_vm_readv(request->tid, &local, 1, &remote, 1, 0);

	return n < 0 ? transfer_error(errno) : n;
}

static long write_some(const struct request *request, uint64_t address, const void *buf,
		       size_t size)
{
	const struct features *features = broker_features(request->broker);

	if (!features->process_vm)
		return features->proc_mem ? through_file(request->tid, address, NULL, buf, size)
					  : -EPERM;
	struct iovec local = {(void *)(uintptr_t)buf, size};
	struct iovec remote = {(void *)(uintptr_t)address, size}; // NOLINT: the caller's address
	ssize_t n = process_vm_writev(request->tid, &local, 1, &remote, 1, 0);

	return n < 0 ? transfer_error(errno) : n;
}

int memory_read(const struct request *request, uint64_t address, void *buf, size_t size)
{
	if (size == 0)
		return 0;
	long n = read_some(request, address, buf, size);

	if (n < 0)
		return (int)n;
	if ((size_t)n != size)
		return -EFAULT;
	return request_alive(request) ? 0 : -ESRCH;
}

int memory_write(const struct request *request, uint64_t address, const void *buf, size_t size)
{
	if (size == 0)
		return 0;
	/* Before, not after: bytes must never land in a process that took over the pid. What is
	 * left is the moment between this and the call, in which the caller would have to be
	 * killed, reaped, and its pid given out again. */
	if (!request_alive(request))
		return -ESRCH;
	long n = write_some(request, address, buf, size);

	if (n < 0)
		return (int)n;
	return (size_t)n == size ? 0 : -EFAULT;
}

long memory_peek_string(const struct request *request, uint64_t address, char *buf, size_t size)
{
	size_t have = 0;

	while (have < size) {
		size_t chunk = PAGE - (address + have) % PAGE;

		/* Most are short. */
		if (have == 0 && chunk > FIRST_CHUNK)
			chunk = FIRST_CHUNK;

		if (chunk > size - have)
			chunk = size - have;
		long n = read_some(request, address + have, buf + have, chunk);

		if (n < 0)
			return n;
		const char *end = memchr(buf + have, '\0', (size_t)n);

		if (end)
			return end - buf;
		if ((size_t)n != chunk)
			return -EFAULT;
		have += chunk;
	}
	return -ENAMETOOLONG;
}

long memory_read_string(const struct request *request, uint64_t address, char *buf, size_t size)
{
	long len = memory_peek_string(request, address, buf, size);

	return (len >= 0 || len == -ENAMETOOLONG) && !request_alive(request) ? -ESRCH : len;
}
