/* SPDX-License-Identifier: Apache-2.0 */
/* The `remit` command: a table of subcommands. Adding one is a row here and a file of its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/compile/diagnostics.h"
#include "tools/command.h"
#include "tools/output.h"
#include "tools/probe/probe.h"

static int help_command(int argc, char **argv);

static const struct command commands[] = {
    {"run", run_command, "run a program inside a manifest"},
    {"check", check_command, "what a manifest says to one query, and which rule says it"},
    {"explain", explain_command, "the sentence with which a refusal is told"},
    {"test", test_command, "run the tests of a manifest, or a table of them"},
    {"show", show_command, "a manifest or an image in full, in canonical order"},
    {"plan", plan_command, "each rule with its lane and why; the wall, the hull, the filter"},
    {"compile", compile_command, "write the scope image of a manifest and print its digest"},
    {"doctor", doctor_command, "what this machine enforces, what is missing, what to do"},
    {"self-test", self_test_command, "try the ways out on this machine, and say what held"},
    {PROBE_COMMAND, probe_main, NULL},
    {"help", help_command, "help on a subcommand"},
};
static const size_t command_count = sizeof(commands) / sizeof(commands[0]);

static void print_help(FILE *stream)
{
	fputs("Usage: remit COMMAND [OPTIONS] …\n"
	      "Runs an agent inside its remit: the files, programs, addresses and variables that "
	      "a manifest grants.\n\n",
	      stream);
	for (size_t i = 0; i < command_count; i++)
		if (commands[i].summary)
			fprintf(stream, "  %-9s %s\n", commands[i].name, commands[i].summary);
	fputs("\n`remit COMMAND --help` tells its options; remit(1) and remit.yaml(5) tell all.\n",
	      stream);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown(const char *name)
{
	const char *names[sizeof(commands) / sizeof(commands[0])];
	const char *near;

	for (size_t i = 0; i < command_count; i++)
		names[i] = commands[i].name;
	near = diagnostics_near(name, names, command_count);
	if (near)
		output_error("no command \"%s\"; did you mean \"%s\"?", name, near);
	else
		output_error("no command \"%s\"; `remit help` lists them", name);
	return STATUS_USAGE;
}

static int help_command(int argc, char **argv)
{
	char flag[] = "--help";
	const struct command *command;
	char *args[3];

	if (argc < 2 || argv[1][0] == '-' || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return STATUS_OK;
	}
	command = find(argv[1]);
	if (!command)
		return unknown(argv[1]);
	args[0] = argv[1];
	args[1] = flag;
	args[2] = NULL;
	return command->run(2, args);
}

/* A file that is opened must never get the number of a stream that was closed: the audit log would
 * be the program's own standard output. What stands there fails as the closed one would. */
static bool open_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	const struct command *command;

	if (!open_streams()) {
		output_error("cannot tell which of the standard streams are open: %s",
			     strerror(errno));
		return STATUS_RUN;
	}
	/* A message is one write(2): whoever else writes there does not get between its words. */
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	if (argc < 2) {
		print_help(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("remit " REMIT_VERSION);
		return output_finish(STATUS_OK);
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help(stdout);
		return output_finish(STATUS_OK);
	}
	command = find(argv[1]);
	if (!command)
		return unknown(argv[1]);
	return output_finish(command->run(argc - 1, argv + 1));
}
