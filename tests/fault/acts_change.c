/* SPDX-License-Identifier: Apache-2.0 */
/* Names and attributes: each change beneath gap/ (granted) and of out/ and ro/ (refused). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#include "tests/fault/acts.h"

/* An act in the folder that is granted, and the same in the one that is not. */
#define BOTH(name, call)                                                                           \
	static int name##_in(const char *folder)                                                   \
	{                                                                                          \
		char at[200], to[200];                                                             \
		snprintf(at, sizeof(at), "%s/%s/file", place.root, folder);                        \
		snprintf(to, sizeof(to), "%s/%s/" #name, place.root, folder);                      \
		return acts_result(call);                                                          \
	}                                                                                          \
	static int name(void)                                                                      \
	{                                                                                          \
		return name##_in("gap");                                                           \
	}                                                                                          \
	static int name##_outside(void)                                                            \
	{                                                                                          \
		return name##_in("out");                                                           \
	}

static int removed(int result, const char *path)
{
	int error = errno;

	unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
	unlink(path);
	errno = error;
	return result;
}

/* Moves there and back. */
static int moved(const char *at, const char *to)
{
	if (rename(at, to) != 0)
		return -1;
	return rename(to, at);
}

static int by_fd(const char *path, int how)
{
	int fd = open(path, O_RDONLY), result = -1;

	if (fd < 0)
		return -1;
	if (how == 0)
		result = fchmod(fd, 0640);
	else if (how == 1)
		result = fchown(fd, getuid(), getgid());
	else if (how == 2)
		result = futimens(fd, NULL);
	else if (how == 3)
		result = fsetxattr(fd, "user.remit", "fd", 2, 0);
	else
		result = fremovexattr(fd, "user.remit");
	int error = errno;

	close(fd);
	errno = error;
	return result;
}

static const struct utimbuf back = {1, 2};

BOTH(make_folder, removed(mkdir(to, 0755), to))
BOTH(make_fifo, removed(mknod(to, S_IFIFO | 0600, 0), to))
BOTH(make_symlink, removed(symlink("file", to), to))
BOTH(make_link, removed(link(at, to), to))
BOTH(move, moved(at, to))
BOTH(cut, truncate(at, 3))
BOTH(remove_name, unlink(strcat(at, ".spare")))
BOTH(remove_folder, rmdir(strcat(at, ".folder")))
BOTH(mode, chmod(at, 0644))
BOTH(owner, lchown(at, getuid(), getgid()))
BOTH(times, utimensat(AT_FDCWD, at, NULL, 0))
BOTH(old_times, utime(at, &back))
BOTH(set_xattr, setxattr(at, "user.remit", "path", 4, 0))
BOTH(remove_xattr, removexattr(at, "user.remit"))
BOTH(mode_by_fd, by_fd(at, 0))
BOTH(owner_by_fd, by_fd(at, 1))
BOTH(times_by_fd, by_fd(at, 2))
BOTH(set_xattr_by_fd, by_fd(at, 3))
BOTH(remove_xattr_by_fd, by_fd(at, 4))

/* ro/ may be read, so that an fd can be had; nothing of it may be changed. */
static int read_only_mode(void)
{
	return acts_result(by_fd(acts_path("ro/data"), 0));
}

static int read_only_times(void)
{
	return acts_result(by_fd(acts_path("ro/data"), 2));
}

static int read_only_xattr(void)
{
	return acts_result(by_fd(acts_path("ro/data"), 3));
}

/* Two granted names, two folders; a folder; an exchange; what a denial lies beneath. */
static int move_between(void)
{
	return acts_result(moved(acts_path("gap/file"), acts_path("gap/sub/file")));
}

static int move_folder(void)
{
	return acts_result(moved(acts_path("gap/folder"), acts_path("gap/folder2")));
}

static int exchange(void)
{
	const char *one = acts_path("gap/file"), *other = acts_path("gap/data");

	return acts_result(syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, 2));
}

static int move_out_of_denial(void)
{
	return acts_result(rename(acts_path("in/secret"), acts_path("in/public")));
}

static int move_denied_folder(void)
{
	return acts_result(rename(acts_path("in"), acts_path("gap/in")));
}

static int link_secret(void)
{
	return acts_result(link(acts_path("out/secret"), acts_path("gap/hard")));
}

static int link_denied(void)
{
	return acts_result(link(acts_path("in/secret"), acts_path("in/hard")));
}

static int link_read_only(void)
{
	return acts_result(link(acts_path("ro/data"), acts_path("gap/hard2")));
}

/* A link where a grant names the very place: the next session would follow it. */
static int link_at_place(void)
{
	if (symlink(acts_path("out/secret"), acts_path("gap/evil")) != 0 && errno != EEXIST)
		return -errno;
	return acts_result(rename(acts_path("gap/evil"), acts_path("state/named")));
}

static int link_by_fd(void)
{
	char path[64];
	int fd = open(acts_path("gap"), O_RDWR | O_TMPFILE, 0600);

	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int error = acts_result(
	    linkat(AT_FDCWD, path, AT_FDCWD, acts_path("gap/linked"), AT_SYMLINK_FOLLOW));

	close(fd);
	unlink(acts_path("gap/linked"));
	return error;
}

static int beyond_file_size(void)
{
	return acts_result(truncate(acts_path("gap/big"), 64L << 20));
}

#define PAIR(name)                                                                                 \
	{#name, 0, name},                                                                          \
	{                                                                                          \
#name " outside", 1, name##_outside                                                \
	}

const struct act change_acts[] = {
    PAIR(make_folder),
    PAIR(make_fifo),
    PAIR(make_symlink),
    PAIR(make_link),
    PAIR(move),
    PAIR(cut),
    PAIR(mode),
    PAIR(owner),
    PAIR(times),
    PAIR(old_times),
    PAIR(set_xattr),
    PAIR(remove_xattr),
    PAIR(mode_by_fd),
    PAIR(owner_by_fd),
    PAIR(times_by_fd),
    PAIR(set_xattr_by_fd),
    PAIR(remove_xattr_by_fd),
    PAIR(remove_name),
    PAIR(remove_folder),
    {"mode of what is for reading", 1, read_only_mode},
    {"times of what is for reading", 1, read_only_times},
    {"xattr of what is for reading", 1, read_only_xattr},
    {"move between folders", 0, move_between},
    {"move a folder", 0, move_folder},
    {"exchange", 0, exchange},
    {"move out of a denial", 1, move_out_of_denial},
    {"move a folder with a denial", 1, move_denied_folder},
    {"link to a secret", 1, link_secret},
    {"link to what is denied", 1, link_denied},
    {"link to what is for reading", 1, link_read_only},
    {"link at a granted place", 1, link_at_place},
    {"link by fd", 0, link_by_fd},
    {"beyond the file size", 1, beyond_file_size},
    {NULL, 0, NULL},
};
