/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for more, up to `most`; NULL frees what there is. */
static char *grow(char *bytes, size_t *size, size_t most)
{
	char *grown;

	*size = *size > most / 2 ? most : *size * 2;
	grown = realloc(bytes, *size + 1);
	if (!grown)
		free(bytes);
	return grown;
}

int slurp_fd(int fd, size_t most, char **out, size_t *len)
{
	size_t size = most < 65536 ? most : 65536, used = 0;
	char *bytes = malloc(size + 1);
	ssize_t got = 1;

	while (bytes && got != 0 && used < most) {
		if (used == size && !(bytes = grow(bytes, &size, most)))
			break;
		got = read(fd, bytes + used, size - used);
		if (got < 0 && errno != EINTR) {
			int error = -errno;

			free(bytes);
			return error;
		}
		used += got > 0 ? (size_t)got : 0;
	}
	if (!bytes)
		return -ENOMEM;
	bytes[used] = '\0';
	*out = bytes;
	*len = used;
	return 0;
}

int slurp_file(const char *path, size_t most, char **out, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return -errno;
	error = slurp_fd(fd, most + 1, out, len);
	close(fd);
	if (!error && *len > most) {
		free(*out);
		return -EFBIG;
	}
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
