/* SPDX-License-Identifier: Apache-2.0 */
/* What this kernel and this container let us enforce. Pure data: shim/kernel/probe.c fills it,
 * tests write it by hand. What is not in here is not tried anywhere else: a feature that is taken
 * away stays away. */
#ifndef REMIT_PLAN_FEATURES_H
#define REMIT_PLAN_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

struct features {
	int landlock_abi; /* 0: none. 2: REFER, 3: TRUNCATE, 4: TCP ports, 5: IOCTL_DEV, 6: scopes,
			     7: audit flags */
	bool seccomp_notify;	    /* SECCOMP_RET_USER_NOTIF with NEW_LISTENER (5.0) */
	bool seccomp_addfd;	    /* SECCOMP_IOCTL_NOTIF_ADDFD (5.9) */
	bool seccomp_addfd_send;    /* SECCOMP_ADDFD_FLAG_SEND (5.14) */
	bool seccomp_wait_killable; /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (5.19) */
	bool seccomp_sync_wake_up;  /* SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (6.6) */
	bool pidfd_getfd;	    /* 5.6, and not refused by a container's profile */
	bool pidfd_thread;	    /* PIDFD_THREAD (6.9) */
	bool process_vm;	    /* process_vm_readv and process_vm_writev of a child */
	bool proc_mem;		    /* /proc/PID/mem of a child */
	bool openat2;		    /* 5.6 */
	bool close_range;	    /* 5.9 */
	bool unshare_fs;	    /* unshare(CLONE_FS) */
	bool memfd_noexec;	    /* MFD_NOEXEC_SEAL (6.3) */
	bool proc_mounted;
	int yama;	  /* kernel.yama.ptrace_scope, -1: no Yama */
	char release[65]; /* uname -r */
};

/* What a session is without it. */
enum feature_need {
	NEED_SPEED, /* as sound and as able, only slower */
	NEED_WORK,  /* as sound, but something does not work: losses.c says what */
	NEED_START, /* there is no session */
};

struct feature {
	const char *name; /* as in --without */
	enum feature_need need;
	const char *since; /* the kernel that has it; "" when it is no matter of age */
	const char *use;   /* a few words */
	size_t offset;	   /* of its bool in struct features */
};

extern const struct feature feature_table[];
extern const size_t feature_table_size;

bool feature_there(const struct features *features, const struct feature *feature);

/*
 * Takes away what a comma-separated list names: names of the table, "landlock" (none at all),
 * "landlock=N" (no more than ABI N), "yama=N" (as if ptrace_scope were at least N). Never adds
 * anything. 0, or -EINVAL with the word that is none of them in *wrong (within list; it ends at a
 * comma or with the list), or NULL when it is only empty.
 */
int features_without(struct features *features, const char *list, const char **wrong);

/* The gate cannot read what its callers point to: it judges nothing that lies in memory. */
bool features_blind(const struct features *features);

#endif
