/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between filter.c and the files that write the rows: one function for each treatment of
 * syscalls.c, which adds the clauses of one row, the first that applies first.
 *
 * Registers are 64 bits wide and the kernel cuts most arguments to 32: an attacker fills the upper
 * half at will. So what is *refused* or *gated* by value is compared on the bits that the kernel
 * looks at, and what is *allowed* by value either on those bits or on all 64; the clause at the end
 * is the stricter one. Numbers come from the uapi headers named beside them.
 */
#ifndef REMIT_PLAN_FILTER_ROWS_H
#define REMIT_PLAN_FILTER_ROWS_H

#include <stdint.h>

#include "policy/plan/filter.h"
#include "policy/plan/syscalls.h"

#define LOW32 0xffffffffULL
#define TAG_ARG 5 /* where a shim puts REMIT_TAG: no call that has a fast lane takes so many */

/* Room for the clauses of one row; filter_build() copies what was used. */
#define ROW_ROOM 32

struct row_writer {
	const struct filter_terms *terms;
	const struct syscall_row *from;
	enum filter_class class;
	struct filter_clause clause[ROW_ROOM];
	uint8_t count;
};

static inline struct filter_clause *add(struct row_writer *w, enum filter_action action, int error)
{
	struct filter_clause *clause = &w->clause[w->count++];
	*clause = (struct filter_clause){.action = action, .error = error};
	return clause;
}

static inline void when(struct filter_clause *clause, uint8_t arg, uint64_t mask, uint64_t value)
{
	clause->compare[clause->compare_count++] = (struct filter_compare){
	    .arg = arg, .op = COMPARE_MASKED_EQ, .mask = mask, .value = value};
}

static inline void when_equal(struct filter_clause *clause, uint8_t arg, uint64_t value)
{
	clause->compare[clause->compare_count++] = (struct filter_compare){
	    .arg = arg, .op = COMPARE_EQ, .mask = UINT64_MAX, .value = value};
}

/* Nobody may do this, and it is worth a record: the gate writes it down and refuses
 * (shim/broker/never.c). Without a gate the kernel says ENOSYS. */
static inline struct filter_clause *never(struct row_writer *w)
{
	return add(w, FILTER_NOTIFY, 0);
}

/* By treatment; NULL: another file's. Together they have one for each. */
typedef void row_function(struct row_writer *w);
extern row_function *const filter_path_rows[TREAT_COUNT];
extern row_function *const filter_process_rows[TREAT_COUNT];
extern row_function *const filter_argument_rows[TREAT_COUNT];

#endif
