/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One spelling of each system call for three ways of running: built plainly, sys_x() is the libc
 * function that the shim may hook; built with -DRAW (the static way) it is the bare instruction,
 * with nothing of libc in between. Both return the result or a negative errno.
 */
#ifndef REMIT_TESTS_SYS_H
#define REMIT_TESTS_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static inline long raw6(long nr, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static inline long sys_errno(long result)
{
	return result == -1 ? -errno : result;
}

#define SYS_PAD(nr, a, b, c, d, e, f, ...)                                                         \
	raw6((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* For calls that libc has no function of its own for: libc's syscall() is hooked as well. */
#ifdef RAW
#define sys_call(nr, ...) SYS_PAD(nr, __VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define SYS_EITHER(libc, nr, ...) sys_call(nr, __VA_ARGS__)
#else
#define SYS_LIBC(nr, a, b, c, d, e, f, ...)                                                        \
	sys_errno(syscall((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)))
#define sys_call(nr, ...) SYS_LIBC(nr, __VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define SYS_EITHER(libc, nr, ...) sys_errno(libc)
#endif

#define SYS_FUNCTION(name, nr, parameters, libc, ...)                                              \
	static inline long name parameters                                                         \
	{                                                                                          \
		return SYS_EITHER(libc, nr, __VA_ARGS__);                                          \
	}

SYS_FUNCTION(sys_open, SYS_open, (const char *path, int flags, mode_t mode),
	     open(path, flags, mode), path, flags, mode)
SYS_FUNCTION(sys_openat, SYS_openat, (int at, const char *path, int flags, mode_t mode),
	     openat(at, path, flags, mode), at, path, flags, mode)
SYS_FUNCTION(sys_creat, SYS_creat, (const char *path, mode_t mode), creat(path, mode), path, mode)
SYS_FUNCTION(sys_truncate, SYS_truncate, (const char *path, off_t size), truncate(path, size), path,
	     size)
SYS_FUNCTION(sys_unlink, SYS_unlink, (const char *path), unlink(path), path)
SYS_FUNCTION(sys_rmdir, SYS_rmdir, (const char *path), rmdir(path), path)
SYS_FUNCTION(sys_mkdir, SYS_mkdir, (const char *path, mode_t mode), mkdir(path, mode), path, mode)
SYS_FUNCTION(sys_mknod, SYS_mknod, (const char *path, mode_t mode, dev_t device),
	     mknod(path, mode, device), path, mode, device)
SYS_FUNCTION(sys_symlink, SYS_symlink, (const char *to, const char *path), symlink(to, path), to,
	     path)
SYS_FUNCTION(sys_link, SYS_link, (const char *from, const char *to), link(from, to), from, to)
SYS_FUNCTION(sys_linkat, SYS_linkat, (int a, const char *from, int b, const char *to, int flags),
	     linkat(a, from, b, to, flags), a, from, b, to, flags)
SYS_FUNCTION(sys_rename, SYS_rename, (const char *from, const char *to), rename(from, to), from, to)
SYS_FUNCTION(sys_renameat2, SYS_renameat2,
	     (int a, const char *from, int b, const char *to, unsigned int flags),
	     renameat2(a, from, b, to, flags), a, from, b, to, flags)
SYS_FUNCTION(sys_chmod, SYS_chmod, (const char *path, mode_t mode), chmod(path, mode), path, mode)
SYS_FUNCTION(sys_fchmod, SYS_fchmod, (int fd, mode_t mode), fchmod(fd, mode), fd, mode)
SYS_FUNCTION(sys_chown, SYS_chown, (const char *path, uid_t u, gid_t g), chown(path, u, g), path, u,
	     g)
SYS_FUNCTION(sys_fchown, SYS_fchown, (int fd, uid_t u, gid_t g), fchown(fd, u, g), fd, u, g)
SYS_FUNCTION(sys_fchownat, SYS_fchownat, (int at, const char *path, uid_t u, gid_t g, int flags),
	     fchownat(at, path, u, g, flags), at, path, u, g, flags)
SYS_FUNCTION(sys_utimensat, SYS_utimensat,
	     (int at, const char *path, const struct timespec *times, int flags),
	     utimensat(at, path, times, flags), at, path, times, flags)
SYS_FUNCTION(sys_setxattr, SYS_setxattr,
	     (const char *path, const char *name, const void *value, size_t size, int flags),
	     setxattr(path, name, value, size, flags), path, name, value, size, flags)
SYS_FUNCTION(sys_fsetxattr, SYS_fsetxattr,
	     (int fd, const char *name, const void *value, size_t size, int flags),
	     fsetxattr(fd, name, value, size, flags), fd, name, value, size, flags)
SYS_FUNCTION(sys_socket, SYS_socket, (int family, int type, int protocol),
	     socket(family, type, protocol), family, type, protocol)
SYS_FUNCTION(sys_connect, SYS_connect, (int fd, const void *address, socklen_t len),
	     connect(fd, address, len), fd, address, len)
SYS_FUNCTION(sys_bind, SYS_bind, (int fd, const void *address, socklen_t len),
	     bind(fd, address, len), fd, address, len)
SYS_FUNCTION(sys_listen, SYS_listen, (int fd, int backlog), listen(fd, backlog), fd, backlog)
SYS_FUNCTION(sys_sendto, SYS_sendto,
	     (int fd, const void *data, size_t size, int flags, const void *to, socklen_t len),
	     sendto(fd, data, size, flags, to, len), fd, data, size, flags, to, len)
SYS_FUNCTION(sys_sendmsg, SYS_sendmsg, (int fd, const struct msghdr *message, int flags),
	     sendmsg(fd, message, flags), fd, message, flags)
SYS_FUNCTION(sys_sendmmsg, SYS_sendmmsg,
	     (int fd, struct mmsghdr *messages, unsigned int count, int flags),
	     sendmmsg(fd, messages, count, flags), fd, messages, count, flags)
SYS_FUNCTION(sys_execve, SYS_execve, (const char *path, char *const argv[], char *const envp[]),
	     execve(path, argv, envp), path, argv, envp)
SYS_FUNCTION(sys_kill, SYS_kill, (pid_t pid, int number), kill(pid, number), pid, number)

#undef SYS_FUNCTION

#endif
