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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/core/explain.h"
#include "shim/broker/broker.h"
#include "shim/broker/exec_args.h"
#include "shim/broker/facts.h"
#include "shim/broker/gate.h"
#include "shim/broker/record.h"
#include "shim/broker/tell.h"
#include "shim/common/protocol.h"

/* Writes the record; for allowed calls only where the log wants them. -EIO when the log is broken.
 */
static int put_record(struct request *request, struct record *record)
{
	struct records *records = broker_records(request->broker);
	struct scope_about about;
	char exe[PATH_TEXT_MAX];

	scope_about(broker_scope(request->broker), &about);
	record->source = SOURCE_BROKER;
	record->pid = request->tid;
	if (record->verdict != VERDICT_ALLOWED || about.record != RECORD_DENIALS) {
		char link[32];
		pid_t tgid = request_tgid(request);

		if (tgid > 0)
			record->pid = tgid;
		snprintf(link, sizeof(link), "/proc/%d/exe", request->tid);
		ssize_t n = readlink(link, exe, sizeof(exe) - 1);

		if (n > 0 && request_alive(request)) {
			exe[n] = '\0';
			record->exe = exe;
		}
	}
	return records_write(records, record) == 0 ? 0 : -EIO;
}

static void explain(struct request *request, const struct query *query,
		    const struct decision *decision, const char *object, size_t len)
{
	char text[EXPLAIN_MAX + 1];

	if (decision->quiet || (broker_session_flags(request->broker) & SESSION_QUIET))
		return;
	if (!records_first_time(broker_records(request->broker), request_tgid(request), query->verb,
				object, len))
		return;
	size_t n =
	    explain_refusal(broker_scope(request->broker), query, decision, text, sizeof(text) - 1);

	text[n++] = '\n';
	tell_caller(request, text, n);
}

/* What the record calls the object: the bytes themselves for paths, the written form for the
 * rest. */
static size_t object_text(const struct query *query, const char **text, char *buf, size_t size)
{
	if (query->object == OBJECT_ADDRESS) {
		*text = buf;
		return address_format(&query->address, buf, size);
	}
	if (query->object == OBJECT_ABSTRACT) {
		size_t n = (size_t)snprintf(buf, size, "unix:@");

		if (query->len < size - n) {
			memcpy(buf + n, query->text, query->len);
			n += query->len;
		}
		*text = buf;
		return n;
	}
	*text = query->text;
	return query->len;
}

/* What judging an object may ask further. */
struct source {
	int handle;		/* an fd of the object, -1: none */
	struct exec_args *args; /* NULL: no exec, or not known */
	uint8_t sha256[32];
};

static struct decision decide_with_facts(struct request *request, struct query *query,
					 struct source *source)
{
	const struct scope *scope = broker_scope(request->broker);
	struct decision decision = decide(scope, query);
	uint32_t wanted = decision.conditions;

	if (decision.verdict == VERDICT_ALLOWED || wanted == 0 || source->handle < 0)
		return decision;
	request->conditions |= wanted;
	if ((wanted & CONDITION_SHA256) && facts_sha256(source->handle, source->sha256) == 0)
		query->facts.sha256 = source->sha256;
	if (wanted & CONDITION_SESSION_TERMINAL)
		query->facts.session_terminal =
		    facts_session_terminal(request->broker, source->handle);
	if ((wanted & CONDITION_ARGS) && source->args)
		exec_args_get(source->args, &query->facts.args, &query->facts.args_len);
	return decide(scope, query);
}

/* again: that it was allowed has been recorded before. */
static int judge(struct request *request, struct query *query, struct source *source, bool again)
{
	const struct scope *scope = broker_scope(request->broker);
	struct decision decision = decide_with_facts(request, query, source);
	char buf[ADDRESS_UNIX_MAX + ADDRESS_TEXT_MAX];
	const char *object;
	struct rule rule;

	bool allowed = decision.verdict == VERDICT_ALLOWED;
	int error = allowed ? 0 : decision.error > 0 ? decision.error : EACCES;
	size_t len = object_text(query, &object, buf, sizeof(buf));
	struct record record = {
	    .op = verb_name(query->verb),
	    .object = object,
	    .object_len = len,
	    .verdict = decision.verdict,
	    .lane = lane_name(allowed ? LANE_GATE : LANE_REFUSED),
	    .error = error,
	    .quiet = decision.quiet,
	};

	if (decision.rule != RULE_NONE) {
		scope_rule(scope, decision.rule, &rule);
		record.rule = &rule;
	}
	int broken = again && allowed ? 0 : put_record(request, &record);

	if (broken)
		return broken;
	if (!allowed)
		explain(request, query, &decision, object, len);
	return -error;
}

/* The number that follows "/proc/" when it names the broker or one of its threads. */
static bool is_broker(const struct broker *broker, const char *path, size_t len)
{
	char task[64];
	size_t n = 6;

	if (len <= n || memcmp(path, "/proc/", n) != 0)
		return false;
	while (n < len && path[n] >= '0' && path[n] <= '9')
		n++;
	if (n == 6 || n > 20 || (n < len && path[n] != '/'))
		return false;
	if (atol(path + 6) == broker_pid(broker))
		return true;
	snprintf(task, sizeof(task), "/proc/self/task/%.*s", (int)(n - 6), path + 6);
	return access(task, F_OK) == 0;
}

static struct query path_query(enum verb verb, const char *path, size_t len)
{
	return (struct query){.verb = verb, .object = OBJECT_PATH, .text = path, .len = len};
}

static int judge_named(struct request *request, enum verb verb, const char *path, size_t len,
		       int handle)
{
	if (is_broker(request->broker, path, len))
		return judge_never(request, verb_name(verb), path, "it belongs to remit itself",
				   EACCES);
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
	if (is_broker(request->broker, object->path, object->len))
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
	int broken = put_record(request, &record);

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
	if (is_broker(request->broker, path, len) ||
	    records_broken(broker_records(request->broker)))
		return false;
	return decide_path(broker_scope(request->broker), verb, path, len).verdict ==
	       VERDICT_ALLOWED;
}

bool judge_in_wall(struct request *request, enum verb verb, const struct object *object)
{
	static const uint32_t rights[VERB_COUNT] = {
	    [VERB_READ] = RIGHT_READ, [VERB_WRITE] = RIGHT_WRITE, [VERB_EXEC] = RIGHT_EXEC};

	return !object->anonymous && verb < VERB_COUNT && rights[verb] != 0 &&
	       standing_in_wall(broker_standing(request->broker), object->path, object->len,
				rights[verb]);
}

bool judge_name_in_wall(struct request *request, const struct object *object)
{
	size_t len = object->len;

	while (len > 1 && object->path[len - 1] != '/')
		len--;
	if (object->anonymous || len == 0)
		return false;
	return standing_in_wall(broker_standing(request->broker), object->path,
				len > 1 ? len - 1 : 1, RIGHT_WRITE);
}
