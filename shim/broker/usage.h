/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often each rule was used, known without a record for each call. What the gate allows it
 * counts in its own memory: evidence. What the shims let through by the fast lane they count in
 * memory that all of them share: testimony, of processes that could write anything there. No
 * verdict ever asks either.
 *
 * The memory is one sparse memfd for the whole session, eight bytes a rule: a page of it exists
 * once some rule in it was used, however many processes have it mapped, so a million rules cost at
 * most 8 MiB a session and nothing a process. It is sealed in its size, and the broker never maps
 * it: it is read once, by pread(2), into memory of our own, when the agent's processes are gone.
 */
#ifndef REMIT_BROKER_USAGE_H
#define REMIT_BROKER_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/core/scope.h"

struct usage;
struct records;

/* no_exec: the kernel can keep memory from being executed (features.h); without that no process
 * gets any, and the shims count nothing. scope is borrowed. 0 or a negative errno. */
int usage_create(const struct scope *scope, bool no_exec, struct usage **out);
void usage_free(struct usage *usage); /* NULL is fine */

/* What HYPERCALL_USAGE hands out; borrowed. -1: the shims count nothing. */
int usage_fd(const struct usage *usage);

/* One more use, as the gate has allowed it. Many threads; a NULL usage and RULE_NONE are fine. */
void usage_count(struct usage *usage, uint32_t rule);
/* The rules that pass or set the variables of the agent's environment. */
void usage_count_environment(struct usage *usage, char *const *from);

/* Takes the shims' counts in; once, before the two below. */
void usage_read(struct usage *usage);

struct usage_totals {
	uint64_t rules, used; /* grants, and how many of them were used */
	uint64_t unknown;     /* calls of the fast lane by names that no rule covers as written */
	bool shims;	      /* the shims' counts are in */
};
void usage_totals(const struct usage *usage, struct usage_totals *out);

/* Lines of the log: the rules that were used, then those that never were. 0 or -EIO. */
int usage_record(const struct usage *usage, struct records *records);
/* The same for people. */
void usage_print(const struct usage *usage, const char *agent, FILE *stream);

#endif
