/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on sockets; the peers are outside every mode (peer.py). */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/calls/calls.h"

static int connect_close(struct worker *worker)
{
	/* Reset instead of TIME_WAIT: thousands of ports would run out. */
	struct linger now = {.l_onoff = 1};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error = 0;

	(void)worker;
	if (fd < 0)
		return errno;
	if (connect(fd, (struct sockaddr *)&place.tcp, sizeof(place.tcp)) < 0)
		error = errno;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	return error;
}

/* With an address in the call, the form that a filter cannot judge. */
static int udp_send(struct worker *worker)
{
	struct sockaddr *to = (struct sockaddr *)&place.udp;

	return sendto(worker->udp, "x", 1, 0, to, sizeof(place.udp)) == 1 ? 0 : errno;
}

const struct act network_acts[] = {
    {"connect_close", connect_close},
    {"udp_send", udp_send},
    {NULL, NULL},
};
