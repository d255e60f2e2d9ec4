/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One bit a number, without a lock: bits are only ever set while the session lives, but for a
 * thread that is about to run another program, which is looked at anew.
 *
 * A process that was forked and has not executed anything runs its parent's program, shim and all,
 * and is no program of its own. Only /proc tells the two apart, and the first look into a process's
 * folder there is dear: who loads the shim is taken for executed, at worst one too many.
 */
#include "shim/broker/census.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* PID_MAX_LIMIT, linux/threads.h. */
#define NUMBERS (4 * 1024 * 1024)
#define WORD_BITS 64
/* linux/sched.h, shown as field 9 of /proc/PID/stat: forked, but did not exec. */
#define PF_FORKNOEXEC 0x40

typedef _Atomic uint64_t bits[NUMBERS / WORD_BITS];

/* One session in a process, so one census. Untouched pages cost nothing; a bit of `touched` for
 * each CHUNK words of met and greeted keeps them so when all are counted. */
static bits looked_at, met, greeted;
#define CHUNK 64
static _Atomic uint64_t touched[NUMBERS / WORD_BITS / CHUNK / WORD_BITS];

static bool mark(bits set, pid_t number)
{
	uint64_t bit = 1ULL << (number % WORD_BITS);

	return number > 0 && number < NUMBERS &&
	       !(atomic_fetch_or(&set[number / WORD_BITS], bit) & bit);
}

static bool is_marked(bits set, pid_t number)
{
	return number <= 0 || number >= NUMBERS ||
	       (atomic_load_explicit(&set[number / WORD_BITS], memory_order_relaxed) &
		(1ULL << (number % WORD_BITS)));
}

enum origin { EXECUTED, FORKED, THREAD };

/* As /proc/TID/stat tells it. A thread counts as forked there, but it is not the only one. */
static enum origin origin_of(pid_t tid)
{
	char path[32], text[512];
	unsigned int flags;
	long threads;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return FORKED;
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	const char *after = strrchr(text, ')');

	if (!after || sscanf(after,
			     ") %*c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
			     "%*d %ld",
			     &flags, &threads) != 2)
		return FORKED;
	return !(flags & PF_FORKNOEXEC) ? EXECUTED : threads == 1 ? FORKED : THREAD;
}

/* The chunk first: whoever counts sees each mark or does not look for it yet. */
static void enter(bits set, pid_t number)
{
	size_t chunk = (size_t)number / WORD_BITS / CHUNK;

	if (number <= 0 || number >= NUMBERS)
		return;
	atomic_fetch_or(&touched[chunk / WORD_BITS], 1ULL << (chunk % WORD_BITS));
	mark(set, number);
}

void census_met(struct request *request)
{
	if (request->executes || is_marked(looked_at, request->tid) ||
	    !mark(looked_at, request->tid))
		return;
	pid_t process = request->tid;
	enum origin origin = origin_of(process);

	/* Of a process, its first thread knows whether it has executed anything. */
	if (origin == THREAD) {
		process = request_tgid(request);
		origin = process > 0 ? origin_of(process) : FORKED;
	}
	if (origin == EXECUTED && request_alive(request))
		enter(met, process);
}

void census_open(struct request *request, const char *path)
{
	const char *shim = broker_shim(request->broker);

	if (shim && strcmp(path, shim) == 0 && mark(looked_at, request->tid))
		enter(met, request->tid);
}

void census_hello(struct request *request)
{
	enter(greeted, request->tid);
	mark(looked_at, request->tid);
}

void census_exec(struct request *request)
{
	pid_t tid = request->tid;

	if (tid > 0 && tid < NUMBERS)
		atomic_fetch_and(&looked_at[tid / WORD_BITS], ~(1ULL << (tid % WORD_BITS)));
	request->executes = true; /* what will be there is not there yet */
}

static void count_chunk(size_t chunk, struct census *census)
{
	for (size_t i = chunk * CHUNK; i < (chunk + 1) * CHUNK; i++) {
		uint64_t seen = atomic_load_explicit(&met[i], memory_order_relaxed);
		uint64_t hello = atomic_load_explicit(&greeted[i], memory_order_relaxed);

		census->processes += (uint64_t)__builtin_popcountll(seen | hello);
		census->unshimmed += (uint64_t)__builtin_popcountll(seen & ~hello);
	}
}

struct census census_count(void)
{
	struct census census = {0};

	for (size_t chunk = 0; chunk < NUMBERS / WORD_BITS / CHUNK; chunk++) {
		if (atomic_load(&touched[chunk / WORD_BITS]) & (1ULL << (chunk % WORD_BITS)))
			count_chunk(chunk, &census);
	}
	return census;
}
