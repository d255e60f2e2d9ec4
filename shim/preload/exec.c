/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exec family. Every program that is started is given an environment that keeps this library,
 * built in the frame of the hook; often that is the child of a vfork, so nothing else is written.
 * The lookup on PATH is glibc's (posix/execvpe.c): which errors go on to the next folder, EACCES
 * remembered, a file that is no program handed to /bin/sh.
 *
 * vfork and clone are not hooked: a hook could not return twice.
 */
#include <fcntl.h>
#include <limits.h>
#include <paths.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "shim/preload/environment.h"
#include "shim/preload/exec.h"
#include "shim/preload/hook.h"
#include "shim/preload/lane.h"
#include "shim/preload/banned.h"

typedef int (*execve_function)(const char *, char *const[], char *const[]);

HOOK_DECLARE(next_execve, "execve");
HOOK_DECLARE(next_execvpe, "execvpe");
HOOK_DECLARE(next_execveat, "execveat");

/* lane_call() for exec, which is counted before it is tried: who succeeds does not come back. */
static long exec_call(int dirfd, const char *path, long nr, long a, long b, long c, long d, long e)
{
	if (lane_tags(VERB_EXEC, path)) {
		uint64_t *counter = usage_count_exec(dirfd, path);
		long result = lane_try(nr, a, b, c, d, e);

		usage_take_back(counter);
		if (result != -EACCES)
			return result;
	}
	return lane_gate(nr, a, b, c, d, e);
}

long exec_file(const char *path, char *const argv[], char *const envp[])
{
	/* A recorder of commands or a fake root that was preloaded too keeps its place. */
	if (next_execve.foreign)
		return ((execve_function)next_execve.next)(path, argv, envp) ? -errno : 0;
	return exec_call(AT_FDCWD, path, SYS_execve, (long)path, (long)argv, (long)envp, 0, 0);
}

HOOK("execve", HOOK_KEEPS, int, hook_execve,
     (const char *path, char *const argv[], char *const envp[]));
int hook_execve(const char *path, char *const argv[], char *const envp[])
{
	ENVIRONMENT_KEEP(kept, envp);

	return (int)raw_finish(exec_file(path, argv, kept));
}

HOOK("execv", HOOK_KEEPS, int, hook_execv, (const char *path, char *const argv[]));
int hook_execv(const char *path, char *const argv[])
{
	return hook_execve(path, argv, environ);
}

/* What the shell does with a file that the kernel does not know how to start. */
static long exec_script(const char *path, char *const argv[], char *const envp[])
{
	size_t count = 0;
	const char **shell;

	while (argv[count])
		count++;
	if (count >= INT_MAX - 1)
		return -E2BIG;
	shell = __builtin_alloca((count + 3) * sizeof(char *));
	shell[0] = _PATH_BSHELL;
	shell[1] = path;
	shell[2] = NULL;
	for (size_t i = 1; i <= count; i++)
		shell[i + 1] = argv[i];
	return exec_file(_PATH_BSHELL, (char *const *)(void *)shell, envp);
}

static long exec_try(const char *path, char *const argv[], char *const envp[])
{
	long result = exec_file(path, argv, envp);

	return result == -ENOEXEC ? exec_script(path, argv, envp) : result;
}

/* Errors that mean "not in this folder". */
static bool looks_further(long result)
{
	switch (-result) {
	case EACCES:
	case ENOENT:
	case ESTALE:
	case ENOTDIR:
	case ENODEV:
	case ETIMEDOUT:
		return true;
	}
	return false;
}

static const char *folder_end(const char *folder)
{
	while (*folder && *folder != ':')
		folder++;
	return folder;
}

static long exec_search(const char *file, char *const argv[], char *const envp[])
{
	const char *search = environment_get("PATH");
	size_t file_size = strlen(file) + 1, longest;
	long result = -ENOENT;
	bool denied = false;
	char *path;

	if (!search)
		search = "/bin:/usr/bin";
	longest = strlen(search) < PATH_MAX ? strlen(search) : PATH_MAX - 1;
	if (file_size > NAME_MAX + 1)
		return -ENAMETOOLONG;
	path = __builtin_alloca(longest + 1 + file_size);
	for (const char *folder = search, *end;; folder = end + 1) {
		size_t length;

		end = folder_end(folder);
		length = (size_t)(end - folder);
		if (length <= longest) {
			memcpy(path, folder, length);
			path[length] = '/';
			memcpy(path + length + (length > 0), file, file_size);
			result = exec_try(path, argv, envp);
			if (!looks_further(result))
				return result;
			denied |= result == -EACCES;
		}
		if (!*end)
			break;
	}
	return denied ? -EACCES : result;
}

HOOK("execvpe", HOOK_KEEPS, int, hook_execvpe,
     (const char *file, char *const argv[], char *const envp[]));
int hook_execvpe(const char *file, char *const argv[], char *const envp[])
{
	ENVIRONMENT_KEEP(kept, envp);

	/* Other libcs look differently: theirs then does it, through the gate. */
	if (!next_is_glibc() && hook_next(&next_execvpe))
		return ((execve_function)next_execvpe.next)(file, argv, kept);
	if (!*file)
		return (int)raw_finish(-ENOENT);
	if (strchr(file, '/'))
		return (int)raw_finish(exec_try(file, argv, kept));
	return (int)raw_finish(exec_search(file, argv, kept));
}

HOOK("execvp", HOOK_KEEPS, int, hook_execvp, (const char *file, char *const argv[]));
int hook_execvp(const char *file, char *const argv[])
{
	return hook_execvpe(file, argv, environ);
}

HOOK("execveat", HOOK_KEEPS, int, hook_execveat,
     (int dirfd, const char *path, char *const argv[], char *const envp[], int flags));
int hook_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
	ENVIRONMENT_KEEP(kept, envp);

	if (next_execveat.foreign)
		return ((int (*)(int, const char *, char *const[], char *const[],
				 int))next_execveat.next)(dirfd, path, argv, kept, flags);
	return (int)raw_finish(
	    exec_call(dirfd, path, SYS_execveat, dirfd, (long)path, (long)argv, (long)kept, flags));
}

HOOK("fexecve", HOOK_KEEPS, int, hook_fexecve, (int fd, char *const argv[], char *const envp[]));
int hook_fexecve(int fd, char *const argv[], char *const envp[])
{
	if (fd < 0 || !argv || !envp)
		return (int)raw_finish(-EINVAL);
	return hook_execveat(fd, "", argv, envp, AT_EMPTY_PATH);
}

/* How many arguments an execl() call has: the first, which is not in the list, and those up to NULL.
 */
static size_t arguments_count(va_list list)
{
	size_t count = 1;

	while (va_arg(list, char *))
		count++;
	return count;
}

/* Declares argv of an execl()-like function and leaves `list` behind the ending NULL. */
#define ARGUMENTS(argv, first, list)                                                               \
	va_list list, argv##_counted;                                                              \
	va_start(list, first);                                                                     \
	va_copy(argv##_counted, list);                                                             \
	size_t argv##_count = (first) ? arguments_count(argv##_counted) : 0;                       \
	va_end(argv##_counted);                                                                    \
	const char **argv##_text = __builtin_alloca((argv##_count + 1) * sizeof(char *));          \
	argv##_text[0] = (first);                                                                  \
	for (size_t argv##_i = 1; argv##_i <= argv##_count; argv##_i++)                            \
		argv##_text[argv##_i] = va_arg(list, const char *);                                \
	char *const *argv = (char *const *)(void *)argv##_text

HOOK("execl", HOOK_KEEPS, int, hook_execl, (const char *path, const char *first, ...));
int hook_execl(const char *path, const char *first, ...)
{
	ARGUMENTS(argv, first, list);

	va_end(list);
	return hook_execve(path, argv, environ);
}

HOOK("execlp", HOOK_KEEPS, int, hook_execlp, (const char *file, const char *first, ...));
int hook_execlp(const char *file, const char *first, ...)
{
	ARGUMENTS(argv, first, list);

	va_end(list);
	return hook_execvpe(file, argv, environ);
}

HOOK("execle", HOOK_KEEPS, int, hook_execle, (const char *path, const char *first, ...));
int hook_execle(const char *path, const char *first, ...)
{
	ARGUMENTS(argv, first, list);
	char *const *envp = va_arg(list, char *const *);

	va_end(list);
	return hook_execve(path, argv, envp);
}
