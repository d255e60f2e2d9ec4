/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's own filter: what policy/plan/broker_calls.c lists, EPERM for the rest. Written out
 * directly, because the table is flat and libseccomp takes longer for it than the launch of a
 * session may.
 *
 * Guarantees: all threads of the process have it, and those started later inherit it; so do
 * processes, but it lets none be started. Relies on: no_new_privs, and on the agent having been
 * forked before.
 *
 * A binary search by number. The kernel tries a program with every number there is as it is loaded,
 * to remember which pass without a look at their arguments (5.11): one row after the other, that
 * alone took longer than all else about the load.
 */
#include "shim/kernel/kernel.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/plan/broker_calls.h"

/* Sanitizers start threads and processes of their own, at the end and on an error. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define REFUSAL SECCOMP_RET_ALLOW
#else
#define REFUSAL (SECCOMP_RET_ERRNO | EPERM)
#endif

#define PROGRAM_MAX KERNEL_BROKER_PROGRAM
#define CALLS_MAX 256
#define VALUES_MAX 64 /* a BPF jump goes 255 instructions far */

struct program {
	struct sock_filter *code; /* room for PROGRAM_MAX */
	size_t count;
};

static void emit(struct program *program, uint16_t code, uint8_t yes, uint8_t no, uint32_t value)
{
	/* Counted beyond the end, so that the caller sees it. */
	if (program->count < PROGRAM_MAX)
		program->code[program->count] = (struct sock_filter){code, yes, no, value};
	program->count++;
}

static void emit_load(struct program *program, size_t offset)
{
	emit(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void emit_return(struct program *program, uint32_t action)
{
	emit(program, BPF_RET | BPF_K, 0, 0, action);
}

static void emit_equal(struct program *program, uint32_t value, uint8_t yes, uint8_t no)
{
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, yes, no, value);
}

/* With the low half of the argument in A: falls through to a refusal, then to an allowance. */
static void emit_check(struct program *program, const struct broker_call *call)
{
	uint8_t left = (uint8_t)call->value_count;

	switch (call->check) {
	case CALL_ONE_OF:
		for (size_t i = 0; i < call->value_count; i++)
			emit_equal(program, call->values[i], left--, 0);
		break;
	case CALL_WITH:
		emit(program, BPF_ALU | BPF_AND | BPF_K, 0, 0, call->values[0]);
		emit_equal(program, call->values[0], 1, 0);
		break;
	default:
		emit(program, BPF_ALU | BPF_AND | BPF_K, 0, 0, call->values[0]);
		emit_equal(program, 0, 1, 0);
	}
	emit_return(program, REFUSAL);
	emit_return(program, SECCOMP_RET_ALLOW);
}

/* Neighbours by number that all pass, or one row with a check. */
struct leaf {
	uint32_t first, last;
	const struct broker_call *checked; /* NULL: all pass */
};

/* With the number in A and known not to be below the leaf. */
static void emit_leaf(struct program *program, const struct leaf *leaf)
{
	const struct broker_call *call = leaf->checked;
	size_t at = program->count;

	emit(program, BPF_JMP | BPF_JGT | BPF_K, 0, 0, leaf->last);
	if (!call) {
		emit_return(program, SECCOMP_RET_ALLOW);
	} else if (call->check == CALL_ABSENT) {
		emit_return(program, SECCOMP_RET_ERRNO | ENOSYS);
	} else {
		/* Little-endian: the low half comes first. */
		emit_load(program, offsetof(struct seccomp_data, args[call->arg]));
		emit_check(program, call);
	}
	if (program->count < PROGRAM_MAX)
		program->code[at].jt = (uint8_t)(program->count - at - 1);
	emit_return(program, REFUSAL);
}

/* A binary search; leaves[0] begins no later than what can come here. */
static void emit_tree(struct program *program, const struct leaf *leaves, size_t count)
{
	size_t at = program->count, half = count / 2;

	if (count == 1) {
		emit_leaf(program, leaves);
		return;
	}
	emit(program, BPF_JMP | BPF_JGE | BPF_K, 0, 0, leaves[half].first);
	emit_tree(program, leaves, half);
	size_t left = program->count - at - 1;

	if (left <= UINT8_MAX) {
		if (program->count < PROGRAM_MAX)
			program->code[at].jt = (uint8_t)left;
	} else { /* too far for a comparison's own jump */
		program->count = at + 1;
		emit(program, BPF_JMP | BPF_JA, 0, 0, (uint32_t)left);
		emit_tree(program, leaves, half);
		if (program->count < PROGRAM_MAX)
			program->code[at].jf = 1;
	}
	emit_tree(program, leaves + half, count - half);
}

static int by_number(const void *a, const void *b)
{
	const struct broker_call *const *x = a, *const *y = b;

	return (*x)->nr - (*y)->nr;
}

/* The table as leaves in the order of numbers; the first one begins at 0. */
static size_t make_leaves(struct leaf leaves[CALLS_MAX + 1])
{
	const struct broker_call *rows[CALLS_MAX] = {0};
	size_t count = 0;

	for (size_t i = 0; i < broker_call_count; i++)
		rows[i] = &broker_calls[i];
	qsort(rows, broker_call_count, sizeof(*rows), by_number);
	for (size_t i = 0; i < broker_call_count; i++) {
		uint32_t nr = (uint32_t)rows[i]->nr;
		const struct broker_call *checked = rows[i]->check == CALL_ANY ? NULL : rows[i];

		if (!checked && count && !leaves[count - 1].checked &&
		    leaves[count - 1].last + 1 == nr)
			leaves[count - 1].last = nr;
		else
			leaves[count++] = (struct leaf){nr, nr, checked};
	}
	return count;
}

int kernel_broker_program(struct sock_filter code[KERNEL_BROKER_PROGRAM], size_t *ret_count)
{
	struct leaf leaves[CALLS_MAX + 1];
	struct program program = {.code = code};

	if (broker_call_count > CALLS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < broker_call_count; i++) {
		if (broker_calls[i].value_count > VALUES_MAX)
			return -E2BIG;
	}
	size_t count = make_leaves(leaves);

	if (leaves[0].first != 0) /* the tree has no place for what lies before it */
		return -EINVAL;
	emit_load(&program, offsetof(struct seccomp_data, arch));
	emit_equal(&program, AUDIT_ARCH_X86_64, 1, 0);
	emit_return(&program, SECCOMP_RET_KILL_PROCESS);
	emit_load(&program, offsetof(struct seccomp_data, nr));
	emit_tree(&program, leaves, count);
	*ret_count = program.count;
	return program.count > PROGRAM_MAX ? -E2BIG : 0;
}

int kernel_broker_filter(void)
{
	struct sock_filter code[KERNEL_BROKER_PROGRAM];
	size_t count;
	int error = kernel_broker_program(code, &count);

	if (error)
		return error;
	struct sock_fprog fprog = {.len = (unsigned short)count, .filter = code};
	long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			      SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &fprog);

	/* A positive answer is the thread that could not be brought along. */
	return result < 0 ? -errno : result > 0 ? -ESRCH : 0;
}
