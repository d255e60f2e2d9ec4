/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session from the image to the exit status.
 *
 * Guarantees: nothing of the agent runs before hull, wall, filter and gate are all in place; what
 * fails before that ends the launch with a sentence and no agent. Whatever way the agent ends, what
 * it left running is ended and the log is closed before this returns.
 *
 * The order matters. Memory and descriptors are made first, then the hull goes on the calling
 * process, for good; the fork comes before the first thread, so that the child may allocate.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/plan/access.h"
#include "shim/broker/environment.h"
#include "shim/broker/record.h"
#include "shim/broker/session_internal.h"
#include "shim/broker/usage.h"
#include "shim/broker/warden.h"
#include "shim/common/protocol.h"
#include "shim/kernel/kernel.h"

int session_fail(struct session *session, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (session->error && !*session->error && vasprintf(session->error, format, arguments) < 0)
		*session->error = NULL;
	va_end(arguments);
	return STATUS_FAILED;
}

/* Before the hull: whatever needs memory, descriptors or files. */
static int prepare(struct session *session)
{
	const struct session_options *options = session->options;
	struct launch *launch = &session->launch;
	int error =
	    records_open(options->audit_fd, options->id, &session->scope, &session->records);

	if (error)
		return session_fail(session, "cannot keep the audit log: %s", strerror(-error));
	error = kernel_filter(options->plan, &session->program, &session->program_count);
	if (error)
		return session_fail(session, "cannot build the system call filter: %s",
				    strerror(-error));
	error = environment_build(&session->scope, options->environment, options->shim,
				  options->tmp, &launch->environment);
	if (error)
		return session_fail(session, "cannot build the agent's environment: %s",
				    strerror(-error));
	launch->options = options;
	launch->about = &session->about;
	launch->program = session->program;
	launch->program_count = session->program_count;
	launch->signals = &session->signals;
	terminal_save(&session->terminal);
	session->ipc = ipc_create(&(struct ipc_options){
	    .memory = session->about.memory_bytes,
	    .ledger = options->janitor,
	});
	if (!session->ipc)
		return session_fail(session, "cannot keep the session's IPC objects: %s",
				    strerror(ENOMEM));
	if (options->usage)
		error =
		    usage_create(&session->scope, options->features->memfd_noexec, &session->usage);
	if (error)
		return session_fail(session, "cannot count the uses of rules: %s",
				    strerror(-error));
	usage_count_environment(session->usage, options->environment);
	struct broker_options gate = {
	    .scope = &session->scope,
	    .scope_fd = session->image_fd,
	    .plan = options->plan,
	    .features = options->features,
	    .records = session->records,
	    .session_flags = (options->quiet ? SESSION_QUIET : 0U) |
			     (options->plan->fast_lane ? 0U : SESSION_STRICT) |
			     (plan_is_native(options->plan) ? SESSION_NATIVE : 0U) |
			     (session->usage && usage_fd(session->usage) >= 0 ? SESSION_USAGE : 0U),
	    .tty_index = session->terminal.index,
	    .ipc = session->ipc,
	    .usage = session->usage,
	    .shim = options->shim,
	    .tmp = options->tmp,
	};

	error = broker_create(&gate, &session->broker);
	if (error)
		return session_fail(session, "cannot make the gate: %s", strerror(-error));
	return 0;
}

/* A shell that became us by exec may have left us children. Who is in the session is told by its
 * parents, so those would be taken for the agent's. */
static bool has_children(void)
{
	pid_t pid;

	do
		pid = waitpid(-1, NULL, WNOHANG | __WALL);
	while (pid > 0 || (pid < 0 && errno == EINTR));
	return pid == 0 || errno != ECHILD;
}

/* What the agent was handed it may open again by its number: the gate does that. */
static int put_hull_on(const struct session_options *options)
{
	int handed[3 + SESSION_KEEP_MAX] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
	size_t count = options->keep_fd_count;

	if (count > SESSION_KEEP_MAX)
		return -E2BIG;
	if (count)
		memcpy(handed + 3, options->keep_fds, count * sizeof(handed[0]));
	return kernel_landlock_holding(&options->plan->hull, handed, 3 + count);
}

/* From here on the calling process has no more rights than the scope and the session need. */
static int confine(struct session *session)
{
	if (has_children())
		return session_fail(
		    session, "the process that became remit had started others before, which would "
			     "count as the agent's; start remit without exec");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return session_fail(session, "cannot give up gaining privileges: %s",
				    strerror(errno));
	int error = kernel_drop_capabilities(session->about.capabilities);

	if (error)
		return session_fail(session, "cannot drop capabilities: %s", strerror(-error));
	error = put_hull_on(session->options);
	if (error)
		return session_fail(
		    session,
		    "cannot put the hull (Landlock) around the gate: %s; `remit doctor` "
		    "says what this kernel lacks",
		    strerror(-error));
	/* Nobody of the same user may look into the broker; the child undoes it for itself. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return session_fail(session, "cannot keep others out of the gate's memory: %s",
				    strerror(errno));
	/* Without scopes nobody could tell whom it may end. */
	if (session->options->plan->hull.scoped & SCOPE_SIGNAL)
		session->warden = error = warden_start();
	if (error < 0)
		return session_fail(session, "cannot make the process that ends the session: %s",
				    strerror(-error));
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return session_fail(session, "cannot adopt the agent's orphans: %s",
				    strerror(errno));
	return 0;
}

static int begin_log(struct session *session)
{
	const struct session_options *options = session->options;
	int error =
	    records_begin(session->records, options->plan, options->features, options->argv);

	if (error || records_broken(session->records))
		return session_fail(
		    session, "cannot write the audit log%s%s: %s", options->audit_name ? " " : "",
		    options->audit_name ? options->audit_name : "", strerror(error ? -error : EIO));
	session->begun = true;
	return 0;
}

static void release(struct session *session)
{
	broker_free(session->broker);
	usage_free(session->usage);
	ipc_free(session->ipc);
	records_close(session->records);
	environment_free(session->launch.environment);
	free(session->program);
	if (session->image) {
		union {
			const void *reader;
			void *mapping;
		} image = {.reader = session->image};

		munmap(image.mapping, session->options->image_size);
	}
	if (session->image_fd >= 0)
		close(session->image_fd);
	warden_dismiss(session->warden);
	if (session->terminal.fd >= 0)
		close(session->terminal.fd);
}

int session_run(const struct session_options *options, char **error)
{
	struct session session = {
	    .options = options, .image_fd = -1, .warden = -1, .terminal = {.fd = -1}, .error = error};
	int status;

	if (error)
		*error = NULL;
	status = session_open_scope(&session);
	if (status)
		close(options->audit_fd);
	else
		status = prepare(&session);
	if (!status)
		status = confine(&session);
	if (!status)
		status = begin_log(&session);
	if (!status) {
		watch_signals(&session.signals);
		deadline_start(&session.watch.deadline, &session.about);
		status = session_start_agent(&session);
		if (!status)
			status = launch_status(watch_run(&session.watch, session.agent,
							 session.broker, &session.terminal));
		session_finish(&session, status);
		watch_signals_restore(&session.signals);
	}
	release(&session);
	return status;
}
