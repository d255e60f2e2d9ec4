/* SPDX-License-Identifier: Apache-2.0 */
/* The launcher's side: the folders, the split, and what is left where the janitor was killed. */
#include "tools/janitor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/broker/broker.h"
#include "tools/janitor_internal.h"
#include "tools/output.h"

/* What is given up by shutdown(2) is read to its end: the janitor's own end closes then. */
static void await_end(int socket)
{
	char byte;
	ssize_t got;

	do
		got = read(socket, &byte, 1);
	while (got > 0 || (got < 0 && errno == EINTR));
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
static int split_off(struct janitor *janitor)
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
		/* Above the numbers that janitor_serve() puts them to. */
		struct janitor own = *janitor;

		own.socket = fcntl(ends[1], F_DUPFD, JANITOR_FDS);
		own.folder_fd = fcntl(janitor->folder_fd, F_DUPFD, JANITOR_FDS);
		own.tmp_fd = fcntl(janitor->tmp_fd, F_DUPFD, JANITOR_FDS);
		janitor_serve(own, launcher);
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

static int make_folder(struct janitor *janitor, const char *base)
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
	return 0;
}

/* What is emptied at the end is made here, in a folder that is held: an agent of another session
 * may write beside it, and put another in its place. */
static int make_tmp(struct janitor *janitor)
{
	const int how = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	janitor->folder_fd = open(janitor->folder, how);
	if (janitor->folder_fd >= 0 && mkdirat(janitor->folder_fd, "tmp", 0700) == 0)
		janitor->tmp_fd = openat(janitor->folder_fd, "tmp", how);
	return janitor->tmp_fd < 0 ? -errno : 0;
}

int janitor_start(struct janitor *out, const char *session_id, const char **what)
{
	char *base = base_folder();
	int error;

	*out = (struct janitor){
	    .socket = -1, .folder_fd = -1, .tmp_fd = -1, .session_id = session_id};
	*what = "below $TMPDIR, else /tmp";
	if (!base)
		return -errno;
	error = make_folder(out, base);
	free(base);
	if (!error)
		error = make_tmp(out);
	if (!error) {
		*what = "the process that removes the private folder";
		error = split_off(out);
	}
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

/* What the operator finds left. */
static void tell(const struct janitor *janitor, int error)
{
	static const char deleted[] = " (deleted)";
	char self[32], place[PATH_MAX];

	if (error && error != -ENOENT)
		output_error("cannot remove %s: %s", janitor->folder, strerror(-error));
	if (error != -ENOENT)
		return;
	ssize_t len = readlink(object_self_path(janitor->folder_fd, self), place, sizeof(place));
	const size_t end = sizeof(deleted) - 1;

	if (len < (ssize_t)end || len == (ssize_t)sizeof(place) ||
	    !memcmp(place + len - end, deleted, end))
		return;
	place[len] = '\0';
	output_error("the agent has moved the private folder %s to %s: it is left there, emptied",
		     janitor->folder, place);
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
	if (janitor->tmp_fd >= 0)
		tell(janitor, janitor_remove(janitor));
	if (janitor->tmp_fd >= 0)
		close(janitor->tmp_fd);
	if (janitor->folder_fd >= 0)
		close(janitor->folder_fd);
	free(janitor->folder);
	free(janitor->tmp);
	*janitor = (struct janitor){.socket = -1, .folder_fd = -1, .tmp_fd = -1};
}
