/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs started inside libc: the environment is put right, the rest is libc's own. The exec that
 * its child makes is the gate's. Versions: see next.c. pidfd_spawn() is not hooked: a program that
 * looks whether its libc has it would find it here on a libc that does not.
 */
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>

#include "shim/preload/environment.h"
#include "shim/preload/hook.h"
#include "shim/preload/banned.h"

typedef int (*spawn_function)(pid_t *, const char *, const posix_spawn_file_actions_t *,
			      const posix_spawnattr_t *, char *const[], char *const[]);

HOOK_DECLARE(next_spawn, "posix_spawn");
HOOK_DECLARE(next_spawnp, "posix_spawnp");
HOOK_DECLARE(next_system, "system");
HOOK_DECLARE(next_popen, "popen");

HOOK("posix_spawn", HOOK_KEEPS, int, hook_spawn,
     (pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]));
int hook_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
	       const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	spawn_function next = (spawn_function)hook_next(&next_spawn);
	ENVIRONMENT_KEEP(kept, envp);

	return next(pid, path, actions, attributes, argv, kept);
}

HOOK("posix_spawnp", HOOK_KEEPS, int, hook_spawnp,
     (pid_t * pid, const char *file, const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]));
int hook_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	spawn_function next = (spawn_function)hook_next(&next_spawnp);
	ENVIRONMENT_KEEP(kept, envp);

	return next(pid, file, actions, attributes, argv, kept);
}

HOOK("system", HOOK_KEEPS, int, hook_system, (const char *command));
int hook_system(const char *command)
{
	int (*next)(const char *) = (int (*)(const char *))hook_next(&next_system);

	environment_keep_own();
	return next(command);
}

HOOK("popen", HOOK_KEEPS, FILE *, hook_popen, (const char *command, const char *mode));
FILE *hook_popen(const char *command, const char *mode)
{
	FILE *(*next)(const char *, const char *) =
	    (FILE * (*)(const char *, const char *)) hook_next(&next_popen);

	environment_keep_own();
	return next(command, mode);
}
