/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relies on: hard limits that only CAP_SYS_RESOURCE raises, which no manifest can keep; the limits
 * belonging to the process, all threads alike. Until the first inner session begins nobody is
 * marked and nothing is looked at.
 *
 * The cell is read after the call was received and before anything is judged. Its caller waits, and
 * the rest of its process could only lower it further meanwhile.
 */
#include "shim/broker/nest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/broker/gate.h"
#include "shim/broker/nest_internal.h"
#include "shim/broker/process_tree.h"

struct nest_table nest_table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool hard_limit(const char *text, const char *name, uint64_t *out)
{
	const char *line = strstr(text, name);
	char soft[32], hard[32];

	if (!line || sscanf(line + strlen(name), " %31s %31s", soft, hard) != 2)
		return false;
	*out = strcmp(hard, "unlimited") == 0 ? RLIM_INFINITY : strtoull(hard, NULL, 10);
	return true;
}

/* prlimit(2) asks for the same user; this file does not. */
static int limits_of_another_user(pid_t pid, uint64_t *resident, uint64_t *locks)
{
	char path[32], text[4096];

	snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	if (n <= 0)
		return -ESRCH;
	text[n] = '\0';
	return hard_limit(text, "\nMax resident set", resident) &&
		       hard_limit(text, "\nMax file locks", locks)
		   ? 0
		   : -EPERM;
}

int nest_limits(pid_t pid, uint64_t *resident, uint64_t *locks)
{
	struct rlimit rss, lock;

	if (prlimit(pid, RLIMIT_RSS, NULL, &rss) == 0 &&
	    prlimit(pid, RLIMIT_LOCKS, NULL, &lock) == 0) {
		*resident = rss.rlim_max;
		*locks = lock.rlim_max;
		return 0;
	}
	return errno == EPERM ? limits_of_another_user(pid, resident, locks) : -errno;
}

int nest_cell(pid_t pid, struct cell *out)
{
	uint64_t resident, locks;
	int error = nest_limits(pid, &resident, &locks);

	*out = (struct cell){0};
	if (error)
		return error < 0 ? error : -EPERM;
	if (resident > NEST_TOP || locks > NEST_TOP)
		return 0;
	out->low = NEST_TOP - resident;
	out->high = locks > NEST_BASE ? locks - NEST_BASE : 0;
	return 1;
}

/* Under the lock: the living session that owns exactly this cell; NULL. */
static struct nested *find(const struct cell *cell)
{
	for (size_t i = 0; i < NEST_COUNT; i++) {
		struct nested *nested = nest_table.at[i];

		if (nested && nested->cell.low == cell->low && nested->cell.high == cell->high)
			return nested;
	}
	return NULL;
}

bool nest_has_private(const struct private_folder *folder)
{
	bool has = false;

	if (!atomic_load(&nest_table.used))
		return false;
	pthread_mutex_lock(&nest_table.lock);
	for (size_t i = 0; i < NEST_COUNT && !has; i++) {
		const struct nested *nested = nest_table.at[i];

		has = nested && nested->private.inode == folder->inode &&
		      nested->private.device == folder->device;
	}
	pthread_mutex_unlock(&nest_table.lock);
	return has;
}

static int keep(struct request *request, const struct cell *cell)
{
	pthread_mutex_lock(&nest_table.lock);
	struct nested *nested = find(cell);

	if (nested && nested->closing)
		nested = NULL;
	if (nested)
		nested->users++;
	pthread_mutex_unlock(&nest_table.lock);
	request->nested = nested;
	return nested ? 0 : -EPERM;
}

int nest_enter(struct request *request)
{
	struct cell cell;

	if (!atomic_load(&nest_table.used))
		return 0;
	int marked = nest_cell(request->tid, &cell);

	if (marked >= 0 && !request_alive(request))
		return -ESRCH;
	if (marked <= 0)
		return marked;
	return keep(request, &cell);
}

void nest_leave(struct request *request)
{
	struct nested *nested = request->nested;

	if (!nested)
		return;
	request->nested = NULL;
	pthread_mutex_lock(&nest_table.lock);
	nested->users--;
	nest_free_unused(nested);
	pthread_mutex_unlock(&nest_table.lock);
}

const struct nested *nest_level(const struct request *request, unsigned int n)
{
	const struct nested *nested = request->nested;

	while (nested && n-- > 0)
		nested = nested->outer;
	return nested;
}

const struct scope *nest_scope(const struct request *request, unsigned int n)
{
	const struct nested *nested = nest_level(request, n);
	unsigned int depth = request->nested ? request->nested->depth : 0;

	if (nested)
		return &nested->scope;
	return n == depth ? broker_scope(request->broker) : NULL;
}

bool nest_holds(struct broker *broker, const struct nested *nested, pid_t pid)
{
	struct cell cell;

	if (!process_descends(pid, broker_pid(broker)))
		return false;
	return !nested || (nest_cell(pid, &cell) == 1 && cell.low >= nested->cell.low &&
			   cell.high <= nested->cell.high);
}

uint32_t nest_flags(const struct request *request)
{
	uint32_t flags = broker_session_flags(request->broker);

	if (broker_plan(request->broker)->gated_forks)
		flags |= SESSION_COUNTS_FORKS;
	return flags | (request->nested ? request->nested->flags : 0);
}

bool nest_lacks(struct request *request, struct reply *reply)
{
	static const int shared[] = {
	    SYS_shmget, SYS_shmat,	SYS_shmctl,    SYS_semget, SYS_semop,
	    SYS_semctl, SYS_semtimedop, SYS_msgget,    SYS_msgsnd, SYS_msgrcv,
	    SYS_msgctl, SYS_mq_open,	SYS_mq_unlink,
	};

	for (size_t i = 0; request->nested && i < sizeof(shared) / sizeof(*shared); i++) {
		if (request->notif.data.nr != shared[i])
			continue;
		*reply = reply_error(-judge_never(
		    request, request->name, "an object of System V IPC or a message queue",
		    "they belong to the session around this one", EPERM));
		return true;
	}
	return false;
}
