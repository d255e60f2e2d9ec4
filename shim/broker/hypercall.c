/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shim's door: prctl(REMIT_HYPERCALL, …). Anyone in the session may knock; what is handed out
 * is no secret, and what is taken in is judged again before it is believed.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shim/broker/broker.h"
#include "shim/broker/census.h"
#include "shim/broker/performers.h"
#include "shim/broker/record.h"
#include "shim/common/protocol.h"

static struct reply hello(struct request *request)
{
	if (request->notif.data.args[2] != REMIT_PROTOCOL)
		return reply_error(EINVAL);
	int fd = fcntl(broker_scope_fd(request->broker), F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return reply_error(errno);
	pid_t tgid = request_tgid(request);

	if (tgid > 0)
		broker_count_shimmed(request->broker, tgid);
	census_hello(request);
	return reply_fd(fd, O_CLOEXEC);
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
	const struct scope *scope = broker_scope(request->broker);
	struct shim_refusal refusal;
	struct query query;
	int error = memory_read(request, request->notif.data.args[2], &refusal, sizeof(refusal));

	if (error)
		return reply_error(-error);
	if (!query_of(&refusal, &query))
		return reply_error(EINVAL);
	struct decision decision = decide(scope, &query);

	if (decision.verdict == VERDICT_ALLOWED)
		return reply_error(EINVAL);
	char object[ADDRESS_TEXT_MAX], link[32], exe[PATH_TEXT_MAX];
	struct rule rule;
	pid_t tgid = request_tgid(request);
	struct record record = {
	    .source = SOURCE_SHIM,
	    .pid = tgid > 0 ? tgid : request->tid,
	    .op = verb_name(query.verb),
	    .object = object,
	    .object_len = address_format(&query.address, object, sizeof(object)),
	    .verdict = VERDICT_REFUSED,
	    .lane = lane_name(LANE_REFUSED),
	    .error = decision.error,
	    .quiet = decision.quiet,
	};

	if (decision.rule != RULE_NONE) {
		scope_rule(scope, decision.rule, &rule);
		record.rule = &rule;
	}
	snprintf(link, sizeof(link), "/proc/%d/exe", (int)request->tid);
	ssize_t n = readlink(link, exe, sizeof(exe) - 1);

	if (n > 0 && request_alive(request)) {
		exe[n] = '\0';
		record.exe = exe;
	}
	error = records_write(broker_records(request->broker), &record);
	return error ? reply_error(EIO) : reply_value(0);
}

struct reply perform_prctl(struct request *request)
{
	if ((uint32_t)request->notif.data.args[0] != REMIT_HYPERCALL)
		return perform_never(request);
	switch (request->notif.data.args[1]) {
	case HYPERCALL_HELLO:
		return hello(request);
	case HYPERCALL_FLAGS:
		return reply_value(broker_session_flags(request->broker));
	case HYPERCALL_REFUSED:
		return refused(request);
	default:
		return reply_error(EINVAL);
	}
}
