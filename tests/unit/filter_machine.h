/* SPDX-License-Identifier: Apache-2.0 */
/* A seccomp program and the plan that it was made of, an interpreter that runs it, and values of
 * arguments that are worth trying. */
#ifndef REMIT_TESTS_FILTER_MACHINE_H
#define REMIT_TESTS_FILTER_MACHINE_H

#include <check.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "policy/plan/filter.h"
#include "shim/common/protocol.h"
#include "shim/kernel/kernel.h"

#define TAG_ARGUMENT 5

/* Runs the subset of classic BPF that seccomp accepts; aborts on what it does not know. */
static uint32_t run(const struct sock_filter *code, size_t count, const struct seccomp_data *data)
{
	uint32_t a = 0, x = 0, memory[BPF_MEMWORDS] = {0};
	for (size_t pc = 0; pc < count; pc++) {
		const struct sock_filter *op = &code[pc];
		uint32_t other = BPF_SRC(op->code) == BPF_X ? x : op->k;
		bool jump;
		switch (BPF_CLASS(op->code)) {
		case BPF_LD:
			if (BPF_MODE(op->code) == BPF_ABS) {
				if (op->k % 4 || op->k >= sizeof(*data))
					ck_abort_msg("load from %u", op->k);
				memcpy(&a, (const char *)data + op->k, 4);
			} else {
				a = BPF_MODE(op->code) == BPF_IMM ? op->k : memory[op->k];
			}
			continue;
		case BPF_ST:
			memory[op->k] = a;
			continue;
		case BPF_ALU:
			if (BPF_OP(op->code) != BPF_AND)
				ck_abort_msg("unknown BPF %#x at %zu", op->code, pc);
			a &= other;
			continue;
		case BPF_MISC:
			if (BPF_MISCOP(op->code) == BPF_TAX)
				x = a;
			else
				a = x;
			continue;
		case BPF_RET:
			return op->k;
		case BPF_JMP:
			if (BPF_OP(op->code) == BPF_JA) {
				pc += op->k;
				continue;
			}
			jump = BPF_OP(op->code) == BPF_JEQ   ? a == other
			       : BPF_OP(op->code) == BPF_JGT ? a > other
			       : BPF_OP(op->code) == BPF_JGE ? a >= other
							     : (a & other) != 0;
			pc += jump ? op->jt : op->jf;
			continue;
		default:
			ck_abort_msg("unknown BPF %#x at %zu", op->code, pc);
		}
	}
	ck_abort_msg("the program runs off its end");
	return 0;
}

struct program {
	struct plan plan;
	struct sock_filter *code;
	size_t count;
};

/* Bits of a variant, beside those of make(). */
#define NATIVE_READS 64
#define NATIVE_ALL 128

static struct program make(unsigned int variant)
{
	struct filter_terms terms = {
	    .fast_lane = variant & 1,
	    .exec_fast_lane = variant & 2,
	    .scoped_signals = variant & 4,
	    .traced = variant & 8,
	    .gated_sends = variant & 16,
	    .gated_forks = variant & 32,
	    .native_read = variant & (NATIVE_READS | NATIVE_ALL),
	    .native_write = variant & NATIVE_ALL,
	    .native_exec = variant & (NATIVE_READS | NATIVE_ALL),
	};
	struct program p = {0};
	ck_assert_int_eq(filter_build(&terms, &p.plan), 0);
	ck_assert_int_eq(kernel_filter_build(&p.plan, &p.code, &p.count), 0);
	return p;
}

static void drop(struct program *p)
{
	free(p->code);
	plan_free(&p->plan);
}

static size_t add_sample(uint64_t *out, size_t count, uint64_t value)
{
	for (size_t i = 0; i < count; i++) {
		if (out[i] == value)
			return count;
	}
	out[count] = value;
	return count + 1;
}

/* Values around each compare of one argument: the value, its neighbours, single bits off, garbage
 * above bit 31. */
static size_t samples(const struct filter_row *row, uint8_t arg, uint64_t *out, size_t room)
{
	size_t count = 0;
	const uint64_t plain[] = {0, 1, UINT32_MAX, UINT64_MAX, 1ULL << 32, REMIT_TAG};
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		count = add_sample(out, count, plain[i]);
	for (uint8_t n = 0; row && n < row->clause_count; n++) {
		for (uint8_t c = 0; c < row->clause[n].compare_count; c++) {
			const struct filter_compare *at = &row->clause[n].compare[c];
			if (at->arg != arg)
				continue;
			const uint64_t around[] = {
			    at->value,
			    at->value + 1,
			    at->value - 1,
			    at->value | 0xdeadbeef00000000ULL,
			    at->value | ~at->mask,
			    at->value ^ (1ULL << 31),
			    at->value ^ (1ULL << 5),
			    at->value ^ (1ULL << 40),
			    at->value << 8,
			};
			for (size_t i = 0; i < sizeof(around) / sizeof(*around); i++) {
				if (count < room)
					count = add_sample(out, count, around[i]);
			}
		}
	}
	return count;
}

#define SAMPLES 192

#endif
