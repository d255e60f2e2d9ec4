/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a session from starting: each says so, and what would mend it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "policy/compile/resolve.h"
#include "policy/plan/plan.h"
#include "shim/broker/session.h"
#include "shim/common/protocol.h"
#include "tools/output.h"
#include "tools/place.h"
#include "tools/proc_mount.h"
#include "tools/run.h"

/* Said before anything that needs it fails for a reason that would have to be guessed. */
int run_check_proc(void)
{
	if (!access("/proc/self/fd", X_OK))
		return 0;
	output_error("/proc is not mounted, and the gate looks its callers up there: mount proc on "
		     "/proc");
	return -ENOENT;
}

/* Only a gate answers; without one the kernel says EINVAL. */
int run_check_inner(struct run *run)
{
	int flags = prctl(REMIT_HYPERCALL, HYPERCALL_FLAGS, 0, 0, 0);

	run->inner = flags >= 0;
	run->counts_forks = run->inner && (flags & SESSION_COUNTS_FORKS);
	if (run->inner && (flags & SESSION_NATIVE)) {
		output_error("the session around this one leaves calls to the kernel that an inner "
			     "one would have to judge (audit.record: none); record denials there");
		return -EOPNOTSUPP;
	}
	if (run->inner || errno == EINVAL)
		return 0;
	output_error("this is inside a session whose gate answers no more: %s", strerror(errno));
	return -EBUSY;
}

static int refuse_link(void *context, const char *place)
{
	const struct run *run = context;

	return resolve_writable(&run->loaded.model, place) ? -EPERM : 0;
}

/* The log is opened before anything is confined: a link that an earlier session left in its place
 * would make records grow in somebody else's file. */
static int check_place(const struct run *run, const char *file)
{
	char folder[PATH_TEXT_MAX] = "", end[PATH_TEXT_MAX], *path = NULL;
	int error = 0;

	if (file[0] != '/' && !getcwd(folder, sizeof(folder)))
		error = -errno;
	if (!error && asprintf(&path, "%s/%s", folder, file) < 0) {
		output_oom();
		return -ENOMEM;
	}
	if (!error)
		error = resolve_path(path, true, refuse_link, (void *)(uintptr_t)run, end);
	free(path);
	if (error)
		output_error("the audit log %s: %s", file,
			     error == -EPERM ? "leads through a link that the agent may write"
					     : strerror(-error));
	return error;
}

/* Before the session's own rules: they protect what is there now, whoever has made it. */
int run_check_audit(const struct run *run)
{
	if (run->audit_file)
		return check_place(run, run->audit_file);
	char *folder = run->audit_number < 0 ? place_state(&run->loaded.operator) : NULL;
	int error = folder ? check_place(run, folder) : 0;

	free(folder);
	return error;
}

int run_check_expiry(const struct loaded *loaded)
{
	char when[32];

	if (!loaded->about.expires || time(NULL) < loaded->about.expires)
		return 0;
	output_error("agent %s expired at %s (agent.expires in %s); its owner must renew it",
		     loaded->about.agent_id, output_time(loaded->about.expires, when),
		     loaded->flags.manifest);
	return -EPERM;
}

int run_check_hosts(const struct loaded *loaded)
{
	struct rule rule;
	int error = 0;

	if (!loaded->about.has_hosts)
		return 0;
	for (uint32_t i = 0; i < scope_rule_count(&loaded->scope); i++) {
		scope_rule(&loaded->scope, i, &rule);
		if (rule.network != NETWORK_HOST || rule.section < SECTION_NETWORK_CONNECT ||
		    rule.section > SECTION_NETWORK_DENY)
			continue;
		output_error("%s at %s:%" PRIu32 ": host names are not yet enforced; name the "
			     "address",
			     rule.id, rule.file, rule.line);
		error = -ENOTSUP;
	}
	return error ? error : -ENOTSUP;
}

int run_check_losses(const struct run *run)
{
	const struct plan *plan = &run->prepared.plan;

	for (size_t i = 0; i < plan->loss_count; i++)
		output_error("not enforced here: %s", plan->losses[i]);
	if (plan->impossible) {
		output_error("not started: no session can be held here; `remit doctor` says what "
			     "is missing");
		return -ENOTSUP;
	}
	bool uncounted = run->inner && plan->gated_forks && !run->counts_forks;

	if (uncounted)
		output_error("not enforced here: limits.processes: the session around this one "
			     "does not count processes; give its manifest limits.processes too");
	bool hidden = !run->inner && plan->gated_forks && proc_mount_hides();

	if (hidden)
		output_error("not enforced here: limits.processes: this /proc hides processes that "
			     "may not be traced (hidepid), so they cannot be counted");
	if ((!plan->loss_count && !uncounted && !hidden) || run->allow_degraded)
		return 0;
	output_error("not started; `remit doctor` says what is missing, --allow-degraded starts "
		     "without it");
	return -ENOTSUP;
}
