/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Losses. Each sentence says what is missing, since which kernel it is there, and what that costs.
 * A plan with losses is launched only with --allow-degraded; an impossible one not at all, because
 * what would run then could not be held to anything.
 */
#include "policy/plan/losses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOSSES_MAX 16

struct said {
	const char *text[LOSSES_MAX];
	size_t count;
	const char *impossible; /* the first of them */
};

static void lose(struct said *said, const char *text)
{
	said->text[said->count++] = text;
}

static void stop(struct said *said, const char *text)
{
	lose(said, text);
	if (!said->impossible)
		said->impossible = text;
}

static void landlock_losses(int abi, struct said *said)
{
	if (abi < 1) {
		stop(said, "no Landlock (5.13): nothing bounds a call that the kernel runs by "
			   "itself, so no program could be held to its manifest");
		return;
	}
	if (abi < 2)
		lose(said, "no Landlock REFER (5.19): files cannot be moved or linked between "
			   "folders");
	if (abi < 3)
		lose(said, "no Landlock TRUNCATE (6.2): there is no fast lane, every file call "
			   "goes through the gate, and what it cannot judge is refused");
	if (abi < 4)
		lose(said, "no Landlock TCP rules (6.7): only the gate keeps TCP within the "
			   "granted addresses");
	if (abi < 5)
		lose(said, "no Landlock IOCTL_DEV (6.10): commands to devices that stand in a "
			   "granted folder outside /dev are not limited");
	if (abi < 6)
		lose(said, "no Landlock scopes (6.12): abstract unix sockets are kept by the gate "
			   "alone, and signals by its check of the process; the session of a "
			   "remit that is killed goes on without a gate");
}

static void seccomp_losses(const struct features *f, struct said *said)
{
	if (!f->seccomp_notify)
		stop(said, "no seccomp user notification (5.0): there is no gate");
	else if (!f->seccomp_addfd)
		stop(said, "no seccomp ADDFD (5.9): the gate cannot hand over what it opened");
	else if (!f->seccomp_wait_killable)
		lose(said, "no seccomp WAIT_KILLABLE_RECV (5.19): a signal may interrupt a call "
			   "that the gate has already performed");
}

static void process_losses(const struct features *f, struct said *said)
{
	if (f->yama >= 2)
		stop(said, "kernel.yama.ptrace_scope is 2 or more: the gate may not look into the "
			   "agent");
	else if (features_blind(f))
		lose(said, "no process_vm_readv and no /proc/PID/mem (refused here): the gate "
			   "cannot read arguments, so what is not in the wall is refused, and all "
			   "connections");
	if (!f->pidfd_getfd)
		stop(said, "no pidfd_getfd (5.6, or refused here): the gate can take neither the "
			   "filter's listener nor its callers' sockets");
	if (!f->close_range)
		stop(said, "no close_range (5.9, or refused here): nothing makes sure that the "
			   "agent gets no descriptor of ours");
	if (!f->unshare_fs)
		lose(said, "unshare is refused here: unix sockets cannot be bound to a path");
	if (!f->memfd_noexec)
		lose(said, "no MFD_NOEXEC_SEAL (6.3): memfd_create is refused");
	if (!f->openat2)
		stop(said, "no openat2 (5.6, or refused here): no path can be opened without "
			   "following links that the agent may turn");
	if (!f->proc_mounted)
		stop(said, "/proc is not mounted: the gate cannot tell what a call means");
}

int losses_build(const struct features *features, struct plan *plan)
{
	struct said said = {0};

	landlock_losses(features->landlock_abi, &said);
	seccomp_losses(features, &said);
	process_losses(features, &said);
	plan->impossible = said.impossible;
	if (!said.count)
		return 0;
	plan->losses = calloc(said.count, sizeof(*plan->losses));
	if (!plan->losses)
		return -ENOMEM;
	for (size_t i = 0; i < said.count; i++) {
		plan->losses[i] = strdup(said.text[i]);
		if (!plan->losses[i])
			return -ENOMEM;
		plan->loss_count++;
	}
	return 0;
}
