/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fault/acts.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place place;

int acts_result(long result)
{
	return result < 0 ? -errno : 0;
}

int acts_closed(long fd)
{
	if (fd < 0)
		return -errno;
	close((int)fd);
	return 0;
}

const char *acts_path(const char *name)
{
	static char rooms[4][256];
	static unsigned int next;
	char *room = rooms[next++ % 4];

	snprintf(room, sizeof(rooms[0]), "%s/%s", place.root, name);
	return room;
}

static unsigned short port(const char *text)
{
	return (unsigned short)strtoul(text, NULL, 10);
}

/* One line an act, written at once: a session that is ended shows how far it came. */
static void make(const struct act *act)
{
	char line[128];
	int result = act->make();
	int n = snprintf(line, sizeof(line), "%c %s %d\n", act->refused ? 'X' : 'G', act->name,
			 -result);

	(void)!write(1, line, (size_t)n);
}

int main(int argc, char **argv)
{
	const struct act *const lists[] = {file_acts, change_acts, network_acts, process_acts};

	if (argc != 9)
		return 3;
	snprintf(place.root, sizeof(place.root), "%s", argv[1]);
	place.tcp = port(argv[2]);
	place.tcp_refused = port(argv[3]);
	place.udp = port(argv[4]);
	place.udp_refused = port(argv[5]);
	place.listen = port(argv[6]);
	place.listen_refused = port(argv[7]);
	place.victim = (pid_t)strtol(argv[8], NULL, 10);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		for (const struct act *act = lists[i]; act->name; act++)
			make(act);
	}
	/* The runner counts the gate's descriptors, then closes our stdin. */
	(void)!write(1, "ready\n", 6);
	(void)!read(0, &(char){0}, 1);
	return 0;
}
