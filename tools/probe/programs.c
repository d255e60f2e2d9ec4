/* SPDX-License-Identifier: Apache-2.0 */
/* E1–E7: programs that nothing grants, and outliving the session. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/probe/call.h"
#include "tools/probe/probe.h"

#define S const struct probe_stage *s

/* What comes before the operands of probe_main(). */
#ifdef PROBE_RAW
#define PROBE_WORDS
#else
#define PROBE_WORDS PROBE_COMMAND,
#endif

static void run(S, const char *path, char **environment)
{
	const char *argv[] = {"tool", "--did", s->name, NULL};

	(void)!CALL(execve(path, (char **)(uintptr_t)argv, environment), SYS_execve, path, argv,
		    environment);
}

static const char *tool(S)
{
	return probe_text("%s/ro/tool", s->root);
}

static void by_path(S)
{
	run(s, tool(s), environ);
}

static void by_link(S)
{
	const char *path = probe_path(s, "free", "tool"), *to = tool(s);

	(void)!CALL(symlink(to, path), SYS_symlink, to, path);
	run(s, path, environ);
}

static void by_script(S)
{
	const char *path = probe_path(s, "free", "script");
	const char *text = probe_text("#!%s --did\n", tool(s));
	long fd =
	    CALL(open(path, O_WRONLY | O_CREAT, 0755), SYS_open, path, O_WRONLY | O_CREAT, 0755);
	ssize_t n = write((int)fd, text, strlen(text));

	close((int)fd);
	if (n > 0)
		run(s, path, environ);
}

static void by_copy(S)
{
	static char buf[1 << 16];
	const char *path = probe_path(s, "free", "tool");
	int in = open(tool(s), O_RDONLY | O_CLOEXEC);
	int out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0) {
		if (write(out, buf, (size_t)n) != n)
			break;
	}
	close(out);
	run(s, path, environ);
}

/* The program itself once more, without the shim's variable or any other. */
static void no_environment(S)
{
	const char *path = probe_path(s, "out", "secret");
	const char *argv[] = {
	    s->self, PROBE_WORDS s->root, s->self, "again=1", probe_text("case=%s", s->name), NULL};
	char *none[] = {NULL};

	if (s->again)
		probe_show(CALL(open(path, O_RDONLY), SYS_open, path, O_RDONLY));
	else
		(void)!CALL(execve(s->self, (char **)(uintptr_t)argv, none), SYS_execve, s->self,
			    argv, none);
}

static void outlive(S)
{
	struct timespec nap = {.tv_nsec = 700000000};

	if (fork() != 0)
		return;
	setsid();
	if (fork() != 0)
		_exit(0);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	nanosleep(&nap, NULL);
	const char *path = probe_path(s, "free", "survived");

	probe_put(
	    CALL(open(path, O_WRONLY | O_CREAT, 0644), SYS_open, path, O_WRONLY | O_CREAT, 0644));
	_exit(0);
}

static const struct probe items[] = {
    {"E1-path", "running what is not granted", 0, by_path},
    {"E1-link", "the same, through a link", 0, by_link},
    {"E1-script", "the same, as the interpreter of a script", 0, by_script},
    {"E3-copy-free", "running a copy of it", 0, by_copy},
    {"E4-empty-environment", "reading, without the shim's variable", 0, no_environment},
    {"E7-survivor", "outliving the session", 0, outlive},
};
const struct probe_table probe_programs = {items, sizeof(items) / sizeof(*items)};
