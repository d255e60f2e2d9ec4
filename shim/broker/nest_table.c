/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guarantees: an inner session is in the table before anybody can be marked as its own, and what is
 * in the table was copied and validated by us. One that ends is closed first (its processes and
 * those of the sessions within are refused everything), then emptied, then forgotten; its cell is
 * never given out again, so what was overlooked stays refused. Nobody ends one that is still
 * beginning: its launcher may have more threads, or die.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/broker/gate.h"
#include "shim/broker/nest_internal.h"
#include "shim/broker/process_forks.h"
#include "shim/broker/session.h"
#include "shim/broker/survivors.h"

#define CAP_SYS_RESOURCE 24 /* linux/capability.h */

/* How many numbers a cell of each depth has; the last holds one. Directly inside the broker's
 * session there is room for 2^24 in all, within each for 2^12. */
static const uint64_t cell_size[NEST_DEPTH + 1] = {NEST_SPACE, UINT64_C(1) << 36, UINT64_C(1) << 24,
						   UINT64_C(1) << 12, 1};

static void release(struct nested *nested)
{
	union {
		const void *reader;
		void *mapping;
	} image = {.reader = nested->image};

	records_close(nested->records);
	process_forks_free(nested->forks);
	if (image.mapping)
		munmap(image.mapping, nested->image_size);
	if (nested->scope_fd >= 0)
		close(nested->scope_fd);
	if (nested->pidfd >= 0)
		close(nested->pidfd);
	free(nested);
}

void nest_free_unused(struct nested *nested)
{
	while (nested && nested->finished && !nested->users && !nested->children) {
		struct nested *outer = nested->outer;

		for (size_t i = 0; i < NEST_COUNT; i++) {
			if (nest_table.at[i] == nested)
				nest_table.at[i] = NULL;
		}
		release(nested);
		if (outer)
			outer->children--;
		nested = outer;
	}
}

static bool has_died(const struct nested *nested)
{
	struct pollfd poll_fd = {.fd = nested->pidfd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) != 0;
}

/* Under the lock. */
static struct nested *owned(pid_t owner)
{
	for (size_t i = 0; i < NEST_COUNT; i++) {
		struct nested *nested = nest_table.at[i];

		if (nested && nested->owner == owner && !nested->claimed && !has_died(nested))
			return nested;
	}
	return NULL;
}

static bool is_id(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)text[i]) && text[i] != '-')
			return false;
	}
	return len > 0 && len < size;
}

/* Whether the caller's limits leave room for the marks, and the session for one more. */
static int check(struct request *request, const struct nest_begin *begin)
{
	struct scope_about about;
	uint64_t resident, locks;
	int error = nest_limits(request->tid, &resident, &locks);

	if (error)
		return error;
	scope_about(broker_scope(request->broker), &about);
	if (about.capabilities & (1ULL << CAP_SYS_RESOURCE))
		return -EPERM;
	if (!request->nested && (resident <= NEST_TOP || locks <= NEST_TOP))
		return -ERANGE;
	if (request->nested && request->nested->depth == NEST_DEPTH)
		return -ELOOP;
	return is_id(begin->session, sizeof(begin->session)) ? 0 : -EINVAL;
}

static int open_image(struct request *request, struct nested *nested, const void *image,
		      size_t size)
{
	struct scope_about about;

	nested->scope_fd =
	    session_seal_image(image, size, broker_features(request->broker)->memfd_noexec);
	if (nested->scope_fd < 0)
		return nested->scope_fd;
	void *mapping = mmap(NULL, size, PROT_READ, MAP_SHARED, nested->scope_fd, 0);

	if (mapping == MAP_FAILED)
		return -errno;
	nested->image = mapping;
	nested->image_size = size;
	if (scope_open(&nested->scope, mapping, size, NULL) != 0)
		return -EBADMSG;
	/* A decision takes the gate's time and not its caller's, and the session's end waits for it. */
	if (!scope_costs_within(&nested->scope, NEST_PATTERNS_MAX))
		return -E2BIG;
	scope_about(&nested->scope, &nested->about);
	if (nested->about.has_hosts)
		return -ENOTSUP;
	/* The gate acts with the capabilities that its own session kept, and cannot put them down
	 * for one caller: that would be more than a caller without them may do. */
	scope_about(broker_scope(request->broker), &about);
	return about.capabilities & ~nested->about.capabilities ? -EKEYREJECTED : 0;
}

/* What follows from where it stands. */
static void inherit(struct request *request, struct nested *nested, uint32_t flags)
{
	nested->outer = request->nested;
	nested->depth = nested->outer ? nested->outer->depth + 1 : 1;
	nested->flags = nest_flags(request) | (flags & SESSION_QUIET);
	if (nested->about.record == RECORD_STRICT)
		nested->flags |= SESSION_STRICT;
}

static int make(struct request *request, const struct nest_begin *begin, int audit_fd,
		struct nested *nested)
{
	pid_t tgid = request_tgid(request);
	int error = records_open(audit_fd, begin->session, &nested->scope, &nested->records);

	if (error)
		return error;
	nested->broker = request->broker;
	/* The first line is the launcher's: it knows the plan. */
	records_resume(nested->records, audit_fd >= 0 ? 1 : 0);
	records_name(nested->records, &nested->inner);
	nested->tty_index = begin->tty_index;
	nested->private = (struct private_folder){begin->tmp_device, begin->tmp_inode};
	nested->forks = process_forks_new();
	if (!nested->forks)
		return -ENOMEM;
	if (tgid < 0)
		return tgid;
	nested->owner = tgid;
	nested->pidfd = (int)syscall(SYS_pidfd_open, tgid, 0);
	if (nested->pidfd < 0)
		return -errno;
	return request_alive(request) ? 0 : -ESRCH;
}

/* Counted before there is any, so that no crowd of launchers holds more at once. */
int nest_reserve(size_t size)
{
	pthread_mutex_lock(&nest_table.lock);
	size_t memory = nest_table.reserved;

	for (size_t i = 0; i < NEST_COUNT; i++) {
		if (nest_table.at[i])
			memory += nest_table.at[i]->image_size;
	}
	int error = memory + size > NEST_MEMORY_MAX ? -ENOMEM : 0;

	if (!error)
		nest_table.reserved += size;
	pthread_mutex_unlock(&nest_table.lock);
	return error;
}

void nest_unreserve(size_t size)
{
	pthread_mutex_lock(&nest_table.lock);
	nest_table.reserved -= size;
	pthread_mutex_unlock(&nest_table.lock);
}

/* Under the lock: a place and a cell. What was reserved for the image is its own from here on. */
static int enter_table(struct nested *nested)
{
	uint64_t *made = nested->outer ? &nested->outer->children_made : &nest_table.children_made;
	uint64_t size = cell_size[nested->depth];
	size_t place = NEST_COUNT;

	for (size_t i = NEST_COUNT; i-- > 0;) {
		if (!nest_table.at[i])
			place = i;
	}
	if (place == NEST_COUNT || *made == cell_size[nested->depth - 1] / size)
		return -EUSERS;
	if (owned(nested->owner))
		return -EALREADY;
	if (nested->outer && nested->outer->closing)
		return -EPERM;
	nested->cell.low = (nested->outer ? nested->outer->cell.low : 0) + (*made)++ * size;
	nested->cell.high = nested->cell.low + size - 1;
	if (nested->outer)
		nested->outer->children++;
	nest_table.at[place] = nested;
	nest_table.reserved -= nested->image_size;
	atomic_store(&nest_table.used, true);
	return 0;
}

/* The logs around it say that it begins, or how it ended. */
static int tell_logs(const struct nested *nested, const char *ending, int status)
{
	int error = records_inner(broker_records(nested->broker), &nested->inner, ending, status);

	for (const struct nested *at = nested->outer; at && !error; at = at->outer)
		error = records_inner(at->records, &nested->inner, ending, status);
	return error;
}

static int enter(struct nested *nested)
{
	pthread_mutex_lock(&nest_table.lock);
	int error = enter_table(nested);

	pthread_mutex_unlock(&nest_table.lock);
	return error;
}

static bool is_within(const struct nested *nested, const struct nested *outer)
{
	while (nested && nested != outer)
		nested = nested->outer;
	return nested == outer;
}

/* Under the lock. */
static void claim(struct nested *nested)
{
	nested->claimed = true;
	for (size_t i = 0; i < NEST_COUNT; i++) {
		if (nest_table.at[i] && is_within(nest_table.at[i], nested))
			nest_table.at[i]->closing = true;
	}
}

/* Writes that it begins, and lets it be ended from here on. 0 or -EIO; it is no more ours then. */
static int start(struct nested *nested)
{
	int error = tell_logs(nested, NULL, 0);

	pthread_mutex_lock(&nest_table.lock);
	nested->begun = true;
	if (error) {
		claim(nested);
		nested->finished = true;
		nest_free_unused(nested);
	}
	pthread_mutex_unlock(&nest_table.lock);
	return error ? -EIO : 0;
}

int nest_begin(struct request *request, struct nest_begin *begin, const void *image, int audit_fd)
{
	struct nested *nested = calloc(1, sizeof(*nested));
	int error = nested ? check(request, begin) : -ENOMEM;

	if (nested)
		nested->scope_fd = nested->pidfd = -1;
	if (!error)
		error = open_image(request, nested, image, begin->image_size);
	if (error) {
		if (audit_fd >= 0)
			close(audit_fd);
	} else {
		inherit(request, nested, begin->flags);
		error = make(request, begin, audit_fd, nested);
	}
	if (!error)
		error = enter(nested);
	if (error) {
		if (nested)
			release(nested);
		nest_unreserve(begin->image_size);
		return error;
	}
	begin->resident = NEST_TOP - nested->cell.low;
	begin->locks = NEST_BASE + nested->cell.high;
	return start(nested);
}

struct nested *nest_claim(pid_t owner)
{
	pthread_mutex_lock(&nest_table.lock);
	struct nested *nested = owned(owner);

	if (nested && !nested->begun)
		nested = NULL;
	if (nested)
		claim(nested);
	pthread_mutex_unlock(&nest_table.lock);
	return nested;
}

static bool belongs(void *context, pid_t pid)
{
	const struct nested *nested = context;
	struct cell cell;

	return nest_cell(pid, &cell) == 1 && cell.low >= nested->cell.low &&
	       cell.high <= nested->cell.high;
}

size_t nest_finish(struct nested *nested, int status, const char *ending, int seconds)
{
	size_t left = 0;

	survivors_end_some(belongs, nested, seconds, &left);
	records_end(nested->records, NULL, status, ending);
	tell_logs(nested, ending, status);
	return left;
}

void nest_drop(struct nested *nested)
{
	pthread_mutex_lock(&nest_table.lock);
	nested->finished = true;
	nest_free_unused(nested);
	pthread_mutex_unlock(&nest_table.lock);
}

static struct nested *orphan(void)
{
	struct nested *found = NULL;

	pthread_mutex_lock(&nest_table.lock);
	for (size_t i = 0; i < NEST_COUNT && !found; i++) {
		struct nested *nested = nest_table.at[i];

		if (nested && nested->begun && !nested->claimed && has_died(nested))
			found = nested;
	}
	if (found)
		claim(found);
	pthread_mutex_unlock(&nest_table.lock);
	return found;
}

void nest_tick(void)
{
	if (!atomic_load(&nest_table.used))
		return;
	for (struct nested *nested = orphan(); nested; nested = orphan()) {
		nest_finish(nested, 128 + 9, "launcher", 1);
		nest_drop(nested);
	}
}

void nest_end_all(void)
{
	for (size_t depth = NEST_DEPTH; depth > 0; depth--) {
		for (size_t i = 0; i < NEST_COUNT; i++) {
			struct nested *nested = nest_table.at[i];

			if (!nested || nested->depth != depth)
				continue;
			if (!nested->claimed) {
				records_end(nested->records, NULL, 128 + 9, "session");
				tell_logs(nested, "session", 128 + 9);
			}
			nest_table.at[i] = NULL;
			release(nested);
		}
	}
}
