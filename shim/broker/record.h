/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records: the audit log. One JSON object a line, built in one buffer and written with one write(2)
 * on an O_APPEND fd, so lines are whole and never interleave. Control characters are escaped, bytes
 * that are not UTF-8 become \u00XX-style escapes of that byte, long names are bounded. After a
 * failed write, or past audit.max_size, the log is broken for good: records_broken() is true and
 * the gate refuses everything (fail closed). Safe for use by many threads.
 */
#ifndef REMIT_BROKER_RECORD_H
#define REMIT_BROKER_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "policy/core/decide.h"
#include "policy/plan/plan.h"

struct records;
struct usage_totals; /* usage.h */

enum record_source { SOURCE_BROKER, SOURCE_SHIM };

/* An inner session as the logs around it name it. */
#define RECORD_SESSION_MAX 40
struct record_inner {
	char session[RECORD_SESSION_MAX], agent[80];
	char scope[2 * SCOPE_DIGEST_SIZE + 1]; /* digest */
};

struct record {
	enum record_source source;
	pid_t pid;
	const char *exe;    /* of the process; NULL: unknown */
	const char *op;	    /* query verb, or the syscall for what has no verb */
	const char *object; /* raw bytes up to object_len */
	size_t object_len;
	enum verdict verdict;
	const struct rule *rule; /* NULL: no rule */
	const char *why;	 /* static text for refusals without a rule; NULL */
	const char *lane;
	int error; /* positive errno or 0 */
	bool quiet;
	/* NULL but for a call of an inner session: */
	const struct record_inner *inner; /* the caller's, in the logs around it */
	const char *by;			  /* the agent whose manifest refused it */
};

struct record_totals {
	uint64_t allowed, refused, quiet, written;
	uint64_t processes, unshimmed;	  /* filled by the session's end */
	const struct usage_totals *usage; /* the same; NULL: uses were not counted */
};

/* fd is owned from here on; -1: only counts. session_id is copied. 0 or -ENOMEM. */
int records_open(int fd, const char *session_id, const struct scope *scope, struct records **out);
/* The first line: what is enforced and how. */
int records_begin(struct records *records, const struct plan *plan, const struct features *features,
		  char *const argv[]);
/* Goes on in a file in which another has written `seq` lines for the session. */
void records_resume(struct records *records, uint64_t seq);
void records_name(const struct records *records, struct record_inner *out);
/* A line about an inner session: it begins (ending NULL), or has ended. */
int records_inner(struct records *records, const struct record_inner *inner, const char *ending,
		  int status);
int records_write(struct records *records, const struct record *record);
/* A line about uses of rules: of those that were used, or of those that never were. `broker` counts
 * what the gate allowed; `shim` is what the agent's processes say (usage.h). */
struct record_use {
	struct rule rule;
	uint64_t broker, shim; /* at most 2^53 - 1 */
};
int records_usage(struct records *records, const struct record_use *uses, size_t count, bool used);
/* The last line: counts, exit status, why the session ended ("exit", "signal", "wall_time",
 * "expired"). */
int records_end(struct records *records, const struct record_totals *extra, int status,
		const char *ending);
bool records_broken(const struct records *records);
/* That it is so because it has met the bound of its manifest. */
bool records_full(const struct records *records);
void records_totals(struct records *records, struct record_totals *out);
/* True the first time this (process, verb, object) is seen, for one explanation each; bounded
 * memory, forgets the oldest. */
bool records_first_time(struct records *records, pid_t pid, enum verb verb, const char *object,
			size_t len);
/* The most frequent refusals, for the summary on stderr; prints nothing when there were none. */
void records_summary(struct records *records, FILE *stream);
/* What a broken log meant, for the same. full: it was by its bound. */
void records_print_broken(bool full, FILE *stream);
void records_close(struct records *records); /* NULL is fine */

#endif
