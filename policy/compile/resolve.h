/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this machine makes of a model's paths: symbolic links followed, interpreters found. The only
 * part of compilation that looks at the file system beyond the manifest's own files.
 */
#ifndef REMIT_COMPILE_RESOLVE_H
#define REMIT_COMPILE_RESOLVE_H

#include "policy/compile/model.h"
#include "policy/core/path.h"

/*
 * Adds to every path of the model its spellings through links, and grants for the interpreters of
 * granted programs (ORIGIN_IMPLIED). A grant or an exception is never widened through a link, nor
 * by the `#!` line of a program, that the model itself lets the agent write: what the agent left
 * behind in one session must not widen the next. 0, -EINVAL with diagnostics, -ENOMEM.
 */
int resolve_model(struct model *model, const struct compile_options *options,
		  struct diagnostics *diagnostics);

/*
 * The real path of an absolute path, which may hold `.`, `..` and links: an existing object by its
 * own name, what does not exist by its parents'. Stops at /proc/self, /proc/thread-self, /proc/PID,
 * /dev/fd and /dev/std*: those and what hangs on them stay as spelled. With follow false a link in
 * the last place stays. link() is asked for every link, by its place; non-zero ends the walk and is
 * returned. 0, -ELOOP, -ENAMETOOLONG, -EINVAL (`..` after a place where the walk stops), or what
 * the kernel said when it could not tell whether a link stands there.
 */
int resolve_path(const char *path, bool follow, int (*link)(void *context, const char *place),
		 void *context, char out[PATH_TEXT_MAX]);

/* The same within resolve_model(), where no place is looked at twice. */
int resolve_path_seen(const struct model *model, const char *path, bool follow,
		      int (*link)(void *context, const char *place), void *context,
		      char out[PATH_TEXT_MAX]);

/* interpreter.c: the `#!` interpreter or ELF interpreter that the kernel starts for a program. 0,
 * -ENOENT when it has none, -ENOEXEC, or what opening it said. Never blocks. */
int interpreter_read(const char *program, char out[PATH_TEXT_MAX]);
/* The same; 1 for a script, with the argument that its `#!` line gives the interpreter ("": none).
 */
#define INTERPRETER_ARGUMENT_MAX 256
int interpreter_of_script(const char *program, char out[PATH_TEXT_MAX],
			  char argument[INTERPRETER_ARGUMENT_MAX]);

/* programs.c: grants for the interpreters of the programs that exec.allow names. `siblings` may be
 * NULL. */
int programs_resolve(struct model *model, struct siblings *siblings,
		     struct diagnostics *diagnostics);

/* True when the model lets the agent write at path: a link or program there is its own. */
bool resolve_writable(const struct model *model, const char *path);

/* Adds the spellings of one rule, after resolve_model() has done the model's own. */
int resolve_implied(const struct model *model, struct model_rule *rule);

#endif
