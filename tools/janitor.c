/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guarantees: nothing outside the folder is removed, whatever the agent left in it. Names are only
 * ever used relative to an open folder and links are not followed; a folder that is deeper than a
 * stack or a table of fds is flattened as it is removed, so that no depth defeats it.
 */
#include "tools/janitor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/janitor_ipc.h"

/* A process that outlived its broker could go on making files: the janitor gives up then. */
#define GIVE_UP_SECONDS 300

/* An agent may have taken its own rights on a folder away; they are ours to give back. */
static int open_folder(int parent, const char *name)
{
	char path[64];
	int handle = openat(parent, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (handle < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", handle);
	(void)!chmod(path, 0700);
	fd = openat(handle, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(handle);
	return fd;
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Moves one folder up to the top under a name of its own, to be emptied there in its turn. */
static bool lift(int top, int parent, const char *name)
{
	static unsigned long serial;
	char fresh[32];
	int fd = open_folder(parent, name); /* its ".." changes: needs write on it */

	if (fd >= 0)
		close(fd);
	snprintf(fresh, sizeof(fresh), "%lu", serial++);
	return !renameat2(parent, name, top, fresh, RENAME_NOREPLACE);
}

/* Removes the files of a folder and lifts its folders. True when something has changed. */
static bool flatten(int top, const char *name)
{
	int fd = open_folder(top, name);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool changed = false;

	if (!folder) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while ((entry = readdir(folder))) {
		if (is_dots(entry->d_name))
			continue;
		if (!unlinkat(fd, entry->d_name, 0) || !unlinkat(fd, entry->d_name, AT_REMOVEDIR) ||
		    lift(top, fd, entry->d_name))
			changed = true;
	}
	closedir(folder);
	return changed;
}

/* One pass over the top. True while something changes. */
static bool sweep(int top)
{
	int fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool changed = false;

	if (!folder) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while ((entry = readdir(folder))) {
		if (is_dots(entry->d_name))
			continue;
		if (!unlinkat(top, entry->d_name, 0) ||
		    !unlinkat(top, entry->d_name, AT_REMOVEDIR) || flatten(top, entry->d_name))
			changed = true;
	}
	closedir(folder);
	return changed;
}

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
	while (sweep(1))
		;
	rmdir(janitor->folder);
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
		error = top < 0 ? -errno : split_off(out, top);
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
	free(janitor->folder);
	free(janitor->tmp);
	*janitor = (struct janitor){.socket = -1};
}
