/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's memory. Every read is bounded, made once, and checked afterwards: the bytes count
 * only while the caller still waits for this very answer, so that a pid that was reused is never
 * taken for it. Relies on: process_vm_readv(2) and the agent's domain descending from the broker's.
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "shim/broker/broker.h"

#define PAGE 4096 /* x86-64, the only architecture that the filter lets through */

/* -EPERM: not readable at all (non-dumpable). -ESRCH: the caller is gone. */
static long transfer_error(int error)
{
	return error == EPERM || error == ESRCH || error == ENOMEM ? -error : -EFAULT;
}

static long read_some(pid_t tid, uint64_t address, void *buf, size_t size)
{
	struct iovec local = {buf, size};
	struct iovec remote = {(void *)(uintptr_t)address, size}; // NOLINT: the caller's address
	ssize_t n = process_vm_readv(tid, &local, 1, &remote, 1, 0);

	return n < 0 ? transfer_error(errno) : n;
}

int memory_read(const struct request *request, uint64_t address, void *buf, size_t size)
{
	if (size == 0)
		return 0;
	long n = read_some(request->tid, address, buf, size);

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
	struct iovec local = {(void *)(uintptr_t)buf, size};
	struct iovec remote = {(void *)(uintptr_t)address, size}; // NOLINT: the caller's address
	ssize_t n = process_vm_writev(request->tid, &local, 1, &remote, 1, 0);

	if (n < 0)
		return (int)transfer_error(errno);
	return (size_t)n == size ? 0 : -EFAULT;
}

long memory_read_string(const struct request *request, uint64_t address, char *buf, size_t size)
{
	size_t have = 0;

	while (have < size) {
		size_t chunk = PAGE - (address + have) % PAGE;

		if (chunk > size - have)
			chunk = size - have;
		long n = read_some(request->tid, address + have, buf + have, chunk);

		if (n < 0)
			return n;
		const char *end = memchr(buf + have, '\0', (size_t)n);

		if (end)
			return request_alive(request) ? end - buf : -ESRCH;
		if ((size_t)n != chunk)
			return -EFAULT;
		have += chunk;
	}
	return request_alive(request) ? -ENAMETOOLONG : -ESRCH;
}

bool memory_unreadable(const struct request *request)
{
	/* The instruction that made the call is mapped; only permission can keep it from us. */
	char byte;

	return read_some(request->tid, request->notif.data.instruction_pointer, &byte, 1) == -EPERM;
}
