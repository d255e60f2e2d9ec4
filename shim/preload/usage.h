/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses of rules, in a session that counts them. The fast lane does not know which rule lets a call
 * through: the kernel does. So where uses are counted, and only there, the name is put to the
 * decision as it is written, links not followed. One addition to memory that all of the session
 * shares: no lock, no system call, and no harm from a signal, a fork or a vfork in between.
 */
#ifndef REMIT_PRELOAD_USAGE_H
#define REMIT_PRELOAD_USAGE_H

#include <stdint.h>

/* Counts a tagged call by its number, arguments and answer; one that failed used nothing. Only
 * where state.uses is not NULL. */
void usage_count(long nr, long a, long b, long c, long d, long result);

/* The same for exec, which never answers: counted before, and taken back when it does. NULL: uses
 * are not counted. */
uint64_t *usage_count_exec(int dirfd, const char *path);
void usage_take_back(uint64_t *counter);

#endif
