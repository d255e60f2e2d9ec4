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
#include "shim/broker/nest.h"
#include "shim/broker/process.h"
#include "shim/broker/record.h"
#include "shim/broker/tell.h"
#include "shim/broker/usage.h"
#include "shim/common/protocol.h"

#define LEVELS (NEST_DEPTH + 1)

/* What each scope says; [0] is the innermost. */
struct judgement {
	const struct scope *scope[LEVELS];
	struct decision decision[LEVELS];
	unsigned int count;
	unsigned int refused; /* the scope that refused; count: none */
};

/* Whether some log wants to know of allowed calls. */
static bool records_all(const struct request *request)
{
	const struct scope *scope;
	struct scope_about about;
	bool all = false;

	for (unsigned int n = 0; (scope = nest_scope(request, n)); n++) {
		scope_about(scope, &about);
		all |= about.record == RECORD_ALL || about.record == RECORD_STRICT;
	}
	return all;
}

/* In the session's own log and in those of the inner sessions that the caller is in. Where all have
 * allowed it, each names its own rule; else all name the one that refused. */
static int put_lines(const struct request *request, const struct record *record,
		     const struct judgement *judgement)
{
	const struct nested *nested = request->nested;
	struct record line = *record;
	struct rule rule;
	int broken = 0;
	unsigned int n = 0;

	do {
		unsigned int at =
		    judgement && judgement->refused < judgement->count ? judgement->refused : n;

		line.inner = request->nested && n > 0 ? &request->nested->inner : NULL;
		line.rule = NULL;
		if (judgement && judgement->decision[at].rule != RULE_NONE) {
			scope_rule(judgement->scope[at], judgement->decision[at].rule, &rule);
			line.rule = &rule;
		}
		broken |= records_write(nested ? nested->records : broker_records(request->broker),
					&line);
		n++;
	} while (nested && (nested = nested->outer, true));
	return broken ? -EIO : 0;
}

/* Writes the record; for allowed calls only where the log wants them. -EIO when a log is broken. */
static int put_record(struct request *request, struct record *record,
		      const struct judgement *judgement)
{
	char exe[PATH_TEXT_MAX];

	record->pid = request->tid;
	if (record->verdict != VERDICT_ALLOWED || records_all(request)) {
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
	return put_lines(request, record, judgement);
}

static void explain(struct request *request, const struct query *query, const struct scope *scope,
		    const struct decision *decision, const char *object, size_t len)
{
	char text[EXPLAIN_MAX + 1];

	if (decision->quiet || (nest_flags(request) & SESSION_QUIET))
		return;
	if (!records_first_time(broker_records(request->broker), request_tgid(request), query->verb,
				object, len))
		return;
	size_t n = explain_refusal(scope, query, decision, text, sizeof(text) - 1);

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
	struct judgement judgement = {.refused = LEVELS};
	const struct scope *scope;

	while (judgement.refused == LEVELS && judgement.count < LEVELS &&
	       (scope = nest_scope(request, judgement.count))) {
		unsigned int n = judgement.count++;

		judgement.scope[n] = scope;
		judgement.decision[n] = decide_with_facts(request, n, scope, query, source);
		if (judgement.decision[n].verdict != VERDICT_ALLOWED)
			judgement.refused = n;
	}
	if (judgement.refused == LEVELS)
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
	size_t len = object_text(query, &object, buf, sizeof(buf));
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
	int broken = again && allowed ? 0 : put_record(request, &record, judgement);

	if (broken)
		return broken;
	/* Of the session itself, which is the outermost. */
	if (allowed && !again && judgement->count)
		usage_count(broker_usage(request->broker),
			    judgement->decision[judgement->count - 1].rule);
	/* What the shim refused, the shim has told. */
	if (!allowed && source == SOURCE_BROKER)
		explain(request, query, judgement->scope[at], decision, object, len);
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

/* What the kernel tells of a process to those who may not trace it. */
static bool tells_everybody(const char *rest)
{
	static const char *const names[] = {
	    "",	      "autogroup",  "cgroup",	 "cmdline",   "comm",	       "coredump_filter",
	    "cpuset", "fd",	    "gid_map",	 "limits",    "loginuid",      "mountinfo",
	    "mounts", "mountstats", "oom_adj",	 "oom_score", "oom_score_adj", "projid_map",
	    "sched",  "schedstat",  "sessionid", "setgroups", "stat",	       "statm",
	    "status", "task",	    "uid_map",	 "wchan"};

	if (strncmp(rest, "task/", 5) == 0) {
		rest += 5 + strcspn(rest + 5, "/");
		rest += *rest == '/';
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(rest, names[i]) == 0)
			return true;
	}
	return false;
}

/*
 * The inside of a process that is not of the caller's own session. What keeps a caller out of it is
 * the domain that it descends from (ptrace_may_access() asks Landlock), and an inner session's is
 * deeper than ours: we may look into all that is around it. Where the caller is in no inner session
 * our own domain bounds us as it bounds him.
 */
static bool is_around(struct request *request, enum verb verb, const char *path, size_t len)
{
	char *end;

	if (!request->nested || len < 6 || memcmp(path, "/proc/", 6) != 0)
		return false;
	long pid = strtol(path + 6, &end, 10);

	if (pid <= 0 || (*end && *end != '/') || process_in_session(request, (pid_t)pid))
		return false;
	return verb != VERB_READ || !tells_everybody(*end ? end + 1 : end);
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
	if (is_around(request, verb, path, len))
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
	int broken = put_record(request, &record, NULL);

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

	if (is_broker(request->broker, path, len) || is_around(request, verb, path, len) ||
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

	if (!records_all(request)) {
		const struct scope *scope = broker_scope(request->broker);

		if (usage)
			usage_count(usage, decide_path(scope, verb, path, len).rule);
		return put_lines(request, &counted, NULL);
	}
	return request_alive(request) ? judge_text(request, verb, path, len) : -ESRCH;
}

uint32_t judge_beneath(struct request *request, const char *path, size_t len)
{
	const struct scope *scope;
	uint32_t beneath = 0, suffix_only = BENEATH_SUFFIX_ONLY;

	for (unsigned int n = 0; (scope = nest_scope(request, n)); n++) {
		uint32_t one = decide_beneath(scope, path, len);

		if (one & BENEATH_DENIAL)
			suffix_only &= one;
		beneath |= one & ~(uint32_t)BENEATH_SUFFIX_ONLY;
	}
	return beneath & BENEATH_DENIAL ? beneath | suffix_only : beneath;
}

uint32_t judge_pinned_beneath(struct request *request, const char *path, size_t len)
{
	const struct scope *scope;
	uint32_t pinned = 0;

	for (unsigned int n = 0; (scope = nest_scope(request, n)); n++)
		pinned |= decide_pinned_beneath(scope, path, len);
	return pinned;
}

bool judge_moves_safely(struct request *request, const char *from, size_t from_len, const char *to,
			size_t to_len)
{
	const struct scope *scope;

	for (unsigned int n = 0; (scope = nest_scope(request, n)); n++) {
		if (!decide_moves_safely(scope, from, from_len, to, to_len))
			return false;
	}
	return true;
}

bool judge_text_in_wall(struct request *request, enum verb verb, const char *path, size_t len)
{
	static const uint32_t rights[VERB_COUNT] = {
	    [VERB_READ] = RIGHT_READ, [VERB_WRITE] = RIGHT_WRITE, [VERB_EXEC] = RIGHT_EXEC};

	/* What the walls of inner sessions hold is not known here. Only a program needs them: the
	 * kernel alone can run it, and each wall holds what its scope grants at the start. */
	if (request->nested && verb != VERB_EXEC)
		return false;
	return verb < VERB_COUNT && rights[verb] != 0 &&
	       standing_in_wall(broker_standing(request->broker), path, len, rights[verb]);
}

bool judge_in_wall(struct request *request, enum verb verb, const struct object *object)
{
	return !object->anonymous && judge_text_in_wall(request, verb, object->path, object->len);
}

bool judge_name_text_in_wall(struct request *request, const char *path, size_t len)
{
	while (len > 1 && path[len - 1] != '/')
		len--;
	if (len == 0 || request->nested)
		return false;
	return standing_in_wall(broker_standing(request->broker), path, len > 1 ? len - 1 : 1,
				RIGHT_WRITE);
}

bool judge_name_in_wall(struct request *request, const struct object *object)
{
	return !object->anonymous && judge_name_text_in_wall(request, object->path, object->len);
}
