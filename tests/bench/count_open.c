/* SPDX-License-Identifier: Apache-2.0 */
/* count_open PATH N: opens a file N times, for tests/bench/instructions.py to count. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	for (int i = atoi(argv[2]); i > 0; i--) {
		int fd = open(argv[1], O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			fprintf(stderr, "count_open: %s: %s\n", argv[1], strerror(errno));
			return 1;
		}
		close(fd);
	}
	return 0;
}
