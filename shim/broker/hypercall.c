/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shim's door: prctl(REMIT_HYPERCALL, …). Anyone in the session may knock; what is handed out
 * is no secret, and what is taken in is judged again before it is believed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "shim/broker/broker.h"
#include "shim/broker/census.h"
#include "shim/broker/nest.h"
#include "shim/broker/performers.h"
#include "shim/broker/usage.h"
#include "shim/common/protocol.h"

static struct reply hello(struct request *request)
{
	if (request->notif.data.args[2] != REMIT_PROTOCOL)
		return reply_error(EINVAL);
	int scope_fd =
	    request->nested ? request->nested->scope_fd : broker_scope_fd(request->broker);
	int fd = fcntl(scope_fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return reply_error(errno);
	census_hello(request);
	uint32_t flags = broker_session_flags(request->broker) & SESSION_USAGE;

	/* A caller that cannot be told does not count. */
	if (flags && request->notif.data.args[3] && !request->nested)
		memory_write(request, request->notif.data.args[3], &flags, sizeof(flags));
	return reply_fd(fd, O_CLOEXEC);
}

/* One session's processes share it, so those of another, inner one may not. */
static struct reply usage(struct request *request)
{
	const struct usage *counts = broker_usage(request->broker);

	if (!counts || usage_fd(counts) < 0 || request->nested)
		return reply_error(EOPNOTSUPP);
	int fd = fcntl(usage_fd(counts), F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? reply_error(errno) : reply_fd(fd, O_CLOEXEC);
}

static bool query_of(const struct shim_refusal *refusal, struct query *out)
{
	bool verb = refusal->verb == VERB_CONNECT || refusal->verb == VERB_LISTEN;
	bool protocol = refusal->protocol == PROTOCOL_TCP || refusal->protocol == PROTOCOL_UDP;
	bool family = refusal->family == FAMILY_IP4 || refusal->family == FAMILY_IP6;

	if (!verb || !protocol || !family)
		return false;
	*out = (struct query){
	    .verb = (enum verb)refusal->verb,
	    .object = OBJECT_ADDRESS,
	    .address = {.protocol = refusal->protocol,
			.family = refusal->family,
			.port = refusal->port},
	};
	memcpy(out->address.ip, refusal->ip, refusal->family == FAMILY_IP4 ? 4 : 16);
	return true;
}

/* Testimony: only a refusal that we would have made ourselves goes into the log, and with our own
 * reasons. */
static struct reply refused(struct request *request)
{
	struct shim_refusal refusal;
	struct query query;
	int error = memory_read(request, request->notif.data.args[2], &refusal, sizeof(refusal));

	if (error)
		return reply_error(-error);
	if (!query_of(&refusal, &query))
		return reply_error(EINVAL);
	error = judge_testimony(request, &query);
	return error ? reply_error(-error) : reply_value(0);
}

struct reply perform_prctl(struct request *request)
{
	if ((uint32_t)request->notif.data.args[0] != REMIT_HYPERCALL)
		return perform_never(request);
	switch (request->notif.data.args[1]) {
	case HYPERCALL_HELLO:
		return hello(request);
	case HYPERCALL_FLAGS:
		return reply_value(nest_flags(request));
	case HYPERCALL_REFUSED:
		return refused(request);
	case HYPERCALL_USAGE:
		return usage(request);
	case HYPERCALL_NEST_FEATURES:
	case HYPERCALL_NEST_BEGIN:
	case HYPERCALL_NEST_END:
		return nest_door(request);
	default:
		return reply_error(EINVAL);
	}
}
