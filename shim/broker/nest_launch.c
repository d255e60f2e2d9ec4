/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `remit run` within a session: the launcher of an inner one. It has the gate around it take the
 * scope, puts the agent behind a wall of its own (the kernel nests them) and marks it; from then on
 * the gate judges the agent by both scopes, and this process only waits, keeps time and cleans up.
 *
 * Guarantees: the agent's program does not run unless the gate has answered the agent itself with
 * the very scope that was handed over; what this process does wrong, or its death, leaves the agent
 * with less, never with more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/broker/environment.h"
#include "shim/broker/launch.h"
#include "shim/broker/private.h"
#include "shim/broker/record.h"
#include "shim/broker/session.h"
#include "shim/broker/terminal.h"
#include "shim/broker/watch.h"
#include "shim/common/protocol.h"
#include "shim/kernel/kernel.h"

#define SUMMARY_MAX 4096
/* For processes that the gate has ended and that we are the parent of. */
#define REAP_MS 2000

struct inner {
	struct launch launch; /* first: enter() has nothing else */
	const struct session_options *options;
	struct scope scope;
	struct scope_about about;
	struct nest_begin begin;
	struct sock_filter *narrow;
	size_t narrow_count;
	struct launch_signals signals;
	struct terminal terminal;
	struct watch watch;
	pid_t agent;
	char **error;
};

static int fail(struct inner *inner, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fail(struct inner *inner, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (inner->error && !*inner->error && vasprintf(inner->error, format, arguments) < 0)
		*inner->error = NULL;
	va_end(arguments);
	return STATUS_FAILED;
}

/* The log's first line is ours, who know the plan; the gate writes the rest. */
static int begin_log(struct inner *inner)
{
	const struct session_options *options = inner->options;
	struct records *records = NULL;

	if (options->audit_fd < 0)
		return 0;
	int fd = fcntl(options->audit_fd, F_DUPFD_CLOEXEC, 3);
	int error = fd < 0 ? -errno : records_open(fd, options->id, &inner->scope, &records);

	if (!error)
		error = records_begin(records, options->plan, options->features, options->argv);
	records_close(records);
	return error ? fail(inner, "cannot write the audit log%s%s: %s",
			    options->audit_name ? " " : "",
			    options->audit_name ? options->audit_name : "", strerror(-error))
		     : 0;
}

/* Behind the wall, in the process that becomes the agent. */
static int mark(const struct nest_begin *begin)
{
	const struct rlimit resident = {begin->resident, begin->resident};
	const struct rlimit locks = {begin->locks, begin->locks};

	if (setrlimit(RLIMIT_RSS, &resident) != 0 || setrlimit(RLIMIT_LOCKS, &locks) != 0)
		return -errno;
	return 0;
}

/* What the gate will judge this process by, as it says itself. */
static int verify(const struct session_options *options)
{
	const char *want = options->image;
	int fd = prctl(REMIT_HYPERCALL, HYPERCALL_HELLO, REMIT_PROTOCOL, 0, 0);
	char bytes[4096];
	size_t done = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	/* All who were handed it share one offset. */
	while ((n = pread(fd, bytes, sizeof(bytes), (off_t)done)) > 0) {
		if ((size_t)n > options->image_size - done || memcmp(want + done, bytes, (size_t)n))
			break;
		done += (size_t)n;
	}
	close(fd);
	return n == 0 && done == options->image_size ? 0 : -EPERM;
}

static int enter(const struct launch *launch)
{
	const struct inner *inner = (const struct inner *)(const void *)launch;
	int error = kernel_keep_capabilities(inner->about.capabilities);

	if (!error)
		error = kernel_narrow_load(inner->narrow, inner->narrow_count);
	if (!error)
		error = mark(&inner->begin);
	return error ? error : verify(inner->options);
}

static int prepare(struct inner *inner)
{
	const struct session_options *options = inner->options;
	struct launch *launch = &inner->launch;
	const char *why = NULL;

	if (scope_open(&inner->scope, options->image, options->image_size, &why) != 0)
		return fail(inner, "the scope image is not valid: %s; compile it again",
			    why ? why : "damaged");
	scope_about(&inner->scope, &inner->about);
	int error = kernel_narrow_build(options->plan, &inner->narrow, &inner->narrow_count);

	if (error)
		return fail(inner, "cannot build the system call filter: %s", strerror(-error));
	error = environment_build(&inner->scope, options->environment, options->shim, options->tmp,
				  &launch->environment);
	if (error)
		return fail(inner, "cannot build the agent's environment: %s", strerror(-error));
	launch->options = options;
	launch->about = &inner->about;
	launch->signals = &inner->signals;
	launch->enter = enter;
	terminal_save(&inner->terminal);
	/* What the agent leaves comes to us, so that it is reaped. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return fail(inner, "cannot adopt the agent's orphans: %s", strerror(errno));
	return begin_log(inner);
}

static const char *refusal(int error)
{
	switch (error) {
	case ELOOP:
		return "sessions are nested too deep (4 within the first)";
	case EUSERS:
		return "there are too many inner sessions (64 at once)";
	case EMSGSIZE:
		return "the scope is too large for an inner session (16 MiB)";
	case E2BIG:
		return "the patterns of the scope are too long for an inner session (64 KiB "
		       "together)";
	case ENOMEM:
		return "no memory is left for another scope";
	case EALREADY:
		return "this process has begun one already";
	case ERANGE:
		return "this process has a hard limit on its resident set (ulimit -m) or its file "
		       "locks, and the gate needs both unlimited";
	case EKEYREJECTED:
		return "the manifest around it keeps capabilities that this one does not name, and "
		       "the gate would use them for its agent; name the same";
	case ENOTSUP:
		return "the manifest names hosts, which are not yet enforced";
	case EBADMSG:
		return "the gate does not take the scope for a valid one";
	case EPERM:
		return "its processes could raise their own limits";
	case EBADF:
		return "the audit log of an inner session must be a regular file, opened to append";
	case EINVAL:
	case EPROTO:
		return "it is of another version of remit, which cannot hold one";
	default:
		return strerror(error);
	}
}

static int hand_over(struct inner *inner)
{
	const struct session_options *options = inner->options;
	struct private_folder private;
	int error = private_look(options->tmp, &private);

	if (error)
		return fail(inner, "cannot look at the private folder: %s", strerror(-error));

	inner->begin = (struct nest_begin){
	    .size = sizeof(inner->begin),
	    .flags = options->quiet ? SESSION_QUIET : 0U,
	    .image = (uint64_t)(uintptr_t)options->image,
	    .image_size = options->image_size,
	    .audit_fd = options->audit_fd,
	    .tty_index = inner->terminal.index,
	    .tmp_device = private.device,
	    .tmp_inode = private.inode,
	};
	snprintf(inner->begin.session, sizeof(inner->begin.session), "%s", options->id);
	if (prctl(REMIT_HYPERCALL, HYPERCALL_NEST_BEGIN, &inner->begin, 0, 0) < 0)
		return fail(inner, "the session around this one takes no inner session: %s",
			    refusal(errno));
	return 0;
}

/* 0 once the program runs. */
static int await_exec(struct inner *inner)
{
	struct launch_message message;
	int got = launch_read(&inner->launch, &message);

	/* An end without a message: it runs, or has died so early that its status says why. */
	if (got == 0)
		return 0;
	if (got < 0)
		return fail(inner, "cannot hear from the agent: %s", strerror(-got));
	if (message.stage != LAUNCH_EXEC)
		return fail(inner, "cannot %s: %s", launch_stage_text(message.stage),
			    strerror(message.value));
	launch_await_end(inner->agent);
	fail(inner, "cannot execute %s: %s", inner->options->program, strerror(message.value));
	return message.value == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_EXECUTE;
}

static int start(struct inner *inner)
{
	struct launch *launch = &inner->launch;
	int error = launch_pipes(launch);

	if (error)
		return fail(inner, "cannot make a pipe: %s", strerror(-error));
	fflush(NULL);
	inner->agent = fork();
	if (inner->agent == 0)
		launch_child(launch);
	error = errno;
	close(launch->up[1]);
	close(launch->go[0]);
	int status =
	    inner->agent < 0 ? fail(inner, "cannot fork: %s", strerror(error)) : await_exec(inner);

	close(launch->up[0]);
	close(launch->go[1]);
	return status;
}

static void reap(void)
{
	for (int waited = 0; waited < REAP_MS; waited++) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0 && errno == ECHILD)
			return;
		if (pid <= 0)
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
}

static void summarize(const struct inner *inner, const struct nest_end *end, const char *text)
{
	const struct session_options *options = inner->options;

	if (options->quiet)
		return;
	watch_print_end(&inner->watch, end->left);
	fwrite(text, 1, end->text_len, stderr);
	if (end->refused > 0 && options->audit_name)
		fprintf(stderr, "remit: records in %s\n", options->audit_name);
	if (end->log != NEST_LOG_WHOLE)
		records_print_broken(end->log == NEST_LOG_FULL, stderr);
}

static uint32_t ending_of(const struct watch *watch)
{
	const char *ending = watch->ending ? watch->ending : "exit";

	if (strcmp(ending, "wall_time") == 0)
		return NEST_WALL_TIME;
	if (strcmp(ending, "expired") == 0)
		return NEST_EXPIRED;
	return strcmp(ending, "signal") == 0 ? NEST_SIGNAL : NEST_EXIT;
}

static void finish(struct inner *inner, int status)
{
	const struct session_options *options = inner->options;
	char text[SUMMARY_MAX];
	struct nest_end end = {
	    .size = sizeof(end),
	    .status = status,
	    .ending = ending_of(&inner->watch),
	    .text = (uint64_t)(uintptr_t)text,
	    .text_size = sizeof(text),
	};

	int stuck = prctl(REMIT_HYPERCALL, HYPERCALL_NEST_END, &end, 0, 0) < 0 ? errno : 0;

	if (stuck) {
		end.text_len = end.left = end.refused = 0;
		end.log = NEST_LOG_WHOLE;
	}
	reap();
	/* Programs that crash leave raw modes behind; one that ends well means what it set. */
	terminal_restore(&inner->terminal, status != 0);
	if (stuck && !options->quiet)
		fprintf(stderr, "remit: the gate cannot end what the agent left: %s\n",
			strerror(stuck));
	if (options->janitor >= 0)
		shutdown(options->janitor, SHUT_WR);
	summarize(inner, &end, text);
}

int session_run_inner(const struct session_options *options, char **error)
{
	struct inner inner = {
	    .options = options, .terminal = {.fd = -1}, .watch = {.inner = true}, .error = error};

	if (error)
		*error = NULL;
	int status = prepare(&inner);

	if (!status)
		status = hand_over(&inner);
	if (!status) {
		watch_signals(&inner.signals);
		deadline_start(&inner.watch.deadline, &inner.about);
		status = start(&inner);
		if (!status) {
			int state = watch_run(&inner.watch, inner.agent, NULL, &inner.terminal);

			status = launch_status(state);
		}
		finish(&inner, status);
		watch_signals_restore(&inner.signals);
	}
	environment_free(inner.launch.environment);
	free(inner.narrow);
	if (inner.terminal.fd >= 0)
		close(inner.terminal.fd);
	if (options->audit_fd >= 0)
		close(options->audit_fd);
	return status;
}
