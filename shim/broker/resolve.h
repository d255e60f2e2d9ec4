/* SPDX-License-Identifier: Apache-2.0 */
/* What resolve.c (the kernel walks), resolve_walk.c (we walk) and resolve_name.c (what was found is
 * named) share. */
#ifndef REMIT_BROKER_RESOLVE_H
#define REMIT_BROKER_RESOLVE_H

#include <sys/stat.h>

#include "shim/broker/broker.h"

/* openat2(2), O_CLOEXEC added; resolve: RESOLVE_* of linux/openat2.h. An fd or a negative errno. */
int resolve_openat2(int base, const char *path, uint64_t flags, uint64_t mode, uint64_t how);

/* No "..", no "." at the end, no slash at the end, no component that is too long: without links the
 * text, its slashes folded, is a name. */
bool resolve_is_plain(const char *path);

/* True when fd is anywhere in a procfs. st: of fd, spares most calls of statfs. */
bool resolve_is_proc(int fd, const struct stat *st);

/* Takes the ownership of handle and fills type, path, anonymous from it. by_fd: the caller had it
 * before, so it may have been deleted, or be where no path leads. */
int resolve_fill(struct request *request, int handle, bool by_fd, struct object *out);

/* The same for a parent and the name beneath it; takes the ownership of parent. */
int resolve_fill_parent(struct request *request, int parent, const char *name, size_t len,
			struct object *out);

/* What the kernel calls fd now, into buf of PATH_TEXT_MAX; its length, or a negative errno. *gone:
 * it had this name. */
long resolve_read_name(int fd, const struct stat *st, char *buf, bool *anonymous, bool *gone);

/* out is a folder (handle, type, path); it becomes a name beneath it. 0 or a negative errno. */
int resolve_step_beneath(struct object *out, const char *name, size_t len);

/* Walks component by component from base (borrowed, AT_FDCWD for absolute paths). */
int resolve_walk(struct request *request, int base, const char *path, unsigned int flags,
		 struct object *out);

#endif
