/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execve and execveat: judged here, run by the kernel. Only the kernel can replace a program, so
 * path and arguments are read twice, by us and by it, and others may rewrite them in between.
 *
 * What then runs is in any case in the wall (LANDLOCK_ACCESS_FS_EXECUTE): a program that the scope
 * grants, whatever the path says by then. So an allowed program that is not in the wall is refused
 * here: nothing could hold it to what was judged. Where the scope has conditions on programs the
 * wall is not enough, whichever program is named: every exec is then looked at a second time, when
 * the kernel has started it and before it runs (exec_trace.c), and what may not run is killed. The
 * first look is what makes a refusal an errno and not a death.
 *
 * The interpreter that a script names is judged as well, with the arguments that the kernel will
 * give it, and the program that a loader is told to start (exec_loader.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/broker/broker.h"
#include "shim/broker/census.h"
#include "shim/broker/exec_loader.h"
#include "shim/broker/exec_trace.h"
#include "shim/broker/nest.h"
#include "shim/broker/performers.h"
#include "shim/broker/resolve.h"

/* linux/binfmts.h: BINPRM_BUF_SIZE, as much as the kernel reads of the first line; and how often it
 * follows "#!" (fs/exec.c). */
#define LINE_MAX_BYTES 256
#define SCRIPT_DEPTH 5

struct script_line {
	char interpreter[LINE_MAX_BYTES];
	char argument[LINE_MAX_BYTES]; /* "": none */
};

/* The first line as fs/binfmt_script.c takes it apart. False: it names no interpreter. */
static bool script_line(const struct object *object, struct script_line *out)
{
	char self[32], line[LINE_MAX_BYTES];
	int fd = open(object_self_path(object->handle, self), O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return false;
	ssize_t n = read(fd, line, sizeof(line) - 1);

	close(fd);
	if (n < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	char *name = line + 2 + strspn(line + 2, " \t");
	char *rest = name + strcspn(name, " \t");

	if (*rest)
		*rest++ = '\0';
	rest += strspn(rest, " \t");
	for (size_t len = strlen(rest); len > 0 && strchr(" \t", rest[len - 1]); len--)
		rest[len - 1] = '\0';
	strcpy(out->interpreter, name);
	strcpy(out->argument, rest);
	return *name != '\0';
}

/* 0: the wall may run it; else the errno. */
static int judge_program(struct request *request, const struct object *object,
			 struct exec_args *args)
{
	struct stat about;

	if (object->handle < 0 || fstat(object->handle, &about) != 0)
		return -ENOENT;
	/* A search of PATH passes by what is no program. */
	if (!object->anonymous && (!S_ISREG(about.st_mode) || !(about.st_mode & 0111)))
		return -EACCES;
	int error = judge_exec(request, object, args, false);

	if (!error && exec_loader_is(request, object))
		error = exec_loader_judge(request, object, args, false);
	if (error)
		return error;
	if (!judge_in_wall(request, VERB_EXEC, object))
		return judge_never(
		    request, "exec", object->path,
		    "granted, but not there or of another content when the session started, so "
		    "the kernel does not know it; start a new session",
		    EACCES);
	return 0;
}

/* The interpreter reads a script again, by its name: no digest holds what the agent may write. */
static int judge_script(struct request *request, const struct object *script)
{
	if ((request->conditions & CONDITION_SHA256) &&
	    judge_would_allow(request, VERB_WRITE, script->path, script->len))
		return judge_never(request, "exec", script->path,
				   "granted for its digest, but it is a script that the agent may "
				   "write, so no digest holds what would run; deny_write it",
				   EACCES);
	return 0;
}

/* `word`: what the kernel calls the script in the arguments of its interpreter. */
static int judge_interpreters(struct request *request, const struct object *script,
			      const char *word, struct exec_args *args)
{
	struct script_line line;
	char last[LINE_MAX_BYTES];
	bool more = script_line(script, &line);
	int error = more ? judge_script(request, script) : 0;

	for (int depth = 0; more && !error && depth < SCRIPT_DEPTH; depth++) {
		struct object object;

		error = exec_args_before(args, word);
		if (!error && *line.argument)
			error = exec_args_before(args, line.argument);
		/* What the kernel will not find, it will say. */
		if (!error && resolve(request, AT_FDCWD, line.interpreter, 0, &object) != 0)
			return 0;
		if (error)
			return error;
		error = judge_program(request, &object, args);
		word = strcpy(last, line.interpreter);
		more = !error && script_line(&object, &line);
		object_close(&object);
	}
	return error;
}

/*
 * A digest is worth what keeps the file as it was: the kernel lets nobody open a program that runs
 * for writing (deny_write_access(); not so in 6.11 and the first 6.12), and starts none that is
 * open for writing. Asked only of what the agent could write at all.
 */
static int judge_sealed(struct request *request, const struct object *object)
{
	char self[32];

	if (!(request->conditions & CONDITION_SHA256) ||
	    !judge_would_allow(request, VERB_WRITE, object->path, object->len))
		return 0;
	int fd = open(object_self_path(object->handle, self), O_WRONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && (errno == ETXTBSY || errno == EACCES || errno == EROFS))
		return 0;
	if (fd >= 0)
		close(fd);
	return judge_never(request, "exec", object->path,
			   "granted for its digest, but this file system or kernel lets a running "
			   "program be written; deny_write it",
			   EACCES);
}

/* The second look. */
static void judge_started(struct request *request)
{
	struct exec_args args = {.request = request, .started = true};
	struct object object = {.handle = -1, .parent = -1, .magic_fd = -1};
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)request->tid);
	int handle = open(path, O_PATH | O_CLOEXEC);
	int error = handle < 0 ? -errno : resolve_fill(request, handle, true, &object);

	if (error)
		error = judge_never(request, "exec", path, "what was started cannot be looked at",
				    EACCES);
	else
		error = judge_exec(request, &object, &args, true);
	if (!error && exec_loader_is(request, &object))
		error = exec_loader_judge(request, &object, &args, true);
	if (!error)
		error = judge_sealed(request, &object);
	object_close(&object);
	exec_args_free(&args);
	if (error)
		exec_trace_kill(request);
	else
		exec_trace_release(request);
}

/* Conditions: the exec is followed to its first moment. */
static struct reply follow(struct request *request)
{
	int error = exec_trace_begin(request);

	if (error == -ESRCH)
		return reply_error(ESRCH);
	if (error)
		return reply_error(-judge_never(
		    request, request->name, "the calling process",
		    "the scope has conditions on programs, and this process cannot be traced to "
		    "hold it to them: another one traces it, or the machine forbids it "
		    "(kernel.yama.ptrace_scope of 2 or 3, a container's seccomp profile)",
		    EACCES));
	census_exec(request);
	if (exec_trace_start(request) == EXEC_STARTED)
		judge_started(request);
	return (struct reply){.kind = REPLY_DONE, .fd = -1};
}

/* bprm->filename: what a script is called in the arguments of its interpreter (alloc_bprm() in
 * fs/exec.c). */
static void script_word(int dirfd, const char *path, char *out, size_t size)
{
	if (dirfd == AT_FDCWD || path[0] == '/')
		snprintf(out, size, "%s", path);
	else if (path[0] == '\0')
		snprintf(out, size, "/dev/fd/%d", dirfd);
	else
		snprintf(out, size, "/dev/fd/%d/%s", dirfd, path);
}

static int judge_named(struct request *request, int dirfd, const char *path, int flags,
		       struct exec_args *args)
{
	unsigned int how = flags & AT_EMPTY_PATH ? RESOLVE_EMPTY_PATH : 0;
	char word[PATH_TEXT_MAX + 32];
	struct object object;

	if (flags & AT_SYMLINK_NOFOLLOW)
		how |= RESOLVE_NOFOLLOW_LAST;
	int error = resolve(request, dirfd, path, how, &object);

	if (error)
		return error;
	script_word(dirfd, path, word, sizeof(word));
	if (S_ISLNK(object.type))
		error = -ELOOP;
	else
		error = judge_program(request, &object, args);
	if (!error)
		error = judge_interpreters(request, &object, word, args);
	object_close(&object);
	return error;
}

static bool has_conditions(const struct request *request)
{
	const struct scope *scope;
	struct scope_about about;

	for (unsigned int n = 0; (scope = nest_scope(request, n)); n++) {
		scope_about(scope, &about);
		if (about.has_exec_conditions)
			return true;
	}
	return false;
}

static struct reply run(struct request *request, int dirfd, uint64_t address, uint64_t vector,
			int flags)
{
	struct exec_args args = {.request = request, .vector = vector};
	bool conditions = has_conditions(request);
	char path[PATH_TEXT_MAX];

	census_met(request);
	/* To wait for the program to be started is to wait for whatever its file lies on. */
	if (conditions && !request_may_block(request))
		return (struct reply){.kind = REPLY_LATER, .fd = -1};
	long len = memory_peek_string(request, address, path, sizeof(path));

	if (len == -EPERM && !conditions)
		return reply_continue();
	if (len == -EPERM)
		return reply_error(-judge_never(request, "exec", "?",
						"the caller's memory cannot be read", EACCES));
	if (len < 0)
		return reply_error((int)-len);
	int error = judge_named(request, dirfd, path, flags, &args);

	exec_args_free(&args);
	if (error)
		return reply_error(-error);
	if (conditions)
		return follow(request);
	census_exec(request);
	return reply_continue();
}

struct reply perform_execve(struct request *request)
{
	const __u64 *args = request->notif.data.args;

	return run(request, AT_FDCWD, args[0], args[1], 0);
}

struct reply perform_execveat(struct request *request)
{
	const __u64 *args = request->notif.data.args;

	return run(request, (int)args[0], args[1], args[2], (int)args[4]);
}
