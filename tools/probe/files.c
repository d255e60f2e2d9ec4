/* SPDX-License-Identifier: Apache-2.0 */
/* P0–P18, L1, U1: files by every road to them. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "shim/common/protocol.h"
#include "tools/probe/call.h"
#include "tools/probe/probe.h"

#define S const struct probe_stage *s
#define OUT(file) probe_path(s, "out", file)

static long open_at(const char *path, int flags)
{
	return CALL(open(path, flags, 0644), SYS_open, path, flags, 0644);
}

static void make_link(const char *to, const char *path)
{
	(void)!CALL(symlink(to, path), SYS_symlink, to, path);
}

static void move(const char *from, const char *to)
{
	(void)!CALL(rename(from, to), SYS_rename, from, to);
}

static void granted_read(S)
{
	probe_show(open_at(probe_path(s, "ro", "data"), O_RDONLY));
}

static void link_read(S)
{
	make_link(OUT("secret"), probe_path(s, "free", "l"));
	probe_show(open_at(probe_path(s, "free", "l"), O_RDONLY));
}

static void link_create(S)
{
	make_link(OUT("new"), probe_path(s, "free", "l"));
	probe_put(open_at(probe_path(s, "free", "l"), O_WRONLY | O_CREAT));
}

static void self_root(S)
{
	probe_show(open_at(probe_text("/proc/self/root%s", OUT("secret")), O_RDONLY));
}

static void self_cwd(S)
{
	if (chdir(OUT(NULL)) == 0)
		probe_show(open_at("/proc/self/cwd/secret", O_RDONLY));
}

static void relative(S)
{
	if (chdir(OUT(NULL)) == 0)
		probe_show(open_at("secret", O_RDONLY));
}

static void reopen_proc(S)
{
	long fd = open_at(probe_path(s, "ro", "data"), O_RDONLY);

	probe_put(open_at(probe_text("/proc/self/fd/%ld", fd), O_WRONLY));
}

static void handle_reopen(S)
{
	long fd = open_at(OUT("secret"), O_PATH);

	probe_show(open_at(probe_text("/proc/self/fd/%ld", fd), O_RDONLY));
}

static void stranger_environ(S)
{
	probe_show(open_at(probe_text("/proc/%d/environ", s->stranger), O_RDONLY));
}

static void stranger_fd(S)
{
	probe_show(open_at(probe_text("/proc/%d/fd/7", s->stranger), O_RDONLY));
}

static void stranger_root(S)
{
	probe_show(open_at(probe_text("/proc/%d/root%s", s->stranger, OUT("secret")), O_RDONLY));
}

static void link_denied(S)
{
	const char *from = probe_path(s, "in/denied", NULL), *to = probe_path(s, "free", "copy");

	(void)!CALL(link(from, to), SYS_link, from, to);
	probe_show(open_at(to, O_RDONLY));
}

static void rename_denied(S)
{
	move(probe_path(s, "in/denied", NULL), probe_path(s, "free", "copy"));
	probe_show(open_at(probe_path(s, "free", "copy"), O_RDONLY));
}

static void move_folder(S)
{
	/* in/NAME holds a denied name. */
	move(probe_path(s, "in", NULL), probe_path(s, "free", "moved"));
	probe_show(open_at(probe_path(s, "free", "moved/.env"), O_RDONLY));
}

static void plain_open(S)
{
	probe_show(open_at(OUT("secret"), O_RDONLY));
}

static void plain_stream(S)
{
	char buf[256];
	FILE *stream = fopen(OUT("secret"), "r");

	if (stream && fgets(buf, sizeof(buf), stream))
		printf("%s\n", buf);
	if (stream)
		fclose(stream);
	fflush(stdout);
}

static void open_how(S)
{
	struct open_how how = {.flags = O_RDONLY};
	const char *path = OUT("secret");

	probe_show(CALL(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)), SYS_openat2,
			AT_FDCWD, path, &how, sizeof(how)));
}

static void create_over(S)
{
	const char *path = OUT("victim");

	probe_put(CALL(creat(path, 0644), SYS_creat, path, 0644));
}

static void open_truncate(S)
{
	probe_show(open_at(probe_path(s, "ro", "data"), O_RDONLY | O_TRUNC));
}

static void denied_read(S)
{
	probe_show(open_at(probe_path(s, "in/denied", NULL), O_RDONLY));
}

static void denied_glob(S)
{
	probe_show(open_at(probe_path(s, "in", ".env"), O_RDONLY));
}

static void remove_file(S)
{
	const char *path = OUT("victim");

	(void)!CALL(unlink(path), SYS_unlink, path);
}

static void make_folder(S)
{
	const char *path = OUT("made");

	(void)!CALL(mkdir(path, 0755), SYS_mkdir, path, 0755);
}

static void make_link_outside(S)
{
	make_link("secret", OUT("made"));
}

static void truncate_file(S)
{
	const char *path = OUT("victim");

	(void)!CALL(truncate(path, 0), SYS_truncate, path, 0);
}

static void change_mode(S)
{
	const char *path = OUT("victim");

	(void)!CALL(chmod(path, 0600), SYS_chmod, path, 0600);
}

static void change_mode_fd(S)
{
	long fd = open_at(probe_path(s, "ro", "data"), O_RDONLY);

	(void)!CALL(fchmod((int)fd, 0600), SYS_fchmod, fd, 0600);
}

static void change_owner(S)
{
	const char *path = OUT("victim");

	(void)!CALL(chown(path, getuid(), getgid()), SYS_chown, path, getuid(), getgid());
}

static void change_times(S)
{
	const char *path = OUT("victim");

	(void)!CALL(utimensat(AT_FDCWD, path, NULL, 0), SYS_utimensat, AT_FDCWD, path, 0, 0);
}

static void set_attribute(S)
{
	const char *path = OUT("victim");

	(void)!CALL(setxattr(path, "user.remit", "x", 1, 0), SYS_setxattr, path, "user.remit", "x",
		    1, 0);
}

static void late_create(S)
{
	probe_put(open_at(probe_text("%s/in/late.%s", s->root, s->name), O_WRONLY | O_CREAT));
}

static void late_rename(S)
{
	probe_put(open_at(probe_path(s, "in", "mine"), O_WRONLY | O_CREAT));
	move(probe_path(s, "in", "mine"), probe_text("%s/in/late.%s", s->root, s->name));
}

static void dots(S)
{
	probe_show(
	    open_at(probe_text("%s/free/.././/out/./%s/secret", s->root, s->name), O_RDONLY));
}

static void device(S)
{
	const char *path = probe_path(s, "free", "null");

	/* /dev/null under another name. */
	probe_did(s, CALL(mknod(path, S_IFCHR | 0600, makedev(1, 3)), SYS_mknod, path,
			  S_IFCHR | 0600, makedev(1, 3)) == 0);
}

static void by_handle(S)
{
	struct {
		struct file_handle handle;
		unsigned char bytes[128];
	} name = {.handle.handle_bytes = 128};
	const char *path = OUT("secret");
	int mount = 0;
	long fd = open_at(probe_path(s, "free", NULL), O_RDONLY | O_DIRECTORY);

	if (CALL(name_to_handle_at(AT_FDCWD, path, &name.handle, &mount, 0), SYS_name_to_handle_at,
		 AT_FDCWD, path, &name.handle, &mount, 0) == 0)
		probe_show(CALL(open_by_handle_at((int)fd, &name.handle, O_RDONLY),
				SYS_open_by_handle_at, fd, &name.handle, O_RDONLY));
}

static void watch(S)
{
	int fd = inotify_init1(IN_CLOEXEC);
	const char *path = OUT(NULL);

	probe_did(s, CALL(inotify_add_watch(fd, path, IN_ALL_EVENTS), SYS_inotify_add_watch, fd,
			  path, IN_ALL_EVENTS) >= 0);
}

static void foreign_terminal(S)
{
	long fd = open_at(s->terminal, O_WRONLY | O_NOCTTY | O_NONBLOCK);

	if (fd >= 0)
		(void)!write((int)fd, "x", 1);
}

static void tagged_open(S)
{
	/* The fast lane's mark is no secret. */
	probe_show(RAW_CALL(SYS_openat, AT_FDCWD, OUT("secret"), O_RDONLY, 0, 0, REMIT_TAG));
}

static void tagged_mode(S)
{
	(void)!RAW_CALL(SYS_chmod, OUT("victim"), 0600, 0, 0, 0, REMIT_TAG);
}

static void hidden_open(S)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	probe_show(open_at(OUT("secret"), O_RDONLY));
}

static void hidden_mode(S)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	change_mode(s);
}

static const struct probe items[] = {
    {"P0-granted-read", "reading what the manifest grants", PROBE_MUST_WORK, granted_read},
    {"P1-link-read", "reading through a link that leads outside", 0, link_read},
    {"P1-link-create", "making a file through a link to nowhere", 0, link_create},
    {"P3-self-root", "reading through /proc/self/root", 0, self_root},
    {"P3-self-cwd", "reading through /proc/self/cwd", 0, self_cwd},
    {"P3-relative", "reading from a folder that was gone to", 0, relative},
    {"P4-reopen-proc", "reopening a read-only file for writing", 0, reopen_proc},
    {"P4-handle-reopen", "opening a handle without rights again", 0, handle_reopen},
    {"P5-stranger-environ", "another process's environment", 0, stranger_environ},
    {"P5-stranger-fd", "another process's open file", 0, stranger_fd},
    {"P5-stranger-root", "another process's root", 0, stranger_root},
    {"P6-link-denied", "a second name for a denied file", 0, link_denied},
    {"P6-rename-denied", "another name for a denied file", 0, rename_denied},
    {"P7-move-folder", "moving the folder of a denied file", 0, move_folder},
    {"P8-open", "opening what is not granted", 0, plain_open},
    {"P8-fopen", "the same, through stdio", 0, plain_stream},
    {"P8-openat2", "the same, by openat2", 0, open_how},
    {"P8-creat", "overwriting what is not granted", 0, create_over},
    {"P8-trunc", "emptying a file that may be read", 0, open_truncate},
    {"P8-denied", "reading a denied file in a granted folder", 0, denied_read},
    {"P8-denied-glob", "reading what a pattern denies", 0, denied_glob},
    {"P9-truncate", "cutting a file", 0, truncate_file},
    {"P9-unlink", "removing a file", 0, remove_file},
    {"P9-mkdir", "making a folder", 0, make_folder},
    {"P9-symlink", "making a link", 0, make_link_outside},
    {"P10-chmod", "changing the mode of a file", 0, change_mode},
    {"P10-fchmod", "the same, through a read-only descriptor", 0, change_mode_fd},
    {"P10-chown", "changing the owner of a file", 0, change_owner},
    {"P10-utimensat", "changing the times of a file", 0, change_times},
    {"P10-setxattr", "setting an attribute of a file", 0, set_attribute},
    {"P11-create", "making a file with a denied name", 0, late_create},
    {"P11-rename", "giving a file a denied name", 0, late_rename},
    {"P12-dots", "a path with dots and slashes", 0, dots},
    {"P14-device", "making a device node", PROBE_ROOT, device},
    {"P16-open-by-handle", "opening without a path", PROBE_ROOT, by_handle},
    {"P17-inotify", "watching a folder", 0, watch},
    {"P18-foreign-terminal", "writing to another terminal", PROBE_TERMINAL, foreign_terminal},
    {"L1-tagged-openat", "forging the fast lane's mark", 0, tagged_open},
    {"L1-tagged-chmod", "forging it where the kernel has no rule", 0, tagged_mode},
    {"U1-open", "opening from a process that cannot be looked into", 0, hidden_open},
    {"U1-chmod", "changing a mode from such a process", 0, hidden_mode},
};
const struct probe_table probe_files = {items, sizeof(items) / sizeof(*items)};
