/* SPDX-License-Identifier: Apache-2.0 */
/* The socket options that no session may set: the filter's rows, and their names for the record. */
#ifndef REMIT_PLAN_SOCKET_OPTIONS_H
#define REMIT_PLAN_SOCKET_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

struct socket_option {
	uint32_t level, option;
	uint32_t or_bit; /* the option with this bit as well is the like; 0: none is */
	const char *what;
};

extern const struct socket_option socket_options[];
extern const size_t socket_option_count;

/* What setsockopt() looks at of its second and third argument: the kernel knows no larger level,
 * and no larger option that ends like one of these (linux/ip_vs.h has some). */
#define SOCKET_LEVEL_BITS 0x1ffULL
#define SOCKET_OPTION_BITS 0xffULL

/* NULL when it may be set. */
const struct socket_option *socket_option_find(uint64_t level, uint64_t option);

#endif
