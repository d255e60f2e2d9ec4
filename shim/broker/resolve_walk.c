/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk by hand, for paths that mean something else to the broker than to the caller: those that
 * touch /proc/self, /proc/thread-self, magic links. One component at a time, each opened with
 * O_NOFOLLOW relative to the handle before it, so nothing is ever looked up twice.
 *
 * A magic link is followed by the kernel and counts as what it leads to; one of a process outside
 * the session is not followed: the link itself is then the object. At most 40 links (MAXSYMLINKS,
 * linux/namei.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/broker/resolve.h"

#define LINKS_MAX 40
#define TEXT_MAX (3 * PATH_TEXT_MAX)

struct walk {
	struct request *request;
	struct object *out;
	unsigned int flags;
	int dir; /* where the rest of the text starts from; owned */
	unsigned int links;
	char *rest; /* into text */
	char text[TEXT_MAX];
	/* of the component at hand */
	char name[NAME_MAX + 1];
	size_t name_len;
	bool last, slash;
};

/* Replaces what was read so far by the target of a link. */
static int splice_text(struct walk *walk, const char *target, size_t len)
{
	size_t rest = strlen(walk->rest);
	bool gap = rest > 0 || walk->slash;

	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	if (len == 0)
		return -ENOENT;
	if (len + gap + rest >= TEXT_MAX)
		return -ENAMETOOLONG;
	memmove(walk->text + len + gap, walk->rest, rest + 1);
	memcpy(walk->text, target, len);
	if (gap)
		walk->text[len] = '/';
	walk->rest = walk->text;
	if (target[0] != '/')
		return 0;
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return -errno;
	close(walk->dir);
	walk->dir = root;
	return 0;
}

/* Reads the next component; false at the end of the text. */
static int next_name(struct walk *walk)
{
	while (*walk->rest == '/')
		walk->rest++;
	size_t len = strcspn(walk->rest, "/");

	if (len == 0)
		return 0;
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(walk->name, walk->rest, len);
	walk->name[len] = '\0';
	walk->name_len = len;
	walk->rest += len;
	walk->slash = *walk->rest == '/';
	walk->last = walk->rest[strspn(walk->rest, "/")] == '\0';
	return 1;
}

/* The walk ends at fd (owned from here on). */
static int arrive(struct walk *walk, int fd, bool by_fd)
{
	walk->out->slash = walk->out->slash || (walk->last && walk->slash);
	return resolve_fill(walk->request, fd, by_fd, walk->out);
}

static int descend(struct walk *walk, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISDIR(st.st_mode)) {
		close(fd);
		return -ENOTDIR;
	}
	close(walk->dir);
	walk->dir = fd;
	return 1;
}

/* fs.protected_symlinks, which the kernel cannot check when it is not the one that follows: in a
 * sticky folder that all may write, only one's own link and the folder's owner's count. */
static bool may_follow(int dir, const struct stat *link)
{
	struct stat st;

	if (fstat(dir, &st) != 0)
		return false;
	if ((st.st_mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH))
		return true;
	return link->st_uid == geteuid() || link->st_uid == st.st_uid;
}

/* Where in procfs a folder is: the process's number, 0: at its top, -1: elsewhere, -2: not to be
 * known. */
static long proc_place(int dir, bool *fd_folder)
{
	char self_path[32], path[128], *end;
	ssize_t n = readlink(object_self_path(dir, self_path), path, sizeof(path) - 1);

	*fd_folder = false;
	if (n <= 0 || n == (ssize_t)sizeof(path) - 1)
		return -2;
	path[n] = '\0';
	if (strcmp(path, "/proc") == 0)
		return 0;
	if (strncmp(path, "/proc/", 6) != 0)
		return -1;
	long pid = strtol(path + 6, &end, 10);

	if (end == path + 6 || pid <= 0 || (*end && *end != '/'))
		return -1;
	*fd_folder = strcmp(end, "/fd") == 0;
	return pid;
}

/* /proc/self and /proc/thread-self, whose text depends on who reads it. 1: spliced. */
static int splice_own(struct walk *walk)
{
	char target[64];
	pid_t tgid;
	int n;

	if (strcmp(walk->name, "self") != 0 && strcmp(walk->name, "thread-self") != 0)
		return 0;
	if (walk->last && !walk->slash && (walk->flags & RESOLVE_NOFOLLOW_LAST))
		return 0;
	tgid = request_tgid(walk->request);
	if (tgid < 0)
		return tgid;
	if (walk->name[0] == 's')
		n = snprintf(target, sizeof(target), "%d", tgid);
	else
		n = snprintf(target, sizeof(target), "%d/task/%d", tgid, walk->request->tid);
	int error = splice_text(walk, target, (size_t)n);

	return error ? error : 1;
}

/* link: O_PATH of the magic link itself, owned from here on. */
static int step_magic(struct walk *walk, int link, long pid, bool fd_folder)
{
	pid_t tgid = request_tgid(walk->request);
	bool own = pid == tgid || pid == walk->request->tid;

	if (tgid < 0) {
		close(link);
		return tgid;
	}
	/* Following it would need the right to trace that process, and the broker's is wider than
	 * the caller's. The link itself is judged instead. */
	if (!own && (pid == broker_pid(walk->request->broker) ||
		     !process_in_session(walk->request, (pid_t)pid))) {
		walk->last = true;
		walk->slash = false;
		return arrive(walk, link, false);
	}
	close(link);
	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	int target = openat(walk->dir, walk->name, O_PATH | O_CLOEXEC);

	if (target < 0)
		return -errno;
	if (!walk->last)
		return descend(walk, target);
	walk->out->by_magic_link = true;
	if (own && fd_folder)
		walk->out->magic_fd = atoi(walk->name);
	return arrive(walk, target, true);
}

static int step_link(struct walk *walk, int link, const struct stat *st)
{
	char target[PATH_TEXT_MAX];

	if (!may_follow(walk->dir, st)) {
		close(link);
		return -EACCES;
	}
	ssize_t n = readlinkat(link, "", target, sizeof(target));
	int error = n < 0 ? -errno : 0;

	close(link);
	if (error)
		return error;
	if (n == (ssize_t)sizeof(target))
		return -ENAMETOOLONG;
	error = splice_text(walk, target, (size_t)n);
	return error ? error : 1;
}

/* 1: go on, 0: arrived, else a negative errno. */
static int step(struct walk *walk)
{
	struct stat dir_st, st;
	bool fd_folder = false;
	long place = -1;

	if (fstat(walk->dir, &dir_st) != 0)
		return -errno;
	if (resolve_is_proc(walk->dir, &dir_st)) {
		place = proc_place(walk->dir, &fd_folder);
		int own = place == 0 ? splice_own(walk) : place == -2 ? -EACCES : 0;

		if (own != 0)
			return own;
	}
	int fd = openat(walk->dir, walk->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		if (errno == ENOENT && walk->last && (walk->flags & RESOLVE_CREATE) &&
		    strcmp(walk->name, "..") != 0) {
			int parent = walk->dir;

			walk->dir = -1;
			walk->out->slash = walk->out->slash || walk->slash;
			return resolve_fill_parent(walk->request, parent, walk->name,
						   walk->name_len, walk->out);
		}
		return -errno;
	}
	if (fstat(fd, &st) != 0) {
		close(fd);
		return -EACCES;
	}
	bool stop_at_link = walk->last && !walk->slash && (walk->flags & RESOLVE_NOFOLLOW_LAST);

	if (S_ISLNK(st.st_mode) && !stop_at_link)
		return place > 0 ? step_magic(walk, fd, place, fd_folder)
				 : step_link(walk, fd, &st);
	return walk->last ? arrive(walk, fd, false) : descend(walk, fd);
}

/* The text ended where the walk stands: "/", ".", or a link to such. */
static int arrive_here(struct walk *walk)
{
	int fd = walk->dir;

	walk->dir = -1;
	return arrive(walk, fd, false);
}

int resolve_walk(struct request *request, int base, const char *path, unsigned int flags,
		 struct object *out)
{
	struct walk walk = {.request = request, .out = out, .flags = flags, .last = true};
	int more;

	if (strlen(path) >= PATH_TEXT_MAX)
		return -ENAMETOOLONG;
	strcpy(walk.text, path);
	walk.rest = walk.text;
	walk.dir = path[0] == '/' ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)
				  : fcntl(base, F_DUPFD_CLOEXEC, 0);
	if (walk.dir < 0)
		return -errno;
	for (;;) {
		more = next_name(&walk);
		if (more == 0)
			more = arrive_here(&walk);
		else if (more > 0)
			more = step(&walk);
		if (more <= 0)
			break;
	}
	if (walk.dir >= 0)
		close(walk.dir);
	return more;
}
