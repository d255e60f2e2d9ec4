/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are on this machine: remit's own files, the operator's home, programs on PATH. All
 * paths that are handed back are absolute, clean and malloc'ed. */
#ifndef REMIT_TOOLS_PLACE_H
#define REMIT_TOOLS_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Joins to the working folder and folds "." and ".."; through the real path when it exists. NULL
 * with errno set. */
char *place_absolute(const char *path);
/* The real path, or NULL with errno set. */
char *place_real(const char *path);

/* The folder of built-in profiles and the shim: beside the executable when it runs from its build
 * tree, else where it was installed. NULL with errno set; ENOENT when there is no shim. */
char *place_profiles(void);
char *place_shim(void);
char *place_probe(void); /* the static program of `remit self-test` */
/* Each place where those three are looked for, whether something is there or not. Stops at what
 * `each` returns but 0, or a negative errno, and returns it. */
int place_parts(int (*each)(void *context, const char *path), void *context);
/* The running executable itself; NULL with errno set. */
char *place_self(void);

/* Who runs remit. HOME is the environment's when it is absolute, else the passwd entry's; NULL when
 * neither is there. USER is the passwd entry's, else the number. */
struct operator
{
	char *home, *user, *uid;
	char *login; /* the passwd entry's home, NULL when there is none */
};
int place_operator(struct operator* out); /* 0 or -ENOMEM */
void place_operator_free(struct operator* operator);

/* $XDG_STATE_HOME/remit, else HOME/.local/state/remit; not made. NULL with errno set. */
char *place_state(const struct operator* operator);
/* The same without XDG_STATE_HOME. */
char *place_home_state(const struct operator* operator);
/* Where that is in a session that has neither variable; NULL when the operator has no home. */
char *place_login_state(const struct operator* operator);
/* Makes a folder and the missing ones above it, 0700 each. 0 or a negative errno. */
int place_make_folder(const char *path);

/* A program as a shell finds it: by PATH, or from the working folder when it has a slash. NULL with
 * errno ENOENT, or EACCES when what is there cannot be executed. */
char *place_program(const char *name);

/*
 * The ELF interpreters of this machine that exist: the command's own, that of /bin/sh, and the
 * usual places of glibc and musl. Never that of the program that is to run: a file that an earlier
 * session wrote must not choose what may be executed. *out is a malloc'ed list of malloc'ed paths.
 */
int place_interpreters(char ***out, size_t *count);

#endif
