/* SPDX-License-Identifier: Apache-2.0 */
/* All that a seccomp program depends on, in one number: the clause table, word by word. */
#include "shim/kernel/kernel.h"

#include <sodium.h>

/* A word of `width` bytes, little end first. */
static size_t put(uint8_t *out, uint64_t word, size_t width)
{
	for (size_t i = 0; i < width; i++)
		out[i] = (uint8_t)(word >> (8 * i));
	return width;
}

/* Every field in its full width or with its count before it, so that no two clauses are the same
 * bytes. */
static void add_clause(crypto_generichash_blake2b_state *state, const struct filter_clause *clause)
{
	uint8_t bytes[12 + 24 * CLAUSE_COMPARES];
	size_t len = put(bytes, clause->action, 4);
	len += put(bytes + len, (uint32_t)clause->error, 4);
	len += put(bytes + len, clause->compare_count, 4);
	for (uint8_t i = 0; i < clause->compare_count; i++) {
		const struct filter_compare *compare = &clause->compare[i];
		len += put(bytes + len, compare->arg, 4);
		len += put(bytes + len, compare->op, 4);
		len += put(bytes + len, compare->mask, 8);
		len += put(bytes + len, compare->value, 8);
	}
	crypto_generichash_blake2b_update(state, bytes, len);
}

void kernel_filter_digest(const struct plan *plan, uint8_t out[KERNEL_FILTER_DIGEST])
{
	crypto_generichash_blake2b_state state;
	crypto_generichash_blake2b_init(&state, NULL, 0, KERNEL_FILTER_DIGEST);
	for (size_t i = 0; i < plan->filter_count; i++) {
		const struct filter_row *row = &plan->filter[i];
		uint8_t bytes[8];
		size_t len = put(bytes, (uint32_t)row->nr, 4);
		len += put(bytes + len, row->clause_count, 4);
		crypto_generichash_blake2b_update(&state, bytes, len);
		for (uint8_t n = 0; n < row->clause_count; n++)
			add_clause(&state, &row->clause[n]);
	}
	crypto_generichash_blake2b_final(&state, out, KERNEL_FILTER_DIGEST);
}
