/* SPDX-License-Identifier: Apache-2.0 */
/* Opening: each way of resolve.c, resolve_walk.c and files_open*.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fault/acts.h"

/* What could be read is printed: run.py looks for its token. */
static int show(long fd)
{
	char text[256];

	if (fd < 0)
		return -errno;
	ssize_t n = read((int)fd, text, sizeof(text));

	if (n > 0)
		(void)!write(1, text, (size_t)n);
	close((int)fd);
	return 0;
}

static long raw_open(const char *path, int flags)
{
	return syscall(SYS_openat, AT_FDCWD, path, flags, 0644);
}

static int read_granted(void)
{
	return acts_closed(raw_open(acts_path("gap/data"), O_RDONLY));
}

static int read_in_wall(void)
{
	return acts_closed(raw_open(acts_path("in/data"), O_RDONLY));
}

static int read_outside(void)
{
	return show(raw_open(acts_path("out/secret"), O_RDONLY));
}

static int read_denied(void)
{
	return show(raw_open(acts_path("in/secret"), O_RDONLY));
}

static int read_denied_glob(void)
{
	return show(raw_open(acts_path("gap/sub/a.key"), O_RDONLY));
}

static int read_by_link(void)
{
	return show(raw_open(acts_path("gap/link"), O_RDONLY));
}

static int read_by_dots(void)
{
	return show(raw_open(acts_path("gap/sub/../../out/secret"), O_RDONLY));
}

static int read_by_root(void)
{
	char path[300];

	snprintf(path, sizeof(path), "/proc/self/root%s", acts_path("out/secret"));
	return show(raw_open(path, O_RDONLY));
}

static int read_by_cwd(void)
{
	return show(raw_open("/proc/thread-self/cwd/../out/secret", O_RDONLY));
}

static int read_broker(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)getppid());
	return show(raw_open(path, O_RDONLY));
}

static int read_victim(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root/etc/passwd", (int)place.victim);
	return show(raw_open(path, O_RDONLY));
}

static int read_deleted_name(void)
{
	return show(raw_open(acts_path("in/note (deleted)"), O_RDONLY));
}

/* The name is then the kernel's own. */
static int read_deleted_name_up(void)
{
	return show(raw_open(acts_path("in/../in/note (deleted)"), O_RDONLY));
}

static int write_outside(void)
{
	return acts_closed(raw_open(acts_path("out/secret"), O_WRONLY | O_TRUNC));
}

static int write_read_only(void)
{
	return acts_closed(raw_open(acts_path("ro/data"), O_RDWR));
}

static int create_outside(void)
{
	return acts_closed(raw_open(acts_path("out/new"), O_WRONLY | O_CREAT));
}

static int create_by_dangling(void)
{
	return acts_closed(raw_open(acts_path("gap/dangling"), O_WRONLY | O_CREAT));
}

static int read_self(void)
{
	int error = acts_closed(raw_open("/proc/self/status", O_RDONLY));
	int other = acts_closed(raw_open("/proc/thread-self/comm", O_RDONLY));

	return error ? error : other;
}

static int read_link_inside(void)
{
	int error = acts_closed(raw_open(acts_path("gap/inner"), O_RDONLY));

	return error ? error : acts_closed(raw_open(acts_path("gap/sub/../inner"), O_RDONLY));
}

static int create_granted(void)
{
	int error = acts_closed(raw_open(acts_path("gap/made"), O_RDWR | O_CREAT));

	unlink(acts_path("gap/made"));
	return error;
}

static int create_excl(void)
{
	int error = acts_closed(raw_open(acts_path("gap/./excl"), O_RDWR | O_CREAT | O_EXCL));

	unlink(acts_path("gap/excl"));
	return error;
}

static int read_relative(void)
{
	int folder = open(acts_path("gap"), O_PATH | O_DIRECTORY);
	int error = acts_closed(syscall(SYS_openat, folder, "sub/../data", O_RDONLY, 0));

	if (!error)
		error = acts_closed(syscall(SYS_openat, folder, "data", O_RDONLY, 0));
	acts_closed(folder);
	return error;
}

static int read_folder(void)
{
	return acts_closed(raw_open(acts_path("gap/sub/"), O_RDONLY | O_DIRECTORY));
}

static int open_how(uint64_t flags, uint64_t resolve, const char *name)
{
	struct open_how how = {.flags = flags, .resolve = resolve};
	int folder = open(acts_path("gap"), O_PATH | O_DIRECTORY);

	how.mode = flags & O_CREAT ? 0600 : 0;
	int error = acts_closed(syscall(SYS_openat2, folder, name, &how, sizeof(how)));

	acts_closed(folder);
	return error;
}

static int open_beneath(void)
{
	int error = open_how(O_RDONLY, RESOLVE_BENEATH, "sub/plain");

	return error ? error : open_how(O_RDONLY, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, "/data");
}

static int create_beneath(void)
{
	int error = open_how(O_RDWR | O_CREAT, RESOLVE_BENEATH, "sub/how");

	unlink(acts_path("gap/sub/how"));
	return error;
}

static int open_how_outside(void)
{
	return open_how(O_RDONLY, RESOLVE_NO_XDEV, "../out/secret");
}

static int open_tmpfile(void)
{
	return acts_closed(raw_open(acts_path("gap"), O_RDWR | O_TMPFILE));
}

static int reopen_own(void)
{
	char path[64];
	int fd = open(acts_path("gap/data"), O_RDONLY);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int error = fd < 0 ? -errno : acts_closed(raw_open(path, O_RDONLY));

	acts_closed(fd);
	return error;
}

static int reopen_wider(void)
{
	char path[64];
	int fd = open(acts_path("ro/data"), O_RDONLY);

	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	int error = fd < 0 ? -errno : acts_closed(raw_open(path, O_RDWR));

	acts_closed(fd);
	return error;
}

static int reopen_deleted(void)
{
	char path[64];
	int fd = open(acts_path("gap/gone"), O_RDWR | O_CREAT, 0600);

	if (fd < 0)
		return -errno;
	unlink(acts_path("gap/gone"));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int error = acts_closed(raw_open(path, O_RDWR));

	close(fd);
	return error;
}

static int open_fifo(void)
{
	const char *path = acts_path("gap/fifo");
	pid_t reader = fork();

	if (reader == 0) {
		alarm(4);
		_exit(acts_closed(raw_open(path, O_RDONLY)) != 0);
	}
	if (reader < 0)
		return -errno;
	/* Never waits for a reader that was refused. */
	int error = -ENXIO;

	for (int i = 0; i < 60 && error == -ENXIO; i++) {
		error = acts_closed(raw_open(path, O_WRONLY | O_NONBLOCK));
		if (error)
			usleep(5000);
		if (waitpid(reader, NULL, WNOHANG) == reader)
			return error;
	}
	kill(reader, SIGKILL);
	waitpid(reader, NULL, 0);
	return error;
}

static int watch_granted(void)
{
	int instance = inotify_init1(IN_CLOEXEC);
	int error = acts_result(inotify_add_watch(instance, acts_path("gap"), IN_OPEN));

	close(instance);
	return error;
}

static int watch_outside(void)
{
	int instance = inotify_init1(IN_CLOEXEC);
	int error = acts_result(inotify_add_watch(instance, acts_path("out"), IN_OPEN));

	close(instance);
	return error;
}

/* A caller whose memory cannot be read: the wall has the word for files, nothing else is done. */
static int undumpable(int (*act)(void))
{
	int error = -EAGAIN, status;
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		_exit(-act() & 0xff);
	}
	if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status))
		error = -WEXITSTATUS(status);
	return error;
}

static int unreadable_in_wall(void)
{
	return undumpable(read_in_wall);
}

static int unreadable_outside(void)
{
	return undumpable(read_outside);
}

const struct act file_acts[] = {
    {"read granted", 0, read_granted},
    {"read in the wall", 0, read_in_wall},
    {"read outside", 1, read_outside},
    {"read denied", 1, read_denied},
    {"read denied by pattern", 1, read_denied_glob},
    {"read by a link", 1, read_by_link},
    {"read by dots", 1, read_by_dots},
    {"read by /proc/self/root", 1, read_by_root},
    {"read by /proc/thread-self/cwd", 1, read_by_cwd},
    {"read the broker's environment", 1, read_broker},
    {"read by a stranger's root", 1, read_victim},
    {"read a name that looks deleted", 1, read_deleted_name},
    {"read a name that looks deleted by ..", 1, read_deleted_name_up},
    {"write outside", 1, write_outside},
    {"write what is for reading", 1, write_read_only},
    {"create outside", 1, create_outside},
    {"create by a dangling link", 1, create_by_dangling},
    {"read of /proc/self", 0, read_self},
    {"read by a link inside", 0, read_link_inside},
    {"create", 0, create_granted},
    {"create anew", 0, create_excl},
    {"read relative", 0, read_relative},
    {"read a folder", 0, read_folder},
    {"open beneath", 0, open_beneath},
    {"create beneath", 0, create_beneath},
    {"open how outside", 1, open_how_outside},
    {"open without a name", 0, open_tmpfile},
    {"reopen one's own", 0, reopen_own},
    {"reopen for more", 1, reopen_wider},
    {"reopen deleted", 0, reopen_deleted},
    {"open a FIFO", 0, open_fifo},
    {"watch", 0, watch_granted},
    {"watch outside", 1, watch_outside},
    {"unreadable, in the wall", 0, unreadable_in_wall},
    {"unreadable, outside", 1, unreadable_outside},
    {NULL, 0, NULL},
};
