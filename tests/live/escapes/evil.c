/* SPDX-License-Identifier: Apache-2.0 */
/* E6: a library whose constructor runs before the program and, by its place in LD_PRELOAD or
 * LD_AUDIT, perhaps before the shim. It prints what $EVIL_TARGET holds. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

unsigned int la_version(unsigned int version);

__attribute__((constructor)) static void evil(void)
{
	char buf[256];
	const char *target = getenv("EVIL_TARGET");
	int fd = target == NULL ? -1 : open(target, O_RDONLY);
	ssize_t got = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	if (got > 0 && write(STDOUT_FILENO, buf, (size_t)got) < 0)
		_exit(3);
}

unsigned int la_version(unsigned int version)
{
	return version;
}
