/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's terminal: remembered before the agent runs, given back as it was. */
#ifndef REMIT_BROKER_TERMINAL_H
#define REMIT_BROKER_TERMINAL_H

#include <stdbool.h>
#include <sys/stat.h>
#include <termios.h>

/* The slaves of Unix98 pseudo terminals, Documentation/admin-guide/devices.txt. devpts puts every
 * index into the minor of the first. */
#define PTY_SLAVE_MAJOR 136
#define PTY_SLAVE_MAJORS 8

/* A standard descriptor. Its description is the agent's, too. */
struct terminal_standard {
	bool there; /* it is a terminal */
	bool exclusive;
	int flags; /* F_GETFL; -1: unknown */
};

struct terminal {
	int fd;	   /* /dev/tty, close-on-exec; -1: no controlling terminal */
	int index; /* N of /dev/pts/N, -1: none or another kind */
	bool foreground;
	bool saved;
	struct termios modes;
	struct terminal_standard standard[3];
};

void terminal_save(struct terminal *terminal);
/* True for the terminal /dev/pts/INDEX, and for what is one of our standard descriptors. */
bool terminal_is_operators(const struct stat *about, int index);
/* True when a shell with job control watches us: stopping ourselves then gives it the prompt. */
bool terminal_has_shell(const struct terminal *terminal);
/* Once the agent's processes have ended, and before anything is written: lets output go on, undoes
 * what would bind others who use it (exclusiveness, the descriptors' flags), takes the terminal back
 * from a process group that has nobody left in it, and with `modes` its modes. Closes it. */
void terminal_restore(struct terminal *terminal, bool modes);

#endif
