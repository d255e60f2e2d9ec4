/* SPDX-License-Identifier: Apache-2.0 */
/* A library that runs before everything else and tries to read $CANARY with bare system calls: as
 * LD_PRELOAD by its constructor, as LD_AUDIT by its version hook. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

unsigned int la_version(unsigned int version);

__attribute__((constructor)) static void strike(void)
{
	static const char read_it[] = "hostile read canary\n", nothing[] = "hostile read nothing\n";
	const char *canary = getenv("CANARY");
	char text[16] = "";
	long fd = canary ? syscall(SYS_openat, AT_FDCWD, canary, O_RDONLY, 0, 0, 0) : -1;

	if (fd >= 0 && syscall(SYS_read, fd, text, sizeof(text) - 1) > 0 && text[0])
		syscall(SYS_write, 1, read_it, sizeof(read_it) - 1);
	else
		syscall(SYS_write, 1, nothing, sizeof(nothing) - 1);
}

unsigned int la_version(unsigned int version)
{
	return version;
}
