/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execve and execveat: judged here, run by the kernel. Only the kernel can replace a program, so
 * the path is read twice, by us and by it, and another thread may rewrite it in between. What then
 * runs is still in the wall (LANDLOCK_ACCESS_FS_EXECUTE): a program that the scope grants, whatever
 * the path says by then. So an allowed program that is not in the wall is refused here: nothing
 * could hold it to what was judged.
 *
 * The interpreter that a script names is judged as well, so that its refusal by the wall is
 * recorded and told.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/broker/broker.h"
#include "shim/broker/census.h"
#include "shim/broker/performers.h"

/* linux/binfmts.h: BINPRM_BUF_SIZE, as much as the kernel reads of the first line; and how often it
 * follows "#!" (fs/exec.c). */
#define LINE_MAX_BYTES 256
#define SCRIPT_DEPTH 5

/* The file's first line names an interpreter: its path in out. */
static bool script_interpreter(const struct object *object, char out[LINE_MAX_BYTES])
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

	name[strcspn(name, " \t")] = '\0';
	strcpy(out, name);
	return *name != '\0';
}

/* Why the wall, which stands since the start, does not hold a program that is granted now. */
static const char *why_not_in_wall(struct request *request, const struct object *object)
{
	struct query without_facts = {
	    .verb = VERB_EXEC, .object = OBJECT_PATH, .text = object->path, .len = object->len};
	struct decision decision = decide(broker_scope(request->broker), &without_facts);

	if ((decision.conditions & CONDITION_SHA256) &&
	    judge_would_allow(request, VERB_WRITE, object->path, object->len))
		return "granted for its digest, but the agent may write the file, so no digest "
		       "holds what would run; deny_write it";
	return "granted, but not there when the session started, so the kernel does not know it; "
	       "start a new session";
}

/* 0: the wall may run it; else the errno. */
static int judge_program(struct request *request, const struct object *object)
{
	struct stat about;

	if (object->handle < 0 || fstat(object->handle, &about) != 0)
		return -ENOENT;
	/* A search of PATH passes by what is no program. */
	if (!object->anonymous && (!S_ISREG(about.st_mode) || !(about.st_mode & 0111)))
		return -EACCES;
	int error = judge_path(request, VERB_EXEC, object);

	if (error)
		return error;
	if (!judge_in_wall(request, VERB_EXEC, object))
		return judge_never(request, "exec", object->path, why_not_in_wall(request, object),
				   EACCES);
	return 0;
}

static int judge_interpreters(struct request *request, const struct object *script)
{
	char name[LINE_MAX_BYTES];
	bool more = script_interpreter(script, name);
	int error = 0;

	for (int depth = 0; more && !error && depth < SCRIPT_DEPTH; depth++) {
		struct object object;

		/* What the kernel will not find, it will say. */
		if (resolve(request, AT_FDCWD, name, 0, &object) != 0)
			return 0;
		error = judge_program(request, &object);
		more = !error && script_interpreter(&object, name);
		object_close(&object);
	}
	return error;
}

static struct reply judge_exec(struct request *request, int dirfd, uint64_t address, int flags)
{
	struct scope_about about;
	char path[PATH_TEXT_MAX];
	struct object object;
	long len = memory_read_string(request, address, path, sizeof(path));

	scope_about(broker_scope(request->broker), &about);
	if (len == -EPERM && !about.has_exec_conditions)
		return reply_continue();
	if (len == -EPERM)
		return reply_error(-judge_never(request, "exec", "?",
						"the caller's memory cannot be read", EACCES));
	if (len < 0)
		return reply_error((int)-len);
	unsigned int how = flags & AT_EMPTY_PATH ? RESOLVE_EMPTY_PATH : 0;

	if (flags & AT_SYMLINK_NOFOLLOW)
		how |= RESOLVE_NOFOLLOW_LAST;
	int error = resolve(request, dirfd, path, how, &object);

	if (error)
		return reply_error(-error);
	if (S_ISLNK(object.type))
		error = -ELOOP;
	else
		error = judge_program(request, &object);
	if (!error)
		error = judge_interpreters(request, &object);
	object_close(&object);
	if (error)
		return reply_error(-error);
	census_exec(request);
	return reply_continue();
}

struct reply perform_execve(struct request *request)
{
	return judge_exec(request, AT_FDCWD, request->notif.data.args[0], 0);
}

struct reply perform_execveat(struct request *request)
{
	const __u64 *args = request->notif.data.args;

	return judge_exec(request, (int)args[0], args[1], (int)args[4]);
}
