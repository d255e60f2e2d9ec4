/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage of `remit self-test`: a private folder with secrets, listeners, a terminal and a
 * process outside, made anew for every run, and the canaries that say what got out. See
 * tools/probe/probe.h for the layout.
 */
#ifndef REMIT_TOOLS_SELF_TEST_H
#define REMIT_TOOLS_SELF_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "tools/probe/probe.h"

#define SELF_TEST_MARKS 7
#define SELF_TEST_WORDS 64 /* of a command line */

struct self_test_options {
	const char *include;  /* a manifest that the generated one includes; NULL: none */
	const char *profiles; /* --profiles of the sessions; NULL: as installed */
	const char *probe;    /* remit-probe */
	const char *self;     /* the running command */
};

struct self_test_case {
	struct stat marks[SELF_TEST_MARKS]; /* st_nlink 0: not there */
	int listener;			    /* or -1 */
	long port;			    /* of the listener; or the signal's number */
};

struct self_test_stage {
	const struct self_test_options *options;
	char *root;
	char token[33], name[33]; /* the secret; the abstract socket's name */
	int granted;		  /* the listener that the manifest grants */
	long granted_port;
	pid_t stranger;
	int heard; /* what the stranger tells */
	unsigned long signals;
	unsigned long memory;
	int master, slave; /* of its own terminal */
	bool terminal_heard;
	char terminal[64];
	int shm;
	long key;
	size_t count;
	struct self_test_case *cases;
};

/* 0 or a negative errno; *what then names what failed. self_test_stage_free() either way. */
int self_test_stage_make(const struct self_test_options *options, struct self_test_stage *out,
			 const char **what);
void self_test_stage_free(struct self_test_stage *stage);

/* The words of the program that runs the acts; is_static: remit-probe. Good until the stage is
 * freed or this is asked again. */
char **self_test_stage_program(struct self_test_stage *stage, bool is_static);

/* After a run: looks at what listens and waits. Then, for each case: what got out, in a few words,
 * or NULL. `output` is what the case printed. */
void self_test_stage_look(struct self_test_stage *stage);
const char *self_test_stage_seen(const struct self_test_stage *stage, size_t index,
				 const char *output, size_t len);

#endif
