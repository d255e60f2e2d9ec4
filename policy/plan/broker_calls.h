/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that the broker needs once the agent runs; every other is EPERM to it. Pure
 * data: shim/kernel/broker_filter.c makes the program.
 */
#ifndef REMIT_PLAN_BROKER_CALLS_H
#define REMIT_PLAN_BROKER_CALLS_H

#include <stddef.h>
#include <stdint.h>

/* What is asked of the low half of one argument; the kernel looks at no more of these. */
enum call_check {
	CALL_ANY,     /* nothing */
	CALL_ONE_OF,  /* it is one of values */
	CALL_WITH,    /* all bits of values[0] are set */
	CALL_WITHOUT, /* no bit of values[0] is set */
	CALL_ABSENT,  /* the call itself is ENOSYS, for libraries that then take another */
};

struct broker_call {
	int nr;
	const char *name; /* as in the man page */
	const char *why;  /* a few words */
	enum call_check check;
	uint8_t arg;
	const uint32_t *values;
	size_t value_count;
};

/* Sorted by name. */
extern const struct broker_call broker_calls[];
extern const size_t broker_call_count;

#endif
