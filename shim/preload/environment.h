/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps this library in the environment of every program that is started from here. */
#ifndef REMIT_PRELOAD_ENVIRONMENT_H
#define REMIT_PRELOAD_ENVIRONMENT_H

#include <stddef.h>

/*
 * How many bytes environment_fill() needs for a repaired copy of envp; 0 when envp names the
 * library already, or cannot be repaired (no session, or too large for a stack: the program then
 * runs without the shim, contained and counted). NULL is an empty environment, as in the kernel.
 */
size_t environment_need(char *const envp[]);
/* Builds the copy: the one LD_PRELOAD has this library first, then what envp had. */
char **environment_fill(char *const envp[], void *buffer);

/* Declares `name`: envp, or its repaired copy in the caller's frame. */
#define ENVIRONMENT_KEEP(name, envp)                                                               \
	char *const *name = (envp);                                                                \
	size_t name##_need = environment_need(name);                                               \
	if (name##_need)                                                                           \
	name = environment_fill(name, __builtin_alloca(name##_need))

/* The same for the process's own environment, for libc functions that read it themselves. Calls
 * setenv(): only for callers that may allocate. */
void environment_keep_own(void);

/* The value of a variable in the process's own environment, or NULL. */
const char *environment_get(const char *name);

extern char **environ;

#endif
