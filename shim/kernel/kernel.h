/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only place that changes what the kernel enforces: probing, Landlock, seccomp, capabilities,
 * limits. Each function returns 0 (or an fd) or a negative errno and leaves nothing half applied
 * that would widen access. Nothing here decides and nothing prints.
 */
#ifndef REMIT_KERNEL_KERNEL_H
#define REMIT_KERNEL_KERNEL_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/plan/plan.h"

/* Probes by trying, in a child process where trying would leave a mark; never by version number. */
int kernel_probe(struct features *out);

/* The same in steps, so that the child tries, and ends, while the caller does something else. Each
 * start is followed by drop, which reaps the child; finish, before it, always has an answer. */
struct kernel_probe {
	pid_t pid; /* -1: none */
	int socket;
};
int kernel_probe_start(struct kernel_probe *probe);
void kernel_probe_finish(struct kernel_probe *probe, struct features *out);
void kernel_probe_drop(struct kernel_probe *probe);

/* The real file system as the plan sees it. */
extern const struct plan_view kernel_view;

/* A handle (O_PATH) of an absolute path, or a negative errno; a link anywhere in it: -ELOOP. */
int kernel_open_plain(const char *path);

/* Restricts the calling thread for good (sets no_new_privs first). */
int kernel_landlock(const struct domain *domain);
/* The same, with as much access to the files behind these descriptors as they have. */
int kernel_landlock_holding(const struct domain *domain, const int *fds, size_t count);

/* The program of a plan; *program is malloc'ed. The one that came with the command, else built.
 * Parent-side: allocates, makes system calls. */
int kernel_filter(const struct plan *plan, struct sock_filter **program, size_t *count);
/* Builds it with libseccomp, always. */
int kernel_filter_build(const struct plan *plan, struct sock_filter **program, size_t *count);
/* The one that came with the command, static; NULL: none for this clause table. */
const struct sock_filter *kernel_filter_ready(const struct plan *plan, size_t *count);
/* Names a clause table: the same for no two that differ. */
#define KERNEL_FILTER_DIGEST 32
void kernel_filter_digest(const struct plan *plan, uint8_t out[KERNEL_FILTER_DIGEST]);
/* Loads it in the calling thread and returns the listener fd (close-on-exec). Child-side: one
 * system call. */
int kernel_filter_load(const struct features *features, const struct sock_filter *program,
		       size_t count);

/* The broker's own filter (policy/plan/broker_calls.h) on all threads of the calling process, for
 * good. After the agent was forked: what is started later inherits it. */
int kernel_broker_filter(void);
/* Its program. */
#define KERNEL_BROKER_PROGRAM 1024
int kernel_broker_program(struct sock_filter code[KERNEL_BROKER_PROGRAM], size_t *ret_count);

/* probe.c: Landlock's version, 0 without it. */
int kernel_landlock_abi(void);

/* digest.c: SHA-256 of a regular file that is open for reading, from where it stands. 0 or a negative
 * errno; -ENODEV for anything else. */
int kernel_sha256(int fd, uint8_t out[32]);

/* Drops all capabilities but `keep` (bit n: capability n) from every set of the calling thread,
 * ambient included; from the bounding set where CAP_SETPCAP allows that. */
int kernel_drop_capabilities(uint64_t keep);

/* The same where a session has dropped and locked them before: of those that are left only `keep`
 * stays. */
int kernel_keep_capabilities(uint64_t keep);

/* Where a session runs inside another: the filter that the inner one adds to the outer's, as a new
 * program; *count is 0 when none is needed. What the outer filter lets pass by its tag and the plan
 * does not gets EACCES (a signal: EPERM), upon which the shim asks the gate. Parent-side: allocates. */
int kernel_narrow_build(const struct plan *plan, struct sock_filter **program, size_t *count);
/* Loads it; no listener, no_new_privs is set. Child-side. */
int kernel_narrow_load(const struct sock_filter *program, size_t count);

/* setrlimit for open_files, memory_bytes (RLIMIT_DATA), cpu_seconds, file_bytes, core 0.
 * Child-side. */
int kernel_limits(const struct scope_about *about);

#endif
