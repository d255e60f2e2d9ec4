/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int slurp_fd(int fd, size_t most, char **out, size_t *len)
{
	size_t size = 65536, used = 0;
	char *bytes = malloc(size + 1), *grown;
	ssize_t got;

	while (bytes && used < most) {
		if (used == size) {
			size *= 2;
			grown = realloc(bytes, size + 1);
			if (!grown)
				break;
			bytes = grown;
		}
		got = read(fd, bytes + used, size - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int error = -errno;

			free(bytes);
			return error;
		}
		if (got == 0) {
			bytes[used] = '\0';
			*out = bytes;
			*len = used;
			return 0;
		}
		used += (size_t)got;
	}
	free(bytes);
	return used < most ? -ENOMEM : -EFBIG;
}

int slurp_file(const char *path, size_t most, char **out, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return -errno;
	error = slurp_fd(fd, most, out, len);
	close(fd);
	return error;
}

bool slurp_starts_with(const char *path, const void *bytes, size_t len)
{
	char head[64];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	bool same;

	if (fd < 0)
		return false;
	/* What is read from a pipe is gone for the next reader. */
	same = !fstat(fd, &status) && S_ISREG(status.st_mode) && len <= sizeof(head) &&
	       read(fd, head, len) == (ssize_t)len && !memcmp(head, bytes, len);
	close(fd);
	return same;
}
