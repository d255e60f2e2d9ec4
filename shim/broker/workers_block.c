/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that may block: the class of their own, the queue of what exceeds a process's share, and
 * the reaper that interrupts blocked workers.
 *
 * An interrupted call ends with EINTR. Was it for a signal that the caller has to handle, the
 * worker answers ERESTARTSYS, so that the kernel restarts the call or not as the caller's handler
 * says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "shim/broker/deadline.h"
#include "shim/broker/workers_internal.h"

static void set_watched(struct slot *slot, bool watched)
{
	struct workers *workers = slot->workers;

	pthread_mutex_lock(&workers->lock);
	if (slot->watched != watched) {
		pthread_mutex_lock(&slot->lock);
		slot->watched = watched;
		pthread_mutex_unlock(&slot->lock);
		workers->watched += watched ? 1 : -1U;
		if (watched && workers->watched == 1)
			pthread_cond_signal(&workers->watch);
	}
	pthread_mutex_unlock(&workers->lock);
}

void workers_hurry_begin(void)
{
	if (!workers_self)
		return;
	pthread_mutex_lock(&workers_self->lock);
	workers_self->hurry = deadline_now_ms(CLOCK_MONOTONIC) + HURRY_MS;
	pthread_mutex_unlock(&workers_self->lock);
	set_watched(workers_self, true);
}

void workers_hurry_end(void)
{
	if (!workers_self)
		return;
	pthread_mutex_lock(&workers_self->lock);
	workers_self->hurry = 0;
	pthread_mutex_unlock(&workers_self->lock);
	if (!workers_self->blocking)
		set_watched(workers_self, false);
}

/* The process that a thread belongs to; while its call is unanswered it cannot be another's. */
static pid_t tgid_of(struct workers *workers, pid_t tid, uint64_t id)
{
	struct request request = {.broker = workers->broker, .tid = tid, .pidfd = -1, .umask = -1};

	request.notif.id = id;
	pid_t tgid = request_tgid(&request);

	return tgid < 0 ? 0 : tgid;
}

/* Under workers->lock. */
static int blocked_calls_of(struct workers *workers, pid_t tgid)
{
	int count = 0;

	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &workers->slots[i];

		if (slot->state != SLOT_RUNNING || !slot->blocking || slot == workers_self)
			continue;
		pthread_mutex_lock(&slot->lock);
		if (slot->tgid == 0 && slot->id != 0)
			slot->tgid = tgid_of(workers, slot->tid, slot->id);
		count += slot->id != 0 && slot->tgid == tgid;
		pthread_mutex_unlock(&slot->lock);
	}
	return count;
}

/* Under workers->lock. Within its share, or without any blocked call while there is room at all. */
static bool may_block_now(struct workers *workers, pid_t tgid)
{
	if (workers->blocking < PRESSURE)
		return true;
	if (workers->blocking >= BLOCKING_MAX)
		return false;
	int mine = blocked_calls_of(workers, tgid);

	return mine < (workers->blocking < BLOCKING_MAX / 2 ? PER_PROCESS : 1);
}

static bool defer(struct workers *workers, const struct request *request)
{
	struct deferred *entry = malloc(sizeof(*entry));

	if (!entry || atomic_load(&workers->deferred_count) >= DEFERRED_MAX) {
		free(entry);
		return false;
	}
	*entry = (struct deferred){.notif = request->notif, .tgid = request->tgid};
	*workers->deferred_last = entry;
	workers->deferred_last = &entry->next;
	atomic_fetch_add(&workers->deferred_count, 1);
	return true;
}

bool request_may_block(struct request *request)
{
	if (!workers_self) /* a test without threads */
		return true;
	if (workers_self->blocking)
		return true;
	struct workers *workers = workers_self->workers;
	pid_t tgid = 0;

	pthread_mutex_lock(&workers->lock);
	bool pressed = workers->blocking >= PRESSURE;

	pthread_mutex_unlock(&workers->lock);
	/* Asked outside the lock; a caller that is gone blocks nothing for long. */
	if (pressed)
		tgid = request_tgid(request);

	pthread_mutex_lock(&workers->lock);
	bool now = !pressed || may_block_now(workers, tgid);
	/* Never the last one that receives: it waits only with a thread in its place, or with
	 * others that will receive again when their calls are served. */
	workers->general--;
	bool replaced = !now || atomic_load(&workers->receivers) > 0 ||
			workers_let_in(workers) == 0 || workers->general > 0;

	/* Neither room nor memory: not queued, and the worker answers EAGAIN. */
	workers_self->queued = !now && defer(workers, request);
	now = now && replaced;
	if (now) {
		workers_self->blocking = true;
		workers->blocking++;
	} else {
		workers->general++;
	}
	pthread_mutex_unlock(&workers->lock);
	if (now)
		set_watched(workers_self, true);
	return now;
}

/* Under workers->lock. The first whose process has room; the others keep their order. */
static bool take_deferred(struct workers *workers, struct seccomp_notif *notif)
{
	pid_t refused = 0; /* a flood is one process, again and again */

	for (struct deferred **at = &workers->deferred_first; *at; at = &(*at)->next) {
		struct deferred *entry = *at;

		if (entry->tgid == refused)
			continue;
		if (!may_block_now(workers, entry->tgid)) {
			refused = entry->tgid;
			continue;
		}
		*notif = entry->notif;
		*at = entry->next;
		if (!entry->next)
			workers->deferred_last = at;
		free(entry);
		atomic_fetch_sub(&workers->deferred_count, 1);
		return true;
	}
	return false;
}

bool workers_settle(struct workers *workers, struct seccomp_notif *notif)
{
	/* Room comes only from a call that blocked, and what it let in passes it on. */
	if (!workers_self->blocking && !workers_self->from_queue)
		return false;
	set_watched(workers_self, false);
	pthread_mutex_lock(&workers->lock);
	if (workers_self->blocking) {
		workers_self->blocking = false;
		workers->blocking--;
		workers->general++;
	}
	workers_self->from_queue = take_deferred(workers, notif);
	pthread_mutex_unlock(&workers->lock);
	return workers_self->from_queue;
}

void workers_drop_deferred(struct workers *workers)
{
	while (workers->deferred_first) {
		struct deferred *entry = workers->deferred_first;

		workers->deferred_first = entry->next;
		free(entry);
	}
	workers->deferred_last = &workers->deferred_first;
}

/* True when a signal waits that the caller's own thread catches. Only signals sent to the thread
 * itself, or to a process of one thread: another thread might take the others, and this one would
 * see an ERESTARTSYS that nothing turns into EINTR. */
static bool has_signal(pid_t tid)
{
	char path[32], text[2048];

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';

	static const char *const names[] = {"\nThreads:\t", "\nSigPnd:\t", "\nShdPnd:\t",
					    "\nSigBlk:\t", "\nSigCgt:\t"};
	uint64_t value[5];

	for (size_t i = 0; i < 5; i++) {
		const char *at = strstr(text, names[i]);

		if (!at)
			return false;
		value[i] = strtoull(at + strlen(names[i]), NULL, i == 0 ? 10 : 16);
	}
	uint64_t pending = value[1] | (value[0] == 1 ? value[2] : 0);

	return (pending & ~value[3] & value[4]) != 0;
}

static void look_at(struct workers *workers, struct slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	if (slot->watched && slot->id != 0) {
		struct request request = {.broker = workers->broker};

		request.notif.id = slot->id;
		bool signal = slot->signalled || has_signal(slot->tid);
		bool alive = request_alive(&request);

		/* Asked last: it also says that the status was the caller's. */
		if (alive && signal)
			slot->signalled = true;
		if (!alive || signal ||
		    (slot->hurry && deadline_now_ms(CLOCK_MONOTONIC) > slot->hurry))
			pthread_kill(slot->thread, INTERRUPT);
	}
	pthread_mutex_unlock(&slot->lock);
}

void *workers_reap(void *arg)
{
	struct workers *workers = arg;

	pthread_mutex_lock(&workers->lock);
	while (!atomic_load(&workers->stop)) {
		if (workers->watched == 0) {
			pthread_cond_wait(&workers->watch, &workers->lock);
			continue;
		}
		/* Most calls that may block are over by then. */
		pthread_mutex_unlock(&workers->lock);
		nanosleep(&(struct timespec){.tv_nsec = TICK_MS * 1000000L}, NULL);
		pthread_mutex_lock(&workers->lock);
		for (size_t i = 0; i < SLOTS; i++) {
			if (workers->slots[i].state == SLOT_RUNNING)
				look_at(workers, &workers->slots[i]);
		}
	}
	pthread_mutex_unlock(&workers->lock);
	return NULL;
}
