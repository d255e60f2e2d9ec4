/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of a house that belongs to somebody else. This code runs inside programs that know
 * nothing of it: before their main, in their signal handlers, in the child of their vfork, in a
 * thread with a stack of a few pages, beside their allocator and their sanitizer. Hence:
 *
 *  - System calls are raw (syscall.h). The names below are poisoned: most are hooked here or by
 *    somebody else, and calling one would come back to us or to him.
 *  - No heap, no stdio, no lock, no TLS of our own, nothing held over a system call.
 *  - After the constructor nothing is written but the stack. Four exceptions, each one word that may
 *    be written by anybody at any time: the table of tell.c, which may lose entries; what
 *    hook_next() found, which is always the same; the hint of lane.h, which decides nothing; and
 *    the counters of usage.c.
 *  - errno is untouched on success, and what libc would say on failure.
 *  - Every hook works before the constructor has run: it then acts as if there was no session.
 *
 * Include it last: it poisons names that system headers declare.
 */
#ifndef REMIT_PRELOAD_BANNED_H
#define REMIT_PRELOAD_BANNED_H

#pragma GCC poison malloc calloc realloc free reallocarray strdup strndup asprintf vasprintf
#pragma GCC poison printf fprintf dprintf sprintf snprintf vprintf vfprintf vsnprintf puts perror
#pragma GCC poison fwrite fputs fputc putchar fclose fflush setvbuf strerror
#pragma GCC poison dlopen dlsym dlvsym dlclose dlerror
#pragma GCC poison pthread_mutex_lock pthread_mutex_unlock pthread_once pthread_key_create
#pragma GCC poison pthread_atfork atexit exit abort
#pragma GCC poison open open64 openat openat64 creat creat64 close read write pread pwrite lseek
#pragma GCC poison fopen fopen64 freopen freopen64 opendir scandir fts_open ftw nftw glob
#pragma GCC poison mkstemp mkostemp mkstemps mkostemps mkdtemp mktemp tmpfile
#pragma GCC poison truncate truncate64 rename renameat renameat2 unlink unlinkat remove rmdir
#pragma GCC poison mkdir mkdirat mkfifo mkfifoat mknod mknodat link linkat symlink symlinkat
#pragma GCC poison execve execv execvp execvpe execl execle execlp execveat fexecve
#pragma GCC poison posix_spawn posix_spawnp system popen fork vfork clone
#pragma GCC poison connect bind listen accept accept4 sendto sendmsg sendmmsg socket getsockopt
#pragma GCC poison syscall prctl mmap munmap fcntl ioctl poll getpid gettid getrandom
#pragma GCC poison lstat fstat fstatat readlink getcwd getenv putenv unsetenv clearenv

#endif
