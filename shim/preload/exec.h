/* SPDX-License-Identifier: Apache-2.0 */
/* What syscall() shares with the exec hooks. */
#ifndef REMIT_PRELOAD_EXEC_H
#define REMIT_PRELOAD_EXEC_H

/* Returns only on failure, a negative errno. envp is used as it is. */
long exec_file(const char *path, char *const argv[], char *const envp[]);

int hook_execve(const char *path, char *const argv[], char *const envp[]);
int hook_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags);

#endif
