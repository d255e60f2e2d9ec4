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
 * Rows with a check come first. The kernel remembers which numbers pass without a look at their
 * arguments (5.11), so the length of the rest costs nothing.
 */
#include "shim/kernel/kernel.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/plan/broker_calls.h"

/* Sanitizers start threads and processes of their own, at the end and on an error. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define REFUSAL SECCOMP_RET_ALLOW
#else
#define REFUSAL (SECCOMP_RET_ERRNO | EPERM)
#endif

#define PROGRAM_MAX 1024
#define VALUES_MAX 64 /* a BPF jump goes 255 instructions far */

struct program {
	struct sock_filter code[PROGRAM_MAX];
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

static void emit_row(struct program *program, const struct broker_call *call)
{
	size_t at = program->count;

	emit_equal(program, (uint32_t)call->nr, 0, 0);
	if (call->check == CALL_ANY) {
		emit_return(program, SECCOMP_RET_ALLOW);
	} else if (call->check == CALL_ABSENT) {
		emit_return(program, SECCOMP_RET_ERRNO | ENOSYS);
	} else {
		/* Little-endian: the low half comes first. */
		emit_load(program, offsetof(struct seccomp_data, args[call->arg]));
		emit_check(program, call);
	}
	if (program->count < PROGRAM_MAX)
		program->code[at].jf = (uint8_t)(program->count - at - 1);
}

static int build(struct program *program)
{
	program->count = 0;
	emit_load(program, offsetof(struct seccomp_data, arch));
	emit_equal(program, AUDIT_ARCH_X86_64, 1, 0);
	emit_return(program, SECCOMP_RET_KILL_PROCESS);
	emit_load(program, offsetof(struct seccomp_data, nr));
	for (int plain = 0; plain <= 1; plain++) {
		for (size_t i = 0; i < broker_call_count; i++) {
			if (broker_calls[i].value_count > VALUES_MAX)
				return -E2BIG;
			if ((broker_calls[i].check == CALL_ANY) == (plain == 1))
				emit_row(program, &broker_calls[i]);
		}
	}
	emit_return(program, REFUSAL);
	return program->count > PROGRAM_MAX ? -E2BIG : 0;
}

int kernel_broker_filter(void)
{
	struct program program;
	int error = build(&program);

	if (error)
		return error;
	struct sock_fprog fprog = {.len = (unsigned short)program.count, .filter = program.code};
	long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			      SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &fprog);

	/* A positive answer is the thread that could not be brought along. */
	return result < 0 ? -errno : result > 0 ? -ESRCH : 0;
}
