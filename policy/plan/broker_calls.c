/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row for each call that the gate's code, or the C library on its behalf, makes after the fork
 * of the agent. Not among them, so not to be had by somebody who took the broker over: programs,
 * processes, sockets, executable memory, mounts, keys, namespaces, modules, timers of others.
 *
 * The C library is free to take another call for the same thing; siblings are listed together.
 * Adding a call to the broker means adding it here, or the tests break; a row goes with the last
 * code that makes the call.
 */
#include "policy/plan/broker_calls.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <sys/syscall.h>

#include "shim/common/uapi.h"

static const uint32_t of_prctl[] = {PR_SET_NO_NEW_PRIVS, PR_SET_NAME};
static const uint32_t of_ptrace[] = {PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH};
static const uint32_t of_seccomp[] = {SECCOMP_GET_NOTIF_SIZES};
static const uint32_t of_unshare[] = {CLONE_FS};
static const uint32_t of_clone[] = {CLONE_VM | CLONE_THREAD};
static const uint32_t of_memory[] = {PROT_EXEC};
static const uint32_t of_fcntl[] = {F_GETFD, F_SETFD,	  F_GETFL,
				    F_SETFL, F_ADD_SEALS, F_DUPFD_CLOEXEC};
static const uint32_t of_ioctl[] = {
    SECCOMP_IOCTL_NOTIF_RECV,
    SECCOMP_IOCTL_NOTIF_SEND,
    SECCOMP_IOCTL_NOTIF_ID_VALID,
    SECCOMP_IOCTL_NOTIF_ADDFD,
    SECCOMP_IOCTL_NOTIF_SET_FLAGS,
    TCGETS,
    TCGETS2,
    TCSETS,
    TCSETS2,
    TIOCGPGRP,
    TIOCSPGRP,
    TIOCGSID,
    TIOCGDEV,
    TIOCGPTN,
    TIOCGPTPEER,
    TIOCNXCL,
    TCXONC,
};

#define ROW(call, why)                                                                             \
	{                                                                                          \
		SYS_##call, #call, why, CALL_ANY, 0, NULL, 0                                       \
	}
#define CHECKED(call, why, check, arg, values)                                                     \
	{                                                                                          \
		SYS_##call, #call, why, check, arg, values, sizeof(values) / sizeof(*(values))     \
	}

const struct broker_call broker_calls[] = {
    ROW(access, "is it one of our threads; paths"),
    ROW(bind, "on the caller's behalf"),
    ROW(brk, "memory"),
    ROW(chmod, "on the caller's behalf"),
    ROW(chown, "on the caller's behalf"),
    ROW(clock_gettime, "time"),
    ROW(clock_nanosleep, "waiting"),
    CHECKED(clone, "threads, and nothing but threads", CALL_WITH, 0, of_clone),
    {SYS_clone3, "clone3", "its flags cannot be seen: clone instead", CALL_ABSENT, 0, NULL, 0},
    ROW(close, "descriptors"),
    ROW(close_range, "descriptors"),
    ROW(connect, "on the caller's behalf"),
    ROW(exit, "a thread ends"),
    ROW(exit_group, "the broker ends"),
    ROW(faccessat, "paths"),
    ROW(faccessat2, "paths"),
    ROW(fchdir, "where a unix socket is bound"),
    ROW(fchmod, "on the caller's behalf"),
    ROW(fchown, "on the caller's behalf"),
    CHECKED(fcntl, "descriptors; no signals, no leases, no locks", CALL_ONE_OF, 1, of_fcntl),
    ROW(fdatasync, "the log"),
    ROW(fremovexattr, "on the caller's behalf"),
    ROW(fsetxattr, "on the caller's behalf"),
    ROW(fstat, "what a handle is"),
    ROW(fstatfs, "is it procfs"),
    ROW(ftruncate, "a half-written record"),
    ROW(futex, "locks"),
    ROW(getdents64, "folders"),
    ROW(getegid, "who we are"),
    ROW(geteuid, "who we are"),
    ROW(getgid, "who we are"),
    ROW(getpgid, "job control"),
    ROW(getpgrp, "job control"),
    ROW(getpid, "who we are"),
    ROW(getppid, "job control"),
    ROW(getrandom, "the allocator's and hash tables' seeds"),
    ROW(getrlimit, "descriptors"),
    ROW(getsid, "job control"),
    ROW(getsockname, "what a socket is"),
    ROW(getsockopt, "what a socket is"),
    ROW(gettid, "who we are"),
    ROW(gettimeofday, "time"),
    ROW(getuid, "who we are"),
    ROW(inotify_add_watch, "on the caller's behalf"),
    CHECKED(ioctl, "the listener, terminals, ptys", CALL_ONE_OF, 1, of_ioctl),
    ROW(ioprio_set, "on the caller's behalf"),
    ROW(kill, "the agent and what it left; Landlock keeps it in the session"),
    ROW(landlock_add_rule, "narrows a thread that binds a unix socket"),
    ROW(landlock_create_ruleset, "narrows a thread that binds a unix socket"),
    ROW(landlock_restrict_self, "narrows a thread that binds a unix socket"),
    ROW(linkat, "on the caller's behalf"),
    ROW(listen, "on the caller's behalf"),
    ROW(lseek, "files"),
    ROW(lstat, "paths"),
    ROW(madvise, "memory"),
    ROW(memfd_create, "on the caller's behalf"),
    ROW(mkdirat, "on the caller's behalf"),
    ROW(mknodat, "on the caller's behalf"),
    CHECKED(mmap, "memory, not to be executed", CALL_WITHOUT, 2, of_memory),
    CHECKED(mprotect, "memory, not to be executed", CALL_WITHOUT, 2, of_memory),
    ROW(mremap, "memory"),
    ROW(msgctl, "the session's own IPC objects"),
    ROW(msgget, "the session's own IPC objects"),
    ROW(munmap, "memory"),
    ROW(nanosleep, "waiting"),
    ROW(newfstatat, "paths"),
    ROW(open, "within the hull"),
    ROW(openat, "within the hull"),
    ROW(openat2, "within the hull"),
    ROW(pidfd_getfd, "the caller's descriptors"),
    ROW(pidfd_open, "the caller"),
    ROW(pidfd_send_signal, "survivors, and on the caller's behalf"),
    ROW(poll, "waiting"),
    ROW(ppoll, "waiting"),
    CHECKED(prctl, "before a Landlock domain; names of threads", CALL_ONE_OF, 0, of_prctl),
    ROW(pread64, "files"),
    ROW(prlimit64, "the caller's limits"),
    ROW(process_vm_readv, "what a call points to"),
    ROW(process_vm_writev, "what sendmmsg tells"),
    CHECKED(ptrace, "holds a process while it becomes another program; never its memory",
	    CALL_ONE_OF, 0, of_ptrace),
    ROW(pwrite64, "files"),
    ROW(pwritev2, "the caller's stderr"),
    ROW(read, "files"),
    ROW(readlink, "what a handle is called"),
    ROW(readlinkat, "links that we walk ourselves"),
    ROW(recvmsg, "the janitor's answers"),
    ROW(removexattr, "on the caller's behalf"),
    ROW(renameat2, "on the caller's behalf"),
    ROW(restart_syscall, "waiting"),
    ROW(rseq, "threads"),
    ROW(rt_sigaction, "signals"),
    ROW(rt_sigprocmask, "signals"),
    ROW(rt_sigreturn, "signals"),
    ROW(rt_sigtimedwait, "waiting for the agent"),
    ROW(sched_getaffinity, "the allocator's count of arenas"),
    ROW(sched_setaffinity, "on the caller's behalf"),
    ROW(sched_setattr, "on the caller's behalf"),
    ROW(sched_setparam, "on the caller's behalf"),
    ROW(sched_setscheduler, "on the caller's behalf"),
    ROW(sched_yield, "locks"),
    CHECKED(seccomp, "the size of a notification; no other filter", CALL_ONE_OF, 0, of_seccomp),
    ROW(semctl, "the session's own IPC objects"),
    ROW(semget, "the session's own IPC objects"),
    ROW(sendmsg, "on the caller's behalf"),
    ROW(sendto, "on the caller's behalf"),
    ROW(set_robust_list, "threads"),
    ROW(setpriority, "on the caller's behalf"),
    ROW(setrlimit, "descriptors"),
    ROW(setxattr, "on the caller's behalf"),
    ROW(shmctl, "the session's own IPC objects"),
    ROW(shmget, "the session's own IPC objects"),
    ROW(shutdown, "a socket that must not be used; the janitor's"),
    ROW(sigaltstack, "threads"),
    ROW(stat, "paths"),
    ROW(statfs, "paths"),
    ROW(statx, "paths"),
    ROW(symlinkat, "on the caller's behalf"),
    ROW(sysinfo, "how much sorting may take"),
    ROW(tgkill, "our threads; SIGPIPE and SIGXFSZ for the caller"),
    ROW(time, "time"),
    ROW(truncate, "on the caller's behalf"),
    ROW(umask, "the caller's"),
    ROW(uname, "the kernel"),
    ROW(unlinkat, "on the caller's behalf"),
    CHECKED(unshare, "each thread its own umask", CALL_ONE_OF, 0, of_unshare),
    ROW(utimensat, "on the caller's behalf"),
    ROW(wait4, "the agent and orphans"),
    ROW(waitid, "the agent and orphans"),
    ROW(write, "the log, the caller's stderr"),
    ROW(writev, "our own messages"),
};
const size_t broker_call_count = sizeof(broker_calls) / sizeof(*broker_calls);
