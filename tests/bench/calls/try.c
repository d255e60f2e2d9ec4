/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy may refuse, tried once: the table of what each mode held. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/calls/calls.h"

static int try_read(const char *object)
{
	char byte;
	int fd = open(object, O_RDONLY | O_CLOEXEC);
	int error = fd < 0 ? errno : 0;

	/* A mode may put an empty file in its place: that is a refusal too. */
	if (!error && read(fd, &byte, 1) != 1)
		error = ENODATA;
	if (fd >= 0)
		close(fd);
	return error;
}

static int try_create(const char *object)
{
	int fd = open(object, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? errno : close(fd);
}

static int try_chmod(const char *object)
{
	return chmod(object, 0640) < 0 ? errno : 0;
}

static int try_exec(const char *object)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		execl(object, "tool", (char *)NULL);
		_exit(126);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return errno;
	return WEXITSTATUS(status) == 126 ? EACCES : 0;
}

static int try_address(const char *port, int type)
{
	struct sockaddr_in to = place.tcp;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	int error = fd < 0 ? errno : 0;

	to.sin_port = htons((uint16_t)atoi(port));
	if (!error && type == SOCK_STREAM && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		error = errno;
	if (!error && type == SOCK_DGRAM &&
	    sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) != 1)
		error = errno;
	if (fd >= 0)
		close(fd);
	return error;
}

int try_once(const char *what, const char *object)
{
	if (!strcmp(what, "read"))
		return try_read(object);
	if (!strcmp(what, "create"))
		return try_create(object);
	if (!strcmp(what, "chmod"))
		return try_chmod(object);
	if (!strcmp(what, "exec"))
		return try_exec(object);
	if (!strcmp(what, "connect"))
		return try_address(object, SOCK_STREAM);
	if (!strcmp(what, "udp"))
		return try_address(object, SOCK_DGRAM);
	return EINVAL;
}
