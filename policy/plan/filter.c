/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter table. Every treatment of syscalls.c has one function (filter_rows.h) that writes its
 * clauses; the first clause that applies decides, and the last one always applies, so a row answers
 * for every value of every argument.
 */
#include "policy/plan/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/plan/filter_rows.h"

static row_function *row_of(enum treatment treatment)
{
	row_function *const *const files[] = {filter_path_rows, filter_process_rows,
					      filter_argument_rows};
	size_t i = 0;
	while (!files[i][treatment])
		i++;
	return files[i][treatment];
}

/* The clauses of one row; only those that are written mean anything. */
static void write_clauses(struct row_writer *w, const struct filter_terms *terms,
			  const struct syscall_row *from)
{
	w->terms = terms;
	w->from = from;
	w->class = CLASS_ALLOW;
	w->count = 0;
	row_of(from->treatment)(w);
}

static int keep_clauses(struct plan *plan, const struct row_writer *w, size_t used, size_t *room)
{
	if (w->count > *room - used) {
		size_t more = *room ? *room * 2 : 1024;
		struct filter_clause *clauses = reallocarray(plan->clauses, more, sizeof(*clauses));
		if (!clauses)
			return -ENOMEM;
		plan->clauses = clauses;
		*room = more;
	}
	memcpy(&plan->clauses[used], w->clause, w->count * sizeof(w->clause[0]));
	return 0;
}

int filter_build(const struct filter_terms *terms, struct plan *plan)
{
	struct row_writer w;
	size_t room = 0, used = 0;
	plan->filter = calloc(syscall_table_size, sizeof(*plan->filter));
	if (!plan->filter)
		return -ENOMEM;
	for (size_t i = 0; i < syscall_table_size; i++) {
		const struct syscall_row *from = &syscall_table[i];
		write_clauses(&w, terms, from);
		if (keep_clauses(plan, &w, used, &room) < 0)
			return -ENOMEM;
		plan->filter[i] = (struct filter_row){
		    .nr = from->nr,
		    .name = from->name,
		    .class = w.class,
		    .why = from->why,
		    .clause_count = w.count,
		};
		used += w.count;
	}
	/* They have moved as they grew. */
	used = 0;
	for (size_t i = 0; i < syscall_table_size; i++) {
		plan->filter[i].clause = &plan->clauses[used];
		used += plan->filter[i].clause_count;
	}
	plan->filter_count = syscall_table_size;
	return 0;
}

static const struct filter_row *find_row(const struct plan *plan, int nr)
{
	size_t low = 0, high = plan->filter_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (plan->filter[middle].nr == nr)
			return &plan->filter[middle];
		if (plan->filter[middle].nr < nr)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool applies(const struct filter_clause *clause, const uint64_t args[6])
{
	for (uint8_t i = 0; i < clause->compare_count; i++) {
		const struct filter_compare *compare = &clause->compare[i];
		if ((args[compare->arg] & compare->mask) != compare->value)
			return false;
	}
	return true;
}

const struct filter_clause *plan_filter_clause(const struct plan *plan, int nr,
					       const uint64_t args[6])
{
	static const struct filter_clause unknown = {.action = FILTER_NOTIFY};
	const struct filter_row *row = find_row(plan, nr);
	for (uint8_t i = 0; row && i < row->clause_count; i++) {
		if (applies(&row->clause[i], args))
			return &row->clause[i];
	}
	return &unknown;
}
