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

/* In the same place, where untagged calls go to the kernel as well (audit.record none): asks for
 * the gate, which explains a refusal. Everywhere else it is as good as no tag. */
#define REMIT_TAG_GATE 0x72656d6967617465ULL /* "remigate" */

/* prctl(REMIT_HYPERCALL, op, …) is routed to the broker; outside a session the kernel says EINVAL.
 */
#define REMIT_HYPERCALL 0x52454d54UL /* "REMT" */

enum hypercall {
	HYPERCALL_HELLO = 1,   /* arg3: REMIT_PROTOCOL; returns a new close-on-exec fd of the sealed
				  scope memfd. Counts the process as shimmed. arg4: 0, or the
				  address of a uint32_t that is written only where the session
				  has a flag for the constructor: SESSION_USAGE */
	HYPERCALL_FLAGS = 2,   /* returns a set of enum session_flag */
	HYPERCALL_REFUSED = 3, /* arg3: pointer to struct shim_refusal: the shim's testimony of a
				  refusal that it made itself */
	HYPERCALL_USAGE = 4, /* returns a new close-on-exec fd of the memory in which the session's
				shims count (below); EOPNOTSUPP: this session does not count, or
				the caller is of an inner one */
	HYPERCALL_NEST_FEATURES = 16, /* returns NEST_FEATURE_*: what the gate has to work with */
	HYPERCALL_NEST_BEGIN = 17,    /* arg3: pointer to struct nest_begin, whose answer is filled
					 in; returns 0. The caller owns the inner session */
	HYPERCALL_NEST_END = 18,      /* arg3: pointer to struct nest_end: ends the caller's inner
					 session and every process in it */
};

enum session_flag {
	SESSION_QUIET = 1 << 0,	       /* do not explain on stderr */
	SESSION_STRICT = 1 << 1,       /* no fast lane: never tag */
	SESSION_COUNTS_FORKS = 1 << 2, /* limits.processes of an inner session can be kept */
	SESSION_USAGE = 1 << 3,	       /* the uses of rules are counted */
	SESSION_NATIVE = 1 << 4, /* some calls never come to the gate: no session fits inside */
};

/*
 * The memory of HYPERCALL_USAGE: uint64_t, which every shim of the session adds to and the broker
 * reads once, when all is over. First USAGE_UNKNOWN of them: calls of the fast lane whose name no
 * rule covers as it is written, by enum verb; then one for each rule, by its index in the scope.
 * Anybody in the session may write anything there: testimony, which nothing is decided by.
 */
#define USAGE_UNKNOWN 8
#define USAGE_SIZE(rules) (((uint64_t)USAGE_UNKNOWN + (rules)) * sizeof(uint64_t))

#define REMIT_PROTOCOL 1

/* A refusal made in-process (addresses only). Fixed size, read once by the broker. */
struct shim_refusal {
	uint32_t verb; /* enum verb */
	uint32_t rule; /* index or RULE_NONE */
	uint8_t protocol, family;
	uint16_t port;
	uint8_t ip[16];
};

/*
 * A session within the session. What marks its processes are two limits that Linux keeps for each
 * process and enforces nowhere: RLIMIT_RSS and RLIMIT_LOCKS. Children inherit them and nobody in a
 * session can raise them. Its first process sets both, hard and soft, before it becomes the agent.
 */
struct nest_begin {
	uint32_t size;	/* of this struct */
	uint32_t flags; /* enum session_flag */
	uint64_t image; /* the caller's address of the scope image, copied once */
	uint64_t image_size;
	int32_t audit_fd;	  /* the caller's: a regular file, appended to; -1: none */
	int32_t tty_index;	  /* N of /dev/pts/N that the inner session runs on, -1: none */
	char session[40];	  /* its id, for the records */
	uint64_t resident, locks; /* answer: the limits to set */
	uint64_t tmp_device, tmp_inode; /* of its private folder, as stat(2) has them; 0: none */
};

/* Whether a session's log has all of it; else everything was refused from some moment on. */
enum nest_log { NEST_LOG_WHOLE, NEST_LOG_BROKEN, NEST_LOG_FULL };

enum nest_ending { NEST_EXIT, NEST_SIGNAL, NEST_WALL_TIME, NEST_EXPIRED, NEST_ENDINGS };

struct nest_end {
	uint32_t size;
	int32_t status;
	uint32_t ending; /* enum nest_ending */
	uint32_t log;	 /* answer: enum nest_log, of the inner log */
	uint64_t text;	 /* the caller's address of room for the summary */
	uint64_t text_size;
	uint64_t text_len, refused, left; /* answer: of the summary; refusals; processes ended */
};

/* The answer of NEST_FEATURES, of 64 bits: the ABI of Landlock, a bit for each row of feature_table
 * (policy/plan/features.h), yama + 1. */
#define NEST_FEATURE_ABI 0xff
#define NEST_FEATURE_TABLE_SHIFT 8
#define NEST_FEATURE_YAMA_SHIFT 40

#endif
