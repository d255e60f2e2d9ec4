/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small program whose running is the canary: prints its first argument; `tool euid` and
 * `tool caps` print DID when it runs with more than its caller has. Without libc, so that nothing
 * but the right to execute it is needed, and a hundred copies weigh nothing. With -DALWAYS it is
 * the refused one of two programs of equal names, and prints that instead.
 */
#include <linux/capability.h>

#include "tests/live/escapes/sys.h"

void start(long *stack);

__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start\n");

static void print(const char *what)
{
	long len = 0;

	while (what[len] != '\0')
		len++;
	raw6(SYS_write, 1, (long)what, len, 0, 0, 0);
	raw6(SYS_write, 1, (long)"\n", 1, 0, 0, 0);
}

static int is(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static int has_capabilities(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	if (raw6(SYS_capget, (long)&header, (long)data, 0, 0, 0, 0) != 0)
		return 0;
	return data[0].effective != 0 || data[1].effective != 0;
}

void start(long *stack)
{
	const char *what = stack[0] > 1 ? (const char *)stack[2] : "";

	if (is(what, "euid"))
		what = raw6(SYS_geteuid, 0, 0, 0, 0, 0, 0) != raw6(SYS_getuid, 0, 0, 0, 0, 0, 0)
			   ? "DID"
			   : "";
	else if (is(what, "caps"))
		what = has_capabilities() ? "DID" : "";
#ifdef ALWAYS
	what = ALWAYS;
#endif
	print(what);
	raw6(SYS_exit_group, 0, 0, 0, 0, 0, 0);
}
