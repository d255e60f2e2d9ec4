/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command lines of glibc's ld.so (elf/rtld.c) and musl's (ldso/dynlink.c). An option that
 * neither is known to have is refused: it might hide what is a program and what is not.
 *
 * A loader told to list or verify runs nothing of the program. What this cannot hold: a program
 * that maps another one into its own memory needs no loader, only the right to read it.
 */
#include "shim/broker/exec_loader.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/core/scope.h"

enum option_kind { OPTION_PLAIN, OPTION_VALUE, OPTION_NO_PROGRAM };

static const struct {
	const char *name;
	enum option_kind kind;
} options[] = {
    {"--argv0", OPTION_VALUE},
    {"--audit", OPTION_VALUE},
    {"--glibc-hwcaps-mask", OPTION_VALUE},
    {"--glibc-hwcaps-prepend", OPTION_VALUE},
    {"--help", OPTION_NO_PROGRAM},
    {"--inhibit-cache", OPTION_PLAIN},
    {"--inhibit-rpath", OPTION_VALUE},
    {"--library-path", OPTION_VALUE},
    {"--list", OPTION_NO_PROGRAM},
    {"--list-diagnostics", OPTION_NO_PROGRAM},
    {"--list-tunables", OPTION_NO_PROGRAM},
    {"--preload", OPTION_VALUE},
    {"--verify", OPTION_NO_PROGRAM},
    {"--version", OPTION_NO_PROGRAM},
};

static bool named_like_one(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	return (strncmp(name, "ld-", 3) == 0 || strncmp(name, "ld.so", 5) == 0 ||
		strncmp(name, "ld64", 4) == 0) &&
	       strstr(name, ".so") != NULL;
}

bool exec_loader_is(const struct request *request, const struct object *object)
{
	const struct domain *wall = &broker_plan(request->broker)->wall;

	if (named_like_one(object->path))
		return true;
	for (size_t i = 0; i < wall->path_count; i++) {
		const struct path_access *path = &wall->paths[i];

		if (path->rule == RULE_NONE && (path->access & LANDLOCK_ACCESS_FS_EXECUTE) &&
		    strcmp(path->path, object->path) == 0)
			return true;
	}
	return false;
}

/* The kind of an option as it is written; *joined: its value stands behind "=". -1: unknown. */
static int option_kind(const char *word, bool *joined)
{
	size_t len = strcspn(word, "=");

	*joined = word[len] == '=';
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (strlen(options[i].name) == len && memcmp(options[i].name, word, len) == 0)
			return !*joined || options[i].kind == OPTION_VALUE ? (int)options[i].kind
									   : -1;
	}
	return -1;
}

/* Where the program's name begins in the block. -ENOENT: nothing will run; -EINVAL: not known. */
static long find_program(const char *block, size_t len)
{
	bool quiet = false;
	size_t at = 0;

	while (at < len && block[at] == '-') {
		bool joined;
		int kind = option_kind(block + at, &joined);

		at += strlen(block + at) + 1;
		if (kind < 0)
			return -EINVAL;
		quiet |= kind == OPTION_NO_PROGRAM;
		if (kind == OPTION_VALUE && !joined && at < len)
			at += strlen(block + at) + 1;
	}
	return at >= len || quiet ? -ENOENT : (long)at;
}

static int judge_loaded(struct request *request, const char *name, struct exec_args *rest,
			bool started)
{
	struct object program;
	struct stat about;

	/* Without a slash it is looked for in the folders of libraries. */
	if (!strchr(name, '/'))
		return judge_never(request, "exec", name,
				   "a loader is to be told the program by its path", EACCES);
	int error = resolve(request, AT_FDCWD, name, 0, &program);

	if (error)
		return error == -ENOENT ? 0 : error;
	if (program.handle < 0 || fstat(program.handle, &about) != 0)
		error = 0; /* the loader will say that it is not there */
	else if (exec_loader_is(request, &program))
		error = judge_never(request, "exec", program.path,
				    "a loader that loads a loader is not followed", EACCES);
	else
		error = judge_exec(request, &program, rest, started);
	object_close(&program);
	return error;
}

int exec_loader_judge(struct request *request, const struct object *loader, struct exec_args *args,
		      bool started)
{
	const char *block;
	size_t len;
	int error = exec_args_get(args, &block, &len);

	if (error)
		return error;
	long at = find_program(block, len);

	if (at == -ENOENT)
		return 0;
	if (at < 0)
		return judge_never(request, "exec", loader->path,
				   "an option of this loader is not known, so neither is what it "
				   "would start",
				   EACCES);
	const char *name = block + at;
	size_t skip = (size_t)at + strlen(name) + 1;
	struct exec_args rest = {.request = request};

	error = exec_args_copy(&rest, block + skip, len - skip);
	if (!error)
		error = judge_loaded(request, name, &rest, started);
	exec_args_free(&rest);
	return error;
}
