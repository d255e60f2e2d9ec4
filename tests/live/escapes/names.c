/* SPDX-License-Identifier: Apache-2.0 */
/* P11, P12, P13, P14, P17, P18: names that are odd, late, remit's own, devices or terminals. */
#include "tests/live/escapes/harness.h"

#include <pty.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

/* P11: denied names that do not exist yet. */

static void late_create(void)
{
	put_fd(sys_open(at("in/late.txt"), O_WRONLY | O_CREAT, 0644));
}

static void late_mkdir(void)
{
	sys_mkdir(at("in/late.txt"), 0755);
}

static void late_symlink(void)
{
	sys_symlink("ok.txt", at("in/late.txt"));
}

static void late_rename(void)
{
	sys_rename(at("in/ok.txt"), at("in/late.txt"));
}

static void late_link(void)
{
	sys_link(at("in/ok.txt"), at("in/late.txt"));
}

static void late_mknod(void)
{
	sys_mknod(at("in/late.txt"), S_IFIFO | 0644, 0);
}

static void late_bind_tmpfile(void)
{
	long fd = sys_open(at("in"), O_TMPFILE | O_RDWR, 0644);

	if (fd >= 0)
		sys_linkat(AT_FDCWD, text("/proc/self/fd/%ld", fd), AT_FDCWD, at("in/late.txt"),
			   AT_SYMLINK_FOLLOW);
}

static void glob_in_new_folder(void)
{
	sys_mkdir(at("in/a"), 0755);
	sys_mkdir(at("in/a/b"), 0755);
	put_fd(sys_open(at("in/a/b/.env"), O_WRONLY | O_CREAT, 0644));
}

static void glob_by_rename(void)
{
	sys_rename(at("in/ok.txt"), at("in/sub/made/.env"));
	sys_rename(at("in/ok.txt"), at("in/.env"));
}

static void glob_by_chdir(void)
{
	sys_mkdir(at("in/a"), 0755);
	if (chdir(at("in/a")) == 0)
		put_fd(sys_open(".env", O_WRONLY | O_CREAT, 0644));
}

static void glob_folder_moved_in(void)
{
	/* The folder is built where no denial reaches, then moved to where one does. */
	sys_mkdir(at("free/box"), 0755);
	put_fd(sys_open(at("free/box/.env"), O_WRONLY | O_CREAT, 0644));
	sys_rename(at("free/box"), at("in/box"));
}

/* P12: spellings. */

static void double_slash(void)
{
	show_file(text("/%s//out///secret", harness_root));
}

static void dots(void)
{
	show_file(at("free/./../free/../out/./secret"));
}

static void dots_through_file_folder(void)
{
	show_file(at("ro/dir/../../out/secret"));
}

static void dots_above_root(void)
{
	show_file(text("/../../..%s", at("out/secret")));
}

static void trailing_slash(void)
{
	long fd = sys_open(at("out/"), O_RDONLY | O_DIRECTORY, 0);
	char buf[1024];
	long got = fd < 0 ? -1 : sys_call(SYS_getdents64, fd, buf, sizeof(buf));

	if (got > 0 && write(STDOUT_FILENO, buf, (size_t)got) < 0)
		exit(3);
}

static void longest_path(void)
{
	static char path[4096];
	size_t tail = strlen(at("out/secret")), len = 0;

	/* 4095 bytes, the longest the kernel takes: "/./././…/ROOT/out/secret". */
	while (len + 2 + tail < sizeof(path) - 1) {
		path[len++] = '/';
		path[len++] = '.';
	}
	while (len + tail < sizeof(path) - 1)
		path[len++] = '/';
	memcpy(path + len, at("out/secret"), tail);
	path[len + tail] = '\0';
	show_file(path);
}

static void page_crossing(void)
{
	size_t page = 4096, len = strlen(at("out/secret")) + 1;
	char *map =
	    mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* The string ends with its page and the next page is not there. */
	munmap(map + page, page);
	memcpy(map + page - len, at("out/secret"), len);
	show_file(map + page - len);
}

static void odd_names(void)
{
	static char component[256];

	memset(component, 'n', 255);
	show_file(text("%s/%s", at("out/odd"), component));
}

static void odd_newline(void)
{
	show_file(at("out/odd/new\nline\",\"verdict\":\"allowed"));
}

static void odd_escape(void)
{
	show_file(at("out/odd/\033[2Jred"));
}

static void odd_bytes(void)
{
	show_file(at("out/odd/\xff\xfe\xc0\x80"));
}

static void odd_backslash(void)
{
	show_file(at("out/odd/back\\slash"));
}

static void odd_star(void)
{
	show_file(at("out/odd/*"));
}

/* P13: what remit itself stands on, although the manifest grants writing its folder. */

static void change_all(const char *path)
{
	put_fd(sys_open(path, O_WRONLY | O_APPEND, 0));
	sys_truncate(path, 0);
	put_fd(sys_creat(text("%s.new", path), 0644));
	sys_rename(text("%s.new", path), path);
	sys_unlink(path);
}

static void own_manifest(void)
{
	change_all(at("kit/manifest.yaml"));
}

static void own_log(void)
{
	change_all(at("kit/audit.jsonl"));
}

static void own_shim(void)
{
	change_all(at("kit/build/it/libremit.so"));
}

static void own_command(void)
{
	change_all(at("kit/build/it/remit"));
}

static void own_profile(void)
{
	change_all(at("kit/policy/profiles/base.yaml"));
}

static void own_folder(void)
{
	sys_rename(at("kit"), at("kit2"));
	sys_rename(at("kit/build"), at("kit/build2"));
}

static void own_manifest_link(void)
{
	sys_link(at("kit/manifest.yaml"), at("free/m"));
	put_fd(sys_open(at("free/m"), O_WRONLY | O_APPEND, 0));
}

static void own_log_mode(void)
{
	sys_chmod(at("kit/audit.jsonl"), 0);
}

/* P14, P17, P18. */

static void device(void)
{
	char zero = 1;
	long fd;

	/* /dev/zero (mem 5): harmless, and no profile needs to grant it under this name. */
	sys_mknod(at("free/zero"), S_IFCHR | 0666, makedev(1, 5));
	fd = sys_open(at("free/zero"), O_RDONLY, 0);
	did(fd >= 0 && read((int)fd, &zero, 1) == 1 && zero == 0);
}

static void block_device(void)
{
	did(sys_mknod(at("free/block"), S_IFBLK | 0600, makedev(7, 0)) == 0);
}

static void whiteout(void)
{
	/* A character device 0:0 needs no privilege; overlayfs reads it as a deletion. */
	sys_mknod(at("out/whiteout"), S_IFCHR | 0600, 0);
}

static void watch(void)
{
	long fd = sys_call(SYS_inotify_init1, IN_CLOEXEC);

	did(fd >= 0 && sys_call(SYS_inotify_add_watch, fd, at("out"), IN_ALL_EVENTS) >= 0);
}

static void watch_everything(void)
{
	did(sys_call(SYS_fanotify_init, 0, O_RDONLY) >= 0);
}

static void foreign_terminal(void)
{
	did(sys_open(harness_fact("terminal"), O_RDONLY | O_NOCTTY | O_NONBLOCK, 0) >= 0);
}

static void foreign_terminal_write(void)
{
	put_fd(sys_open(harness_fact("terminal"), O_WRONLY | O_NOCTTY | O_NONBLOCK, 0));
}

static void own_pty(void)
{
	char name[64], buf[8] = "";
	int number = -1, unlock = 0, slave;
	int master = (int)sys_open("/dev/ptmx", O_RDWR | O_NOCTTY, 0);

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) != 0 ||
	    ioctl(master, TIOCGPTN, &number) != 0)
		return;
	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	slave = (int)sys_open(name, O_RDWR | O_NOCTTY, 0);
	did(slave >= 0 && write(slave, "hi\n", 3) == 3 && read(master, buf, 2) == 2 &&
	    buf[0] == 'h');
}

static void own_pty_peer(void)
{
	int unlock = 0;
	int master = (int)sys_open("/dev/ptmx", O_RDWR | O_NOCTTY, 0);

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) != 0)
		return;
	did(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY) >= 0);
}

static void granted_file(void)
{
	show_file(at("ro/granted"));
}

static void granted_write(void)
{
	char buf[8] = "";
	long fd;

	put_fd(sys_open(at("free/made"), O_RDWR | O_CREAT, 0644));
	fd = sys_open(at("free/made"), O_RDONLY, 0);
	did(fd >= 0 && read((int)fd, buf, 7) == 7 && strcmp(buf, "CHANGED") == 0);
}

static void granted_except(void)
{
	show_file(at("in/vault/public/card"));
}

static const struct escape cases[] = {
    {"P0-granted-read", NULL, MUST_WORK, granted_file},
    {"P0-granted-write", NULL, MUST_WORK, granted_write},
    {"P0-granted-except", NULL, MUST_WORK, granted_except},
    {"P11-create", "in/late.txt", 0, late_create},
    {"P11-mkdir", "in/late.txt", 0, late_mkdir},
    {"P11-symlink", "in/late.txt", 0, late_symlink},
    {"P11-rename", "in/late.txt", 0, late_rename},
    {"P11-link", "in/late.txt", 0, late_link},
    {"P11-mknod", "in/late.txt", 0, late_mknod},
    {"P11-tmpfile", "in/late.txt", 0, late_bind_tmpfile},
    {"P11-glob-new-folder", "in/a/b/.env", 0, glob_in_new_folder},
    {"P11-glob-rename", ".env", 0, glob_by_rename},
    {"P11-glob-chdir", "in/a/.env", 0, glob_by_chdir},
    {"P11-glob-folder-moved-in", "free/box", 0, glob_folder_moved_in},
    {"P12-double-slash", "out/secret", 0, double_slash},
    {"P12-dots", "out/secret", 0, dots},
    {"P12-dots-through-folder", "out/secret", 0, dots_through_file_folder},
    {"P12-dots-above-root", "out/secret", 0, dots_above_root},
    {"P12-trailing-slash", "out", 0, trailing_slash},
    {"P12-longest-path", "out/secret", 0, longest_path},
    {"P12-page-crossing", "out/secret", 0, page_crossing},
    {"P12-255-bytes", "out/odd/n", 0, odd_names},
    {"P12-newline", "out/odd/new", 0, odd_newline},
    {"P12-escape", "out/odd/", 0, odd_escape},
    {"P12-bad-utf8", "out/odd/", 0, odd_bytes},
    {"P12-backslash", "out/odd/back", 0, odd_backslash},
    {"P12-star", "out/odd/*", 0, odd_star},
    {"P13-manifest", "kit/manifest.yaml", 0, own_manifest},
    {"P13-log", "kit/audit.jsonl", 0, own_log},
    {"P13-shim", "kit/build/it/libremit.so", 0, own_shim},
    {"P13-command", "kit/build/it/remit", 0, own_command},
    {"P13-profile", "kit/policy/profiles/base.yaml", 0, own_profile},
    {"P13-folder", "kit", 0, own_folder},
    {"P13-manifest-link", "kit/manifest.yaml", 0, own_manifest_link},
    {"P13-log-mode", "kit/audit.jsonl", 0, own_log_mode},
    {"P14-device", "free/zero", NEEDS_ROOT, device},
    {"P14-block-device", "free/block", NEEDS_ROOT, block_device},
    {"P14-whiteout", "out/whiteout", 0, whiteout},
    {"P17-inotify", "out", 0, watch},
    {"P17-fanotify", NULL, NEEDS_ROOT, watch_everything},
    {"P18-foreign-terminal", "/dev/pts/", 0, foreign_terminal},
    {"P18-foreign-terminal-write", "/dev/pts/", 0, foreign_terminal_write},
    {"P18-own-pty", NULL, MUST_WORK, own_pty},
    {"P18-own-pty-peer", NULL, MUST_WORK, own_pty_peer},
};
ESCAPE_TABLE(names_table, cases);
