/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which layer holds what, on one kernel and for one plan: the table that `remit doctor` prints and
 * that the session's first record repeats.
 *   wall    Landlock, by itself
 *   gate    the broker decides each call
 *   filter  seccomp refuses by itself
 */
#ifndef REMIT_PLAN_LAYERS_H
#define REMIT_PLAN_LAYERS_H

#include "policy/plan/plan.h"

enum layer {
	LAYER_WALL = 1 << 0,
	LAYER_GATE = 1 << 1,
	LAYER_FILTER = 1 << 2,
};

struct layer_line {
	const char *name;    /* a word, for machines */
	const char *what;    /* a few words */
	unsigned int layers; /* of enum layer; 0: nothing holds it */
	unsigned int usual;  /* what holds it where nothing is missing */
	const char *note;    /* what is different here; NULL: nothing */
};

#define LAYER_LINES 14

/* All lines, in the order of the table. */
void layers_build(const struct features *features, const struct plan *plan,
		  struct layer_line out[LAYER_LINES]);

/* "wall+gate"; buf of LAYER_TEXT_MAX bytes, returned. "nothing" for none. */
#define LAYER_TEXT_MAX 32
const char *layers_text(unsigned int layers, char *buf);

#endif
