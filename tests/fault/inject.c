/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linked into a test build of the command, between its objects and the C library: every call of
 * tests/fault/calls goes through here, is counted by the place it is made from, and is made to fail
 * there when REMIT_FAULT says so. Never part of what is shipped.
 *
 *   REMIT_FAULT_TRACE=FILE          the counts, a table of struct place, shared with children
 *   REMIT_FAULT=OFFSET:NTH[+]:WHAT  the NTH call (and all later ones) from OFFSET, the return
 *                                   address within the program; WHAT: an errno, short, none
 *
 * Relies on the x86-64 ABI: whatever a function takes, its words travel in six registers and the
 * stack, so one shape of wrapper fits all; results are in one register.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define PLACES 8192

struct place {
	_Atomic uint32_t offset, count;
};

static struct {
	_Atomic uint64_t fired;
	struct place places[PLACES];
} * trace;

static uintptr_t wanted;
static uint32_t from, until;
static long fault; /* an errno; SHORT; NONE */
#define SHORT (-1)
#define NONE (-2)

enum kind { MINUS, NULL_, MAP, CODE, NEGATIVE, ZERO, AFTER };
#undef NULL
#define NULL NULL_ /* the word of the list; no pointer is called that below */

extern const char __executable_start[];

typedef long words(long, long, long, long, long, long, long);

static long raw(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("REMIT_FAULT_TRACE"), *spec = getenv("REMIT_FAULT");

	if (file) {
		long fd = raw(SYS_open, (long)(uintptr_t)file, O_RDWR | O_CLOEXEC, 0, 0, 0, 0);
		long at =
		    raw(SYS_mmap, 0, sizeof(*trace), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		raw(SYS_close, fd, 0, 0, 0, 0, 0);
		if (at < 0 && at > -4096)
			abort();
		trace = (void *)(uintptr_t)at;
	}
	if (!spec || !trace)
		return;
	char *end;

	wanted = strtoul(spec, &end, 16);
	from = (uint32_t)strtoul(end + 1, &end, 10);
	until = *end == '+' ? UINT32_MAX : from;
	end += *end == '+';
	fault = strcmp(end, ":short") == 0  ? SHORT
		: strcmp(end, ":none") == 0 ? NONE
					    : (long)strtoul(end + 1, &end, 10);
}

/* The number of this call among those from the same place. */
static uint32_t counted(uint32_t offset)
{
	for (uint32_t i = offset * 2654435761U % PLACES;; i = (i + 1) % PLACES) {
		uint32_t there = 0;

		if (atomic_compare_exchange_strong(&trace->places[i].offset, &there, offset) ||
		    there == offset)
			return atomic_fetch_add(&trace->places[i].count, 1) + 1;
	}
}

static int strikes(const void *address)
{
	uintptr_t offset = (uintptr_t)address - (uintptr_t)__executable_start;

	if (!trace)
		return 0;
	uint32_t number = counted((uint32_t)offset);

	if (offset != wanted || number < from || number > until)
		return 0;
	atomic_fetch_add(&trace->fired, 1);
	return 1;
}

static long failed(enum kind kind)
{
	if (kind != CODE && kind != NEGATIVE)
		errno = (int)fault;
	switch (kind) {
	case NULL:
	case ZERO:
		return 0;
	case CODE:
		return fault;
	case NEGATIVE:
		return -fault;
	default:
		return -1;
	}
}

/* Half of the bytes: the third argument of read and its kin; of a message, its only vector. */
static long shortened(words *real, const char *name, long a, long b, long c, long d, long e)
{
	struct iovec *iov = 0;

	if (fault == NONE)
		return 0;
	if (strncmp(name, "process_vm", 10) == 0 || strcmp(name, "pwritev2") == 0)
		iov = (struct iovec *)(uintptr_t)b;
	else if (strcmp(name, "sendmsg") == 0)
		iov = ((struct msghdr *)(uintptr_t)b)->msg_iov;
	else if (strcmp(name, "getrandom") == 0)
		b /= 2;
	else if (strcmp(name, "readlinkat") == 0)
		d /= 2;
	else
		c /= 2;
	if (!iov)
		return real(a, b, c, d, e, 0, 0);
	size_t before = iov->iov_len;

	iov->iov_len /= 2;
	long result = real(a, b, c, d, e, 0, 0);

	iov->iov_len = before;
	return result;
}

#define WRAP(name, kind)                                                                           \
	words __real_##name, __wrap_##name;                                                        \
	long __wrap_##name(long a, long b, long c, long d, long e, long f, long g)                 \
	{                                                                                          \
		if (!strikes(__builtin_return_address(0)))                                         \
			return __real_##name(a, b, c, d, e, f, g);                                 \
		if (fault < 0)                                                                     \
			return shortened(__real_##name, #name, a, b, c, d, e);                     \
		if (kind == AFTER)                                                                 \
			__real_##name(a, b, c, d, e, f, g);                                        \
		return failed(kind);                                                               \
	}
#include "wraps.inc"
