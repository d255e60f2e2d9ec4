/* SPDX-License-Identifier: Apache-2.0 */
/* What main.c and the subcommands agree on: one function a subcommand, one file a function. */
#ifndef REMIT_TOOLS_COMMAND_H
#define REMIT_TOOLS_COMMAND_H

#include <stddef.h>

/* What a subcommand returns, the exit status of the command. `run` has its own: the agent's. */
enum status {
	STATUS_OK = 0,	     /* done; allowed; every test passed */
	STATUS_NO = 1,	     /* refused; a test failed; this machine does not enforce everything */
	STATUS_USAGE = 2,    /* wrong arguments, a broken manifest, a file that cannot be read */
	STATUS_RUN = 125,    /* `run`: remit itself failed, nothing was started */
	STATUS_NOEXEC = 126, /* `run`: the program is there and cannot be executed */
	STATUS_ABSENT = 127, /* `run`: no such program */
};

/* argv[0] is the subcommand's name. Each answers --help by itself. */
struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary; /* one line; NULL hides it from the list */
};

int run_command(int argc, char **argv);
int check_command(int argc, char **argv);
int explain_command(int argc, char **argv);
int compile_command(int argc, char **argv);
int show_command(int argc, char **argv);
int plan_command(int argc, char **argv);
int test_command(int argc, char **argv);
int doctor_command(int argc, char **argv);
int self_test_command(int argc, char **argv);

#endif
