/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only way a performer asks: decide, gather the facts that a condition wants, write the record,
 * explain.
 *
 * Guarantees: a refusal is in the log before it is returned, and so is an allowed call where the
 * manifest records those; with a broken log everything is refused with EIO. The broker's own
 * entries in /proc are refused whatever the manifest grants. Relies on: objects as resolve() makes
 * them.
 */
#include <errno.h>
#include <string.h>

#include "shim/broker/broker.h"
#include "shim/broker/exec_args.h"
#include "shim/broker/facts.h"
#include "shim/broker/gate.h"
#include "shim/broker/judge_internal.h"
#include "shim/broker/tell.h"
#include "shim/broker/usage.h"

/* What judging an object may ask further. */
struct source {
	int handle;		/* an fd of the object, -1: none */
	struct exec_args *args; /* NULL: no exec, or not known */
	uint8_t sha256[32];
};

static struct decision decide_with_facts(struct request *request, unsigned int n,
					 const struct scope *scope, struct query *query,
					 struct source *source)
{
	query->facts.session_terminal = false;
	struct decision decision = decide(scope, query);
	uint32_t wanted = decision.conditions;

	if (decision.verdict == VERDICT_ALLOWED || wanted == 0 || source->handle < 0)
		return decision;
	request->conditions |= wanted;
	if ((wanted & CONDITION_SHA256) && facts_sha256(source->handle, source->sha256) == 0)
		query->facts.sha256 = source->sha256;
	if (wanted & CONDITION_SESSION_TERMINAL)
		query->facts.session_terminal =
		    facts_session_terminal(request->broker, nest_level(request, n), source->handle);
	if ((wanted & CONDITION_ARGS) && source->args)
		exec_args_get(source->args, &query->facts.args, &query->facts.args_len);
	return decide(scope, query);
}

/* The innermost first: what it refuses is what its operator meant to refuse. A fact that was
 * collected for one scope is known to the next, but for the terminal, which each has its own. */
static struct judgement decide_all(struct request *request, struct query *query,
				   struct source *source)
{
	struct judgement judgement = {.refused = JUDGE_LEVELS};
	const struct scope *scope;

	while (judgement.refused == JUDGE_LEVELS && judgement.count < JUDGE_LEVELS &&
	       (scope = nest_scope(request, judgement.count))) {
		unsigned int n = judgement.count++;

		judgement.scope[n] = scope;
		judgement.decision[n] = decide_with_facts(request, n, scope, query, source);
		if (judgement.decision[n].verdict != VERDICT_ALLOWED)
			judgement.refused = n;
	}
	if (judgement.refused == JUDGE_LEVELS)
		judgement.refused = judgement.count;
	return judgement;
}

/* The record names the scope that refused. again: that it was allowed has been recorded before. */
static int conclude(struct request *request, struct query *query, enum record_source source,
		    const struct judgement *judgement, bool again)
{
	bool allowed = judgement->refused == judgement->count;
	unsigned int at = allowed ? 0 : judgement->refused;
	const struct decision *decision = &judgement->decision[at];
	int error = allowed ? 0 : decision->error > 0 ? decision->error : EACCES;
	char buf[ADDRESS_UNIX_MAX + ADDRESS_TEXT_MAX];
	const char *object;
	size_t len = judge_object_text(query, &object, buf, sizeof(buf));
	struct scope_about about;
	struct record record = {
	    .source = source,
	    .op = verb_name(query->verb),
	    .object = object,
	    .object_len = len,
	    .verdict = decision->verdict,
	    .lane = lane_name(allowed ? LANE_GATE : LANE_REFUSED),
	    .error = error,
	    .quiet = decision->quiet,
	};

	scope_about(judgement->scope[at], &about);
	if (!allowed && request->nested)
		record.by = about.agent_id;
	int broken = again && allowed ? 0 : judge_put_record(request, &record, judgement);

	if (broken)
		return broken;
	/* Of the session itself, which is the outermost. */
	if (allowed && !again && judgement->count)
		usage_count(broker_usage(request->broker),
			    judgement->decision[judgement->count - 1].rule);
	/* What the shim refused, the shim has told. */
	if (!allowed && source == SOURCE_BROKER)
		judge_explain(request, query, judgement->scope[at], decision, object, len);
	return -error;
}

static int judge(struct request *request, struct query *query, struct source *source, bool again)
{
	struct judgement judgement = decide_all(request, query, source);

	return conclude(request, query, SOURCE_BROKER, &judgement, again);
}

int judge_testimony(struct request *request, struct query *query)
{
	struct source source = {.handle = -1};
	struct judgement judgement = decide_all(request, query, &source);

	if (judgement.refused == judgement.count)
		return -EINVAL;
	return conclude(request, query, SOURCE_SHIM, &judgement, false) == -EIO ? -EIO : 0;
}

static struct query path_query(enum verb verb, const char *path, size_t len)
{
	return (struct query){.verb = verb, .object = OBJECT_PATH, .text = path, .len = len};
}

static int judge_named(struct request *request, enum verb verb, const char *path, size_t len,
		       int handle)
{
	if (judge_is_broker(request->broker, path, len))
		return judge_never(request, verb_name(verb), path, "it belongs to remit itself",
				   EACCES);
	if (judge_is_around(request, verb, path, len))
		return judge_never(request, verb_name(verb), path,
				   "it belongs to a process outside the session", EACCES);
	struct query query = path_query(verb, path, len);
	struct source source = {.handle = handle};

	return judge(request, &query, &source, false);
}

int judge_exec(struct request *request, const struct object *object, struct exec_args *args,
	       bool started)
{
	struct query query = path_query(VERB_EXEC, object->path, object->len);
	struct source source = {.handle = object->handle, .args = args};

	if (object->anonymous)
		return judge_never(request, "exec", object->path, "it has no path", EACCES);
	if (judge_is_broker(request->broker, object->path, object->len))
		return judge_never(request, "exec", object->path, "it belongs to remit itself",
				   EACCES);
	return judge(request, &query, &source, started);
}

int judge_path(struct request *request, enum verb verb, const struct object *object)
{
	/* What has no path cannot be covered by any rule. */
	if (object->anonymous)
		return judge_never(request, verb_name(verb), object->path, "it has no path",
				   EACCES);
	return judge_named(request, verb, object->path, object->len, object->handle);
}

int judge_text(struct request *request, enum verb verb, const char *path, size_t len)
{
	return judge_named(request, verb, path, len, -1);
}

int judge_address(struct request *request, enum verb verb, const struct address *address)
{
	struct query query = {.verb = verb, .object = OBJECT_ADDRESS, .address = *address};

	struct source source = {.handle = -1};

	return judge(request, &query, &source, false);
}

int judge_abstract(struct request *request, enum verb verb, const char *name, size_t len)
{
	struct query query = {.verb = verb, .object = OBJECT_ABSTRACT, .text = name, .len = len};

	struct source source = {.handle = -1};

	return judge(request, &query, &source, false);
}

static int never(struct request *request, const char *verb, const char *object, const char *why,
		 int error, bool quiet)
{
	struct record record = {
	    .op = verb,
	    .object = object,
	    .object_len = strlen(object),
	    .verdict = VERDICT_REFUSED,
	    .why = why,
	    .lane = lane_name(LANE_REFUSED),
	    .error = error,
	    .quiet = quiet,
	};
	int broken = judge_put_record(request, &record, NULL);

	if (broken)
		return broken;
	if (!quiet)
		tell_never(request, verb, object, why);
	return -error;
}

int judge_never(struct request *request, const char *verb, const char *object, const char *why,
		int error)
{
	return never(request, verb, object, why, error, false);
}

int judge_never_quietly(struct request *request, const char *verb, const char *object,
			const char *why, int error)
{
	return never(request, verb, object, why, error, true);
}

bool judge_would_allow(struct request *request, enum verb verb, const char *path, size_t len)
{
	const struct scope *scope;

	if (judge_is_broker(request->broker, path, len) ||
	    judge_is_around(request, verb, path, len) ||
	    records_broken(broker_records(request->broker)))
		return false;
	for (unsigned int n = 0; (scope = nest_scope(request, n)); n++) {
		const struct nested *nested = nest_level(request, n);

		if ((nested && records_broken(nested->records)) ||
		    decide_path(scope, verb, path, len).verdict != VERDICT_ALLOWED)
			return false;
	}
	return true;
}

int judge_allowed(struct request *request, enum verb verb, const char *path, size_t len)
{
	const struct record counted = {.verdict = VERDICT_ALLOWED};
	struct usage *usage = broker_usage(request->broker);

	if (!judge_records_all(request)) {
		const struct scope *scope = broker_scope(request->broker);

		if (usage)
			usage_count(usage, decide_path(scope, verb, path, len).rule);
		return judge_put_lines(request, &counted, NULL);
	}
	return request_alive(request) ? judge_text(request, verb, path, len) : -ESRCH;
}
