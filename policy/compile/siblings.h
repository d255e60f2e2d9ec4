/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in a folder, learnt by listing it. A manifest may name thousands of files of one
 * folder: to be told the types of a hundred names at once costs less than to ask for one. And it
 * may search one folder by many patterns: that one is listed once, for the compilation and for the
 * plan.
 *
 * Says less than lstat(2): a name that was not met, or whose type the file system does not tell
 * with it, is unknown. What was mounted over a file is not seen: whoever may mount, and no agent
 * may, could hide a device or a link so.
 */
#ifndef REMIT_COMPILE_SIBLINGS_H
#define REMIT_COMPILE_SIBLINGS_H

#include <stddef.h>
#include <stdint.h>

struct siblings;
struct listing;

struct siblings *siblings_new(void); /* NULL without memory, which every function below takes */
/* DT_REG, DT_DIR, … (readdir(3)) of a clean absolute path that is no root; DT_UNKNOWN: not known.
 * Each name that is asked for in vain makes a few more of its folder be read, so that never much
 * more is read than is asked for. */
uint8_t siblings_type(struct siblings *siblings, const char *path, size_t len);
/* All names of a folder, by a path without links, as they were when it was first asked for; valid
 * until the next call. NULL: it cannot be read, has too many names to be kept, or memory is short.
 */
const struct listing *siblings_listing(struct siblings *siblings, const char *path);
void siblings_free(struct siblings *siblings);

#endif
