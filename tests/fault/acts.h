/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an agent does in one session, granted and refused, each kind of gated call at least once.
 * Judged by run.py: a refused act that reports success is a breach, a granted one may fail with an
 * errno that a program can make sense of.
 */
#ifndef REMIT_TESTS_FAULT_ACTS_H
#define REMIT_TESTS_FAULT_ACTS_H

#include <stddef.h>
#include <sys/types.h>

/* What run.py has put there. */
struct place {
	char root[128];
	unsigned short tcp, tcp_refused, udp, udp_refused, listen, listen_refused;
	pid_t victim; /* of the same user, outside the session */
};
extern struct place place;

struct act {
	const char *name;
	int refused;	   /* must never report success */
	int (*make)(void); /* 0, or a negative errno */
};

extern const struct act file_acts[], change_acts[], network_acts[], process_acts[];

/* -errno where result is negative, else 0; closes what was opened. */
int acts_closed(long fd);
int acts_result(long result);
/* ROOT/name; four results live at once. */
const char *acts_path(const char *name);

#endif
