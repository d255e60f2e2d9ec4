/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case is one way out: a name, what its refusal must leave behind, and an act. The act says
 * nothing about success: run.py judges by canaries that it alone knows (a token read from what is
 * secret and printed, a changed file, a byte that arrived, "DID" for kernel objects), and shows
 * first that the same act works outside a session.
 */
#ifndef REMIT_TESTS_HARNESS_H
#define REMIT_TESTS_HARNESS_H

#include "tests/live/escapes/sys.h"

enum escape_flags {
	NEEDS_ROOT = 1 << 0, /* the act itself needs root outside a session */
	NO_CONTROL = 1 << 1, /* exists only inside a session: nothing to show outside */
	MAY_LACK = 1 << 2,   /* a kernel without the feature: the control may fail, then skipped */
	MUST_WORK = 1 << 3,  /* the manifest grants it: the canary must appear inside as well */
	NEEDS_ORDINARY = 1 << 4 /* meaningless for root */
};

struct escape {
	const char *name;
	/* A piece of the object that a refused record must name; "" when any refused record will
	 * do; NULL when the filter refuses by itself and nobody is asked. */
	const char *record;
	unsigned int flags;
	void (*act)(void);
};

struct escape_table {
	const struct escape *items;
	size_t count;
};

extern const struct escape_table paths_table, names_table, change_table, attributes_table,
    filter_table, process_table, network_table, socket_table, exec_table, lane_table, further_table,
    deeper_table;

#define ESCAPE_TABLE(label, cases)                                                                 \
	const struct escape_table label = {cases, sizeof(cases) / sizeof(*(cases))}

/* The scratch tree and the numbers that run.py hands over as NAME=value arguments. */
extern const char *harness_root;
const char *harness_fact(const char *name); /* exits 3 when the runner gave none such */
long harness_number(const char *name);

/* root/path, in one of a ring of buffers: good for the next 15 calls. */
const char *at(const char *path);
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

void show_fd(long fd);		  /* copies what it reads to stdout, if fd is one; closes it */
void show_file(const char *path); /* opens read-only, shows */
void put_fd(long fd);		  /* writes "CHANGED" to it, if fd is one; closes it */
void did(int happened);		  /* prints DID when true */
int outlived(pid_t starter); /* waits up to 4 s for its end: a busy session is not an ended one */
int in_child(void (*body)(void)); /* runs body in a child, waits; the wait status */
void copy_file(const char *from, const char *to, mode_t mode); /* exits 3 when it fails */

#endif
