/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent may ask the gate to do: the whole list, sorted by number. A notified call that has
 * no row is refused. may_block: runs in the class of calls that wait (workers_block.c).
 */
#include <sys/syscall.h>

#include "shim/broker/performers.h"

/* Newer than the headers: asm/unistd_64.h of Linux 6.6 and 6.13. */
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_removexattrat 466
#endif

#define ROW(name)                                                                                  \
	{                                                                                          \
		SYS_##name, #name, perform_##name, false                                           \
	}
#define SLOW(name)                                                                                 \
	{                                                                                          \
		SYS_##name, #name, perform_##name, true                                            \
	}
#define SHARED(name, performer)                                                                    \
	{                                                                                          \
		SYS_##name, #name, performer, false                                                \
	}

const struct gate_row gate_table[] = {
    ROW(open),
    ROW(ioctl),
    ROW(shmget),
    ROW(shmat),
    ROW(shmctl),
    ROW(socket),
    SLOW(connect),
    SLOW(sendto),
    SLOW(sendmsg),
    ROW(bind),
    ROW(listen),
    ROW(socketpair),
    SHARED(setsockopt, perform_never),
    SHARED(clone, perform_fork),
    SHARED(fork, perform_fork),
    SHARED(vfork, perform_fork),
    ROW(execve),
    SHARED(kill, perform_signal),
    ROW(semget),
    ROW(semop),
    ROW(semctl),
    ROW(msgget),
    ROW(msgsnd),
    SHARED(msgrcv, perform_msgsnd),
    ROW(msgctl),
    ROW(fcntl),
    SLOW(truncate),
    ROW(rename),
    ROW(mkdir),
    ROW(rmdir),
    ROW(creat),
    ROW(link),
    ROW(unlink),
    ROW(symlink),
    ROW(chmod),
    ROW(fchmod),
    ROW(chown),
    ROW(fchown),
    ROW(lchown),
    SHARED(ptrace, perform_trace),
    ROW(setpgid),
    SHARED(rt_sigqueueinfo, perform_signal),
    ROW(utime),
    ROW(mknod),
    ROW(personality),
    SHARED(setpriority, perform_set),
    SHARED(sched_setparam, perform_set),
    SHARED(sched_setscheduler, perform_set),
    ROW(prctl),
    ROW(setxattr),
    ROW(lsetxattr),
    ROW(fsetxattr),
    ROW(removexattr),
    ROW(lremovexattr),
    ROW(fremovexattr),
    SHARED(tkill, perform_signal),
    SHARED(sched_setaffinity, perform_set),
    SHARED(semtimedop, perform_semop),
    SHARED(tgkill, perform_signal),
    ROW(utimes),
    ROW(mq_open),
    ROW(mq_unlink),
    SHARED(ioprio_set, perform_set),
    ROW(inotify_add_watch),
    SHARED(migrate_pages, perform_set),
    ROW(openat),
    ROW(mkdirat),
    ROW(mknodat),
    ROW(fchownat),
    ROW(futimesat),
    ROW(unlinkat),
    ROW(renameat),
    ROW(linkat),
    ROW(symlinkat),
    ROW(fchmodat),
    SHARED(unshare, perform_never),
    SHARED(get_robust_list, perform_set),
    SHARED(move_pages, perform_set),
    ROW(utimensat),
    SHARED(rt_tgsigqueueinfo, perform_signal),
    SHARED(prlimit64, perform_set),
    SLOW(sendmmsg),
    SHARED(process_vm_readv, perform_trace),
    SHARED(process_vm_writev, perform_trace),
    SHARED(kcmp, perform_trace),
    SHARED(sched_setattr, perform_set),
    ROW(renameat2),
    ROW(memfd_create),
    ROW(execveat),
    SHARED(pidfd_send_signal, perform_signal),
    ROW(openat2),
    SHARED(pidfd_getfd, perform_trace),
    SHARED(process_madvise, perform_trace),
    ROW(fchmodat2),
    ROW(setxattrat),
    ROW(removexattrat),
};
const size_t gate_table_size = sizeof(gate_table) / sizeof(*gate_table);
