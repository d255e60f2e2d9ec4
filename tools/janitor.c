/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guarantees: nothing is removed but what the private ${TMP} itself holds, whatever the agent left
 * in it and whatever stands in its place: it is emptied by a descriptor that was opened before the
 * agent was there (scratch.c), with none of the operator's privileges, and in a Landlock domain that
 * lets nothing else be removed than that, and empty folders.
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

#include "policy/plan/access.h"
#include "shim/broker/broker.h"
#include "shim/kernel/kernel.h"
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

/* The janitor's own numbers. */
enum { OWN_SOCKET, OWN_FOLDER, OWN_TMP, OWN_COUNT };

/* All but those. What a container without the call leaves open is nobody's but ours. */
static void close_rest(void)
{
	if (!close_range(OWN_COUNT, UINT_MAX, 0))
		return;
	long limit = sysconf(_SC_OPEN_MAX);

	for (int fd = OWN_COUNT; fd < (limit > 0 && limit < 65536 ? limit : 65536); fd++)
		close(fd);
}

/* A launcher that has died hangs up, one that waits has only said that it is done. */
static bool is_awaited(int socket)
{
	struct pollfd launcher = {.fd = socket};

	return poll(&launcher, 1, 0) >= 0 && !(launcher.revents & POLLHUP);
}

/* Whether the name is the open folder's. -ENOENT when it is not there, or is another's. */
static int is_named(int folder, int at, const char *name)
{
	struct stat about, there;

	if (fstat(folder, &about) != 0 || fstatat(at, name, &there, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	return about.st_dev == there.st_dev && about.st_ino == there.st_ino ? 0 : -ENOENT;
}

/* 0, -ENOENT when the folder is not where it was, or another negative errno. */
static int remove_private(const struct janitor *janitor)
{
	/* The agent may have taken its rights away. */
	fchmod(janitor->folder_fd, 0700);
	int error = scratch_empty(janitor->tmp_fd);

	if (!error && is_named(janitor->tmp_fd, janitor->folder_fd, "tmp") == 0 &&
	    unlinkat(janitor->folder_fd, "tmp", AT_REMOVEDIR) != 0)
		error = -errno;
	if (!error)
		error = is_named(janitor->folder_fd, AT_FDCWD, janitor->folder);
	if (!error && rmdir(janitor->folder) != 0)
		error = -errno;
	return error;
}

/* A launcher that waits has ended all that could make files: what cannot be removed then, it tells.
 * Without one, processes of the session may still go on. */
static void remove_all(int socket, const struct janitor *janitor)
{
	for (int round = 1;; round++) {
		int error = remove_private(janitor);

		if (!error || error == -ENOENT)
			return;
		if (round < ROUNDS)
			continue;
		if (is_awaited(socket))
			return;
		nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
	}
}

/* Whatever is told to this process, or had from it, removes nothing else. */
static int confine(const struct janitor *janitor)
{
	uint64_t remove = ACCESS_REMOVE_DIR | ACCESS_REMOVE_FILE;
	char *base = strdup(janitor->folder);

	if (!base)
		return -ENOMEM;
	*strrchr(base, '/') = '\0';
	struct path_access paths[] = {
	    {.path = janitor->tmp, .rule = RULE_NONE},
	    {.path = *base ? base : (char[]){"/"}, .access = ACCESS_REMOVE_DIR, .rule = RULE_NONE},
	};
	const struct domain domain = {
	    .handled_fs = (remove | ACCESS_REFER) & access_handled_fs(kernel_landlock_abi()),
	    .paths = paths,
	    .path_count = sizeof(paths) / sizeof(paths[0]),
	};

	paths[0].access = domain.handled_fs;
	int error = kernel_landlock(&domain);

	free(base);
	return error;
}

static _Noreturn void serve(struct janitor janitor, pid_t launcher)
{
	static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP};

	setsid();
	prctl(PR_SET_NAME, "remit-janitor");
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	/* Whoever waits for the end of the session's output must not wait for us. */
	if (dup2(janitor.socket, OWN_SOCKET) < 0 || dup2(janitor.folder_fd, OWN_FOLDER) < 0 ||
	    dup2(janitor.tmp_fd, OWN_TMP) < 0 || confine(&janitor) || chdir("/"))
		_exit(1);
	close_rest();
	janitor.folder_fd = OWN_FOLDER;
	janitor.tmp_fd = OWN_TMP;
	/* A launcher that was killed in the meantime hears nothing, and leaves its folder to us. */
	if (write(OWN_SOCKET, "", 1) == 1)
		janitor_ipc_serve(OWN_SOCKET, janitor.session_id, launcher);
	/* What the agent could not enter is not entered here: capabilities that its manifest keeps
	 * are the launcher's, who has a try at what is left. */
	if (kernel_drop_capabilities(0))
		_exit(1);
	alarm(GIVE_UP_SECONDS);
	remove_all(OWN_SOCKET, &janitor);
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
		/* Above the numbers that serve() puts them to. */
		struct janitor own = *janitor;

		own.socket = fcntl(ends[1], F_DUPFD, OWN_COUNT);
		own.folder_fd = fcntl(janitor->folder_fd, F_DUPFD, OWN_COUNT);
		own.tmp_fd = fcntl(janitor->tmp_fd, F_DUPFD, OWN_COUNT);
		serve(own, launcher);
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
		tell(janitor, remove_private(janitor));
	if (janitor->tmp_fd >= 0)
		close(janitor->tmp_fd);
	if (janitor->folder_fd >= 0)
		close(janitor->folder_fd);
	free(janitor->folder);
	free(janitor->tmp);
	*janitor = (struct janitor){.socket = -1, .folder_fd = -1, .tmp_fd = -1};
}
