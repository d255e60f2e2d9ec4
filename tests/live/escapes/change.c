/* SPDX-License-Identifier: Apache-2.0 */
/* P6, P7, P9: links, renames and the making and unmaking of names. */
#include "tests/live/escapes/harness.h"

#include <linux/fs.h>
#include <sys/ioctl.h>

/* P6: a second name for a denied file. */

static void link_denied(void)
{
	sys_link(at("in/denied.txt"), at("in/copy"));
	show_file(at("in/copy"));
}

static void link_secret(void)
{
	sys_link(at("out/secret"), at("free/copy"));
	show_file(at("free/copy"));
}

static void link_readonly(void)
{
	sys_link(at("ro/data"), at("free/copy"));
	put_fd(sys_open(at("free/copy"), O_WRONLY, 0));
}

static void link_follow(void)
{
	sys_symlink(at("out/secret"), at("free/l"));
	sys_linkat(AT_FDCWD, at("free/l"), AT_FDCWD, at("free/copy"), AT_SYMLINK_FOLLOW);
	show_file(at("free/copy"));
}

static void link_handle(void)
{
	long fd = sys_open(at("out/secret"), O_PATH, 0);

	sys_linkat((int)fd, "", AT_FDCWD, at("free/copy"), AT_EMPTY_PATH);
	show_file(at("free/copy"));
}

static void link_handle_proc(void)
{
	long fd = sys_open(at("out/secret"), O_PATH, 0);

	sys_linkat(AT_FDCWD, text("/proc/self/fd/%ld", fd), AT_FDCWD, at("free/copy"),
		   AT_SYMLINK_FOLLOW);
	show_file(at("free/copy"));
}

static void link_readonly_fd(void)
{
	long fd = sys_open(at("ro/data"), O_RDONLY, 0);

	sys_linkat((int)fd, "", AT_FDCWD, at("free/copy"), AT_EMPTY_PATH);
	put_fd(sys_open(at("free/copy"), O_WRONLY, 0));
}

static void rename_denied(void)
{
	sys_rename(at("in/denied.txt"), at("in/copy"));
	show_file(at("in/copy"));
}

static void rename_glob(void)
{
	sys_rename(at("in/sub/.env"), at("in/sub/env"));
	show_file(at("in/sub/env"));
}

static void rename_secret(void)
{
	sys_rename(at("out/secret"), at("free/copy"));
	show_file(at("free/copy"));
}

static void rename_readonly(void)
{
	sys_rename(at("ro/data"), at("free/copy"));
	put_fd(sys_open(at("free/copy"), O_WRONLY, 0));
}

static void rename_over(void)
{
	sys_rename(at("free/mine"), at("ro/data"));
}

static void exchange_denied(void)
{
	sys_renameat2(AT_FDCWD, at("in/denied.txt"), AT_FDCWD, at("in/ok.txt"), RENAME_EXCHANGE);
	show_file(at("in/ok.txt"));
}

static void exchange_reversed(void)
{
	sys_renameat2(AT_FDCWD, at("in/ok.txt"), AT_FDCWD, at("in/denied.txt"), RENAME_EXCHANGE);
	show_file(at("in/ok.txt"));
}

static void exchange_out(void)
{
	sys_renameat2(AT_FDCWD, at("free/mine"), AT_FDCWD, at("out/secret"), RENAME_EXCHANGE);
	show_file(at("free/mine"));
}

static void rename_by_handle(void)
{
	long fd = sys_open(at("out"), O_PATH | O_DIRECTORY, 0);

	sys_renameat2((int)fd, "secret", AT_FDCWD, at("free/copy"), 0);
	show_file(at("free/copy"));
}

static void rename_whiteout(void)
{
	sys_renameat2(AT_FDCWD, at("in/denied.txt"), AT_FDCWD, at("in/copy"), RENAME_WHITEOUT);
	show_file(at("in/copy"));
}

static void clone_secret(void)
{
	long from = sys_open(at("out/secret"), O_RDONLY, 0);
	long to = sys_open(at("free/mine"), O_RDWR, 0);

	if (from >= 0)
		sys_call(SYS_copy_file_range, from, 0, to, 0, 4096, 0);
	show_fd(sys_open(at("free/mine"), O_RDONLY, 0));
}

/* P7: a folder that holds what is denied. */

static void move_folder(void)
{
	sys_rename(at("in/vault"), at("in/v2"));
	show_file(at("in/v2/key"));
	sys_rename(at("in/v2"), at("in/vault"));
}

static void move_folder_elsewhere(void)
{
	sys_rename(at("in/sub"), at("free/sub"));
	show_file(at("free/sub/.env"));
	sys_rename(at("free/sub"), at("in/sub"));
}

static void move_root(void)
{
	sys_rename(at("in"), at("in2"));
	show_file(at("in2/denied.txt"));
	sys_rename(at("in2"), at("in"));
}

static void move_into_free(void)
{
	sys_rename(at("in"), at("free/in2"));
	show_file(at("free/in2/denied.txt"));
	sys_rename(at("free/in2"), at("in"));
}

static void move_write_denied(void)
{
	sys_rename(at("in/hooks"), at("in/h2"));
	put_fd(sys_open(at("in/h2/hook"), O_WRONLY, 0));
	sys_rename(at("in/h2"), at("in/hooks"));
}

static void move_parent_of_write_denied(void)
{
	sys_rename(at("in/deep"), at("in/deep2"));
	put_fd(sys_open(at("in/deep2/er/hooks/hook"), O_WRONLY, 0));
	sys_rename(at("in/deep2"), at("in/deep"));
}

static void exchange_folder(void)
{
	sys_mkdir(at("in/bait"), 0755);
	sys_renameat2(AT_FDCWD, at("in/bait"), AT_FDCWD, at("in/vault"), RENAME_EXCHANGE);
	show_file(at("in/bait/key"));
	sys_renameat2(AT_FDCWD, at("in/bait"), AT_FDCWD, at("in/vault"), RENAME_EXCHANGE);
}

static void replace_by_link(void)
{
	/* The denied folder moves aside and a link takes its name: the name means the other. */
	sys_rename(at("in/vault"), at("in/aside"));
	sys_symlink("aside", at("in/vault"));
	show_file(at("in/aside/key"));
}

static void ancestor_by_link(void)
{
	sys_rename(at("in/deep/er"), at("in/deep/away"));
	sys_symlink(at("free"), at("in/deep/er"));
	put_fd(sys_open(at("in/deep/away/hooks/hook"), O_WRONLY, 0));
}

/* What others put at a denied name beneath would come to lie where the link leads. */
static void did_link(const char *path)
{
	char target[16];

	did(sys_call(SYS_readlinkat, AT_FDCWD, path, target, sizeof(target)) > 0);
}

static void link_above(void)
{
	sys_symlink(at("free"), at("in/absent"));
	did_link(at("in/absent"));
}

static void link_above_emptied(void)
{
	sys_rmdir(at("in/void"));
	sys_symlink(at("free"), at("in/void"));
	did_link(at("in/void"));
}

static void link_above_renamed(void)
{
	sys_symlink(at("free"), at("in/l"));
	sys_rename(at("in/l"), at("in/absent"));
	sys_symlink(at("free"), at("free/l"));
	sys_rename(at("free/l"), at("in/absent"));
	did_link(at("in/absent"));
}

static void link_above_exchanged(void)
{
	/* With a file, which nothing else forbids to move. */
	sys_rmdir(at("in/void"));
	put_fd(sys_open(at("in/void"), O_WRONLY | O_CREAT, 0644));
	sys_symlink(at("free"), at("in/l"));
	sys_renameat2(AT_FDCWD, at("in/l"), AT_FDCWD, at("in/void"), RENAME_EXCHANGE);
	did_link(at("in/void"));
	sys_symlink(at("free"), at("in/m"));
	sys_renameat2(AT_FDCWD, at("in/void"), AT_FDCWD, at("in/m"), RENAME_EXCHANGE);
	did_link(at("in/void"));
}

static void link_above_linked(void)
{
	sys_symlink(at("free"), at("free/l"));
	sys_linkat(AT_FDCWD, at("free/l"), AT_FDCWD, at("in/absent"), 0);
	did_link(at("in/absent"));
}

static void link_above_pattern(void)
{
	sys_symlink("a0", at("in/keys"));
	did_link(at("in/keys"));
}

static void link_beside(void)
{
	sys_symlink("a0", at("in/sub/l"));
	sys_symlink("sub", at("in/deep/l"));
	did_link(at("in/sub/l"));
	did_link(at("in/deep/l"));
}

/* P9: making and unmaking outside. */

#define MAKE_CASE(label, ...)                                                                      \
	static void label(void)                                                                    \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}

MAKE_CASE(make_truncate, sys_truncate(at("out/victim"), 1))
MAKE_CASE(make_truncate_ro, sys_truncate(at("ro/data"), 1))
MAKE_CASE(make_unlink, sys_unlink(at("out/victim")))
MAKE_CASE(make_unlink_ro, sys_unlink(at("ro/data")))
MAKE_CASE(make_unlink_denied, sys_unlink(at("in/denied.txt")))
MAKE_CASE(make_unlink_hook, sys_unlink(at("in/hooks/hook")))
MAKE_CASE(make_unlinkat, sys_call(SYS_unlinkat, AT_FDCWD, at("out/empty"), AT_REMOVEDIR))
MAKE_CASE(make_rmdir, sys_rmdir(at("out/empty")))
MAKE_CASE(make_mkdir, sys_mkdir(at("out/made"), 0755))
MAKE_CASE(make_mkdir_ro, sys_mkdir(at("ro/made"), 0755))
MAKE_CASE(make_mkdirat, sys_call(SYS_mkdirat, AT_FDCWD, at("out/made"), 0755))
MAKE_CASE(make_fifo, sys_mknod(at("out/made"), S_IFIFO | 0644, 0))
MAKE_CASE(make_socket, sys_mknod(at("out/made"), S_IFSOCK | 0644, 0))
MAKE_CASE(make_file, sys_mknod(at("out/made"), S_IFREG | 0644, 0))
MAKE_CASE(make_mknodat, sys_call(SYS_mknodat, AT_FDCWD, at("ro/made"), S_IFREG | 0644, 0))
MAKE_CASE(make_symlink, sys_symlink("secret", at("out/made")))
MAKE_CASE(make_symlinkat, sys_call(SYS_symlinkat, "secret", AT_FDCWD, at("ro/made")))
MAKE_CASE(make_link_out, sys_link(at("free/mine"), at("out/made")))
MAKE_CASE(make_rename_out, sys_rename(at("free/mine"), at("out/made")))
MAKE_CASE(make_hook, put_fd(sys_open(at("in/hooks/new"), O_WRONLY | O_CREAT, 0644)))

static void make_by_handle(void)
{
	long fd = sys_open(at("out"), O_PATH | O_DIRECTORY, 0);

	sys_call(SYS_mkdirat, fd, "made", 0755);
}

static void allocate_readonly(void)
{
	/* The flags of the opening hold for every later fd of the same file. */
	long fd = sys_open(at("ro/data"), O_RDONLY, 0);
	long again = sys_open(text("/proc/self/fd/%ld", fd), O_RDWR, 0);

	if (again >= 0)
		sys_call(SYS_ftruncate, again, 0);
}

static void attribute_flags(void)
{
	int flags = 0;
	long fd = sys_open(at("ro/data"), O_RDONLY, 0);

	if (fd < 0 || ioctl((int)fd, FS_IOC_GETFLAGS, &flags) != 0)
		return;
	/* NODUMP is the mildest flag there is. */
	flags |= FS_NODUMP_FL;
	did(ioctl((int)fd, FS_IOC_SETFLAGS, &flags) == 0);
}

static const struct escape cases[] = {
    {"P6-link-denied", "in/denied.txt", 0, link_denied},
    {"P6-link-secret", "out/secret", 0, link_secret},
    {"P6-link-readonly", "", 0, link_readonly},
    {"P6-link-follow", "out/secret", 0, link_follow},
    {"P6-link-handle", "out/secret", NEEDS_ROOT, link_handle},
    {"P6-link-handle-proc", "out/secret", 0, link_handle_proc},
    {"P6-link-readonly-fd", "", NEEDS_ROOT, link_readonly_fd},
    {"P6-rename-denied", "in/denied.txt", 0, rename_denied},
    {"P6-rename-glob", "in/sub/.env", 0, rename_glob},
    {"P6-rename-secret", "out/secret", 0, rename_secret},
    {"P6-rename-readonly", "ro/data", 0, rename_readonly},
    {"P6-rename-over", "ro/data", 0, rename_over},
    {"P6-rename-handle", "out/secret", 0, rename_by_handle},
    {"P6-rename-whiteout", NULL, NEEDS_ROOT, rename_whiteout},
    {"P6-exchange-denied", "in/denied.txt", 0, exchange_denied},
    {"P6-exchange-reversed", "in/denied.txt", 0, exchange_reversed},
    {"P6-exchange-out", "out/secret", 0, exchange_out},
    {"P6-copy-range", "out/secret", 0, clone_secret},
    {"P7-move-folder", "in/vault", 0, move_folder},
    {"P7-move-elsewhere", "in/sub", 0, move_folder_elsewhere},
    {"P7-move-root", "", 0, move_root},
    {"P7-move-into-free", "", 0, move_into_free},
    {"P7-move-write-denied", "in/hooks", 0, move_write_denied},
    {"P7-move-parent", "in/deep", 0, move_parent_of_write_denied},
    {"P7-exchange-folder", "in/vault", 0, exchange_folder},
    {"P7-replace-by-link", "in/vault", 0, replace_by_link},
    {"P7-ancestor-by-link", "in/deep/er", 0, ancestor_by_link},
    {"P7-link-above", "in/absent", 0, link_above},
    {"P7-link-above-emptied", "in/void", 0, link_above_emptied},
    {"P7-link-above-renamed", "in/absent", 0, link_above_renamed},
    {"P7-link-above-exchanged", "in/void", 0, link_above_exchanged},
    {"P7-link-above-linked", "in/absent", 0, link_above_linked},
    {"P7-link-above-pattern", "in/keys", 0, link_above_pattern},
    {"P7-link-beside", "-", MUST_WORK, link_beside},
    {"P9-truncate", "out/victim", 0, make_truncate},
    {"P9-truncate-readonly", "ro/data", 0, make_truncate_ro},
    {"P9-unlink", "out/victim", 0, make_unlink},
    {"P9-unlink-readonly", "ro/data", 0, make_unlink_ro},
    {"P9-unlink-denied", "in/denied.txt", 0, make_unlink_denied},
    {"P9-unlink-hook", "in/hooks/hook", 0, make_unlink_hook},
    {"P9-unlinkat", "out/empty", 0, make_unlinkat},
    {"P9-rmdir", "out/empty", 0, make_rmdir},
    {"P9-mkdir", "out/made", 0, make_mkdir},
    {"P9-mkdir-readonly", "ro/made", 0, make_mkdir_ro},
    {"P9-mkdirat", "out/made", 0, make_mkdirat},
    {"P9-mkdirat-handle", "out/made", 0, make_by_handle},
    {"P9-fifo", "out/made", 0, make_fifo},
    {"P9-socket", "out/made", 0, make_socket},
    {"P9-file", "out/made", 0, make_file},
    {"P9-mknodat", "ro/made", 0, make_mknodat},
    {"P9-symlink", "out/made", 0, make_symlink},
    {"P9-symlinkat", "ro/made", 0, make_symlinkat},
    {"P9-link-out", "out/made", 0, make_link_out},
    {"P9-rename-out", "out/made", 0, make_rename_out},
    {"P9-create-hook", "in/hooks/new", 0, make_hook},
    {"P9-truncate-reopened", "ro/data", 0, allocate_readonly},
    {"P9-attribute-flags", "FS_IOC_SETFLAGS", MAY_LACK, attribute_flags},
};
ESCAPE_TABLE(change_table, cases);
