/* SPDX-License-Identifier: Apache-2.0 */
/* What the races share. */
#ifndef REMIT_TESTS_RACE_H
#define REMIT_TESTS_RACE_H

#include "tests/live/escapes/sys.h"

extern const char *race_root;

/* The argument that is swapped, and its two values; wide enough for a path and a sockaddr alike. */
#define ARGUMENT_MAX 256
extern char argument[ARGUMENT_MAX], granted[ARGUMENT_MAX], refused[ARGUMENT_MAX];
extern size_t argument_size;

void *swap_argument(void *unused);
/* act, again and again, while the swapper runs. */
void with_swapper(void *(*swapper)(void *), void (*act)(void));
/* Counts a try; reads from fd, if it is one, tells what is not granted, closes. */
void look(long fd);

/* how.c */
void race_how(void);
void race_how_handle(void);

#endif
