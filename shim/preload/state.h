/* SPDX-License-Identifier: Apache-2.0 */
/* What the constructor learned: whether there is a session, and its scope. Written once, before
 * main; afterwards only read. */
#ifndef REMIT_PRELOAD_STATE_H
#define REMIT_PRELOAD_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/core/scope.h"

struct state {
	bool session;  /* the broker answered */
	bool fast;     /* tagged calls are worth trying */
	bool tag_exec; /* the same for exec: not where programs have conditions, which only the gate
			  can judge */
	bool has_scope;
	bool datagrams;	    /* addressed sends are possible */
	uint64_t *uses;	    /* counters in memory of the whole session (protocol.h); NULL: none */
	struct scope scope; /* valid while has_scope */
	/* What fd 2 was at the start: explanations go nowhere else. */
	bool has_stderr;
	uint64_t stderr_device, stderr_inode;
};

extern struct state state;

#endif
