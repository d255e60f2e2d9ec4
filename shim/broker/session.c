/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session from the image to the exit status.
 *
 * Guarantees: nothing of the agent runs before hull, wall, filter and gate are all in place; what
 * fails before that ends the launch with a sentence and no agent. Whatever way the agent ends, what
 * it left running is ended, the private tmp is gone and the log is closed before this returns.
 *
 * The order matters. Memory and descriptors are made first, then the hull goes on the calling
 * process, for good; the fork comes before the first thread, so that the child may allocate.
 */
#include "shim/broker/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/broker/census.h"
#include "shim/broker/environment.h"
#include "shim/broker/gate.h"
#include "shim/broker/launch.h"
#include "shim/broker/record.h"
#include "shim/broker/scratch.h"
#include "shim/broker/survivors.h"
#include "shim/broker/terminal.h"
#include "shim/broker/usage.h"
#include "shim/broker/watch.h"
#include "shim/common/protocol.h"
#include "shim/kernel/kernel.h"

/* How often the gate's health is looked at before the agent runs. */
#define HEALTH_MS 200

#define STATUS_FAILED 125
#define STATUS_CANNOT_EXECUTE 126
#define STATUS_NOT_FOUND 127

/* linux/memfd.h, 6.3 */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

struct session {
	const struct session_options *options;
	int image_fd;
	const void *image; /* the mapping */
	struct scope scope;
	struct scope_about about;
	struct records *records;
	struct broker *broker;
	struct ipc *ipc;
	struct usage *usage;
	struct sock_filter *program;
	size_t program_count;
	struct launch_signals signals;
	struct terminal terminal;
	struct launch launch;
	bool begun; /* the log has its first line */
	pid_t agent;
	struct watch watch;
	char **error;
};

static int fail(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int fail(struct session *session, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (session->error && !*session->error && vasprintf(session->error, format, arguments) < 0)
		*session->error = NULL;
	va_end(arguments);
	return STATUS_FAILED;
}

/* What was checked is what the agent gets: sealed, and handed out by a descriptor that only reads.
 */
int session_seal_image(const void *image, size_t size, bool no_exec)
{
	const char *bytes = image;
	size_t done = 0;
	char self[32];
	unsigned int noexec = no_exec ? MFD_NOEXEC_SEAL : 0;
	int fd = memfd_create("remit-scope", MFD_CLOEXEC | MFD_ALLOW_SEALING | noexec);

	if (fd < 0)
		return -errno;
	while (done < size) {
		ssize_t n = write(fd, bytes + done, size - done);

		if (n == 0)
			errno = EIO;
		if (n == 0 || (n < 0 && errno != EINTR))
			goto out;
		done += n > 0 ? (size_t)n : 0;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
		goto out;
	int reader = open(object_self_path(fd, self), O_RDONLY | O_CLOEXEC);

	if (reader < 0)
		goto out;
	close(fd);
	return reader;
out:
	done = (size_t)errno;
	close(fd);
	return -(int)done;
}

static int open_scope(struct session *session)
{
	const struct session_options *options = session->options;
	const char *why = "";

	session->image_fd = session_seal_image(options->image, options->image_size,
					       options->features->memfd_noexec);
	if (session->image_fd < 0)
		return fail(session, "cannot keep the scope in memory: %s",
			    strerror(-session->image_fd));
	void *image = mmap(NULL, options->image_size, PROT_READ, MAP_SHARED, session->image_fd, 0);

	if (image == MAP_FAILED)
		return fail(session, "cannot map the scope: %s", strerror(errno));
	session->image = image;
	if (scope_open(&session->scope, image, options->image_size, &why) != 0)
		return fail(session, "the scope image is not valid: %s; compile it again",
			    why ? why : "damaged");
	scope_about(&session->scope, &session->about);
	if (session->about.has_hosts)
		return fail(session,
			    "the manifest grants a host name, which is not yet enforced; name "
			    "addresses instead");
	return 0;
}

/* Before the hull: whatever needs memory, descriptors or files. */
static int prepare(struct session *session)
{
	const struct session_options *options = session->options;
	struct launch *launch = &session->launch;
	int error =
	    records_open(options->audit_fd, options->id, &session->scope, &session->records);

	if (error)
		return fail(session, "cannot keep the audit log: %s", strerror(-error));
	error = kernel_filter(options->plan, &session->program, &session->program_count);
	if (error)
		return fail(session, "cannot build the system call filter: %s", strerror(-error));
	error = environment_build(&session->scope, options->environment, options->shim,
				  options->tmp, &launch->environment);
	if (error)
		return fail(session, "cannot build the agent's environment: %s", strerror(-error));
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
		return fail(session, "cannot keep the session's IPC objects: %s", strerror(ENOMEM));
	if (options->usage)
		error = usage_create(&session->scope, options->features->memfd_noexec,
				     &session->usage);
	if (error)
		return fail(session, "cannot count the uses of rules: %s", strerror(-error));
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
	};

	error = broker_create(&gate, &session->broker);
	if (error)
		return fail(session, "cannot make the gate: %s", strerror(-error));
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

/* From here on the calling process has no more rights than the scope and the session need. */
static int confine(struct session *session)
{
	if (has_children())
		return fail(session,
			    "the process that became remit had started others before, which would "
			    "count as the agent's; start remit without exec");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(session, "cannot give up gaining privileges: %s", strerror(errno));
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return fail(session, "cannot adopt the agent's orphans: %s", strerror(errno));
	int error = kernel_drop_capabilities(session->about.capabilities);

	if (error)
		return fail(session, "cannot drop capabilities: %s", strerror(-error));
	error = kernel_landlock(&session->options->plan->hull);
	if (error)
		return fail(session,
			    "cannot put the hull (Landlock) around the gate: %s; `remit doctor` "
			    "says what this kernel lacks",
			    strerror(-error));
	/* Nobody of the same user may look into the broker; the child undoes it for itself. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return fail(session, "cannot keep others out of the gate's memory: %s",
			    strerror(errno));
	return 0;
}

static int begin_log(struct session *session)
{
	const struct session_options *options = session->options;
	int error =
	    records_begin(session->records, options->plan, options->features, options->argv);

	if (error || records_broken(session->records))
		return fail(
		    session, "cannot write the audit log%s%s: %s", options->audit_name ? " " : "",
		    options->audit_name ? options->audit_name : "", strerror(error ? -error : EIO));
	session->begun = true;
	return 0;
}

static int take_listener(pid_t agent, int number)
{
	int pidfd = (int)syscall(SYS_pidfd_open, agent, 0);

	if (pidfd < 0)
		return -errno;
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	int error = fd < 0 ? -errno : 0;

	close(pidfd);
	if (error)
		return error;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

/* Every call at the gate costs a few descriptors, and a message may bring 253 more. The agent was
 * forked before and keeps the operator's limit. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* The filter is loaded: take its listener, serve, and only then let the agent go on. */
static int open_gate(struct session *session, int number)
{
	struct launch *launch = &session->launch;
	int listener = take_listener(session->agent, number);

	if (listener < 0)
		return fail(session,
			    "cannot take the filter's listener from the agent: %s; a container's "
			    "seccomp profile may refuse pidfd_getfd(2)",
			    strerror(-listener));
	int error = broker_serve_start(session->broker, listener, session->agent);

	if (error)
		return fail(session, "cannot start the gate: %s", strerror(-error));
	if (write(launch->go[1], "", 1) != 1)
		return fail(session, "cannot let the agent go on: %s", strerror(errno));
	return 0;
}

/* Once the agent is forked, and while it puts its own wall and filter on. */
static int confine_gate(struct session *session)
{
	raise_descriptors();
	int error = kernel_broker_filter();

	if (error)
		return fail(session, "cannot limit the gate's own system calls (seccomp): %s",
			    strerror(-error));
	return 0;
}

/* Like launch_read(): the exec passes the gate, and a gate that fails would never answer it. */
static int hear_exec(struct session *session, struct launch_message *out)
{
	struct pollfd up = {.fd = session->launch.up[0], .events = POLLIN};

	for (;;) {
		int ready = poll(&up, 1, HEALTH_MS);

		if (ready > 0)
			return launch_read(&session->launch, out);
		if (ready < 0 && errno != EINTR)
			return -errno;
		if (broker_failed(session->broker))
			return -ECONNABORTED;
	}
}

/* 0 once the program runs. */
static int await_exec(struct session *session)
{
	struct launch_message message;
	int failed = confine_gate(session);

	if (failed)
		return failed;
	int got = launch_read(&session->launch, &message);

	if (got == 1 && message.stage == LAUNCH_READY) {
		int status = open_gate(session, message.value);

		if (status)
			return status;
		got = hear_exec(session, &message);
		/* An end without a message: it runs, or has died so early that its status says
		 * why. */
		if (got == 0)
			return 0;
	}
	if (got == 0)
		return fail(session, "the agent ended before it was started");
	if (got == -ECONNABORTED)
		return fail(session, "the gate failed before the agent was started");
	if (got < 0)
		return fail(session, "cannot hear from the agent: %s", strerror(-got));
	if (message.stage != LAUNCH_EXEC)
		return fail(session, "cannot %s: %s", launch_stage_text(message.stage),
			    strerror(message.value));
	fail(session, "cannot execute %s: %s", session->options->program, strerror(message.value));
	return message.value == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_EXECUTE;
}

static int start(struct session *session)
{
	struct launch *launch = &session->launch;
	int error = launch_pipes(launch);

	if (error)
		return fail(session, "cannot make a pipe: %s", strerror(-error));
	/* Nothing of ours may be in a buffer twice. */
	fflush(NULL);
	session->agent = fork();
	if (session->agent == 0)
		launch_child(launch);
	error = errno;
	close(launch->up[1]);
	close(launch->go[0]);
	int status = 0;

	if (session->agent < 0)
		status = fail(session, "cannot fork: %s", strerror(error));
	else
		status = await_exec(session);
	close(launch->up[0]);
	close(launch->go[1]);
	return status;
}

static int shell_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void summarize(struct session *session, size_t left)
{
	const struct session_options *options = session->options;
	const char *why = session->watch.deadline.why;

	if (options->quiet)
		return;
	if (why)
		fprintf(stderr, "remit: ended the agent: %s\n",
			strcmp(why, "expired") == 0 ? "agent.expires has passed"
						    : "limits.wall_time is used up");
	if (left > 0)
		fprintf(stderr, "remit: ended %zu process%s that the agent left running\n", left,
			left == 1 ? "" : "es");
	struct record_totals totals;

	for (size_t i = 0; i < options->plan->loss_count; i++)
		fprintf(stderr, "remit: was not enforced: %s\n", options->plan->losses[i]);
	records_summary(session->records, stderr);
	if (session->usage)
		usage_print(session->usage, session->about.agent_id, stderr);
	records_totals(session->records, &totals);
	if ((totals.refused > 0 || session->usage) && options->audit_name)
		fprintf(stderr, "remit: records in %s\n", options->audit_name);
	if (records_broken(session->records))
		fprintf(
		    stderr,
		    "remit: the audit log could not be written; everything was refused since\n");
}

/* After the agent: its survivors, the gate, the tmp, the log. status is the agent's for the shell.
 */
static void finish(struct session *session, int status)
{
	const struct session_options *options = session->options;
	size_t left = 0;
	bool stuck = survivors_end(&left) != 0;

	broker_serve_stop(session->broker);
	ipc_end(session->ipc);
	/* Programs that crash leave raw modes behind; one that ends well means what it set. */
	terminal_restore(&session->terminal, status != 0);
	if (stuck && !options->quiet)
		fprintf(stderr, "remit: some of the agent's processes cannot be ended\n");
	int error = options->tmp ? scratch_remove(options->tmp) : 0;

	if (error && !options->quiet)
		fprintf(stderr, "remit: cannot remove %s: %s\n", options->tmp, strerror(-error));
	if (session->begun) {
		struct census census = census_count();
		struct record_totals extra = {.processes = census.processes,
					      .unshimmed = census.unshimmed};
		struct usage_totals usage;

		if (session->usage) {
			usage_read(session->usage);
			usage_totals(session->usage, &usage);
			usage_record(session->usage, session->records);
			extra.usage = &usage;
		}
		records_end(session->records, &extra, status,
			    session->watch.ending ? session->watch.ending : "exit");
		summarize(session, left);
	}
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
	if (session->terminal.fd >= 0)
		close(session->terminal.fd);
}

int session_run(const struct session_options *options, char **error)
{
	struct session session = {
	    .options = options, .image_fd = -1, .terminal = {.fd = -1}, .error = error};
	int status;

	if (error)
		*error = NULL;
	status = open_scope(&session);
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
		status = start(&session);
		if (!status)
			status = shell_status(watch_run(&session.watch, session.agent,
							session.broker, &session.terminal));
		finish(&session, status);
		watch_signals_restore(&session.signals);
	} else if (options->tmp) {
		scratch_remove(options->tmp);
	}
	release(&session);
	return status;
}
