/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of the session, as /proc shows them: everything that descends from the broker,
 * which as child subreaper never loses an orphan. */
#ifndef REMIT_BROKER_PROCESS_TREE_H
#define REMIT_BROKER_PROCESS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process {
	pid_t pid, parent;
	/* Of its first thread, as in proc_pid_stat(5): 'T' and 't' are stopped. 'Z' says that the
	 * first thread has ended, and nothing of the others: process_has_ended(). */
	char state;
	bool others; /* with 'Z': other threads have not ended */
};

/* All that descend from root, root itself not among them, sorted by pid. *out is malloc'ed. A
 * process that is made during the scan may be missing. 0 or a negative errno. */
int process_tree(pid_t root, struct process **out, size_t *count);

bool process_has_ended(const struct process *process);

/* The thread or process itself; -ESRCH when there is none such. The parent's is a process id. */
int process_read(pid_t pid, struct process *out);

/* True when pid is not root and its chain of parents leads to root. */
bool process_descends(pid_t pid, pid_t root);

#endif
