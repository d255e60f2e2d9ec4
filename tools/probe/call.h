/* SPDX-License-Identifier: Apache-2.0 */
/* One spelling of a system call for both builds: libc's own function, which the shim may hook, or
 * the bare instruction. The result, or a negative errno. */
#ifndef REMIT_TOOLS_PROBE_CALL_H
#define REMIT_TOOLS_PROBE_CALL_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long probe_raw(long nr, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static inline long probe_errno(long result)
{
	return result == -1 ? -errno : result;
}

#define RAW_PADDED(nr, a, b, c, d, e, f, ...)                                                      \
	probe_raw((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define RAW_CALL(nr, ...) RAW_PADDED(nr, __VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

#ifdef PROBE_RAW
#define CALL(libc, nr, ...) RAW_CALL(nr, __VA_ARGS__)
#else
#define CALL(libc, nr, ...) probe_errno(libc)
#endif

#endif
