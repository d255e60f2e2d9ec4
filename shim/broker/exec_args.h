/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arguments of one exec, in the block form of policy/core/arguments.h: read only when a rule
 * asks, from the caller's argv before the program is started, from the program's own memory once it
 * is.
 */
#ifndef REMIT_BROKER_EXEC_ARGS_H
#define REMIT_BROKER_EXEC_ARGS_H

#include "shim/broker/broker.h"

struct exec_args {
	struct request *request;
	uint64_t vector; /* argv in the caller; not used when started */
	bool started;	 /* the caller is stopped before the first instruction of the program */
	char *block;	 /* argv[1] and on; NULL until read */
	size_t len, room;
	char *before; /* words that come before those: what a script's interpreter gets */
	size_t before_len;
	char *joined;
};

/* Everything before argv[1], and all of it: 0 with a block that lives until the next call, or a
 * negative errno as execve would give (-EFAULT, -E2BIG). */
int exec_args_get(struct exec_args *args, const char **block, size_t *len);
/* Puts a word before all others. 0 or -ENOMEM. */
int exec_args_before(struct exec_args *args, const char *word);
/* Makes args of a block that is known. 0 or -ENOMEM. */
int exec_args_copy(struct exec_args *args, const char *block, size_t len);
void exec_args_free(struct exec_args *args);

#endif
