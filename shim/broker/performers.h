/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every performer that table.c names. A performer copies what the caller points to once, decides on
 * the copy and acts on the copy; broker.h says what it may answer. One prototype a line, grouped by
 * the file it lives in; nothing else includes this but table.c and those files.
 */
#ifndef REMIT_BROKER_PERFORMERS_H
#define REMIT_BROKER_PERFORMERS_H

#include "shim/broker/broker.h"

/* files_open_call.c */
struct reply perform_open(struct request *request);
struct reply perform_creat(struct request *request);
struct reply perform_openat(struct request *request);
struct reply perform_openat2(struct request *request);

/* files_change.c */
struct reply perform_mkdir(struct request *request);
struct reply perform_mkdirat(struct request *request);
struct reply perform_mknod(struct request *request);
struct reply perform_mknodat(struct request *request);
struct reply perform_unlink(struct request *request);
struct reply perform_rmdir(struct request *request);
struct reply perform_unlinkat(struct request *request);
struct reply perform_symlink(struct request *request);
struct reply perform_symlinkat(struct request *request);
struct reply perform_truncate(struct request *request);

/* files_move.c */
struct reply perform_rename(struct request *request);
struct reply perform_renameat(struct request *request);
struct reply perform_renameat2(struct request *request);
struct reply perform_link(struct request *request);
struct reply perform_linkat(struct request *request);

/* files_attributes.c */
struct reply perform_chmod(struct request *request);
struct reply perform_fchmod(struct request *request);
struct reply perform_fchmodat(struct request *request);
struct reply perform_fchmodat2(struct request *request);
struct reply perform_chown(struct request *request);
struct reply perform_lchown(struct request *request);
struct reply perform_fchown(struct request *request);
struct reply perform_fchownat(struct request *request);
struct reply perform_utime(struct request *request);
struct reply perform_utimes(struct request *request);
struct reply perform_futimesat(struct request *request);
struct reply perform_utimensat(struct request *request);

/* files_xattr.c */
struct reply perform_setxattr(struct request *request);
struct reply perform_lsetxattr(struct request *request);
struct reply perform_fsetxattr(struct request *request);
struct reply perform_setxattrat(struct request *request);
struct reply perform_removexattr(struct request *request);
struct reply perform_lremovexattr(struct request *request);
struct reply perform_fremovexattr(struct request *request);
struct reply perform_removexattrat(struct request *request);

/* files_watch.c */
struct reply perform_inotify_add_watch(struct request *request);

/* network.c */
struct reply perform_connect(struct request *request);
struct reply perform_socket(struct request *request);
struct reply perform_socketpair(struct request *request);

/* network_bind.c */
struct reply perform_bind(struct request *request);
struct reply perform_listen(struct request *request);

/* network_send.c */
struct reply perform_sendto(struct request *request);
struct reply perform_sendmsg(struct request *request);
struct reply perform_sendmmsg(struct request *request);

/* exec.c */
struct reply perform_execve(struct request *request);
struct reply perform_execveat(struct request *request);

/* process.c: signals; what asks for the right to trace */
struct reply perform_signal(struct request *request);
struct reply perform_trace(struct request *request);

/* process_set.c: priorities, limits, scheduling, pages; jobs; owners of descriptors */
struct reply perform_set(struct request *request);
struct reply perform_setpgid(struct request *request);
struct reply perform_fcntl(struct request *request);

/* process_count.c: clone, fork, vfork */
struct reply perform_fork(struct request *request);

/* never.c */
struct reply perform_never(struct request *request);

/* ipc_sysv.c: the calls on an id have one performer for each kind */
struct reply perform_shmget(struct request *request);
struct reply perform_shmat(struct request *request);
struct reply perform_shmctl(struct request *request);
struct reply perform_semget(struct request *request);
struct reply perform_semop(struct request *request);
struct reply perform_semctl(struct request *request);
struct reply perform_msgget(struct request *request);
struct reply perform_msgsnd(struct request *request);
struct reply perform_msgctl(struct request *request);

/* ipc_mqueue.c */
struct reply perform_mq_open(struct request *request);
struct reply perform_mq_unlink(struct request *request);

/* memfd.c, pty.c, hypercall.c, personality.c */
struct reply perform_memfd_create(struct request *request);
struct reply perform_ioctl(struct request *request);
struct reply perform_prctl(struct request *request);
struct reply perform_personality(struct request *request);

#endif
