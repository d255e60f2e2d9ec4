/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts for conditions: see facts.h. A fact that cannot be learnt is not there, and the condition
 * is not met.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "shim/broker/facts.h"
#include "shim/broker/nest.h"
#include "shim/broker/terminal.h"
#include "shim/kernel/kernel.h"

int facts_sha256(int handle, uint8_t out[32])
{
	char self_path[32];
	int fd = open(object_self_path(handle, self_path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	int error = kernel_sha256(fd, out);

	close(fd);
	return error;
}

/* tty-index of fdinfo, -1 when the fd is no pty master. */
static int master_index(int process, const char *fd)
{
	char path[NAME_MAX + 16], text[1024];

	snprintf(path, sizeof(path), "fdinfo/%s", fd);
	int file = openat(process, path, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		return -1;
	ssize_t n = read(file, text, sizeof(text) - 1);

	close(file);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	const char *at = strstr(text, "tty-index:");

	return at ? atoi(at + strlen("tty-index:")) : -1;
}

static bool holds_master(int process, int index)
{
	int fds = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fds < 0 ? NULL : fdopendir(fds);
	bool found = false;

	if (!dir) {
		if (fds >= 0)
			close(fds);
		return false;
	}
	for (struct dirent *entry; !found && (entry = readdir(dir));) {
		char target[32];
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (n <= 0)
			continue;
		target[n] = '\0';
		if (strcmp(target, "/dev/ptmx") == 0 || strcmp(target, "/dev/pts/ptmx") == 0)
			found = master_index(process, entry->d_name) == index;
	}
	closedir(dir);
	return found;
}

static bool session_holds_master(struct broker *broker, const struct nested *nested, int index)
{
	DIR *proc = opendir("/proc");
	bool found = false;

	if (!proc)
		return false;
	for (struct dirent *entry; !found && (entry = readdir(proc));) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (pid <= 0 || *end || pid == broker_pid(broker))
			continue;
		/* Held open across the question, so that both are about the same process. */
		int process = openat(dirfd(proc), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (process < 0)
			continue;
		found = nest_holds(broker, nested, (pid_t)pid) && holds_master(process, index);
		close(process);
	}
	closedir(proc);
	return found;
}

bool facts_session_terminal(struct broker *broker, const struct nested *nested, int handle)
{
	struct stat st, pts;
	struct statfs fs;

	if (fstat(handle, &st) != 0 || !S_ISCHR(st.st_mode) ||
	    major(st.st_rdev) != PTY_SLAVE_MAJOR || fstatfs(handle, &fs) != 0 ||
	    fs.f_type != DEVPTS_SUPER_MAGIC)
		return false;
	/* An index says nothing about another instance of devpts. */
	if (stat("/dev/pts", &pts) != 0 || pts.st_dev != st.st_dev)
		return false;
	int index = (int)minor(st.st_rdev);

	int own = nested ? nested->tty_index : broker_tty_index(broker);

	return index == own || session_holds_master(broker, nested, index);
}
