/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock's accesses as the plan uses them. Numbers from include/uapi/linux/landlock.h of Linux
 * 6.18 (ABI 7); written out because the installed header may be older than the kernel.
 */
#ifndef REMIT_PLAN_ACCESS_H
#define REMIT_PLAN_ACCESS_H

#include <stdint.h>

#include "policy/plan/plan.h"

#define ACCESS_EXECUTE (1ULL << 0)
#define ACCESS_WRITE_FILE (1ULL << 1)
#define ACCESS_READ_FILE (1ULL << 2)
#define ACCESS_READ_DIR (1ULL << 3)
#define ACCESS_REMOVE_DIR (1ULL << 4)
#define ACCESS_REMOVE_FILE (1ULL << 5)
#define ACCESS_MAKE_CHAR (1ULL << 6)
#define ACCESS_MAKE_DIR (1ULL << 7)
#define ACCESS_MAKE_REG (1ULL << 8)
#define ACCESS_MAKE_SOCK (1ULL << 9)
#define ACCESS_MAKE_FIFO (1ULL << 10)
#define ACCESS_MAKE_BLOCK (1ULL << 11)
#define ACCESS_MAKE_SYM (1ULL << 12)
#define ACCESS_REFER (1ULL << 13)     /* ABI 2 */
#define ACCESS_TRUNCATE (1ULL << 14)  /* ABI 3 */
#define ACCESS_IOCTL_DEV (1ULL << 15) /* ABI 5 */

#define ACCESS_BIND_TCP (1ULL << 0) /* ABI 4 */
#define ACCESS_CONNECT_TCP (1ULL << 1)

#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0) /* ABI 6 */
#define SCOPE_SIGNAL (1ULL << 1)

/* All that a rule on something that is no folder may have; the kernel refuses more. */
#define ACCESS_OF_FILES                                                                            \
	(ACCESS_EXECUTE | ACCESS_WRITE_FILE | ACCESS_READ_FILE | ACCESS_TRUNCATE | ACCESS_IOCTL_DEV)

/*
 * What write means for a folder: change, make, remove and move whatever is beneath. Never device
 * nodes: no manifest grants CAP_MKNOD.
 */
#define ACCESS_CHANGE                                                                              \
	(ACCESS_WRITE_FILE | ACCESS_TRUNCATE | ACCESS_REMOVE_DIR | ACCESS_REMOVE_FILE |            \
	 ACCESS_MAKE_DIR | ACCESS_MAKE_REG | ACCESS_MAKE_SOCK | ACCESS_MAKE_FIFO |                 \
	 ACCESS_MAKE_SYM | ACCESS_REFER)

/* What lets a socket, or a folder that holds one, appear under another name; also by a link in the
 * place of a folder above a denied one. */
#define ACCESS_MOVE_SOCKETS (ACCESS_MAKE_SOCK | ACCESS_MAKE_DIR | ACCESS_MAKE_SYM | ACCESS_REFER)

/* Landlock of this ABI can bound every call that the tag or CONTINUE lets run natively (truncation
 * came last). */
#define ACCESS_ABI_BOUNDS 3

uint64_t access_handled_fs(int abi);
uint64_t access_handled_net(int abi);
uint64_t access_scoped(int abi);

/* The accesses that `rights` (enum right) mean on a path of this kind; not yet cut to the ABI. */
uint64_t access_of(uint32_t rights, enum view_kind kind, const char *path);

/* "read,list,write"… into buf; returns buf. */
#define ACCESS_TEXT_MAX 256
const char *access_text(uint64_t access, char *buf);
extern const char *const access_names[16];

#endif
