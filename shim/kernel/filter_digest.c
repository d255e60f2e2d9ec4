/* SPDX-License-Identifier: Apache-2.0 */
/* All that a seccomp program depends on, in one number: the clause table, word by word. */
#include "shim/kernel/kernel.h"

#include <sodium.h>

static void put(crypto_generichash_blake2b_state *state, const uint64_t *words, size_t count)
{
	crypto_generichash_blake2b_update(state, (const unsigned char *)words,
					  count * sizeof(*words));
}

/* Every word of the clause, so that no two clauses are the same bytes. */
static void put_clause(crypto_generichash_blake2b_state *state, const struct filter_clause *clause)
{
	uint64_t words[3 + 4 * CLAUSE_COMPARES];
	size_t count = 0;
	words[count++] = clause->action;
	words[count++] = (uint64_t)clause->error;
	words[count++] = clause->compare_count;
	for (uint8_t i = 0; i < clause->compare_count; i++) {
		const struct filter_compare *compare = &clause->compare[i];
		words[count++] = compare->arg;
		words[count++] = compare->op;
		words[count++] = compare->mask;
		words[count++] = compare->value;
	}
	put(state, words, count);
}

void kernel_filter_digest(const struct plan *plan, uint8_t out[KERNEL_FILTER_DIGEST])
{
	crypto_generichash_blake2b_state state;
	crypto_generichash_blake2b_init(&state, NULL, 0, KERNEL_FILTER_DIGEST);
	for (size_t i = 0; i < plan->filter_count; i++) {
		const struct filter_row *row = &plan->filter[i];
		put(&state, (const uint64_t[]){(uint64_t)row->nr, row->clause_count}, 2);
		for (uint8_t n = 0; n < row->clause_count; n++)
			put_clause(&state, &row->clause[n]);
	}
	crypto_generichash_blake2b_final(&state, out, KERNEL_FILTER_DIGEST);
}
