/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `ld.so PROGRAM arguments`: a loader that is run as a program starts another without an exec that
 * anybody could see. Its command line says which.
 */
#ifndef REMIT_BROKER_EXEC_LOADER_H
#define REMIT_BROKER_EXEC_LOADER_H

#include "shim/broker/exec_args.h"

/* True for a loader, of this machine's programs or by its name. */
bool exec_loader_is(const struct request *request, const struct object *object);

/* Judges the program that the loader was told to start, by that program's own rule. `args` are the
 * loader's; `started` as for judge_exec(). 0, or a negative errno, recorded and told. */
int exec_loader_judge(struct request *request, const struct object *loader, struct exec_args *args,
		      bool started);

#endif
