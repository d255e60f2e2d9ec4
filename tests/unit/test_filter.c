/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The BPF program against the table: a small interpreter of classic BPF runs what libseccomp made,
 * for every number up to 1023, x32 numbers, other architectures, and argument values around every
 * compare of the row, also with garbage in the upper half of the registers.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "policy/plan/filter.h"
#include "policy/plan/syscalls.h"
#include "shim/common/protocol.h"
#include "shim/kernel/kernel.h"
#include "tests/unit/filter_machine.h"

static uint32_t meaning(const struct filter_clause *clause)
{
	switch (clause->action) {
	case FILTER_ALLOW:
		return SECCOMP_RET_ALLOW;
	case FILTER_NOTIFY:
		return SECCOMP_RET_USER_NOTIF;
	case FILTER_ERRNO:
		break;
	}
	return SECCOMP_RET_ERRNO | (uint32_t)clause->error;
}

static void compare(const struct program *p, int nr, const uint64_t args[6])
{
	struct seccomp_data data = {.nr = nr, .arch = AUDIT_ARCH_X86_64};
	memcpy(data.args, args, sizeof(data.args));
	uint32_t got = run(p->code, p->count, &data);
	uint32_t want = meaning(plan_filter_clause(&p->plan, nr, args));
	if (got != want) /* an assertion for each would take longer than all else */
		ck_abort_msg("call %d (%#lx %#lx %#lx %#lx %#lx %#lx): %#x, table says %#x", nr,
			     (long)args[0], (long)args[1], (long)args[2], (long)args[3],
			     (long)args[4], (long)args[5], got, want);
}

/* Every pair of samples of two arguments with the third cycling: rows compare at most three. */
static void compare_row(const struct program *p, const struct filter_row *row)
{
	static uint64_t values[6][SAMPLES];
	size_t count[6];
	uint64_t args[6];
	for (uint8_t a = 0; a < 6; a++)
		count[a] = samples(row, a, values[a], SAMPLES);
	for (size_t i = 0; i < count[0]; i++) {
		for (size_t j = 0; j < count[1]; j++) {
			size_t thirds = count[2] > 6 ? count[2] : 1;
			for (size_t k = 0; k < thirds; k++) {
				size_t turn = i + j + k;
				args[0] = values[0][i];
				args[1] = values[1][j];
				args[2] = values[2][(thirds == 1 ? turn : k) % count[2]];
				for (uint8_t a = 3; a < 6; a++)
					args[a] = values[a][(turn * (a + 1u)) % count[a]];
				compare(p, row->nr, args);
			}
		}
	}
	for (uint8_t a = 3; a < 6; a++) {
		for (size_t i = 0; i < count[a]; i++) {
			for (size_t j = 0; j < count[4]; j++) {
				uint64_t one[6] = {0};
				one[4] = values[4][j];
				one[a] = values[a][i];
				compare(p, row->nr, one);
			}
		}
	}
}

/* Each term alone, all but one, a few between. */
static const unsigned int variants[] = {0,
					1,
					3,
					4,
					8,
					15,
					16,
					32,
					21,
					42,
					31,
					47,
					55,
					59,
					62,
					63,
					15 | NATIVE_READS,
					15 | NATIVE_ALL,
					63 | NATIVE_ALL};

START_TEST(program_means_the_table)
{
	struct program p = make(variants[_i]);
	for (int nr = 0; nr < 1024; nr++) {
		const uint64_t none[6] = {0}, full[6] = {UINT64_MAX, UINT64_MAX, UINT64_MAX,
							 UINT64_MAX, UINT64_MAX, UINT64_MAX};
		compare(&p, nr, none);
		compare(&p, nr, full);
	}
	for (size_t i = 0; i < p.plan.filter_count; i++)
		compare_row(&p, &p.plan.filter[i]);
	drop(&p);
}
END_TEST

START_TEST(foreign_numbers_and_architectures_are_refused)
{
	static const uint32_t arches[] = {AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, 0,
					  ~0U};
	struct program p = make(63);
	for (uint32_t nr = 0; nr < 1024; nr++) {
		struct seccomp_data x32 = {.nr = (int)(nr | 0x40000000U),
					   .arch = AUDIT_ARCH_X86_64};
		ck_assert_uint_eq(run(p.code, p.count, &x32), SECCOMP_RET_ERRNO | ENOSYS);
		x32.nr = (int)(nr | 0x80000000U);
		ck_assert_uint_eq(run(p.code, p.count, &x32), SECCOMP_RET_ERRNO | ENOSYS);
		for (size_t i = 0; i < sizeof(arches) / sizeof(*arches); i++) {
			struct seccomp_data data = {.nr = (int)nr, .arch = arches[i]};
			ck_assert_uint_eq(run(p.code, p.count, &data), SECCOMP_RET_ERRNO | ENOSYS);
		}
	}
	drop(&p);
}
END_TEST

/* By the gate, but for those of x32. */
START_TEST(numbers_beyond_the_table_are_not_allowed)
{
	static const uint32_t numbers[] = {1024,       4096,	   65535,      65536,
					   0x10000000, 0x3fffffff, 0x7fffffff, 0x80000000,
					   0xbfffffff, 0xfffffc18, 0xfffffffe, 0xffffffff};
	struct program p = make(63);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		struct seccomp_data data = {.nr = (int)numbers[i], .arch = AUDIT_ARCH_X86_64};
		bool x32 = numbers[i] >= 0x40000000 && numbers[i] != 0xffffffff;
		uint32_t want = x32 ? SECCOMP_RET_ERRNO | ENOSYS : SECCOMP_RET_USER_NOTIF;
		ck_assert_uint_eq(run(p.code, p.count, &data), want);
		data.args[TAG_ARGUMENT] = REMIT_TAG;
		ck_assert_uint_eq(run(p.code, p.count, &data), want);
	}
	drop(&p);
}
END_TEST

/* What a treatment means for a call whose arguments are all zero, and whether some arguments make
 * it something else: said here a second time, apart from filter_*.c. */
struct meaning {
	uint32_t zeros;
	bool varies;
};

static struct meaning expected(const struct syscall_row *row, unsigned int variant)
{
	const uint32_t allowed = SECCOMP_RET_ALLOW, gated = SECCOMP_RET_USER_NOTIF;
	const bool fast = variant & 1, exec = variant & 2, scoped = variant & 4;
	const bool traced = variant & 8, sends = variant & 16, forks = variant & 32;
	const bool all = variant & NATIVE_ALL, reads = all || (variant & NATIVE_READS);
	switch (row->treatment) {
	case TREAT_ALLOW:
		return (struct meaning){allowed, false};
	case TREAT_PATH:
		if (all && (row->nr == SYS_truncate || row->nr == SYS_creat))
			return (struct meaning){allowed, true};
		return (struct meaning){gated, fast};
	case TREAT_EXEC:
		return (struct meaning){reads ? allowed : gated, exec};
	case TREAT_OPEN:
		return (struct meaning){reads ? allowed : gated, true};
	case TREAT_OBJECT:
	case TREAT_NEVER:
	case TREAT_TRACE:
		return (struct meaning){gated, false};
	case TREAT_ERRNO:
		return (struct meaning){SECCOMP_RET_ERRNO | ENOSYS, false};
	case TREAT_KILL:
		return (struct meaning){gated, scoped && row->nr == SYS_kill};
	case TREAT_SIGNAL:
		return (struct meaning){scoped && fast ? allowed : gated, false};
	case TREAT_PTRACE:
		return (struct meaning){traced ? allowed : gated, traced};
	case TREAT_FORK:
		return (struct meaning){forks ? gated : allowed, false};
	case TREAT_CLONE:
		return (struct meaning){forks ? gated : allowed, true};
	case TREAT_SENDS:
		return (struct meaning){sends ? gated : allowed, !sends};
	case TREAT_FCNTL:
		return (struct meaning){allowed, !scoped};
	case TREAT_OTHER:
	case TREAT_SETPRIORITY:
	case TREAT_SENDTO:
	case TREAT_IOCTL:
	case TREAT_PRCTL:
	case TREAT_UNSHARE:
	case TREAT_SETSOCKOPT:
		return (struct meaning){allowed, true};
	case TREAT_IOPRIO:
	case TREAT_SOCKET:
	case TREAT_SOCKETPAIR:
		return (struct meaning){gated, true};
	default:
		ck_abort_msg("%s has a treatment that this test does not know", row->name);
		return (struct meaning){0, false};
	}
}

/* The program itself, for every number there is: zeros, and then whatever the row's samples make
 * of it. */
START_TEST(each_treatment_means_what_it_says)
{
	static uint64_t values[6][SAMPLES];
	struct program p = make(variants[_i]);
	for (int nr = 0; nr < 1024; nr++) {
		const struct syscall_row *row = syscall_find(nr);
		struct seccomp_data data = {.nr = nr, .arch = AUDIT_ARCH_X86_64};
		uint32_t zeros = run(p.code, p.count, &data);
		if (!row) {
			ck_assert_uint_eq(zeros, SECCOMP_RET_USER_NOTIF);
			continue;
		}
		struct meaning want = expected(row, variants[_i]);
		ck_assert_msg(zeros == want.zeros, "%s: %#x", row->name, zeros);
		const struct filter_row *built = NULL;
		for (size_t i = 0; i < p.plan.filter_count && !built; i++)
			built = p.plan.filter[i].nr == nr ? &p.plan.filter[i] : NULL;
		for (uint8_t a = 0; a < 6 && !want.varies; a++) {
			size_t count = samples(built, a, values[a], SAMPLES);
			for (size_t i = 0; i < count; i++) {
				struct seccomp_data other = data;
				other.args[a] = values[a][i];
				ck_assert_uint_eq(run(p.code, p.count, &other), want.zeros);
			}
		}
	}
	drop(&p);
}
END_TEST

static uint32_t ask(const struct program *p, int nr, uint64_t a0, uint64_t a1, uint64_t a2,
		    uint64_t a5)
{
	struct seccomp_data data = {
	    .nr = nr, .arch = AUDIT_ARCH_X86_64, .args = {a0, a1, a2, 0, 0, a5}};
	return run(p->code, p->count, &data);
}

/* A few rows said out loud, so that a wrong table is not compared with itself. */
START_TEST(well_known_calls)
{
	struct program fast = make(15), slow = make(12);
	const uint32_t allowed = SECCOMP_RET_ALLOW, gated = SECCOMP_RET_USER_NOTIF;
	const uint64_t garbage = 0xabcdef0100000000ULL;
	static const uint64_t options[] = {15, PR_SET_PTRACER, 0x53564d41 /* PR_SET_VMA */,
					   0x41555856 /* PR_GET_AUXV */};
	ck_assert_uint_eq(ask(&fast, SYS_openat, 0, 0, 0, REMIT_TAG), allowed);
	ck_assert_uint_eq(ask(&fast, SYS_openat, 0, 0, 0, REMIT_TAG ^ 1), gated);
	ck_assert_uint_eq(ask(&fast, SYS_openat, 0, 0, 0, (uint32_t)REMIT_TAG), gated);
	ck_assert_uint_eq(ask(&fast, SYS_openat, 0, 0, O_PATH, 0), allowed);
	ck_assert_uint_eq(ask(&fast, SYS_openat, 0, 0, O_RDWR, REMIT_TAG), allowed);
	ck_assert_uint_eq(ask(&fast, SYS_openat, 0, 0, O_ACCMODE | garbage, REMIT_TAG), gated);
	ck_assert_uint_eq(ask(&fast, SYS_open, 0, O_ACCMODE | O_CREAT, 0, REMIT_TAG), gated);
	ck_assert_uint_eq(ask(&fast, SYS_openat2, 0, 0, 0, REMIT_TAG), gated);
	ck_assert_uint_eq(ask(&slow, SYS_openat, 0, 0, 0, REMIT_TAG), gated);
	ck_assert_uint_eq(ask(&slow, SYS_execve, 0, 0, 0, REMIT_TAG), gated);
	ck_assert_uint_eq(ask(&fast, SYS_connect, 0, 0, 0, REMIT_TAG), gated);
	ck_assert_uint_eq(ask(&fast, SYS_chmod, 0, 0, 0, REMIT_TAG), gated);
	ck_assert_uint_eq(ask(&fast, SYS_ioctl, 0, 0x5412 | garbage, 0, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_ioctl, 0, 0x5441 | garbage, 0, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_ioctl, 0, 0x5401, 0, 0), allowed);
	ck_assert_uint_eq(ask(&fast, SYS_ioctl, 0, 0x40046602 | garbage, 0, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_ioctl, 0, 0x40049409, 0, 0), allowed);
	ck_assert_uint_eq(ask(&fast, SYS_ioctl, 0, 0x5000940f, 0, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_ioctl, 0, 0xc0406618 | garbage, 0, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_ioctl, 0, 0x80086601 | garbage, 0, 0), allowed);
	ck_assert_uint_eq(ask(&fast, SYS_setsockopt, 0, garbage, 51 | garbage, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_prctl, REMIT_HYPERCALL | garbage, 1, 0, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_prctl, 35 | garbage, 1, 0, 0), gated);
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		ck_assert_uint_eq(ask(&fast, SYS_prctl, options[i] | garbage, 1, 0, 0), allowed);
	ck_assert_uint_eq(ask(&fast, SYS_personality, 0xffffffff, 0, 0, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_setsockopt, 0, 0, 46, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_setsockopt, 0, 41, 46 | garbage, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_setsockopt, 0, 0, 38, 0), allowed);
	ck_assert_uint_eq(ask(&fast, SYS_setsockopt, 0, 256 /* SOL_IPX */, 4, 0), allowed);
	ck_assert_uint_eq(ask(&fast, SYS_setsockopt, 0, SOL_SOCKET, 35, 0), allowed);
	ck_assert_uint_eq(ask(&fast, SYS_clone, CLONE_NEWUSER | 17 | garbage, 0, 0, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_clone, 17, 0, 0, 0), allowed);
	ck_assert_uint_eq(ask(&fast, SYS_unshare, 0x80, 0, 0, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_socket, AF_INET, SOCK_STREAM, 262, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 6, 0),
			  allowed);
	ck_assert_uint_eq(ask(&fast, SYS_socket, AF_INET | garbage, SOCK_DGRAM, 0, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_socket, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0, 0),
			  allowed);
	ck_assert_uint_eq(ask(&fast, SYS_socket, AF_INET6, SOCK_SEQPACKET, 0, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_socket, AF_NETLINK, SOCK_DGRAM, 0, 0), allowed);
	ck_assert_uint_eq(ask(&fast, SYS_socket, AF_NETLINK, SOCK_RAW, 15, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_socket, AF_UNIX, SOCK_SEQPACKET, 0, 0), allowed);
	ck_assert_uint_eq(ask(&fast, SYS_socket, AF_UNIX, SOCK_DGRAM | garbage, 0, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_socket, AF_UNIX, SOCK_RAW, 0, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_socket, 38 /* AF_ALG */, SOCK_SEQPACKET, 0, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_sendmsg, 0, 0, MSG_FASTOPEN | garbage, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_prlimit64, 1, 0, 0, 0), gated);
	ck_assert_uint_eq(ask(&fast, SYS_prlimit64, 0, 0, 0, 0), allowed);
	ck_assert_uint_eq(ask(&fast, 425, 0, 0, 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
	drop(&fast);
	drop(&slow);
}
END_TEST

/* Without records: what Landlock holds whole goes by itself, but not who asks for the gate, and not
 * what Landlock asks no right of. */
START_TEST(calls_without_the_gate)
{
	struct program reads = make(15 | NATIVE_READS), all = make(15 | NATIVE_ALL);
	const uint32_t allowed = SECCOMP_RET_ALLOW, gated = SECCOMP_RET_USER_NOTIF;
	const uint64_t garbage = 0xabcdef0100000000ULL,
		       writing[] = {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC};
	const struct program *both[] = {&reads, &all};
	for (size_t i = 0; i < 2; i++) {
		const struct program *p = both[i];
		ck_assert_uint_eq(ask(p, SYS_open, 0, O_CLOEXEC | garbage, 0, 7), allowed);
		ck_assert_uint_eq(ask(p, SYS_openat, 0, 0, O_DIRECTORY | garbage, 7), allowed);
		ck_assert_uint_eq(ask(p, SYS_openat, 0, 0, 0, REMIT_TAG_GATE), gated);
		ck_assert_uint_eq(ask(p, SYS_open, 0, O_ACCMODE | garbage, 0, 7), gated);
		ck_assert_uint_eq(ask(p, SYS_openat, 0, 0, O_ACCMODE | O_CREAT, REMIT_TAG), gated);
		ck_assert_uint_eq(ask(p, SYS_openat2, 0, 0, 0, 7), gated);
		ck_assert_uint_eq(ask(p, SYS_execve, 0, 0, 0, 7), allowed);
		ck_assert_uint_eq(ask(p, SYS_execveat, 0, 0, 0, REMIT_TAG_GATE), gated);
		ck_assert_uint_eq(ask(p, SYS_unlink, 0, 0, 0, 7), gated);
		ck_assert_uint_eq(ask(p, SYS_rename, 0, 0, 0, 7), gated);
		ck_assert_uint_eq(ask(p, SYS_rename, 0, 0, 0, REMIT_TAG), allowed);
		ck_assert_uint_eq(ask(p, SYS_chmod, 0, 0, 0, 7), gated);
		ck_assert_uint_eq(ask(p, SYS_connect, 0, 0, 0, 7), gated);
		for (size_t n = 0; n < 4; n++) {
			uint32_t want = p == &all ? allowed : gated;
			ck_assert_uint_eq(ask(p, SYS_openat, 0, 0, writing[n] | garbage, 7), want);
			ck_assert_uint_eq(ask(p, SYS_open, 0, writing[n] | garbage, 0, 7), want);
			ck_assert_uint_eq(ask(p, SYS_openat, 0, 0, writing[n], REMIT_TAG), allowed);
			ck_assert_uint_eq(ask(p, SYS_openat, 0, 0, writing[n], REMIT_TAG_GATE),
					  gated);
		}
	}
	ck_assert_uint_eq(ask(&reads, SYS_truncate, 0, 0, 0, 7), gated);
	ck_assert_uint_eq(ask(&all, SYS_truncate, 0, 0, 0, 7), allowed);
	ck_assert_uint_eq(ask(&all, SYS_creat, 0, 0, 0, REMIT_TAG_GATE), gated);
	drop(&reads);
	drop(&all);
}
END_TEST

/* Byte by byte: what came with the command is what libseccomp makes here and now. */
START_TEST(ready_programs_are_the_built_ones)
{
	size_t there = 0;
	for (unsigned int variant = 0; variant < 64 + NATIVE_ALL; variant++) {
		if (variant >= 64 && (variant & 15) != 15)
			continue;
		struct program p = make(variant);
		size_t count = 0;
		const struct sock_filter *ready = kernel_filter_ready(&p.plan, &count);
		if (ready) {
			there++;
			ck_assert_uint_eq(count, p.count);
			ck_assert_int_eq(memcmp(ready, p.code, count * sizeof(*ready)), 0);
		}
		drop(&p);
	}
	ck_assert_uint_eq(there, 20);
}
END_TEST

/* One word of one clause, whichever, and no ready program is taken for the table any more. */
START_TEST(ready_programs_are_of_their_table_alone)
{
	struct program p = make(15);
	size_t count;
	ck_assert_ptr_nonnull(kernel_filter_ready(&p.plan, &count));
	for (size_t i = 0; i < p.plan.filter_count; i++) {
		struct filter_row *row = &p.plan.filter[i];
		struct filter_clause *last = &p.plan.clauses[row->clause - p.plan.clauses];
		const struct filter_clause kept = *last;
		row->nr ^= 1024;
		ck_assert_ptr_null(kernel_filter_ready(&p.plan, &count));
		row->nr ^= 1024;
		last->action = last->action == FILTER_ALLOW ? FILTER_NOTIFY : FILTER_ALLOW;
		ck_assert_ptr_null(kernel_filter_ready(&p.plan, &count));
		*last = kept;
		last->error ^= 1;
		ck_assert_ptr_null(kernel_filter_ready(&p.plan, &count));
		*last = kept;
		for (uint8_t n = 0; n < last->compare_count; n++) {
			last->compare[n].value ^= 1;
			ck_assert_ptr_null(kernel_filter_ready(&p.plan, &count));
			*last = kept;
			last->compare[n].mask ^= 1;
			ck_assert_ptr_null(kernel_filter_ready(&p.plan, &count));
			*last = kept;
		}
	}
	p.plan.filter_count--;
	ck_assert_ptr_null(kernel_filter_ready(&p.plan, &count));
	p.plan.filter_count++;
	ck_assert_ptr_nonnull(kernel_filter_ready(&p.plan, &count));
	drop(&p);
}
END_TEST

/* Who asks for a program gets one, with and without one that is ready. */
START_TEST(every_table_has_a_program)
{
	static const unsigned int some[] = {15, 11, 0};
	for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++) {
		struct program p = make(some[i]);
		struct sock_filter *program = NULL;
		size_t count = 0;
		ck_assert_int_eq(kernel_filter(&p.plan, &program, &count), 0);
		ck_assert_uint_eq(count, p.count);
		ck_assert_int_eq(memcmp(program, p.code, count * sizeof(*program)), 0);
		free(program);
		drop(&p);
	}
}
END_TEST

START_TEST(program_fits_with_room)
{
	struct program p = make(63);
	ck_assert_uint_lt(p.count, BPF_MAXINSNS * 5 / 8);
	drop(&p);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("filter");
	Suite *suite = suite_create("filter");
	tcase_set_timeout(cases, 120);
	tcase_add_loop_test(cases, program_means_the_table, 0,
			    sizeof(variants) / sizeof(*variants));
	tcase_add_test(cases, foreign_numbers_and_architectures_are_refused);
	tcase_add_test(cases, numbers_beyond_the_table_are_not_allowed);
	tcase_add_loop_test(cases, each_treatment_means_what_it_says, 0,
			    sizeof(variants) / sizeof(*variants));
	tcase_add_test(cases, well_known_calls);
	tcase_add_test(cases, calls_without_the_gate);
	tcase_add_test(cases, ready_programs_are_the_built_ones);
	tcase_add_test(cases, ready_programs_are_of_their_table_alone);
	tcase_add_test(cases, every_table_has_a_program);
	tcase_add_test(cases, program_fits_with_room);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
