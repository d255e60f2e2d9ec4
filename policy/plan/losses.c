/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Losses. Each sentence says what is missing, since which kernel it is there, and what that costs.
 * A plan with losses is launched only with --allow-degraded.
 */
#include "policy/plan/losses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOSSES_MAX 16

static void landlock_losses(int abi, const char **text, size_t *count)
{
	if (abi < 1)
		text[(*count)++] = "no Landlock (5.13): nothing bounds a call that the kernel runs "
				   "natively, so programs, signals and tracing are not confined";
	else if (abi < 2)
		text[(*count)++] = "no Landlock REFER (5.19): files cannot be moved or linked "
				   "between folders";
	if (abi >= 1 && abi < 3)
		text[(*count)++] = "no Landlock TRUNCATE (6.2): there is no fast lane, every file "
				   "call goes through the gate";
	if (abi < 4)
		text[(*count)++] = "no Landlock TCP rules (6.7): only the gate keeps TCP within "
				   "the granted addresses";
	if (abi < 5)
		text[(*count)++] = "no Landlock IOCTL_DEV (6.10): commands to devices that are "
				   "granted for reading are not limited";
	if (abi < 6)
		text[(*count)++] = "no Landlock scopes (6.12): abstract unix sockets are kept by "
				   "the gate alone, and signals by its check of the process";
}

static void seccomp_losses(const struct features *f, const char **text, size_t *count)
{
	if (!f->seccomp_notify)
		text[(*count)++] = "no seccomp user notification (5.0): there is no gate, and a "
				   "session cannot start";
	if (!f->seccomp_addfd)
		text[(*count)++] = "no seccomp ADDFD (5.9): the gate cannot hand over what it "
				   "opened, files outside the wall cannot be opened";
	else if (!f->seccomp_addfd_send)
		text[(*count)++] = "no seccomp ADDFD_SEND (5.14): an open through the gate is not "
				   "one step, the caller may be left with a stray descriptor";
	if (!f->seccomp_wait_killable)
		text[(*count)++] = "no seccomp WAIT_KILLABLE_RECV (5.19): a signal may interrupt a "
				   "call that the gate has already performed";
	if (!f->pidfd_getfd)
		text[(*count)++] = "no pidfd_getfd (5.6, or refused here): connect, bind, listen "
				   "and changes by descriptor are refused";
	if (!f->process_vm_readv)
		text[(*count)++] = "no process_vm_readv (or refused here): the gate cannot read "
				   "arguments, everything outside the wall is refused";
	if (!f->memfd_noexec)
		text[(*count)++] = "no MFD_NOEXEC_SEAL (6.3): memfd_create is refused";
	if (!f->proc_mounted)
		text[(*count)++] = "/proc is not mounted: the gate cannot tell what a call means "
				   "and refuses everything outside the wall";
	if (f->yama >= 2)
		text[(*count)++] = "kernel.yama.ptrace_scope is 2 or more: the gate may not look "
				   "into the agent, everything outside the wall is refused";
}

int losses_build(const struct features *features, struct plan *plan)
{
	const char *text[LOSSES_MAX];
	size_t count = 0;
	landlock_losses(features->landlock_abi, text, &count);
	seccomp_losses(features, text, &count);
	if (!count)
		return 0;
	plan->losses = calloc(count, sizeof(*plan->losses));
	if (!plan->losses)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		plan->losses[i] = strdup(text[i]);
		if (!plan->losses[i])
			return -ENOMEM;
		plan->loss_count++;
	}
	return 0;
}
