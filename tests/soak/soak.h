/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent of a soak (soak.c), its acts (acts.c) and the runner share. The tally is a file
 * that all of them map: an act is counted before it is begun and again when its answer is there, so
 * that what a killed process was in the middle of is known.
 */
#ifndef REMIT_TESTS_SOAK_H
#define REMIT_TESTS_SOAK_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#define SLOTS_MAX 250 /* the last byte of an address */
#define KINDS_MAX 64
#define TALLY_STORY 400

/* run.py reads it: little-endian 32-bit words, then the story. */
struct tally {
	_Atomic uint32_t stop, wrong, deaths, starts;
	struct {
		_Atomic uint32_t begun[KINDS_MAX], done[KINDS_MAX];
	} slots[SLOTS_MAX];
	char story[TALLY_STORY]; /* of the first wrong answer */
};

/* One thread of one worker. */
struct actor {
	const char *root;
	char **facts; /* NAME=value … */
	int slot, thread;
	uint64_t seed;
	struct tally *tally;
};

/* `act` returns 0 or a negative errno; `error` is what it has to be, 0 when it is granted. `query`
 * is what is asked of the scope, with {root}, {slot} and {NAME} for facts; "" for acts that no
 * query names. A refused act leaves one record of the query's object. */
struct kind {
	const char *name, *query;
	int error;
	int (*act)(struct actor *actor);
	const char *op; /* the record's, where it is not the query's first word */
};

extern const struct kind kinds[];
extern const size_t kind_count;

uint32_t actor_random(struct actor *actor, uint32_t below);
long actor_fact(const struct actor *actor, const char *name);
/* ROOT/FOLDER/SLOT/NAME; returns buf. */
char *actor_path(const struct actor *actor, const char *folder, const char *name, char buf[256]);
/* Of a child: it ends with the thread that made it, wherever it is. */
void actor_die_with_parent(void);
/* Makes one act and counts it. */
void actor_do(struct actor *actor, size_t kind);

#endif
