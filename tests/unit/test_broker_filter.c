/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's own filter. The table: sorted, true to the numbers, without what the broker must
 * never have. Live, in a child: each act works, the filter is loaded, the act fails and its
 * neighbour still works, on a thread from before and on one from after.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/plan/broker_calls.h"
#include "policy/plan/syscalls.h"
#include "shim/kernel/kernel.h"

#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #what,       \
				errno);                                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)
#define FAILS(call, error) MUST((call) < 0 && errno == (error))

START_TEST(sorted_and_true)
{
	for (size_t i = 0; i < broker_call_count; i++) {
		const struct broker_call *call = &broker_calls[i];
		const struct syscall_row *row = syscall_find(call->nr);
		ck_assert_msg(!i || strcmp(broker_calls[i - 1].name, call->name) < 0,
			      "%s is out of order", call->name);
		ck_assert_ptr_nonnull(row);
		ck_assert_str_eq(row->name, call->name);
		ck_assert_msg(call->why[0] != '\0', "%s has no reason", call->name);
		ck_assert_msg((call->check == CALL_ANY || call->check == CALL_ABSENT) ==
				  (call->value_count == 0),
			      "%s", call->name);
	}
}
END_TEST

START_TEST(never_in_it)
{
	static const char *const never[] = {
	    "execve",
	    "execveat",
	    "fork",
	    "vfork",
	    "socket",
	    "socketpair",
	    "mount",
	    "umount2",
	    "move_mount",
	    "open_tree",
	    "fsopen",
	    "pivot_root",
	    "chroot",
	    "setns",
	    "keyctl",
	    "add_key",
	    "request_key",
	    "bpf",
	    "perf_event_open",
	    "init_module",
	    "finit_module",
	    "kexec_load",
	    "io_uring_setup",
	    "userfaultfd",
	    "personality",
	    "setuid",
	    "setgid",
	    "setresuid",
	    "setgroups",
	    "capset",
	    "process_madvise",
	    "open_by_handle_at",
	    "name_to_handle_at",
	    "accept",
	    "accept4",
	};
	for (size_t i = 0; i < broker_call_count; i++)
		for (size_t n = 0; n < sizeof(never) / sizeof(*never); n++)
			ck_assert_str_ne(broker_calls[i].name, never[n]);
}
END_TEST

/* The instructions that the program is made of (net/core/filter.c), nothing more. */
static uint32_t run(const struct sock_filter *code, size_t count, const struct seccomp_data *data)
{
	uint32_t a = 0;
	for (size_t pc = 0; pc < count; pc++) {
		const struct sock_filter *op = &code[pc];
		bool yes;
		switch (op->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			ck_assert_uint_le(op->k, sizeof(*data) - sizeof(a));
			memcpy(&a, (const char *)data + op->k, sizeof(a));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= op->k;
			continue;
		case BPF_JMP | BPF_JA:
			pc += op->k;
			continue;
		case BPF_RET | BPF_K:
			return op->k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			yes = a == op->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			yes = a > op->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			yes = a >= op->k;
			break;
		default:
			ck_abort_msg("unknown BPF %#x at %zu", op->code, pc);
		}
		pc += yes ? op->jt : op->jf;
	}
	ck_abort_msg("the program runs off its end");
	return 0;
}

/* What a row of the table says, in the plainest way. */
static uint32_t meant(const struct broker_call *call, uint32_t value)
{
	bool one = false;
	if (!call)
		return SECCOMP_RET_ERRNO | EPERM;
	for (size_t i = 0; i < call->value_count; i++)
		one |= call->values[i] == value;
	switch (call->check) {
	case CALL_ABSENT:
		return SECCOMP_RET_ERRNO | ENOSYS;
	case CALL_ONE_OF:
		return one ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | EPERM;
	case CALL_WITH:
		return (value & call->values[0]) == call->values[0] ? SECCOMP_RET_ALLOW
								    : SECCOMP_RET_ERRNO | EPERM;
	case CALL_WITHOUT:
		return value & call->values[0] ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_ALLOW;
	case CALL_ANY:
		break;
	}
	return SECCOMP_RET_ALLOW;
}

static void compare(const struct sock_filter *code, size_t count, uint32_t nr, uint32_t value)
{
	const struct broker_call *call = NULL;
	struct seccomp_data data = {.nr = (int)nr, .arch = AUDIT_ARCH_X86_64};
	for (size_t i = 0; i < broker_call_count; i++)
		if (broker_calls[i].nr == (int)nr)
			call = &broker_calls[i];
	/* The upper half is nobody's business, and the other arguments neither. */
	for (size_t i = 0; i < 6; i++)
		data.args[i] = ~0ULL;
	if (call)
		data.args[call->arg] = value | 0xdeadbeefULL << 32;
	if (run(code, count, &data) != meant(call, value))
		ck_abort_msg("call %u, %#x: %#x", nr, value, run(code, count, &data));
}

START_TEST(program_means_the_table)
{
	struct sock_filter code[KERNEL_BROKER_PROGRAM];
	struct seccomp_data other = {.nr = 0, .arch = AUDIT_ARCH_I386};
	size_t count;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	printf("skip: a sanitized build refuses nothing\n");
	return;
#endif
	ck_assert_int_eq(kernel_broker_program(code, &count), 0);
	ck_assert_uint_eq(run(code, count, &other), SECCOMP_RET_KILL_PROCESS);
	for (uint32_t nr = 0; nr < 2048; nr++)
		compare(code, count, nr, 0);
	for (uint32_t bit = 0; bit < 32; bit++)
		compare(code, count, 1U << bit, 0);
	compare(code, count, UINT32_MAX, 0);
	for (size_t i = 0; i < broker_call_count; i++) {
		const struct broker_call *call = &broker_calls[i];
		for (uint32_t bit = 0; bit < 32; bit++)
			compare(code, count, (uint32_t)call->nr, 1U << bit);
		for (size_t n = 0; n < call->value_count; n++) {
			for (uint32_t bit = 0; bit < 32; bit++)
				compare(code, count, (uint32_t)call->nr,
					call->values[n] ^ 1U << bit);
			compare(code, count, (uint32_t)call->nr, call->values[n]);
		}
		compare(code, count, (uint32_t)call->nr, UINT32_MAX);
	}
}
END_TEST

static void *executable_page(int protection)
{
	return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static bool forks(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

/* What must work before and fail after, with the neighbour that must work throughout. */
static void held(void)
{
	char name[] = "true", *argv[] = {name, NULL};
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog fprog = {.len = 1, .filter = &allow};

	FAILS(execve("/bin/true", argv, NULL), EPERM);
	FAILS(fork(), EPERM);
	FAILS(syscall(SYS_vfork), EPERM);
	FAILS(syscall(SYS_clone3, NULL, 0), ENOSYS);
	FAILS(socket(AF_INET, SOCK_STREAM, 0), EPERM);
	FAILS(socket(AF_UNIX, SOCK_DGRAM, 0), EPERM);
	MUST(executable_page(PROT_READ | PROT_EXEC) == MAP_FAILED && errno == EPERM);
	void *page = executable_page(PROT_READ | PROT_WRITE);
	MUST(page != MAP_FAILED);
	FAILS(mprotect(page, 4096, PROT_READ | PROT_EXEC), EPERM);
	MUST(mprotect(page, 4096, PROT_READ) == 0);
	FAILS(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), EPERM);
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog), EPERM);
	FAILS(unshare(CLONE_NEWUSER), EPERM);
	MUST(unshare(CLONE_FS) == 0);
	FAILS(ioctl(0, TIOCSTI, ""), EPERM);
	FAILS(fcntl(0, F_SETOWN, getpid()), EPERM);
	MUST(fcntl(2, F_GETFL) >= 0);
	FAILS(ptrace(PTRACE_POKEDATA, getpid(), NULL, NULL), EPERM);
	FAILS(syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL), EPERM);
	FAILS(syscall(1023), EPERM);
	FAILS(syscall(0x40000000 | SYS_getpid), EPERM);
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	MUST(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
}

static sem_t go;

static void *from_before(void *unused)
{
	while (sem_wait(&go) != 0)
		;
	held();
	return unused;
}

static void *from_after(void *unused)
{
	held();
	return unused;
}

static void live(void)
{
	pthread_t before, after;

	MUST(forks());
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	MUST(fd >= 0 && close(fd) == 0);
	MUST(executable_page(PROT_READ | PROT_EXEC) != MAP_FAILED);
	MUST(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	sem_init(&go, 0, 0);
	MUST(pthread_create(&before, NULL, from_before, NULL) == 0);
	MUST(kernel_broker_filter() == 0);
	held();
	sem_post(&go);
	MUST(pthread_join(before, NULL) == 0);
	MUST(pthread_create(&after, NULL, from_after, NULL) == 0);
	MUST(pthread_join(after, NULL) == 0);
}

START_TEST(holds_live)
{
	int status;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	printf("skip: a sanitized build has no such filter\n");
	return;
#endif
	fflush(NULL);
	pid_t pid = fork();

	if (pid == 0) {
		live();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("broker filter");
	TCase *tests = tcase_create("broker filter");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tests, sorted_and_true);
	tcase_add_test(tests, never_in_it);
	tcase_add_test(tests, program_means_the_table);
	tcase_add_test(tests, holds_live);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed != 0;
}
