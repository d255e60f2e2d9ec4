/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMIT_TOOLS_REPLACE_H
#define REMIT_TOOLS_REPLACE_H

#include <stddef.h>

/* Puts a file with these bytes at `path`: readers see the old one or the new one, whole, also after
 * a crash. Mode 0666 less the umask. 0 or a negative errno, and then nothing has changed; but -EIO
 * and its like also when the new one is in place and nobody knows whether a crash would leave it.
 */
int replace_file(const char *path, const void *bytes, size_t size);

#endif
