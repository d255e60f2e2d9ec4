/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scopes of any size and the queries that are asked of them. Each scope holds the same FEW rules
 * and else rules about other places, so that one query means the same in all: what differs is the
 * price of the number of rules.
 */
#ifndef REMIT_BENCH_SCOPES_H
#define REMIT_BENCH_SCOPES_H

#include "tests/unit/model_builder.h"

#define FEW 10U

/* rules >= FEW; builder_free() it. Aborts without memory. */
struct builder scope_of(unsigned int rules);

struct sample {
	const char *name;
	enum verb verb;
	const char *object; /* a path, or IP:PORT */
};

extern const struct sample samples[]; /* ends with a row without a name */

struct query sample_query(const struct sample *sample);

/* The object of a rule that scopes of more than `rule` + FEW rules hold, all over a large one. The
 * text is in `buf`, as long as the query is used. */
struct query spread_query(bool address, unsigned int rule, char *buf, size_t size);

#endif
