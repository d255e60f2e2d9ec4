/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's terminal: remembered before the agent runs, given back as it was. */
#ifndef REMIT_BROKER_TERMINAL_H
#define REMIT_BROKER_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

struct terminal {
	int fd;	   /* /dev/tty, close-on-exec; -1: no controlling terminal */
	int index; /* N of /dev/pts/N, -1: none or another kind */
	bool foreground;
	bool saved;
	struct termios modes;
};

void terminal_save(struct terminal *terminal);
/* True when a shell with job control watches us: stopping ourselves then gives it the prompt. */
bool terminal_has_shell(const struct terminal *terminal);
/* Takes the terminal back from a process group that has nobody left in it, and with `modes` undoes
 * what the agent changed on it. Closes it. */
void terminal_restore(struct terminal *terminal, bool modes);

#endif
