/* SPDX-License-Identifier: Apache-2.0 */
/* What stands around a session and must not be reached from it: listeners on loopback, a terminal,
 * shared memory, a process of our own. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/self_test_stage.h"

static int listen_at(int type, const void *address, socklen_t len)
{
	const struct sockaddr *name = address;
	int fd = socket(name->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), only = 1;

	if (fd < 0)
		return -errno;
	if (name->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	if (bind(fd, name, len) == 0 && (type == SOCK_DGRAM || listen(fd, 16) == 0))
		return fd;
	int error = -errno;

	close(fd);
	return error;
}

static int listen_ip(uint32_t host, int type, long port, long *out)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)port),
				   .sin_addr.s_addr = htonl(host)};
	socklen_t len = sizeof(name);
	int fd = listen_at(type, &name, sizeof(name));

	if (fd >= 0 && getsockname(fd, (struct sockaddr *)&name, &len) == 0)
		*out = ntohs(name.sin_port);
	return fd;
}

static int listen_ip6(long *out)
{
	struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t len = sizeof(name);
	int fd = listen_at(SOCK_STREAM, &name, sizeof(name));

	if (fd >= 0 && getsockname(fd, (struct sockaddr *)&name, &len) == 0)
		*out = ntohs(name.sin6_port);
	return fd;
}

static int listen_unix(const char *text, bool abstract)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	size_t len = strlen(text);

	if (len + 1 > sizeof(name.sun_path))
		return -ENAMETOOLONG;
	memcpy(name.sun_path + abstract, text, len);
	return listen_at(SOCK_STREAM, &name,
			 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1));
}

/* Where the machine has no IPv6, or the folder's name is too long for a socket, the control will
 * show that the case cannot be tried. */
static void open_listener(const struct self_test_stage *stage, const struct probe *probe,
			  struct self_test_case *item)
{
	if (probe->needs & PROBE_TCP)
		item->listener = listen_ip(INADDR_LOOPBACK, SOCK_STREAM, 0, &item->port);
	else if (probe->needs & PROBE_ADDRESS)
		item->listener =
		    listen_ip(INADDR_LOOPBACK + 1, SOCK_STREAM, stage->granted_port, &item->port);
	else if (probe->needs & PROBE_TCP6)
		item->listener = listen_ip6(&item->port);
	else if (probe->needs & PROBE_UDP)
		item->listener = listen_ip(INADDR_LOOPBACK, SOCK_DGRAM, 0, &item->port);
	else if (probe->needs & PROBE_UNIX)
		item->listener =
		    listen_unix(probe_text("%s/out/%s/socket", stage->root, probe->name), false);
	else if (probe->needs & PROBE_ABSTRACT)
		item->listener = listen_unix(stage->name, true);
}

int stage_open_network(struct self_test_stage *stage)
{
	const struct probe *probe;
	int number = SIGUSR1;

	stage->granted = listen_ip(INADDR_LOOPBACK, SOCK_STREAM, 0, &stage->granted_port);
	if (stage->granted < 0)
		return stage->granted;
	for (size_t i = 0; (probe = probe_at(i)); i++) {
		open_listener(stage, probe, &stage->cases[i]);
		if (!(probe->needs & PROBE_SIGNAL))
			continue;
		stage->cases[i].port = number;
		number = number == SIGUSR1 ? SIGUSR2 : SIGHUP;
	}
	return 0;
}

int stage_open_terminal(struct self_test_stage *stage)
{
	/* Both ends stay open: without a slave the master says end of file. */
	if (openpty(&stage->master, &stage->slave, stage->terminal, NULL, NULL) != 0)
		return -errno;
	fcntl(stage->master, F_SETFD, FD_CLOEXEC);
	fcntl(stage->slave, F_SETFD, FD_CLOEXEC);
	fcntl(stage->master, F_SETFL, O_NONBLOCK);
	return 0;
}

/* No other process knows the key, and a machine without System V memory has no such way out. */
void stage_share_memory(struct self_test_stage *stage)
{
	uint32_t key;

	memcpy(&key, stage->token, sizeof(key));
	stage->key = (long)(key & 0x7fffffff) | 1;
	stage->shm = shmget((key_t)stage->key, 4096, IPC_CREAT | IPC_EXCL | 0600);
	char *map = stage->shm < 0 ? NULL : shmat(stage->shm, NULL, 0);

	if (map && map != (void *)-1) {
		strcpy(map, stage->token);
		shmdt(map);
	}
}

static void become_stranger(const struct self_test_stage *stage, int said)
{
	const char *argv[] = {probe_text("%s/bin/probe", stage->root), "--stranger", NULL};
	const char *environment[] = {probe_text("REMIT_SELF_TEST=%s", stage->token), NULL};
	int secret = open(probe_text("%s/out/P5-stranger-fd/secret", stage->root), O_RDONLY);

	if (secret < 0 || dup2(said, STDOUT_FILENO) < 0 || dup2(secret, 7) < 0)
		_exit(1);
	execve(argv[0], (char **)(uintptr_t)argv, (char **)(uintptr_t)environment);
	_exit(1);
}

/* proc_pid_stat(5): env_start is field 50. */
static unsigned long environment_of(pid_t pid)
{
	char text[2048];
	int fd = open(probe_text("/proc/%d/stat", pid), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	char *field = strrchr(text, ')');

	for (int i = 2; i < 50 && field; i++)
		field = strchr(field + 1, ' ');
	return field ? strtoul(field, NULL, 10) : 0;
}

int stage_start_stranger(struct self_test_stage *stage)
{
	int pipe_fds[2];
	char ready[64];

	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		return -errno;
	stage->stranger = fork();
	if (stage->stranger == 0)
		become_stranger(stage, pipe_fds[1]);
	close(pipe_fds[1]);
	stage->heard = pipe_fds[0];
	if (stage->stranger < 0)
		return -errno;
	if (read(stage->heard, ready, sizeof(ready)) <= 0)
		return -ECHILD;
	fcntl(stage->heard, F_SETFL, O_NONBLOCK);
	stage->memory = environment_of(stage->stranger);
	return 0;
}
