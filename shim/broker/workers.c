/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that receive, serve and answer.
 *
 * The worker that waits on the listener also serves and answers: one hand-over less for each call
 * (workers_turns.c says who waits). There are as many as are needed, up to GENERAL_MAX. A call that
 * may block moves its worker to the blocking class (BLOCKING_MAX threads, PER_PROCESS of them for
 * one process once there are PRESSURE in all); what exceeds that is queued without a thread and
 * waits for its own process's calls to end. The reaper looks at blocked workers every TICK_MS: a
 * caller that died, or that has a signal to handle, gets its worker interrupted.
 *
 * Each thread has its own umask (CLONE_FS unshared) and blocks every signal but INTERRUPT, whose
 * handler does nothing and restarts nothing.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>

#include "shim/broker/gate.h"
#include "shim/broker/workers_internal.h"

/* linux/errno.h: never seen by programs; the kernel turns it into a restart or EINTR when it
 * delivers the signal that is pending. */
#define ERESTARTSYS 512

_Thread_local struct slot *workers_self;

static void *worker(void *arg);

int workers_add(struct workers *workers, bool parked)
{
	struct slot *slot = NULL;

	for (size_t i = 0; i < SLOTS && !slot; i++) {
		if (workers->slots[i].state != SLOT_RUNNING)
			slot = &workers->slots[i];
	}
	if (!slot || workers->general >= GENERAL_MAX || atomic_load(&workers->stop))
		return -EAGAIN;
	if (slot->state == SLOT_ENDED)
		pthread_join(slot->thread, NULL);
	slot->state = SLOT_FREE;
	slot->blocking = slot->watched = slot->signalled = slot->from_queue = false;
	slot->claimed = false;
	slot->parks = parked;
	slot->id = 0;

	pthread_attr_t attributes;
	sigset_t all, before;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, THREAD_STACK);
	sigfillset(&all);
	sigdelset(&all, INTERRUPT);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&slot->thread, &attributes, worker, slot);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (error)
		return -error;
	slot->state = SLOT_RUNNING;
	workers->general++;
	if (!parked)
		atomic_fetch_add(&workers->receivers, 1);
	return 0;
}

static void begin(const struct seccomp_notif *notif)
{
	pthread_mutex_lock(&workers_self->lock);
	workers_self->id = notif->id;
	workers_self->tid = (pid_t)notif->pid;
	workers_self->tgid = 0;
	workers_self->signalled = false;
	pthread_mutex_unlock(&workers_self->lock);
	workers_self->queued = false;
}

/* After this the reaper leaves the thread alone; true when it was interrupted for a signal. */
static bool end(void)
{
	pthread_mutex_lock(&workers_self->lock);
	bool signalled = workers_self->signalled;

	workers_self->id = 0;
	pthread_mutex_unlock(&workers_self->lock);
	return signalled;
}

void request_continue(struct request *request)
{
	/* From the answer on the number of the call says nothing: the reaper must not ask for it.
	 */
	end();
	workers_put_value(workers_self->workers, request->notif.id, 0, 0,
			  SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

void workers_fail(void)
{
	if (workers_self)
		atomic_store(&workers_self->workers->failed, true);
}

bool request_ends(const struct request *request)
{
	(void)request;
	return !workers_self || atomic_load(&workers_self->workers->stop);
}

static void serve_one(struct workers *workers, const struct seccomp_notif *notif)
{
	struct request request = {
	    .broker = workers->broker,
	    .notif = *notif,
	    .tid = (pid_t)notif->pid,
	    .pidfd = -1,
	    .umask = -1,
	    .known = &workers_self->known,
	};

	begin(notif);
	struct reply reply = workers->serve(&request);

	if (end() && reply.kind == REPLY_ERROR && reply.value == EINTR)
		reply.value = ERESTARTSYS;
	workers_send_reply(workers, notif->id, &reply);
	request_forget(&request);
}

/* 0, -EINTR to look at `stop` again, -ECHILD when no process of the session is left, or what broke
 * the listener. */
static int receive(struct workers *workers, struct seccomp_notif *out)
{
	union {
		struct seccomp_notif notif;
		char room[256];
	} in;

	memset(&in, 0, sizeof(in));
	if (ioctl(workers->listener, SECCOMP_IOCTL_NOTIF_RECV, &in) == 0) {
		*out = in.notif;
		return 0;
	}
	if (errno == EINTR)
		return -EINTR;
	if (errno != ENOENT)
		return -errno;
	/* The caller was killed before we got to it, or (6.11) nobody is left who could call. */
	struct pollfd poll_fd = {.fd = workers->listener, .events = POLLIN};

	return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLHUP) ? -ECHILD : -EINTR;
}

/* Returns when it must end; it is then no receiver any more. */
static void work(struct workers *workers)
{
	if (workers_self->parks && !workers_turn(workers))
		return;
	while (!atomic_load(&workers->stop)) {
		struct seccomp_notif notif;
		int error = receive(workers, &notif);

		if (error == -EINTR)
			continue;
		if (error) {
			if (error != -ECHILD)
				atomic_store(&workers->failed, true);
			break;
		}
		workers_took_call(workers);
		do
			serve_one(workers, &notif);
		while (workers_settle(workers, &notif));
		if (!workers_turn(workers))
			return;
	}
	atomic_fetch_sub(&workers->receivers, 1);
}

static void *worker(void *arg)
{
	struct slot *slot = arg;
	struct workers *workers = slot->workers;

	workers_self = slot;
	/* Without a umask of its own a thread would create files under another caller's; files.c
	 * takes turns where no thread can have one. */
	if (!workers->own_umask || unshare(CLONE_FS) == 0) {
		work(workers);
	} else {
		atomic_store(&workers->failed, true);
		if (!slot->parks)
			atomic_fetch_sub(&workers->receivers, 1);
	}
	pthread_mutex_lock(&workers->lock);
	known_forget(&slot->known);
	workers->general--;
	slot->state = SLOT_ENDED;
	pthread_cond_signal(&workers->ended);
	pthread_mutex_unlock(&workers->lock);
	return NULL;
}
