/* SPDX-License-Identifier: Apache-2.0 */
/* Between janitor.c, the launcher's side, and janitor_serve.c, the process that is split off. */
#ifndef REMIT_TOOLS_JANITOR_INTERNAL_H
#define REMIT_TOOLS_JANITOR_INTERNAL_H

#include "tools/janitor.h"

/* The process keeps three descriptors, by the first numbers: those that it is called with are to be
 * above them. */
#define JANITOR_FDS 3
_Noreturn void janitor_serve(struct janitor janitor, pid_t launcher);

/* Empties and removes both folders. 0, -ENOENT when they are not where they were, or another
 * negative errno. */
int janitor_remove(const struct janitor *janitor);

#endif
