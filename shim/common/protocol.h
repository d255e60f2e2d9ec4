/* SPDX-License-Identifier: Apache-2.0 */
/* What the shim and the broker both speak. None of it is secret: a program that forges it gets
 * nothing that it was not granted. */
#ifndef REMIT_COMMON_PROTOCOL_H
#define REMIT_COMMON_PROTOCOL_H

#include <stdint.h>

/*
 * The tag: the sixth argument of a path system call that takes at most five. The kernel ignores it,
 * the filter sees it and lets the call through to Landlock, which has the last word.
 */
#define REMIT_TAG 0x72656d6974746167ULL /* "remittag" */

/* prctl(REMIT_HYPERCALL, op, …) is routed to the broker; outside a session the kernel says EINVAL.
 */
#define REMIT_HYPERCALL 0x52454d54UL /* "REMT" */

enum hypercall {
	HYPERCALL_HELLO = 1,   /* arg3: REMIT_PROTOCOL; returns a new close-on-exec fd of the sealed
				  scope memfd. Counts the process as shimmed */
	HYPERCALL_FLAGS = 2,   /* returns a set of enum session_flag */
	HYPERCALL_REFUSED = 3, /* arg3: pointer to struct shim_refusal: the shim's testimony of a
				  refusal that it made itself */
};

enum session_flag {
	SESSION_QUIET = 1 << 0,	 /* do not explain on stderr */
	SESSION_STRICT = 1 << 1, /* no fast lane: never tag */
};

#define REMIT_PROTOCOL 1

/* A refusal made in-process (addresses only). Fixed size, read once by the broker. */
struct shim_refusal {
	uint32_t verb; /* enum verb */
	uint32_t rule; /* index or RULE_NONE */
	uint8_t protocol, family;
	uint16_t port;
	uint8_t ip[16];
};

#endif
