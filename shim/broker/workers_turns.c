/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is to wait on the listener.
 *
 * For each call the kernel wakes every thread that waits in NOTIF_RECV (it does not wait
 * exclusively): three threads too many make a call twice as dear. So one waits, the others are
 * parked, and who has taken a call comes back when it is answered. Another is let in
 *  - before a call that may block, at once (request_may_block());
 *  - when a tick finds calls waiting and nobody to take them: one took long against all
 *    expectation, or one worker is not enough.
 * For a while after that more may wait beside each other.
 *
 * The tick runs while calls come and stops soon after the last. A worker that takes a call first
 * says so and then looks whether the tick stands still; the tick first says that it will and then
 * looks for calls: one of them sees the other.
 */
#include <poll.h>
#include <time.h>

#include "shim/broker/workers_internal.h"

/* What was needed once may be needed again soon: then it waits already, which is cheaper than to be
 * woken here. */
int workers_let_in(struct workers *workers)
{
	int want = atomic_load(&workers->want);

	if (want < RECEIVERS_MAX)
		atomic_store(&workers->want, want + 1);
	if (workers->parked <= workers->admitted)
		return workers_add(workers, false);
	workers->admitted++;
	atomic_fetch_add(&workers->receivers, 1);
	pthread_cond_signal(&workers->turn);
	return 0;
}

/* False: enough wait already, or the gate is being closed. */
static bool park(struct workers *workers)
{
	bool admitted = false;

	known_forget(&workers_self->known);
	pthread_mutex_lock(&workers->lock);
	if (workers->parked < PARKED_KEEP) {
		workers->parked++;
		while (workers->admitted == 0 && !atomic_load(&workers->stop))
			pthread_cond_wait(&workers->turn, &workers->lock);
		workers->parked--;
		admitted = workers->admitted > 0;
		workers->admitted -= admitted;
	}
	pthread_mutex_unlock(&workers->lock);
	return admitted;
}

static bool claim(struct workers *workers)
{
	int receivers = atomic_load(&workers->receivers);

	while (receivers < atomic_load(&workers->want)) {
		if (atomic_compare_exchange_weak(&workers->receivers, &receivers, receivers + 1))
			return true;
	}
	return false;
}

/* The caller may call again before the answer's ioctl is back, and must not seem to wait for
 * nobody. Who may still take a call from the queue claims nothing. */
void workers_claim_turn(struct workers *workers)
{
	struct slot *self = workers_self;

	if (!self->claimed && !self->blocking && !self->from_queue)
		self->claimed = claim(workers);
}

bool workers_turn(struct workers *workers)
{
	if (workers_self->claimed) {
		workers_self->claimed = false;
		return true;
	}
	return claim(workers) || park(workers);
}

void workers_took_call(struct workers *workers)
{
	atomic_fetch_sub(&workers->receivers, 1);
	atomic_fetch_add(&workers->calls, 1);
	if (!atomic_load(&workers->tick_stands))
		return;
	pthread_mutex_lock(&workers->lock);
	pthread_cond_signal(&workers->tick);
	pthread_mutex_unlock(&workers->lock);
}

/* Under the lock: until the next call. With nobody on the listener there is a call at hand. */
static void stand(struct workers *workers, unsigned int calls)
{
	atomic_store(&workers->tick_stands, true);
	for (size_t i = 0; i < SLOTS; i++)
		known_forget(&workers->slots[i].known);
	while (atomic_load(&workers->calls) == calls && atomic_load(&workers->receivers) > 0 &&
	       !atomic_load(&workers->stop))
		pthread_cond_wait(&workers->tick, &workers->lock);
	atomic_store(&workers->tick_stands, false);
}

/* A listener that cannot be asked counts as one where calls wait: too many threads do no harm.
 * Where somebody is there to take a call it is not asked. */
static bool calls_wait(struct workers *workers, bool *over)
{
	struct pollfd poll_fd = {.fd = workers->listener, .events = POLLIN};

	if (atomic_load(&workers->receivers) > 0)
		return false;
	int n = poll(&poll_fd, 1, 0);

	*over = n > 0 && (poll_fd.revents & (POLLHUP | POLLNVAL));
	return n != 0 && atomic_load(&workers->receivers) <= 0;
}

static unsigned int tick_ms(unsigned int quiet)
{
	return quiet < QUIET_MS ? TURN_MS : QUIET_TURN_MS;
}

/* Under the lock. *quiet: milliseconds without a waiting call. */
static void look(struct workers *workers, bool waiting, unsigned int *quiet)
{
	int want = atomic_load(&workers->want);
	unsigned int before = *quiet;

	*quiet = waiting ? 0 : before + tick_ms(before);
	if (waiting)
		workers_let_in(workers);
	else if (want > 1 && *quiet / QUIET_MS != before / QUIET_MS)
		atomic_store(&workers->want, want - 1);
}

void workers_until(struct timespec *out, unsigned int ms)
{
	clock_gettime(CLOCK_MONOTONIC, out);
	out->tv_nsec += ms * 1000000L;
	if (out->tv_nsec >= 1000000000L) {
		out->tv_sec++;
		out->tv_nsec -= 1000000000L;
	}
}

/* Under the lock, which is let go meanwhile. Whoever stops the workers need not wait for its end.
 */
static void pause_tick(struct workers *workers, unsigned int quiet)
{
	struct timespec until;

	workers_until(&until, tick_ms(quiet));
	pthread_cond_timedwait(&workers->tick, &workers->lock, &until);
}

void *workers_tick(void *arg)
{
	struct workers *workers = arg;
	unsigned int calls = 0, idle = 0, quiet = 0;
	bool over = false;

	pthread_mutex_lock(&workers->lock);
	while (workers->listener < 0 && !atomic_load(&workers->stop))
		pthread_cond_wait(&workers->tick, &workers->lock);
	while (!over && !atomic_load(&workers->stop)) {
		if (idle >= IDLE_MS && atomic_load(&workers->want) == 1)
			stand(workers, calls);
		idle = atomic_load(&workers->calls) == calls ? idle + tick_ms(quiet) : 0;
		calls = atomic_load(&workers->calls);
		pause_tick(workers, quiet);
		pthread_mutex_unlock(&workers->lock);
		bool waiting = calls_wait(workers, &over);

		pthread_mutex_lock(&workers->lock);
		if (!over)
			look(workers, waiting, &quiet);
	}
	pthread_mutex_unlock(&workers->lock);
	return NULL;
}
