/* SPDX-License-Identifier: Apache-2.0 */
/* The names of one folder and what the folder says they are. */
#ifndef REMIT_COMPILE_LISTING_H
#define REMIT_COMPILE_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct listing_name {
	const char *text; /* in the listing's own memory */
	uint8_t type;	  /* DT_REG, DT_DIR, … (readdir(3)); DT_UNKNOWN: lstat(2) has to say */
};

struct listing {
	struct listing_name *names;
	size_t count;
	char *text; /* what the names are in */
};

/* Without "." and ".."; no more than `most` + 1 names, in no order. `folder` is open for reading,
 * was not read from and stays the caller's. 0, or -ENOMEM and an empty listing. A folder that
 * cannot be read has no names. */
int listing_read(int folder, size_t most, struct listing *out);
/* By name, so that the same folder is always searched in the same order. */
void listing_sort(struct listing_name *names, size_t count);
void listing_free(struct listing *listing);

/* Whether the types in the folder's list are what lstat(2) would say: of the file systems of disks
 * and memory it is known. Over a network, or from a process's own file system, each name is to be
 * asked for. */
bool listing_types_hold(int folder);

#endif
