/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a verdict, and its explanation. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/core/explain.h"
#include "shim/broker/gate.h"
#include "shim/broker/judge_internal.h"
#include "shim/broker/tell.h"
#include "shim/common/protocol.h"

bool judge_records_all(const struct request *request)
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

int judge_put_lines(const struct request *request, const struct record *record,
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

int judge_put_record(struct request *request, struct record *record,
		     const struct judgement *judgement)
{
	char exe[PATH_TEXT_MAX];

	record->pid = request->tid;
	if (record->verdict != VERDICT_ALLOWED || judge_records_all(request)) {
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
	return judge_put_lines(request, record, judgement);
}

void judge_explain(struct request *request, const struct query *query, const struct scope *scope,
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

size_t judge_object_text(const struct query *query, const char **text, char *buf, size_t size)
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
