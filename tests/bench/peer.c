/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other end of the network rows, outside every mode: two TCP ports whose connections are
 * accepted and closed, a UDP port that is read. Prints "TCP TCP UDP" and serves until its
 * standard input ends, so that it never outlives the harness.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORTS 3
#define BACKLOG 1024

/* The socket, or -1; *port is what the kernel chose. */
static int serve(int type, unsigned int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return -1;
	if (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)
		return -1;
	*port = ntohs(address.sin_port);
	return fd;
}

static void drain(int fd, int type)
{
	char byte;

	if (type == SOCK_STREAM) {
		int peer;

		while ((peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
			close(peer);
	} else {
		while (recv(fd, &byte, 1, 0) >= 0)
			;
	}
}

int main(void)
{
	static const int types[PORTS] = {SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM};
	struct pollfd wait[PORTS + 1] = {[PORTS] = {.fd = STDIN_FILENO, .events = POLLIN}};
	unsigned int ports[PORTS];

	for (int i = 0; i < PORTS; i++) {
		wait[i] = (struct pollfd){.fd = serve(types[i], &ports[i]), .events = POLLIN};
		if (wait[i].fd < 0) {
			fprintf(stderr, "bench_peer: %s\n", strerror(errno));
			return 1;
		}
	}
	printf("%u %u %u\n", ports[0], ports[1], ports[2]);
	fflush(stdout);
	for (;;) {
		if (poll(wait, PORTS + 1, -1) < 0 && errno != EINTR)
			return 1;
		if (wait[PORTS].revents)
			return 0;
		for (int i = 0; i < PORTS; i++)
			if (wait[i].revents)
				drain(wait[i].fd, types[i]);
	}
}
