/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guarantees: nothing outside the folder is removed, whatever the agent left in it: it is emptied
 * by a descriptor that was opened before the agent was there (scratch.c).
 */
#include "tools/janitor.h"

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
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/janitor_ipc.h"
#include "tools/output.h"
#include "tools/scratch.h"

/* A process that outlived its broker could go on making files: the janitor gives up then. */
#define GIVE_UP_SECONDS 300
#define ROUNDS 3 /* without a pause: what fails once may be over */

/* What is given up by shutdown(2) is read to its end: the janitor's own end closes then. */
static void await_end(int socket)
{
	char byte;
	ssize_t got;

	do
		got = read(socket, &byte, 1);
	while (got > 0 || (got < 0 && errno == EINTR));
}

/* All but the first two. What a container without the call leaves open is nobody's but ours. */
static void close_rest(void)
{
	if (!close_range(2, UINT_MAX, 0))
		return;
	long limit = sysconf(_SC_OPEN_MAX);

	for (int fd = 2; fd < (limit > 0 && limit < 65536 ? limit : 65536); fd++)
		close(fd);
}

/* A launcher that has died hangs up, one that waits has only said that it is done. */
static bool is_awaited(int socket)
{
	struct pollfd launcher = {.fd = socket};

	return poll(&launcher, 1, 0) >= 0 && !(launcher.revents & POLLHUP);
}

/* By its path, which an agent that may write above it could have given to something else. 0,
 * -ENOENT when it is not there, or another negative errno. */
static int remove_folder(const struct janitor *janitor)
{
	struct stat about;

	if (lstat(janitor->folder, &about) != 0)
		return -errno;
	if (about.st_dev != janitor->device || about.st_ino != janitor->inode)
		return -ENOENT;
	return rmdir(janitor->folder) != 0 ? -errno : 0;
}

/* A launcher that waits has ended all that could make files: what cannot be removed then, it tells.
 * Without one, processes of the session may still go on. */
static void remove_all(int socket, const struct janitor *janitor)
{
	for (int round = 1;; round++) {
		scratch_empty(1);
		if (remove_folder(janitor) != -ENOTEMPTY)
			return;
		if (round < ROUNDS)
			continue;
		if (is_awaited(socket))
			return;
		nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
	}
}

static _Noreturn void serve(int socket, int top, const struct janitor *janitor, pid_t launcher)
{
	static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP};

	setsid();
	prctl(PR_SET_NAME, "remit-janitor");
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	/* Whoever waits for the end of the session's output must not wait for us. */
	if (dup2(socket, 0) < 0 || dup2(top, 1) < 0 || chdir("/"))
		_exit(1);
	close_rest();
	/* A launcher that was killed in the meantime hears nothing, and leaves its folder to us. */
	if (write(0, "", 1) == 1)
		janitor_ipc_serve(0, janitor->session_id, launcher);
	alarm(GIVE_UP_SECONDS);
	remove_all(0, janitor);
	_exit(0);
}

static bool hear(int socket)
{
	char byte;
	ssize_t got;

	do
		got = read(socket, &byte, 1);
	while (got < 0 && errno == EINTR);
	return got == 1;
}

/* Splits off through a child that ends at once, so that the janitor is nobody's child here. */
static int split_off(struct janitor *janitor, int top)
{
	int ends[2];
	pid_t child, launcher = getpid();

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	child = fork();
	if (child == 0) {
		pid_t grandchild = fork();

		if (grandchild)
			_exit(grandchild < 0);
		/* Above the numbers that serve() puts the two to. */
		serve(fcntl(ends[1], F_DUPFD, 3), fcntl(top, F_DUPFD, 3), janitor, launcher);
	}
	close(ends[1]);
	if (child < 0) {
		close(ends[0]);
		return -EAGAIN;
	}
	janitor->socket = ends[0];
	janitor->child = child;
	return 0;
}

static void remove_folders(const struct janitor *janitor)
{
	if (janitor->tmp)
		rmdir(janitor->tmp);
	if (janitor->folder)
		rmdir(janitor->folder);
}

static void reap(struct janitor *janitor, int *status)
{
	if (!janitor->child)
		return;
	while (waitpid(janitor->child, status, 0) < 0 && errno == EINTR)
		;
	janitor->child = 0;
}

int janitor_await(struct janitor *janitor)
{
	int status = 0;

	reap(janitor, &status);
	/* It says that it stands ready: nobody else would remove the folder. */
	if (!status && hear(janitor->socket))
		return 0;
	remove_folders(janitor);
	janitor_finish(janitor);
	return -EAGAIN;
}

static char *base_folder(void)
{
	const char *base = getenv("TMPDIR");

	return realpath(base && base[0] == '/' ? base : "/tmp", NULL);
}

static int make_folders(struct janitor *janitor, const char *base)
{
	if (asprintf(&janitor->folder, "%s/remit-%u-XXXXXX", strcmp(base, "/") ? base : "",
		     (unsigned int)geteuid()) < 0) {
		janitor->folder = NULL;
		return -ENOMEM;
	}
	if (!mkdtemp(janitor->folder)) {
		int error = -errno;

		free(janitor->folder);
		janitor->folder = NULL;
		return error;
	}
	if (asprintf(&janitor->tmp, "%s/tmp", janitor->folder) < 0) {
		janitor->tmp = NULL;
		return -ENOMEM;
	}
	return mkdir(janitor->tmp, 0700) ? -errno : 0;
}

int janitor_start(struct janitor *out, const char *session_id, const char **what)
{
	char *base = base_folder();
	struct stat about;
	int top = -1, error;

	*out = (struct janitor){.socket = -1, .session_id = session_id};
	*what = "below $TMPDIR, else /tmp";
	if (!base)
		return -errno;
	error = make_folders(out, base);
	free(base);
	if (!error) {
		*what = "the process that removes the private folder";
		top = open(out->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		error = top < 0 || fstat(top, &about) != 0 ? -errno : 0;
	}
	if (!error) {
		out->device = about.st_dev;
		out->inode = about.st_ino;
		error = split_off(out, top);
	}
	if (top >= 0)
		close(top);
	if (error) {
		remove_folders(out);
		janitor_finish(out);
	}
	return error;
}

void janitor_release(struct janitor *janitor)
{
	if (janitor->socket >= 0)
		shutdown(janitor->socket, SHUT_WR);
}

void janitor_finish(struct janitor *janitor)
{
	int status = 0;

	reap(janitor, &status);
	if (janitor->socket >= 0) {
		/* Without this it would wait for us as well. */
		if (shutdown(janitor->socket, SHUT_WR) == 0)
			await_end(janitor->socket);
		close(janitor->socket);
	}
	int error = janitor->tmp ? scratch_remove(janitor->tmp) : 0;

	if (!error && janitor->folder)
		error = remove_folder(janitor);
	if (error && error != -ENOENT)
		output_error("cannot remove %s: %s", janitor->folder, strerror(-error));
	free(janitor->folder);
	free(janitor->tmp);
	*janitor = (struct janitor){.socket = -1};
}
