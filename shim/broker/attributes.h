/* SPDX-License-Identifier: Apache-2.0 */
/* What the calls on attributes (files_attributes.c, files_xattr.c) share. */
#ifndef REMIT_BROKER_ATTRIBUTES_H
#define REMIT_BROKER_ATTRIBUTES_H

#include "shim/broker/files.h"

/* 0 when the attributes of the object may be changed, else a negative errno. by_fd: the caller
 * holds the object itself. */
int attributes_judge(struct request *request, const struct object *object, bool by_fd);

/* The same of what belongs to all who use a device: its owner, its mode (which it would become; else
 * NULL) and its list of access (acl(5)), an extended attribute that is its mode, too. */
int attributes_judge_device(struct request *request, const struct object *object,
			    const mode_t *mode);

/* Reads the path and resolves it under AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH. 0; or *reply is the
 * answer. */
int attributes_resolve(struct request *request, int dirfd, uint64_t address, uint64_t at_flags,
		       struct object *out, bool *by_fd, struct reply *reply);

#endif
