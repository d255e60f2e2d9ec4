// SPDX-License-Identifier: Apache-2.0
/*
 * Guarantees: nothing is removed but what the private ${TMP} itself holds, whatever the agent left
 * in it and whatever stands in its place: it is emptied by a descriptor that was opened before the
 * agent was there (scratch.c), with none of the operator's privileges, and in a Landlock domain that
 * lets nothing else be removed than that, and empty folders.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/plan/access.h"
#include "shim/kernel/kernel.h"
#include "tools/janitor_internal.h"
#include "tools/janitor_ipc.h"
#include "tools/scratch.h"

/* A process that outlived its broker could go on making files: the janitor gives up then. */
#define GIVE_UP_SECONDS 300
#define ROUNDS 3 /* without a pause: what fails once may be over */

/* The janitor's own numbers. */
enum { OWN_SOCKET, OWN_FOLDER, OWN_TMP };

/* All but those. What a container without the call leaves open is nobody's but ours. */
static void close_rest(void)
{
	if (!close_range(JANITOR_FDS, UINT_MAX, 0))
		return;
	long limit = sysconf(_SC_OPEN_MAX);

	for (int fd = JANITOR_FDS; fd < (limit > 0 && limit < 65536 ? limit : 65536); fd++)
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

int janitor_remove(const struct janitor *janitor)
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
		int error = janitor_remove(janitor);

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

_Noreturn void janitor_serve(struct janitor janitor, pid_t launcher)
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
