/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The syscall table: every x86-64 call, what remit does with it, and why. Sorted by number; what
 * has no row is ENOSYS, by the gate. filter_*.c turn a treatment into clauses for one scope and one
 * kernel.
 */
#ifndef REMIT_PLAN_SYSCALLS_H
#define REMIT_PLAN_SYSCALLS_H

#include <stddef.h>

enum treatment {
	TREAT_ALLOW,  /* acts on what the caller already holds, or only tells what is declared open
		       */
	TREAT_PATH,   /* tagged: native, bounded by the wall; else the gate */
	TREAT_OPEN,   /* the same, and O_PATH is native; value: which argument holds the flags */
	TREAT_EXEC,   /* the same, unless the scope has conditions on programs */
	TREAT_OBJECT, /* the wall does not cover it: always the gate */
	TREAT_NEVER,  /* never; the gate says EPERM and writes it down */
	TREAT_ERRNO,  /* never, and not worth a record: every libc tries it; value: the errno */
	TREAT_KILL,   /* the gate says whose it is; Landlock has the last word where it scopes
			 signals */
	TREAT_SIGNAL, /* native where Landlock scopes signals, else the gate */
	TREAT_PTRACE, /* to attach: the gate; the rest is on what is traced already */
	TREAT_TRACE,  /* the gate says whose it is; Landlock has the last word */
	TREAT_OTHER,  /* value: which argument names the process; 0 is the caller itself */
	TREAT_SENDS,  /* value: which argument holds the MSG_ flags of a send with a msghdr */
	TREAT_SENDTO,
	TREAT_SOCKET,
	TREAT_SOCKETPAIR,
	TREAT_IOCTL,
	TREAT_PRCTL,
	TREAT_CLONE,
	TREAT_FORK,
	TREAT_UNSHARE,
	TREAT_SETPRIORITY,
	TREAT_IOPRIO,
	TREAT_SETSOCKOPT,
	TREAT_FCNTL,
	TREAT_COUNT,
};

struct syscall_row {
	short nr;
	unsigned char treatment; /* enum treatment */
	unsigned char value;
	const char *name; /* as in the man page */
	const char *why;  /* a few words */
};

extern const struct syscall_row syscall_table[];
extern const size_t syscall_table_size;

/* The row of a number, or NULL. */
const struct syscall_row *syscall_find(int nr);

#endif
