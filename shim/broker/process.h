/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that name another process: whose it is, and how its number is kept from meaning another. */
#ifndef REMIT_BROKER_PROCESS_H
#define REMIT_BROKER_PROCESS_H

#include "shim/broker/broker.h"

/*
 * A process or thread of the session. pidfd stands for it whatever becomes of its number: while
 * target_alive(), the number is its own.
 */
struct target {
	pid_t pid;
	int pidfd;
};

/* 0, or a negative errno: -ESRCH when there is none such, -EPERM when it is not of the session, and
 * that is then recorded. target_close() it. */
int target_open(struct request *request, pid_t pid, struct target *out);
bool target_alive(const struct target *target);
void target_close(struct target *target);

/* Whether a number is of the session, at this moment: 0, -ESRCH when there is none such, -EPERM,
 * which is then recorded. */
int process_look(struct request *request, pid_t pid);
/* The number behind a field ("\nTgid:\t") in a file of /proc; false when it has no such line. */
bool process_number_of(const char *file, const char *field, pid_t *out);
/* The process that a thread belongs to, or -ESRCH. */
pid_t process_of_thread(pid_t tid);
/* True for 0, the calling thread and its process: these numbers cannot be given away while the
 * caller waits. */
bool process_is_callers(struct request *request, pid_t pid);
/* True when every process of the group is of the session. */
bool process_group_inside(struct request *request, pid_t group);
/* Recorded; -EPERM. */
int process_refuse_group(struct request *request, pid_t group);
int process_refuse_user(struct request *request);
/* The group of the caller's process; 0: one that has no number in this PID namespace, so its
 * members began outside; or -ESRCH. */
pid_t process_own_group(struct request *request);
/* True where Landlock keeps signals within the session. */
bool process_signals_scoped(const struct request *request);

#endif
