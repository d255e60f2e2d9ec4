/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making, moving and removing names, each with the system call that glibc uses for it. chmod(),
 * chown(), utimes() and setxattr() with their kin are not hooked: Landlock does not judge them, so
 * they have no fast lane.
 */
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "shim/preload/hook.h"
#include "shim/preload/lane.h"
#include "shim/preload/banned.h"

static bool writes(const char *path)
{
	return lane_tags(VERB_WRITE, path);
}

HOOK("truncate", HOOK_LANE, int, hook_truncate, (const char *path, off_t length));
HOOK_ALSO("truncate64", HOOK_LANE, hook_truncate);
int hook_truncate(const char *path, off_t length)
{
	return (int)raw_finish(lane_call(writes(path), SYS_truncate, (long)path, length, 0, 0, 0));
}

HOOK("mkdir", HOOK_LANE, int, hook_mkdir, (const char *path, mode_t mode));
int hook_mkdir(const char *path, mode_t mode)
{
	return (int)raw_finish(lane_call(writes(path), SYS_mkdir, (long)path, mode, 0, 0, 0));
}

HOOK("mkdirat", HOOK_LANE, int, hook_mkdirat, (int dirfd, const char *path, mode_t mode));
int hook_mkdirat(int dirfd, const char *path, mode_t mode)
{
	return (int)raw_finish(lane_call(writes(path), SYS_mkdirat, dirfd, (long)path, mode, 0, 0));
}

static int make_node(int dirfd, const char *path, mode_t mode, dev_t device)
{
	/* The kernel takes 32 bits of it. */
	if (device != (unsigned int)device)
		return (int)raw_finish(-EINVAL);
	return (int)raw_finish(
	    lane_call(writes(path), SYS_mknodat, dirfd, (long)path, mode, (long)device, 0));
}

HOOK("mknod", HOOK_LANE, int, hook_mknod, (const char *path, mode_t mode, dev_t device));
int hook_mknod(const char *path, mode_t mode, dev_t device)
{
	return make_node(AT_FDCWD, path, mode, device);
}

HOOK("mknodat", HOOK_LANE, int, hook_mknodat,
     (int dirfd, const char *path, mode_t mode, dev_t device));
int hook_mknodat(int dirfd, const char *path, mode_t mode, dev_t device)
{
	return make_node(dirfd, path, mode, device);
}

/* What mknod() was called by headers before glibc 2.33; version 0 is the only one on x86-64. */
HOOK("__xmknod", HOOK_LANE | HOOK_GLIBC, int, hook_xmknod,
     (int version, const char *path, mode_t mode, dev_t *device));
int hook_xmknod(int version, const char *path, mode_t mode, dev_t *device)
{
	return version ? (int)raw_finish(-EINVAL) : make_node(AT_FDCWD, path, mode, *device);
}

HOOK("__xmknodat", HOOK_LANE | HOOK_GLIBC, int, hook_xmknodat,
     (int version, int dirfd, const char *path, mode_t mode, dev_t *device));
int hook_xmknodat(int version, int dirfd, const char *path, mode_t mode, dev_t *device)
{
	return version ? (int)raw_finish(-EINVAL) : make_node(dirfd, path, mode, *device);
}

HOOK("mkfifo", HOOK_LANE, int, hook_mkfifo, (const char *path, mode_t mode));
int hook_mkfifo(const char *path, mode_t mode)
{
	return make_node(AT_FDCWD, path, mode | S_IFIFO, 0);
}

HOOK("mkfifoat", HOOK_LANE, int, hook_mkfifoat, (int dirfd, const char *path, mode_t mode));
int hook_mkfifoat(int dirfd, const char *path, mode_t mode)
{
	return make_node(dirfd, path, mode | S_IFIFO, 0);
}

HOOK("unlink", HOOK_LANE, int, hook_unlink, (const char *path));
int hook_unlink(const char *path)
{
	return (int)raw_finish(lane_call(writes(path), SYS_unlink, (long)path, 0, 0, 0, 0));
}

HOOK("unlinkat", HOOK_LANE, int, hook_unlinkat, (int dirfd, const char *path, int flags));
int hook_unlinkat(int dirfd, const char *path, int flags)
{
	return (int)raw_finish(
	    lane_call(writes(path), SYS_unlinkat, dirfd, (long)path, flags, 0, 0));
}

HOOK("rmdir", HOOK_LANE, int, hook_rmdir, (const char *path));
int hook_rmdir(const char *path)
{
	return (int)raw_finish(lane_call(writes(path), SYS_rmdir, (long)path, 0, 0, 0, 0));
}

HOOK("remove", HOOK_LANE, int, hook_remove, (const char *path));
int hook_remove(const char *path)
{
	bool tagged = writes(path);
	long result = lane_call(tagged, SYS_unlink, (long)path, 0, 0, 0, 0);

	if (result == -EISDIR)
		result = lane_call(tagged, SYS_rmdir, (long)path, 0, 0, 0, 0);
	return (int)raw_finish(result);
}

HOOK("rename", HOOK_LANE, int, hook_rename, (const char *from, const char *to));
int hook_rename(const char *from, const char *to)
{
	return (int)raw_finish(
	    lane_move(writes(from) && writes(to), SYS_rename, (long)from, (long)to, 0, 0, 0));
}

HOOK("renameat", HOOK_LANE, int, hook_renameat,
     (int from_dirfd, const char *from, int to_dirfd, const char *to));
int hook_renameat(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
	return (int)raw_finish(lane_move(writes(from) && writes(to), SYS_renameat, from_dirfd,
					 (long)from, to_dirfd, (long)to, 0));
}

HOOK("renameat2", HOOK_LANE, int, hook_renameat2,
     (int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned int flags));
int hook_renameat2(int from_dirfd, const char *from, int to_dirfd, const char *to,
		   unsigned int flags)
{
	return (int)raw_finish(lane_move(writes(from) && writes(to), SYS_renameat2, from_dirfd,
					 (long)from, to_dirfd, (long)to, flags));
}

HOOK("link", HOOK_LANE, int, hook_link, (const char *from, const char *to));
int hook_link(const char *from, const char *to)
{
	return (int)raw_finish(
	    lane_move(writes(from) && writes(to), SYS_link, (long)from, (long)to, 0, 0, 0));
}

HOOK("linkat", HOOK_LANE, int, hook_linkat,
     (int from_dirfd, const char *from, int to_dirfd, const char *to, int flags));
int hook_linkat(int from_dirfd, const char *from, int to_dirfd, const char *to, int flags)
{
	/* Linux 6.10 links by descriptor alone only what was opened with the caller's own
	 * credentials; what the gate has opened, the gate links. */
	bool tagged = !(flags & AT_EMPTY_PATH) && writes(from) && writes(to);

	return (int)raw_finish(
	    lane_move(tagged, SYS_linkat, from_dirfd, (long)from, to_dirfd, (long)to, flags));
}

HOOK("symlink", HOOK_LANE, int, hook_symlink, (const char *target, const char *path));
int hook_symlink(const char *target, const char *path)
{
	return (int)raw_finish(
	    lane_call(writes(path), SYS_symlink, (long)target, (long)path, 0, 0, 0));
}

HOOK("symlinkat", HOOK_LANE, int, hook_symlinkat,
     (const char *target, int dirfd, const char *path));
int hook_symlinkat(const char *target, int dirfd, const char *path)
{
	return (int)raw_finish(
	    lane_call(writes(path), SYS_symlinkat, (long)target, dirfd, (long)path, 0, 0));
}
