/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The acts of `remit self-test`: each one tries one way out and says nothing of success. Whoever
 * built the stage judges by canaries: the case's own token in the output, a "did" line for kernel
 * objects, a changed file, something that arrived. Every act is harmless where nothing holds it.
 *
 * Built twice: into the command (through libc, so that the shim sees it) and into remit-probe, a
 * static program with bare system calls (PROBE_RAW). Names are those of the escapes of tests/live.
 */
#ifndef REMIT_TOOLS_PROBE_H
#define REMIT_TOOLS_PROBE_H

#include <stddef.h>
#include <sys/types.h>

enum probe_needs {
	PROBE_ROOT = 1 << 0,	  /* the act itself needs uid 0 */
	PROBE_MUST_WORK = 1 << 1, /* granted: the canary has to be seen inside as well */
	PROBE_TCP = 1 << 2,	  /* a listener that nothing grants; the port is given */
	PROBE_TCP6 = 1 << 3,
	PROBE_ADDRESS = 1 << 4, /* 127.0.0.2, on the port that is granted at 127.0.0.1 */
	PROBE_UDP = 1 << 5,
	PROBE_UNIX = 1 << 6,	 /* out/NAME/socket */
	PROBE_ABSTRACT = 1 << 7, /* the token is the name */
	PROBE_TERMINAL = 1 << 8, /* a pty of another process; the byte arrives at its master */
	PROBE_SIGNAL = 1 << 9,	 /* a signal that reaches the stranger */
};

/*
 * The stage beneath root, one folder a case so that canaries cannot be mixed up:
 *   out/NAME [nothing]: secret, victim     ro/NAME [read]: data        in/NAME [write]: .env
 * [denied] in/denied/NAME [denied]: a secret      in/late.NAME [denied, absent]   free/NAME [write]
 *   bin [exec]: probe, remit               ro/tool [read]: a program
 */
struct probe_stage {
	const char *root;
	const char *name;     /* of the case at hand */
	const char *self;     /* the program that runs the acts */
	const char *terminal; /* the other process's pty */
	const char *token;    /* for abstract names only */
	long port;	      /* of the case's listener; 0: none */
	long granted;	      /* the TCP port that is granted at 127.0.0.1 */
	pid_t stranger;	      /* holds the secret in its environment and on fd 7 */
	long memory;	      /* where that environment is */
	int again;	      /* in a program that the act itself started */
	long key;	      /* of System V shared memory that holds it */
};

struct probe {
	const char *name;
	const char *what; /* "reading through a link that leads outside" */
	unsigned int needs;
	void (*act)(const struct probe_stage *stage);
};

struct probe_table {
	const struct probe *items;
	size_t count;
};

extern const struct probe_table probe_files, probe_kernel, probe_network, probe_programs;

/* Every case in order; NULL at the end. */
const struct probe *probe_at(size_t index);

/* The subcommand of the command that is probe_main(). */
#define PROBE_COMMAND "self-test-acts"

/*
 * The program within the session: argv is [0] ROOT SELF KEY=VALUE…; runs each case in a child of
 * its own and prints "ran NAME" after it; with case=NAME runs that one act in this very process.
 * "--did NAME" only says so, "--stranger" is the process outside. The exit status.
 */
int probe_main(int argc, char **argv);

/* For the acts: a path of the stage from one of a ring of buffers, good for the next 15 calls. */
const char *probe_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *probe_path(const struct probe_stage *stage, const char *folder, const char *file);
void probe_show(long fd); /* copies what it reads to stdout, if fd is one */
void probe_put(long fd);  /* writes to it, if fd is one */
void probe_did(const struct probe_stage *stage, int happened);

#endif
