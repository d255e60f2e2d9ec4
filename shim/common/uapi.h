/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What newer kernels know than the headers of the oldest system that remit builds on (Linux 5.15,
 * glibc 2.35), each from the file of include/uapi and the version that is named. Whether the running
 * kernel knows it is for shim/kernel/probe.c to find out.
 */
#ifndef REMIT_COMMON_UAPI_H
#define REMIT_COMMON_UAPI_H

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/mman.h>

/* linux/seccomp.h, 5.19 */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* linux/memfd.h, 6.3 */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#define MFD_EXEC 0x0010U
#endif

/* linux/seccomp.h, 6.6 */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* linux/pidfd.h, 6.9: a pidfd of a thread, so of its own file table. */
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

#endif
