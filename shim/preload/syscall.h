/* SPDX-License-Identifier: Apache-2.0 */
/* System calls without libc, for x86-64 (the System V ABI, appendix A.2.1). */
#ifndef REMIT_PRELOAD_SYSCALL_H
#define REMIT_PRELOAD_SYSCALL_H

#include <errno.h>
#include <sys/syscall.h>

#include "shim/common/protocol.h"

/* The kernel's own answer: a value, or a negative errno. */
static inline long raw6(long nr, long a, long b, long c, long d, long e, long f)
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

/*
 * A call with something in the register that its arguments leave free. It is cleared behind each:
 * libc's own wrappers leave registers that their call does not use as they find them, and would
 * pass the tag on to calls that must go to the gate.
 */
static inline long raw_marked(unsigned long mark, long nr, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = (long)mark;
	long result;

	__asm__ volatile("syscall\n\t"
			 "xorl %%r9d, %%r9d"
			 : "=a"(result), "+r"(r9)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "cc", "memory");
	return result;
}

static inline long raw_tagged(long nr, long a, long b, long c, long d, long e)
{
	return raw_marked(REMIT_TAG, nr, a, b, c, d, e);
}

static inline long raw3(long nr, long a, long b, long c)
{
	return raw6(nr, a, b, c, 0, 0, 0);
}

/* The end of a libc function: -1 and errno, or the value with errno untouched. */
static inline long raw_finish(long result)
{
	if (result < 0 && result >= -4095) {
		errno = (int)-result;
		return -1;
	}
	return result;
}

#endif
