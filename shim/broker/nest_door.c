/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A launcher's requests. Anyone in the session may make them: what begins here only ever narrows,
 * and only the process that began a session ends it. Everything that comes in is copied once and
 * bounded; the image counts as hostile until scope_open() has been through it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "policy/plan/features.h"
#include "shim/broker/gate.h"
#include "shim/broker/nest.h"

/* How long the rest of a session may take to go. */
#define END_SECONDS 10

static struct reply features(const struct request *request)
{
	const struct features *f = broker_features(request->broker);
	uint64_t bits = (uint64_t)f->landlock_abi & NEST_FEATURE_ABI;

	for (size_t i = 0; i < feature_table_size; i++) {
		if (feature_there(f, &feature_table[i]))
			bits |= UINT64_C(1) << (NEST_FEATURE_TABLE_SHIFT + i);
	}
	bits |= (uint64_t)(f->yama + 1) << NEST_FEATURE_YAMA_SHIFT;
	return reply_value((int64_t)bits);
}

/* Writing to it must never wait: a regular file, or /dev/null. */
static int take_audit(struct request *request, int number)
{
	struct stat about;
	int fd = request_getfd(request, number);
	int flags = fd < 0 ? fd : fcntl(fd, F_GETFL);

	if (fd < 0)
		return fd;
	bool null =
	    fstat(fd, &about) == 0 && S_ISCHR(about.st_mode) && about.st_rdev == makedev(1, 3);
	bool file = fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && (flags & O_APPEND);

	if (flags >= 0 && !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY && (null || file))
		return fd;
	close(fd);
	return -EBADF;
}

/* Takes audit and what was reserved over in any case. */
static int begin_reserved(struct request *request, struct nest_begin *begin, int audit)
{
	void *image = malloc(begin->image_size);
	int error = image ? memory_read(request, begin->image, image, begin->image_size) : -ENOMEM;

	if (!error) {
		error = nest_begin(request, begin, image, audit);
	} else {
		nest_unreserve(begin->image_size);
		if (audit >= 0)
			close(audit);
	}
	free(image);
	return error;
}

static struct reply begin(struct request *request, uint64_t address)
{
	struct nest_begin begin;
	int audit = -1;
	int error = memory_read(request, address, &begin, sizeof(begin));

	if (error)
		return reply_error(-error);
	if (begin.size != sizeof(begin))
		return reply_error(EPROTO);
	/* Calls that never come here could be judged by no inner scope, and recorded in no log. */
	if (broker_session_flags(request->broker) & SESSION_NATIVE)
		return reply_error(EOPNOTSUPP);
	if (begin.image_size == 0 || begin.image_size > NEST_IMAGE_MAX)
		return reply_error(EMSGSIZE);
	if (begin.audit_fd >= 0)
		audit = take_audit(request, begin.audit_fd);
	if (begin.audit_fd >= 0 && audit < 0)
		return reply_error(-audit);
	error = nest_reserve(begin.image_size);
	if (!error)
		error = begin_reserved(request, &begin, audit);
	else if (audit >= 0)
		close(audit);
	if (!error)
		error = memory_write(request, address, &begin, sizeof(begin));
	return error ? reply_error(-error) : reply_value(0);
}

/* The summary as text, into the room that the caller has. */
static void summarize(struct request *request, struct records *records, struct nest_end *end)
{
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	end->text_len = 0;
	if (!stream)
		return;
	records_summary(records, stream);
	if (fclose(stream) == 0) {
		size_t n = len < end->text_size ? len : end->text_size;

		if (memory_write(request, end->text, text, n) == 0)
			end->text_len = n;
	}
	free(text);
}

static struct reply end(struct request *request, uint64_t address)
{
	static const char *const endings[NEST_ENDINGS] = {
	    [NEST_EXIT] = "exit",
	    [NEST_SIGNAL] = "signal",
	    [NEST_WALL_TIME] = "wall_time",
	    [NEST_EXPIRED] = "expired",
	};
	struct record_totals totals;
	struct nest_end end;
	int error = memory_read(request, address, &end, sizeof(end));
	pid_t tgid = request_tgid(request);

	if (error)
		return reply_error(-error);
	if (end.size != sizeof(end) || end.ending >= NEST_ENDINGS)
		return reply_error(EPROTO);
	if (tgid < 0)
		return reply_error(-tgid);
	if (!request_may_block(request))
		return (struct reply){.kind = REPLY_LATER, .fd = -1};
	struct nested *nested = nest_claim(tgid);

	if (!nested)
		return reply_error(ENOENT);
	end.left = nest_finish(nested, end.status, endings[end.ending], END_SECONDS);
	records_totals(nested->records, &totals);
	end.refused = totals.refused;
	end.log = records_full(nested->records)	    ? NEST_LOG_FULL
		  : records_broken(nested->records) ? NEST_LOG_BROKEN
						    : NEST_LOG_WHOLE;
	summarize(request, nested->records, &end);
	nest_drop(nested);
	error = memory_write(request, address, &end, sizeof(end));
	return error ? reply_error(-error) : reply_value(0);
}

struct reply nest_door(struct request *request)
{
	const __u64 *args = request->notif.data.args;

	switch (args[1]) {
	case HYPERCALL_NEST_FEATURES:
		return features(request);
	case HYPERCALL_NEST_BEGIN:
		return begin(request, args[2]);
	case HYPERCALL_NEST_END:
		return end(request, args[2]);
	default:
		return reply_error(EINVAL);
	}
}
