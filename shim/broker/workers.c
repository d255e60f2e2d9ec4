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
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shim/broker/gate.h"
#include "shim/broker/workers_internal.h"

/* linux/seccomp.h since 5.14 and 6.6; older headers lack them. */
#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
/* linux/errno.h: never seen by programs; the kernel turns it into a restart or EINTR when it
 * delivers the signal that is pending. */
#define ERESTARTSYS 512

_Thread_local struct slot *workers_self;

static void on_interrupt(int signal)
{
	(void)signal;
}

static void *worker(void *arg);

int workers_add(struct workers *workers)
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
	atomic_fetch_add(&workers->receivers, 1);
	return 0;
}

/* The answer as the kernel takes it. ENOENT means that the caller is gone: nobody to tell. False
 * when it was not taken. */
static bool try_value(struct workers *workers, uint64_t id, int64_t value, int error,
		      uint32_t flags)
{
	union {
		struct seccomp_notif_resp resp;
		char room[256];
	} out;

	memset(&out, 0, sizeof(out));
	out.resp.id = id;
	out.resp.val = value;
	out.resp.error = -error;
	out.resp.flags = flags;
	while (ioctl(workers->listener, SECCOMP_IOCTL_NOTIF_SEND, &out) != 0) {
		if (errno != EINTR)
			return errno == ENOENT;
	}
	return true;
}

/* A caller that gets no answer waits for ever: what cannot be answered as meant is refused, and
 * where even that fails the session ends. */
static void put_value(struct workers *workers, uint64_t id, int64_t value, int error,
		      uint32_t flags)
{
	if (!try_value(workers, id, value, error, flags) && !try_value(workers, id, 0, EACCES, 0))
		atomic_store(&workers->failed, true);
}

/* The last thing that is done for a call. */
static void send_value(struct workers *workers, uint64_t id, int64_t value, int error,
		       uint32_t flags)
{
	workers_claim_turn(workers);
	put_value(workers, id, value, error, flags);
}

/*
 * The fd is put into the caller first and closed here before the caller goes on: an open file that
 * outlives the caller's own close() would keep a lock, a FIFO's end, or a program from being run
 * (ETXTBSY). Where a signal can come between the two steps (before 5.19), one step is safer.
 */
static void send_fd(struct workers *workers, uint64_t id, const struct reply *reply)
{
	struct seccomp_notif_addfd add = {
	    .id = id,
	    .srcfd = (uint32_t)reply->fd,
	    .newfd_flags = reply->fd_flags & O_CLOEXEC,
	    .flags = workers->one_step ? SECCOMP_ADDFD_FLAG_SEND : 0,
	};
	int fd;

	do
		fd = ioctl(workers->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	while (fd < 0 && errno == EINTR);
	int error = fd < 0 ? errno : 0;

	close(reply->fd);
	if (error)
		send_value(workers, id, 0, error, 0);
	else if (!workers->one_step)
		send_value(workers, id, fd, 0, 0);
}

static void send_reply(struct workers *workers, uint64_t id, const struct reply *reply)
{
	switch (reply->kind) {
	case REPLY_VALUE:
		send_value(workers, id, reply->value, 0, 0);
		break;
	case REPLY_CONTINUE:
		send_value(workers, id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
		break;
	case REPLY_FD:
		send_fd(workers, id, reply);
		break;
	case REPLY_DONE:
		break;
	case REPLY_LATER:
		if (!workers_self->queued)
			send_value(workers, id, 0, EAGAIN, 0);
		break;
	default:
		send_value(workers, id, 0, reply->value > 0 ? (int)reply->value : EACCES, 0);
	}
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
	put_value(workers_self->workers, request->notif.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
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
	send_reply(workers, notif->id, &reply);
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
		atomic_fetch_sub(&workers->receivers, 1);
	}
	pthread_mutex_lock(&workers->lock);
	known_forget(&slot->known);
	workers->general--;
	slot->state = SLOT_ENDED;
	pthread_mutex_unlock(&workers->lock);
	return NULL;
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
	if (features->seccomp_sync_wake_up)
		ioctl(workers->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
		      SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);

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

static void init_tick(struct workers *workers)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&workers->tick, &attributes);
	pthread_condattr_destroy(&attributes);
}

int workers_start(struct broker *broker, int listener, const struct features *features,
		  workers_serve serve, struct workers **out)
{
	struct workers *workers = calloc(1, sizeof(*workers));

	if (!workers) {
		close(listener);
		return -ENOMEM;
	}
	workers->broker = broker;
	workers->serve = serve;
	workers->listener = listener;
	workers->deferred_last = &workers->deferred_first;
	pthread_mutex_init(&workers->lock, NULL);
	pthread_cond_init(&workers->watch, NULL);
	pthread_cond_init(&workers->turn, NULL);
	init_tick(workers);
	atomic_store(&workers->want, 1);
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
		error = workers_add(workers);
	pthread_mutex_unlock(&workers->lock);
	if (error) {
		workers_stop(workers);
		return error;
	}
	*out = workers;
	return 0;
}

/* Interrupts all that run; how many there are. */
static size_t interrupt_all(struct workers *workers)
{
	size_t running = 0;

	pthread_mutex_lock(&workers->lock);
	for (size_t i = 0; i < SLOTS; i++) {
		if (workers->slots[i].state != SLOT_RUNNING)
			continue;
		pthread_kill(workers->slots[i].thread, INTERRUPT);
		running++;
	}
	pthread_mutex_unlock(&workers->lock);
	return running;
}

/* A signal that comes just before the ioctl is lost, so it is sent until the thread has ended. */
static void join_all(struct workers *workers)
{
	for (int tries = 0; interrupt_all(workers) > 0; tries++)
		nanosleep(&(struct timespec){.tv_nsec = tries < 4 ? 50000L : 1000000L}, NULL);
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
	close(workers->listener);
	pthread_mutex_destroy(&workers->lock);
	pthread_cond_destroy(&workers->watch);
	pthread_cond_destroy(&workers->turn);
	pthread_cond_destroy(&workers->tick);
	free(workers);
}

bool workers_failed(const struct workers *workers)
{
	return atomic_load(&workers->failed);
}
