/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate's shared state, what performers may ask about their caller, and the one place where a
 * notification becomes a call of a performer.
 *
 * Guarantees: a call that is not in gate_table is refused; a performer that forgets its answer
 * refuses; nothing known about a process outlives the request it was read for, but for what ends
 * with the process itself (known.h), so no reused pid inherits anything. Relies on: notification
 * ids being unique while their caller waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/broker/census.h"
#include "shim/broker/gate.h"
#include "shim/broker/known.h"
#include "shim/broker/links.h"
#include "shim/broker/nest.h"
#include "shim/broker/never.h"
#include "shim/broker/record.h"
#include "shim/broker/workers.h"

/* Since Linux 6.9, linux/pidfd.h: a pidfd of a thread, so of its own file table. */
#define PIDFD_THREAD_FLAG O_EXCL

struct broker {
	struct scope scope;
	int scope_fd;
	const struct plan *plan;
	struct standing *standing;
	struct links *links;
	const struct features *features;
	struct records *records;
	uint32_t session_flags;
	int tty_index;
	struct ipc *ipc;
	struct usage *usage;
	pid_t pid, agent;
	struct workers *workers;
	int listener;
	const char *shim;
};

int broker_create(const struct broker_options *options, struct broker **out)
{
	struct broker *broker = calloc(1, sizeof(*broker));

	if (!broker)
		return -ENOMEM;
	broker->scope = *options->scope;
	broker->scope_fd = options->scope_fd;
	broker->plan = options->plan;
	broker->standing = standing_take(options->plan);
	broker->links = links_take(options->scope);
	if (!broker->standing || !broker->links) {
		broker_free(broker);
		return -ENOMEM;
	}
	broker->features = options->features;
	broker->records = options->records;
	broker->session_flags = options->session_flags;
	broker->tty_index = options->tty_index;
	broker->ipc = options->ipc;
	broker->usage = options->usage;
	broker->shim = options->shim;
	broker->pid = getpid();
	broker->listener = -1;
	*out = broker;
	return 0;
}

static struct reply gate_serve(struct request *request);

int broker_serve_start(struct broker *broker, int listener, pid_t agent_pid)
{
	broker->agent = agent_pid;
	broker->listener = listener;
	return workers_start(broker, listener, broker->features, gate_serve, &broker->workers);
}

void broker_serve_stop(struct broker *broker)
{
	workers_stop(broker->workers);
	broker->workers = NULL;
	broker->listener = -1;
}

void broker_free(struct broker *broker)
{
	if (!broker)
		return;
	standing_free(broker->standing);
	links_free(broker->links);
	free(broker);
}

bool broker_failed(const struct broker *broker)
{
	return broker->workers && workers_failed(broker->workers);
}

const struct scope *broker_scope(const struct broker *broker)
{
	return &broker->scope;
}

const struct plan *broker_plan(const struct broker *broker)
{
	return broker->plan;
}

const struct links *broker_links(const struct broker *broker)
{
	return broker->links;
}

const struct standing *broker_standing(const struct broker *broker)
{
	return broker->standing;
}

const struct features *broker_features(const struct broker *broker)
{
	return broker->features;
}

struct records *broker_records(struct broker *broker)
{
	return broker->records;
}

struct usage *broker_usage(const struct broker *broker)
{
	return broker->usage;
}

int broker_scope_fd(const struct broker *broker)
{
	return broker->scope_fd;
}

uint32_t broker_session_flags(const struct broker *broker)
{
	return broker->session_flags;
}

struct ipc *broker_ipc(const struct broker *broker)
{
	return broker->ipc;
}

pid_t broker_pid(const struct broker *broker)
{
	return broker->pid;
}

pid_t broker_agent_pid(const struct broker *broker)
{
	return broker->agent;
}

int broker_tty_index(const struct broker *broker)
{
	return broker->tty_index;
}

const char *broker_shim(const struct broker *broker)
{
	return broker->shim;
}

bool request_alive(const struct request *request)
{
	uint64_t id = request->notif.id;

	if (request->held)
		return true;
	int result;

	/* The kernel takes a lock for this, and may be interrupted while it waits for it. */
	do
		result = ioctl(request->broker->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
	while (result != 0 && errno == EINTR);
	return result == 0;
}

void request_is_now(struct request *request, pid_t pid)
{
	if (request->pidfd >= 0)
		close(request->pidfd);
	request->pidfd = -1;
	request->umask = -1;
	request->tid = request->tgid = pid;
	request->held = true;
}

/* The text of /proc/TID/status; its length, 0 or less when there is none. */
static ssize_t status_text(struct request *request, char *text, size_t size)
{
	int fd = known_take(request->known, KNOWN_STATUS, request->tid);
	ssize_t n = fd < 0 ? 0 : pread(fd, text, size, 0);

	if (n <= 0) {
		char path[32];

		if (fd >= 0)
			close(fd);
		snprintf(path, sizeof(path), "/proc/%d/status", request->tid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		n = pread(fd, text, size, 0);
	}
	known_keep(request->known, KNOWN_STATUS, request->tid, fd);
	return n;
}

/* The caller's process and umask come from one reading. */
static int read_status(struct request *request)
{
	char text[1024];
	ssize_t n = status_text(request, text, sizeof(text) - 1);

	if (n <= 0 || !request_alive(request))
		return -ESRCH;
	text[n] = '\0';
	/* "Name:" comes first and escapes its newlines, so no name can forge these lines. */
	const char *tgid = strstr(text, "\nTgid:\t"), *mask = strstr(text, "\nUmask:\t");

	if (!tgid || !mask)
		return -ESRCH;
	request->umask = (int)strtol(mask + 8, NULL, 8) & 0777;
	request->tgid = (pid_t)strtol(tgid + 7, NULL, 10);
	return request->tgid > 0 ? 0 : -ESRCH;
}

/* Of most processes their first thread calls, and a pidfd without flags is of no other. */
static bool is_first_thread(const struct request *request)
{
	int fd = (int)syscall(SYS_pidfd_open, request->tid, 0);

	if (fd < 0)
		return false;
	close(fd);
	return request_alive(request);
}

pid_t request_tgid(struct request *request)
{
	if (request->tgid == 0 && is_first_thread(request))
		request->tgid = request->tid;
	if (request->tgid == 0) {
		int error = read_status(request);

		if (error)
			return error;
	}
	return request->tgid;
}

int request_umask(struct request *request)
{
	if (request->umask < 0) {
		int error = read_status(request);

		if (error)
			return error;
	}
	return request->umask;
}

/* By thread where the kernel can: a thread may have a file table of its own. */
static int open_pidfd(struct request *request)
{
	bool thread = request->broker->features->pidfd_thread;
	int fd = thread ? (int)syscall(SYS_pidfd_open, request->tid, PIDFD_THREAD_FLAG) : -1;

	if (!thread) {
		pid_t tgid = request_tgid(request);

		if (tgid < 0)
			return tgid;
		fd = (int)syscall(SYS_pidfd_open, tgid, 0);
	}
	if (fd < 0)
		return -errno;
	if (!request_alive(request)) {
		close(fd);
		return -ESRCH;
	}
	return fd;
}

static int getfd(const struct request *request, int fd)
{
	int copy = (int)syscall(SYS_pidfd_getfd, request->pidfd, fd, 0);

	return copy < 0 ? -errno : copy;
}

/* -ESRCH: nothing was kept, or it is of one that is gone. A pidfd of a process is not kept: threads
 * come and go under it. */
static int getfd_as_known(struct request *request, int fd)
{
	if (!request->broker->features->pidfd_thread)
		return -ESRCH;
	request->pidfd = known_take(request->known, KNOWN_PIDFD, request->tid);
	if (request->pidfd < 0)
		return -ESRCH;
	int copy = request_alive(request) ? getfd(request, fd) : -ESRCH;

	if (copy == -ESRCH) {
		close(request->pidfd);
		request->pidfd = -1;
	}
	return copy;
}

int request_getfd(struct request *request, int fd)
{
	if (fd < 0)
		return -EBADF;
	if (request->pidfd < 0) {
		int copy = getfd_as_known(request, fd);

		if (copy != -ESRCH)
			return copy;
		int pidfd = open_pidfd(request);

		if (pidfd < 0)
			return pidfd;
		request->pidfd = pidfd;
	}
	return getfd(request, fd);
}

void request_forget(struct request *request)
{
	if (request->pidfd < 0)
		return;
	if (request->broker->features->pidfd_thread)
		known_keep(request->known, KNOWN_PIDFD, request->tid, request->pidfd);
	else
		close(request->pidfd);
	request->pidfd = -1;
}

struct reply reply_result(long result)
{
	return result < 0 ? reply_error(errno) : reply_value(result);
}

static const struct gate_row *find_row(int nr)
{
	size_t low = 0, high = gate_table_size;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (gate_table[middle].nr == nr)
			return &gate_table[middle];
		if (gate_table[middle].nr < nr)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static struct reply refuse_ended(struct request *request, int error)
{
	if (error == -ESRCH)
		return reply_error(ESRCH);
	return reply_error(-judge_never(request, request->name, "anything",
					"its session within this one has ended", EPERM));
}

static struct reply perform_row(struct request *request, const struct gate_row *row)
{
	struct reply reply;

	if (nest_lacks(request, &reply))
		return reply;
	if (row->may_block && !request_may_block(request))
		return (struct reply){.kind = REPLY_LATER, .fd = -1};
	reply = row->perform(request);

	if (reply.kind == REPLY_ERROR && reply.value <= 0)
		reply.value = EACCES;
	return reply;
}

static struct reply gate_serve(struct request *request)
{
	const struct gate_row *row =
	    request->notif.data.arch == AUDIT_ARCH_X86_64 ? find_row(request->notif.data.nr) : NULL;

	request->name = row ? row->name : "syscall";
	int error = nest_enter(request);

	if (error)
		return refuse_ended(request, error);
	struct reply reply = row ? perform_row(request, row) : never_listed(request);

	census_met(request);
	nest_leave(request);
	return reply;
}
