/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that judge: judge.c decides, judge_record.c writes and tells, judge_proc.c
 * knows whose entries in /proc nobody is granted. */
#ifndef REMIT_BROKER_JUDGE_INTERNAL_H
#define REMIT_BROKER_JUDGE_INTERNAL_H

#include "shim/broker/broker.h"
#include "shim/broker/nest.h"
#include "shim/broker/record.h"

#define JUDGE_LEVELS (NEST_DEPTH + 1)

/* What each scope says; [0] is the innermost. */
struct judgement {
	const struct scope *scope[JUDGE_LEVELS];
	struct decision decision[JUDGE_LEVELS];
	unsigned int count;
	unsigned int refused; /* the scope that refused; count: none */
};

/* In the session's own log and in those of the inner sessions that the caller is in. Where all have
 * allowed it, each names its own rule; else all name the one that refused. NULL: no rule is named.
 * -EIO when a log is broken. */
int judge_put_lines(const struct request *request, const struct record *record,
		    const struct judgement *judgement);
/* The same, with the process filled in where the logs want the line. */
int judge_put_record(struct request *request, struct record *record,
		     const struct judgement *judgement);
/* On the caller's stderr, once for each object and process. */
void judge_explain(struct request *request, const struct query *query, const struct scope *scope,
		   const struct decision *decision, const char *object, size_t len);
/* What the record calls the object: the bytes themselves for paths, the written form for the
 * rest, in buf. Returns the length of *text. */
size_t judge_object_text(const struct query *query, const char **text, char *buf, size_t size);

/* Whether a path in /proc is of the broker or one of its threads. */
bool judge_is_broker(const struct broker *broker, const char *path, size_t len);
/* Whether it is the inside of a process that is not of the caller's own session. */
bool judge_is_around(struct request *request, enum verb verb, const char *path, size_t len);

#endif
