/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver of the call rows: one program, started once in each mode, told over a pipe what to do
 * next, so that a harness can go from mode to mode every few milliseconds.
 *
 * An act returns 0 or a positive errno; it leaves the world as it found it, so that it can be
 * repeated. Acts of several workers at once touch different names.
 */
#ifndef REMIT_BENCH_CALLS_H
#define REMIT_BENCH_CALLS_H

#include <limits.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#define DEPTH_MAX 64 /* folders beneath the one that is given */
#define WORKERS_MAX 2000

/* One thread or process that repeats an act; prepared before the clock starts. */
struct worker {
	unsigned int number;
	int fd;	 /* of `file`, for reads that open nothing */
	int udp; /* a datagram socket without an address */
	char file[PATH_MAX];
	char fresh[PATH_MAX], moved[PATH_MAX]; /* names of nobody else */
};

struct place {
	char folder[PATH_MAX / 2];
	struct sockaddr_in tcp, udp;
};

extern struct place place;

struct act {
	const char *name;
	int (*run)(struct worker *worker);
};

/* Each ends with a row without a name. */
extern const struct act file_acts[], network_acts[], process_acts[];

const struct act *act_find(const char *name); /* NULL: no such act */

/* The files of a worker, `depth` folders beneath place.folder. 0 or a positive errno. */
int worker_prepare(struct worker *worker, unsigned int number, unsigned int depth);
void worker_end(struct worker *worker);

enum crowd { CROWD_THREADS, CROWD_PROCESSES };

struct task {
	const struct act *act;
	unsigned int count;   /* times, by each worker */
	unsigned int workers; /* 1: the calling thread itself */
	enum crowd crowd;
	unsigned int depth;
};

/* Nanoseconds from the moment all workers start to the last one's end. 0 or a positive errno. */
int task_run(const struct task *task, uint64_t *ret_ns);

/* One act that a policy may refuse, tried once. 0 or a positive errno; EINVAL: no such thing. */
int try_once(const char *what, const char *object);

#endif
