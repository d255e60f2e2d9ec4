/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the cases, one child each: see probe.h. Nothing here looks at what an act came to. */
#include "tools/probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define RING 16
#define CASE_SECONDS 10

static const struct probe_table *const probe_tables[] = {&probe_files, &probe_kernel, &probe_network,
						  &probe_programs};
static const size_t probe_table_count = sizeof(probe_tables) / sizeof(*probe_tables);

const struct probe *probe_at(size_t index)
{
	for (size_t i = 0; i < probe_table_count; i++) {
		if (index < probe_tables[i]->count)
			return &probe_tables[i]->items[index];
		index -= probe_tables[i]->count;
	}
	return NULL;
}

const char *probe_text(const char *format, ...)
{
	static char ring[RING][4096];
	static unsigned int next;
	char *buf = ring[next++ % RING];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(buf, sizeof(ring[0]), format, arguments);
	va_end(arguments);
	return buf;
}

const char *probe_path(const struct probe_stage *stage, const char *folder, const char *file)
{
	return probe_text("%s/%s/%s%s%s", stage->root, folder, stage->name, file ? "/" : "",
			  file ? file : "");
}

static void say(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

void probe_show(long fd)
{
	char buf[4096];

	if (fd < 0)
		return;
	ssize_t n = read((int)fd, buf, sizeof(buf));

	if (n > 0)
		say(buf, (size_t)n);
	close((int)fd);
}

void probe_put(long fd)
{
	if (fd < 0)
		return;
	(void)!write((int)fd, "changed\n", 8);
	close((int)fd);
}

void probe_did(const struct probe_stage *stage, int happened)
{
	const char *line = probe_text("\ndid %s\n", stage->name);

	if (happened)
		say(line, strlen(line));
}

/* A case that hangs is ended; what it came to until then counts. */
static void await(pid_t pid)
{
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void probe_child(void (*act)(const struct probe_stage *), const struct probe_stage *stage)
{
	pid_t pid = fork();

	if (pid == 0) {
		alarm(CASE_SECONDS);
		act(stage);
		_exit(0);
	}
	await(pid);
}

static const char *value(char **facts, const char *name, const char *otherwise)
{
	size_t len = strlen(name);

	for (; *facts; facts++) {
		if (strncmp(*facts, name, len) == 0 && (*facts)[len] == '=')
			return *facts + len + 1;
	}
	return otherwise;
}

static void set_case(struct probe_stage *stage, const struct probe *probe, char **facts)
{
	stage->name = probe->name;
	stage->port = strtol(value(facts, probe->name, "0"), NULL, 10);
}

static int run_all(struct probe_stage *stage, char **facts)
{
	const struct probe *probe;

	for (size_t i = 0; (probe = probe_at(i)); i++) {
		set_case(stage, probe, facts);
		probe_child(probe->act, stage);
		const char *line = probe_text("\nran %s\n", probe->name);

		say(line, strlen(line));
	}
	return 0;
}

static int run_one(struct probe_stage *stage, const char *name, char **facts)
{
	const struct probe *probe;

	for (size_t i = 0; (probe = probe_at(i)); i++) {
		if (strcmp(probe->name, name) != 0)
			continue;
		set_case(stage, probe, facts);
		alarm(CASE_SECONDS);
		probe->act(stage);
		return 0;
	}
	return 2;
}

/* A script is called by its path, free/NAME/script. */
static const char *case_of(char *text)
{
	char *end = strrchr(text, '/');

	if (!end)
		return text;
	*end = '\0';
	end = strrchr(text, '/');
	return end ? end + 1 : text;
}

/* The process outside: tells which signals reach it, and ends with the one that started it. */
static int stranger(void)
{
	sigset_t all;
	int number;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	probe_did(&(struct probe_stage){.name = "ready"}, 1);
	while (sigwait(&all, &number) == 0) {
		char byte = (char)number;

		say(&byte, 1);
	}
	return 0;
}

int probe_main(int argc, char **argv)
{
	struct probe_stage stage = {.name = ""};

	signal(SIGPIPE, SIG_IGN);
	if (argc >= 3 && strcmp(argv[1], "--did") == 0) {
		stage.name = case_of(argv[2]);
		probe_did(&stage, 1);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--stranger") == 0)
		return stranger();
	if (argc < 3)
		return 2;
	char **facts = argv + 3;

	stage.root = argv[1];
	stage.self = argv[2];
	stage.terminal = value(facts, "terminal", "");
	stage.token = value(facts, "token", "");
	stage.granted = strtol(value(facts, "granted", "0"), NULL, 10);
	stage.stranger = (pid_t)strtol(value(facts, "stranger", "0"), NULL, 10);
	stage.memory = strtol(value(facts, "memory", "0"), NULL, 10);
	stage.again = *value(facts, "again", "") != '\0';
	stage.key = strtol(value(facts, "key", "0"), NULL, 10);
	const char *only = value(facts, "case", "");

	return *only ? run_one(&stage, only, facts) : run_all(&stage, facts);
}
