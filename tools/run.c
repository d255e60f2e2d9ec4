/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `remit run`: everything that happens before a session and after it. Guarantees that the program
 * is not started unless all of the manifest is enforced, or the operator typed --allow-degraded and
 * was told what is not; and that every way out but the program's own status is 125, 126 or 127.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/broker/session.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/init.h"
#include "tools/output.h"
#include "tools/run.h"

static const char usage[] =
    "Usage: remit run -m MANIFEST [OPTIONS] -- PROGRAM [ARGUMENT…]\n"
    "Runs PROGRAM and all that it starts inside MANIFEST.\n\n" LOAD_USAGE
    "      --audit FILE      append the records to FILE\n"
    "      --audit-fd N      write the records to file descriptor N\n"
    "                        (default: $XDG_STATE_HOME/remit/SESSION.jsonl)\n"
    "      --keep-fd N       leave file descriptor N open in the program; may be repeated\n"
    "      --no-shim         do not preload the shim: slower, the same boundary\n"
    "      --usage           count how often each rule is used; tell at the end which never was\n"
    "  -q, --quiet           do not explain refusals on stderr, no summary\n"
    "      --allow-degraded  start also where this kernel does not enforce all of the "
    "manifest\n" PREPARE_USAGE
    "Exit status: the program's own; 128+N when signal N ended it; 127 no such program,\n"
    "126 it cannot be executed, 125 remit itself failed and nothing was started.\n";

static int read_number(const char *option, const char *text, int low, int *out)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno || end == text || *end || number < low || number > INT_MAX) {
		output_error("%s %s: a number of %d or more is wanted", option, text, low);
		return -EINVAL;
	}
	*out = (int)number;
	return 0;
}

static int take_audit_fd(void *target, const char *value)
{
	return read_number("--audit-fd", value, 0, target);
}

static int take_keep_fd(void *target, const char *value)
{
	struct run *run = target;
	int fd;

	if (read_number("--keep-fd", value, 3, &fd))
		return -EINVAL;
	if (fcntl(fd, F_GETFD) < 0) {
		output_error("--keep-fd %d: no such file descriptor is open", fd);
		return -EBADF;
	}
	if (run->keep_count == KEEP_MAX) {
		output_error("--keep-fd: more than %d of them", KEEP_MAX);
		return -E2BIG;
	}
	run->keep[run->keep_count++] = fd;
	return 0;
}

static int find_program(struct run *run, const char *name)
{
	run->program = place_program(name);
	if (run->program)
		return 0;
	if (errno == EACCES) {
		output_error("%s: cannot be executed (no file, or no execute permission)", name);
		return STATUS_NOEXEC;
	}
	if (errno == ENOENT) {
		output_error("%s: no such program%s", name, strchr(name, '/') ? "" : " on PATH");
		return STATUS_ABSENT;
	}
	output_error("%s: %s", name, strerror(errno));
	return STATUS_RUN;
}

static int find_shim(struct run *run)
{
	if (run->no_shim)
		return 0;
	run->shim = place_shim();
	if (run->shim)
		return 0;
	output_error("the shim libremit.so is neither beside the command nor in " REMIT_LIBDIR
		     "; install it, or run with --no-shim (slower, the same boundary)");
	return -ENOENT;
}

static int open_audit(struct run *run)
{
	if (run->audit_file && run->audit_number >= 0) {
		output_error("--audit and --audit-fd: give one of them");
		return -EINVAL;
	}
	for (size_t i = 0; i < run->keep_count; i++) {
		if (run->keep[i] == run->audit_number) {
			output_error("--keep-fd %d: would hand the audit log to the program",
				     run->audit_number);
			return -EINVAL;
		}
	}
	if (run->audit_file)
		return audit_open_file(run->audit_file, &run->audit);
	if (run->audit_number >= 0)
		return audit_open_fd(run->audit_number, &run->audit);
	/* The folder of logs is kept from every agent; the log around this session has it all. */
	if (run->inner)
		return 0;
	return audit_open_default(&run->loaded.operator, run->id, &run->audit);
}

static int no_folder(const char *what, int error)
{
	output_error("cannot make the session's private folder: %s%s%s", what, *what ? ": " : "",
		     strerror(-error));
	return STATUS_RUN;
}

/* Everything up to the session: 0, or the exit status. */
static int make_ready(struct run *run, const char *program)
{
	const char *what = "";
	int error, status;

	if (run_check_inner(run) || run_check_proc())
		return STATUS_RUN;
	if (run->inner && run->count_uses) {
		output_error("--usage: the outermost session counts; give it the option there");
		return STATUS_RUN;
	}
	status = find_program(run, program);
	if (status)
		return status;
	/* Both work while the manifest is read. */
	if (prepare_start(&run->prepared))
		return STATUS_RUN;
	error = audit_session_id(run->id);
	if (!error)
		error = janitor_start(&run->janitor, run->id, &what);
	if (error)
		return no_folder(what, error);
	if (find_shim(run) || load_model(&run->load, run->janitor.tmp, &run->loaded) ||
	    run_check_audit(run) || load_protect(&run->loaded) || open_audit(run) ||
	    (run->audit.path && load_protect_path(&run->loaded, SECTION_FILES_DENY_WRITE,
						  "session.log", run->audit.path)) ||
	    load_scope(&run->loaded) || run_check_expiry(&run->loaded) ||
	    run_check_hosts(&run->loaded) ||
	    prepare(&run->loaded, &run->without, run->janitor.folder, &run->prepared) ||
	    run_check_losses(run))
		return STATUS_RUN;
	error = janitor_await(&run->janitor);
	return error ? no_folder("the process that removes it", error) : 0;
}

static int start(struct run *run, char **argv)
{
	struct session_options options = {
	    .image = run->loaded.image,
	    .image_size = run->loaded.image_size,
	    .features = &run->prepared.features,
	    .plan = &run->prepared.plan,
	    .id = run->id,
	    .program = run->program,
	    .argv = argv,
	    .environment = environ,
	    .tmp = run->janitor.tmp,
	    .shim = run->shim,
	    .keep_fds = run->keep,
	    .keep_fd_count = run->keep_count,
	    .audit_fd = run->audit.fd,
	    .audit_name = run->audit.name,
	    .janitor = run->janitor.socket,
	    .quiet = run->quiet,
	    .usage = run->count_uses,
	};
	char *error = NULL;
	int status;

	run->audit.fd = -1; /* the session's from here on */
	status = run->inner ? session_run_inner(&options, &error) : session_run(&options, &error);
	if (error)
		output_error("%s", error);
	free(error);
	return status;
}

static int run_program(struct run *run, int argc, char **argv)
{
	int status;

	if (!argc) {
		output_error("no program: remit run -m MANIFEST -- PROGRAM [ARGUMENT…]");
		return STATUS_RUN;
	}
	status = make_ready(run, argv[0]);
	return status ? status : start(run, argv);
}

static int run_here(int argc, char **argv)
{
	struct run run = {.audit_number = -1, .janitor = {.socket = -1, .folder_fd = -1, .tmp_fd = -1},
			  .audit = {.fd = -1}};
	const struct flag flags[] = {
	    LOAD_FLAGS(&run.load),
	    {"audit", 0, FLAG_TEXT, &run.audit_file, NULL},
	    {"audit-fd", 0, FLAG_EACH, &run.audit_number, take_audit_fd},
	    {"keep-fd", 0, FLAG_EACH, &run, take_keep_fd},
	    {"no-shim", 0, FLAG_SWITCH, &run.no_shim, NULL},
	    {"usage", 0, FLAG_SWITCH, &run.count_uses, NULL},
	    {"quiet", 'q', FLAG_SWITCH, &run.quiet, NULL},
	    {"allow-degraded", 0, FLAG_SWITCH, &run.allow_degraded, NULL},
	    PREPARE_FLAGS(&run.without),
	};
	int first = flags_parse(argc, argv, flags, sizeof(flags) / sizeof(flags[0]), true, usage);
	int status;

	if (first < 0)
		status = first == FLAGS_HELP ? STATUS_OK : STATUS_RUN;
	else
		status = run_program(&run, argc - first, argv + first);
	janitor_release(&run.janitor);
	audit_free(&run.audit);
	prepare_free(&run.prepared);
	load_free(&run.loaded);
	load_flags_free(&run.load);
	free(run.program);
	free(run.shim);
	janitor_finish(&run.janitor);
	return status;
}

int run_command(int argc, char **argv)
{
	return init_run(run_here, argc, argv);
}
