// SPDX-License-Identifier: Apache-2.0
/*
 * Who belongs to the session cannot be told by descent when its broker is gone, because its orphans
 * are anybody's then. The kernel knows: it lets no signal out of the hull (LANDLOCK_SCOPE_SIGNAL).
 * That word is not relied on alone: what has no system call filter is no agent's, whatever the
 * kernel says.
 */
#include "shim/broker/warden.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STATUS_ROOM 4096
#define PAUSE_MS 10
#define GIVE_UP_SECONDS 300 /* what the kernel holds is not waited for longer */

static bool has_line(const char *text, const char *name, const char *values)
{
	const char *line = strstr(text, name);

	return line && strchr(values, line[strlen(name)]);
}

/* A process that runs behind a filter: "Seccomp: 2" of proc(5), and not over. */
static bool is_confined(int proc, const char *pid)
{
	char path[64], text[STATUS_ROOM];
	ssize_t len = -1;

	snprintf(path, sizeof(path), "%.32s/status", pid);
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (len <= 0)
		return false;
	text[len] = '\0';
	return has_line(text, "\nSeccomp:\t", "2") && !has_line(text, "\nState:\t", "ZX");
}

/* How many were signalled; -1: nobody can be told. */
static int end_some(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	if (!proc)
		return -1;
	while ((entry = readdir(proc))) {
		const char *name = entry->d_name;
		pid_t pid = isdigit((unsigned char)name[0]) ? (pid_t)atol(name) : 0;

		if (pid > 1 && pid != getpid() && is_confined(dirfd(proc), name) &&
		    kill(pid, SIGKILL) == 0)
			count++;
	}
	closedir(proc);
	return count;
}

/* True once the broker is dead; false when it has said that all is over. */
static bool await_broker(struct pollfd broker, struct pollfd word)
{
	struct pollfd both[] = {broker, word};
	char byte;

	for (;;) {
		if (poll(both, 2, -1) < 0) {
			if (errno != EINTR)
				_exit(1);
			continue;
		}
		if (both[1].revents && read(both[1].fd, &byte, 1) == 1)
			return false;
		if (both[0].revents)
			return true;
		/* It has closed its end without a word, and lives. */
		if (both[1].revents)
			both[1].fd = -1;
	}
}

static _Noreturn void serve(int broker, int word)
{
	setsid();
	prctl(PR_SET_NAME, "remit-warden");
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_IGN);
	if (dup2(broker, 0) < 0 || dup2(word, 1) < 0 || close_range(2, UINT_MAX, 0) != 0 ||
	    chdir("/") != 0)
		_exit(1);
	if (!await_broker((struct pollfd){.fd = 0, .events = POLLIN},
			  (struct pollfd){.fd = 1, .events = POLLIN}))
		_exit(0);
	signal(SIGALRM, SIG_DFL);
	alarm(GIVE_UP_SECONDS);
	while (end_some() > 0)
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
	_exit(0);
}

/* Splits off through a child that ends at once, so that it is nobody's child here. Its status. */
static int split_off(int broker, int word)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		pid_t grandchild = fork();

		if (grandchild)
			_exit(grandchild < 0);
		/* Above the numbers that serve() puts them to. */
		serve(fcntl(broker, F_DUPFD, 2), fcntl(word, F_DUPFD, 2));
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

int warden_start(void)
{
	int ends[2], broker = (int)syscall(SYS_pidfd_open, getpid(), 0), status;

	if (broker < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		status = -errno;
		close(broker);
		return status;
	}
	status = split_off(broker, ends[0]);
	close(broker);
	close(ends[0]);
	if (status == 0)
		return ends[1];
	close(ends[1]);
	return -EAGAIN;
}

void warden_dismiss(int fd)
{
	if (fd < 0)
		return;
	(void)!send(fd, "", 1, MSG_NOSIGNAL);
	close(fd);
}
