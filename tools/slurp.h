/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in memory: a copy, so that nobody changes it under the reader; bounded. */
#ifndef REMIT_TOOLS_SLURP_H
#define REMIT_TOOLS_SLURP_H

#include <stdbool.h>
#include <stddef.h>

/* One byte more than a manifest may have is enough for the parser to say that it is too long. */
#define SLURP_MANIFEST ((size_t)(1 << 20) + 1)
#define SLURP_IMAGE ((size_t)1 << 30)

/* The first `most` bytes; what comes after them stays unread. *out is malloc'ed, aligned for any
 * type, ended by NUL. 0 or a negative errno. */
int slurp_fd(int fd, size_t most, char **out, size_t *len);
/* All of it; -EFBIG when that is more than `most`. */
int slurp_file(const char *path, size_t most, char **out, size_t *len);
/* True when the first bytes of a regular file are these; false also when it cannot be read. */
bool slurp_starts_with(const char *path, const void *bytes, size_t len);

#endif
