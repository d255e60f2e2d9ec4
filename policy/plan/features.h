/* SPDX-License-Identifier: Apache-2.0 */
/* What this kernel and this container let us enforce. Pure data: shim/kernel/probe.c fills it,
 * tests write it by hand. */
#ifndef REMIT_PLAN_FEATURES_H
#define REMIT_PLAN_FEATURES_H

#include <stdbool.h>

struct features {
	int landlock_abi; /* 0: none. 2: REFER, 3: TRUNCATE, 4: TCP ports, 5: IOCTL_DEV, 6: scopes,
			     7: audit flags */
	bool seccomp_notify;	    /* SECCOMP_RET_USER_NOTIF with NEW_LISTENER (5.0) */
	bool seccomp_addfd;	    /* SECCOMP_IOCTL_NOTIF_ADDFD (5.9) */
	bool seccomp_addfd_send;    /* SECCOMP_ADDFD_FLAG_SEND (5.14) */
	bool seccomp_wait_killable; /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (5.19) */
	bool seccomp_sync_wake_up;  /* SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (6.6) */
	bool pidfd_getfd;	    /* 5.6, and not refused by a container's profile */
	bool process_vm_readv;
	bool openat2;	   /* 5.6 */
	bool memfd_noexec; /* MFD_NOEXEC_SEAL (6.3) */
	bool proc_mounted;
	int yama;	  /* kernel.yama.ptrace_scope, -1: no Yama */
	char release[65]; /* uname -r */
};

#endif
