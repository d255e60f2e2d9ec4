/* SPDX-License-Identifier: Apache-2.0 */
/* Between run.c, which starts a session, and run_checks.c, which says when none may start. */
#ifndef REMIT_TOOLS_RUN_H
#define REMIT_TOOLS_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/audit.h"
#include "tools/janitor.h"
#include "tools/load.h"
#include "tools/prepare.h"

#define KEEP_MAX SESSION_KEEP_MAX

struct run {
	struct load_flags load;
	const char *audit_file;
	int audit_number; /* --audit-fd; -1: not given */
	int keep[KEEP_MAX];
	size_t keep_count;
	bool no_shim, quiet, count_uses, allow_degraded;
	bool inner, counts_forks; /* inside a session; which counts processes */
	struct without without;

	char id[SESSION_ID_MAX];
	char *program, *shim;
	struct janitor janitor;
	struct audit audit;
	struct loaded loaded;
	struct prepared prepared;
};

/* Each 0, or a negative errno after a message. */
int run_check_proc(void);
int run_check_inner(struct run *run);
int run_check_audit(const struct run *run);
int run_check_expiry(const struct loaded *loaded);
int run_check_hosts(const struct loaded *loaded);
int run_check_losses(const struct run *run);

#endif
