/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What workers.c (receive, serve), workers_answer.c, workers_life.c (start and end of the pool),
 * workers_turns.c (who receives) and workers_block.c (calls that block, the reaper) share.
 * Lock order: workers->lock, then a slot's lock.
 */
#ifndef REMIT_BROKER_WORKERS_INTERNAL_H
#define REMIT_BROKER_WORKERS_INTERNAL_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "shim/broker/known.h"
#include "shim/broker/workers.h"

#define INTERRUPT (SIGRTMIN + 3)
#define FIRST_WORKERS 2
#define GENERAL_MAX 64
#define PARKED_KEEP 8	/* more idle general workers than this end */
#define RECEIVERS_MAX 4 /* that wait beside each other, at most */
#define TURN_MS 1
#define QUIET_TURN_MS 3 /* after QUIET_MS: each tick is a wake-up */
#define QUIET_MS 16	/* without a waiting call, until one less waits beside the others */
#define IDLE_MS 64	/* without any call, until the tick stands still */
#define BLOCKING_MAX 256
#define PRESSURE 16
#define PER_PROCESS 16
#define DEFERRED_MAX 65536
#define TICK_MS 25
#define HURRY_MS 50
#define THREAD_STACK (1024 * 1024)
#define SLOTS (GENERAL_MAX + BLOCKING_MAX)

/* One thread. `lock` guards what the reaper reads: while it is held, the thread is still on `id`.
 */
struct slot {
	struct workers *workers;
	pthread_t thread;
	pthread_mutex_t lock;
	enum { SLOT_FREE, SLOT_RUNNING, SLOT_ENDED } state; /* under workers->lock */
	bool blocking;					    /* under workers->lock */
	uint64_t id;	 /* of the notification, 0: none; under lock, as what follows */
	pid_t tid, tgid; /* tgid 0: not known yet */
	int64_t hurry;	 /* when a write has to be over, ms; 0: none */
	bool watched;	 /* blocked, or in a hurry */
	bool signalled;	 /* interrupted because its caller has a signal to handle */
	bool queued;	 /* the call at hand is in the deferred queue; the thread's own */
	bool from_queue; /* it came out of that queue; the thread's own */
	bool claimed;	 /* counted as a receiver already; the thread's own */
	bool parks;	 /* it begins among the parked; the thread's own */
	struct known known;
};

struct deferred {
	struct deferred *next;
	struct seccomp_notif notif;
	pid_t tgid;
};

struct workers {
	struct broker *broker;
	workers_serve serve;
	int listener;	/* -1: not open yet; set once, under the lock */
	bool own_umask; /* each thread has one */
	bool sync;	/* the listener wakes its worker on the caller's cpu */
	bool one_step;	/* fds are installed and answered at once */
	atomic_bool stop, failed;
	atomic_int receivers; /* threads in NOTIF_RECV, or on their way */
	atomic_int want;      /* how many there may be; more come only when they are let in */
	atomic_uint calls;    /* taken; it may wrap */
	atomic_bool tick_stands;
	atomic_uint deferred_count;
	pthread_mutex_t lock;
	pthread_cond_t turn;  /* a parked worker is let in */
	pthread_cond_t tick;  /* there are calls again; CLOCK_MONOTONIC */
	pthread_cond_t ended; /* a worker's slot is free again; CLOCK_MONOTONIC */
	pthread_cond_t watch; /* the reaper has something to look at */
	int parked, admitted; /* of the parked ones, those let in that have not woken yet */
	int general, blocking;
	struct deferred *deferred_first, **deferred_last;
	unsigned int watched;
	pthread_t reaper, ticker;
	bool reaper_started, ticker_started;
	struct slot slots[SLOTS];
};

extern _Thread_local struct slot *workers_self; /* NULL outside a worker */

/* Starts one more general worker, which receives, or is parked until it is let in; -EAGAIN at the
 * bound. Under workers->lock. */
int workers_add(struct workers *workers, bool parked);
/* One more waits on the listener: a parked worker, else a new one. 0 or a negative errno. Under
 * workers->lock. */
int workers_let_in(struct workers *workers);
/* A caller that gets no answer waits for ever: what cannot be answered as meant is refused, and
 * where even that fails the session ends. */
void workers_put_value(struct workers *workers, uint64_t id, int64_t value, int error,
		       uint32_t flags);
/* The last thing that is done for a call. */
void workers_send_reply(struct workers *workers, uint64_t id, const struct reply *reply);
/* The time in so many milliseconds, below 1,000, by CLOCK_MONOTONIC. */
void workers_until(struct timespec *out, unsigned int ms);
/* The calling worker is about to answer and comes back at once. */
void workers_claim_turn(struct workers *workers);
/* The calling worker may receive again; it waits here until it is needed. False: it must end. */
bool workers_turn(struct workers *workers);
/* The calling worker has received a call. */
void workers_took_call(struct workers *workers);
/* Runs until workers->stop: lets more workers in where calls wait. */
void *workers_tick(void *workers);
/* Runs until workers->stop: interrupts blocked workers whose caller died or has a signal. */
void *workers_reap(void *workers);
/* The calling worker is done with a call: leaves the blocking class. Returns the next deferred call
 * that may run now in *notif, if there is one. */
bool workers_settle(struct workers *workers, struct seccomp_notif *notif);
void workers_drop_deferred(struct workers *workers);

#endif
