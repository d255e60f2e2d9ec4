/* SPDX-License-Identifier: Apache-2.0 */
/* The pool from its first thread to the last that is joined. */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shim/broker/workers_internal.h"
#include "shim/common/uapi.h"

static void on_interrupt(int signal)
{
	(void)signal;
}

static int prepare(struct workers *workers, const struct features *features)
{
	struct seccomp_notif_sizes sizes;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0)
		return -errno;
	/* The kernel may know more fields than we: it reads and writes its own sizes. */
	if (sizes.seccomp_notif > 256 || sizes.seccomp_notif_resp > 256)
		return -E2BIG;
	workers->own_umask = features->unshare_fs;
	workers->one_step = features->seccomp_addfd_send && !features->seccomp_wait_killable;
	workers->sync = features->seccomp_sync_wake_up;

	struct sigaction action = {.sa_handler = on_interrupt};

	sigemptyset(&action.sa_mask);
	if (sigaction(INTERRUPT, &action, NULL) != 0)
		return -errno;
	return 0;
}

/* A thread that receives nothing and gets no signal. */
static int start_helper(struct workers *workers, void *(*run)(void *), pthread_t *out,
			bool *started)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(out, NULL, run, workers);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	*started = error == 0;
	return -error;
}

static int start_helpers(struct workers *workers)
{
	int error = start_helper(workers, workers_reap, &workers->reaper, &workers->reaper_started);

	return error ? error
		     : start_helper(workers, workers_tick, &workers->ticker,
				    &workers->ticker_started);
}

/* Those that are waited for by the clock. */
static void init_timed(struct workers *workers)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&workers->tick, &attributes);
	pthread_cond_init(&workers->ended, &attributes);
	pthread_condattr_destroy(&attributes);
}

int workers_start(struct broker *broker, const struct features *features, workers_serve serve,
		  struct workers **out)
{
	struct workers *workers = calloc(1, sizeof(*workers));

	if (!workers)
		return -ENOMEM;
	workers->broker = broker;
	workers->serve = serve;
	workers->listener = -1;
	workers->deferred_last = &workers->deferred_first;
	pthread_mutex_init(&workers->lock, NULL);
	pthread_cond_init(&workers->watch, NULL);
	pthread_cond_init(&workers->turn, NULL);
	init_timed(workers);
	for (size_t i = 0; i < SLOTS; i++) {
		workers->slots[i].workers = workers;
		pthread_mutex_init(&workers->slots[i].lock, NULL);
		known_init(&workers->slots[i].known);
	}
	int error = prepare(workers, features);

	if (!error)
		error = start_helpers(workers);
	pthread_mutex_lock(&workers->lock);
	for (int i = 0; i < FIRST_WORKERS && !error; i++)
		error = workers_add(workers, true);
	pthread_mutex_unlock(&workers->lock);
	if (error) {
		workers_stop(workers);
		return error;
	}
	*out = workers;
	return 0;
}

/* Whichever thread comes first to where the parked wait is the first to receive. */
void workers_open(struct workers *workers, int listener)
{
	if (workers->sync)
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	pthread_mutex_lock(&workers->lock);
	workers->listener = listener;
	atomic_store(&workers->want, 1);
	atomic_store(&workers->receivers, 1);
	workers->admitted = 1;
	pthread_cond_signal(&workers->turn);
	pthread_cond_signal(&workers->tick);
	pthread_mutex_unlock(&workers->lock);
}

/* Interrupts all that run; how many there are. Under the lock. */
static size_t interrupt_all(struct workers *workers)
{
	size_t running = 0;

	for (size_t i = 0; i < SLOTS; i++) {
		if (workers->slots[i].state != SLOT_RUNNING)
			continue;
		pthread_kill(workers->slots[i].thread, INTERRUPT);
		running++;
	}
	return running;
}

/* A signal that comes just before the ioctl is lost, so it is sent until the thread has ended. */
static void join_all(struct workers *workers)
{
	struct timespec until;

	pthread_mutex_lock(&workers->lock);
	while (interrupt_all(workers) > 0) {
		workers_until(&until, 1);
		pthread_cond_timedwait(&workers->ended, &workers->lock, &until);
	}
	pthread_mutex_unlock(&workers->lock);
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &workers->slots[i];

		if (slot->state == SLOT_ENDED)
			pthread_join(slot->thread, NULL);
		pthread_mutex_destroy(&slot->lock);
	}
}

void workers_stop(struct workers *workers)
{
	if (!workers)
		return;
	atomic_store(&workers->stop, true);
	pthread_mutex_lock(&workers->lock);
	pthread_cond_broadcast(&workers->watch);
	pthread_cond_broadcast(&workers->turn);
	pthread_cond_broadcast(&workers->tick);
	pthread_mutex_unlock(&workers->lock);
	if (workers->reaper_started)
		pthread_join(workers->reaper, NULL);
	if (workers->ticker_started)
		pthread_join(workers->ticker, NULL);
	join_all(workers);
	workers_drop_deferred(workers);
	if (workers->listener >= 0)
		close(workers->listener);
	pthread_mutex_destroy(&workers->lock);
	pthread_cond_destroy(&workers->watch);
	pthread_cond_destroy(&workers->turn);
	pthread_cond_destroy(&workers->tick);
	pthread_cond_destroy(&workers->ended);
	free(workers);
}

bool workers_failed(const struct workers *workers)
{
	return atomic_load(&workers->failed);
}
