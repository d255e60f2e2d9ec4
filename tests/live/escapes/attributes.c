/* SPDX-License-Identifier: Apache-2.0 */
/* P10: modes, owners, times and extended attributes, by path and by fd; Landlock lets all of them
 * pass, so only the gate stands here. */
#include "tests/live/escapes/harness.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* asm/unistd_64.h, Linux 6.6 */
#endif
#define NR_SETXATTRAT 463    /* asm/unistd_64.h, Linux 6.13 */
#define NR_REMOVEXATTRAT 466 /* asm/unistd_64.h, Linux 6.13 */
#define NR_FILE_SETATTR 469  /* asm/unistd_64.h, Linux 6.17 */

static const struct timespec epoch[2] = {{.tv_sec = 1}, {.tv_sec = 1}};

static long readonly(void)
{
	return sys_open(at("ro/data"), O_RDONLY, 0);
}

static long handle(const char *path)
{
	return sys_open(at(path), O_PATH, 0);
}

#define ATTRIBUTE_CASE(label, ...)                                                                 \
	static void label(void)                                                                    \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}

ATTRIBUTE_CASE(mode_path, sys_chmod(at("out/victim"), 0600))
ATTRIBUTE_CASE(mode_readonly, sys_chmod(at("ro/data"), 0600))
ATTRIBUTE_CASE(mode_denied, sys_chmod(at("in/denied.txt"), 0600))
ATTRIBUTE_CASE(mode_hook, sys_chmod(at("in/hooks/hook"), 0755))
ATTRIBUTE_CASE(mode_fd, sys_fchmod((int)readonly(), 0600))
ATTRIBUTE_CASE(mode_at, sys_call(SYS_fchmodat, AT_FDCWD, at("out/victim"), 0600))
ATTRIBUTE_CASE(mode_at2, sys_call(SYS_fchmodat2, AT_FDCWD, at("out/victim"), 0600, 0))
ATTRIBUTE_CASE(mode_at2_handle,
	       sys_call(SYS_fchmodat2, handle("out/victim"), "", 0600, AT_EMPTY_PATH))
ATTRIBUTE_CASE(mode_at2_fd, sys_call(SYS_fchmodat2, readonly(), "", 0600, AT_EMPTY_PATH))
ATTRIBUTE_CASE(mode_proc, sys_chmod(text("/proc/self/fd/%ld", handle("out/victim")), 0600))
ATTRIBUTE_CASE(mode_folder, sys_chmod(at("out/dir"), 0700))
ATTRIBUTE_CASE(owner_path, sys_chown(at("out/victim"), getuid(), getgid()))
ATTRIBUTE_CASE(owner_link, sys_call(SYS_lchown, at("out/victim"), getuid(), getgid()))
ATTRIBUTE_CASE(owner_fd, sys_fchown((int)readonly(), getuid(), getgid()))
ATTRIBUTE_CASE(owner_handle,
	       sys_fchownat((int)handle("out/victim"), "", getuid(), getgid(), AT_EMPTY_PATH))
ATTRIBUTE_CASE(times_path, sys_utimensat(AT_FDCWD, at("out/victim"), epoch, 0))
ATTRIBUTE_CASE(times_readonly, sys_utimensat(AT_FDCWD, at("ro/data"), epoch, 0))
ATTRIBUTE_CASE(times_fd, sys_call(SYS_utimensat, readonly(), NULL, epoch, 0))
ATTRIBUTE_CASE(times_handle,
	       sys_call(SYS_utimensat, handle("out/victim"), "", epoch, AT_EMPTY_PATH))
ATTRIBUTE_CASE(times_utime, sys_call(SYS_utime, at("out/victim"), &epoch))
ATTRIBUTE_CASE(times_utimes, sys_call(SYS_utimes, at("out/victim"), &epoch))
ATTRIBUTE_CASE(times_futimesat, sys_call(SYS_futimesat, AT_FDCWD, at("out/victim"), &epoch))
ATTRIBUTE_CASE(times_now, sys_utimensat(AT_FDCWD, at("ro/data"), NULL, 0))
ATTRIBUTE_CASE(xattr_path, sys_setxattr(at("out/victim"), "user.remit", "x", 1, 0))
ATTRIBUTE_CASE(xattr_readonly, sys_setxattr(at("ro/data"), "user.remit", "x", 1, 0))
ATTRIBUTE_CASE(xattr_link, sys_call(SYS_lsetxattr, at("out/victim"), "user.remit", "x", 1, 0))
ATTRIBUTE_CASE(xattr_fd, sys_fsetxattr((int)readonly(), "user.remit", "x", 1, 0))
ATTRIBUTE_CASE(xattr_remove, sys_call(SYS_removexattr, at("ro/marked"), "user.mark"))
ATTRIBUTE_CASE(xattr_remove_fd,
	       sys_call(SYS_fremovexattr, sys_open(at("ro/marked"), O_RDONLY, 0), "user.mark"))
ATTRIBUTE_CASE(xattr_remove_at,
	       sys_call(NR_REMOVEXATTRAT, AT_FDCWD, at("ro/marked"), 0, "user.mark"))

struct xattr_args { /* linux/xattr.h, Linux 6.13 */
	uint64_t value;
	uint32_t size, flags;
};

static void xattr_at(void)
{
	struct xattr_args args = {.value = (uint64_t)(uintptr_t) "x", .size = 1};

	sys_call(NR_SETXATTRAT, AT_FDCWD, at("out/victim"), 0, "user.remit", &args, sizeof(args));
}

struct file_attr { /* linux/fs.h, Linux 6.17 */
	uint64_t xflags;
	uint32_t extsize, nextents, projid, cowextsize;
};

static void file_setattr(void)
{
	/* FS_XFLAG_NODUMP, the mildest. */
	struct file_attr attr = {.xflags = 0x80};

	did(sys_call(NR_FILE_SETATTR, AT_FDCWD, at("out/victim"), &attr, sizeof(attr), 0) == 0);
}

/* Granted for writing, and everybody's. The modes are what they were. */
static void mode_device(void)
{
	did(sys_call(SYS_chmod, "/dev/null", 0666) == 0);
}

static void owner_device(void)
{
	did(sys_call(SYS_chown, "/dev/null", 0, -1) == 0);
}

/* The list of access that says what mode 0666 says (linux/posix_acl_xattr.h): it is the mode. */
struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};

static const struct {
	uint32_t version;
	struct acl_entry entry[3];
} acl = {2, {{0x01, 6, UINT32_MAX}, {0x04, 6, UINT32_MAX}, {0x20, 6, UINT32_MAX}}};

static void acl_device(void)
{
	did(sys_call(SYS_setxattr, "/dev/null", "system.posix_acl_access", &acl, sizeof(acl), 0) ==
	    0);
}

static void acl_device_fd(void)
{
	long fd = sys_open("/dev/null", O_WRONLY, 0);

	did(sys_fsetxattr((int)fd, "system.posix_acl_access", &acl, sizeof(acl), 0) == 0);
}

static const struct escape cases[] = {
    {"P10-chmod", "out/victim", 0, mode_path},
    {"P10-chmod-readonly", "ro/data", 0, mode_readonly},
    {"P10-chmod-denied", "in/denied.txt", 0, mode_denied},
    {"P10-chmod-hook", "in/hooks/hook", 0, mode_hook},
    {"P10-chmod-folder", "out/dir", 0, mode_folder},
    {"P10-chmod-proc-fd", "out/victim", 0, mode_proc},
    {"P10-fchmod", "ro/data", 0, mode_fd},
    {"P10-fchmodat", "out/victim", 0, mode_at},
    {"P10-fchmodat2", NULL, MAY_LACK, mode_at2},
    {"P10-fchmodat2-handle", NULL, MAY_LACK, mode_at2_handle},
    {"P10-chmod-device", "/dev/null", NEEDS_ROOT, mode_device},
    {"P10-chown-device", "/dev/null", NEEDS_ROOT, owner_device},
    {"P10-setxattr-device", "/dev/null", NEEDS_ROOT | MAY_LACK, acl_device},
    {"P10-fsetxattr-device", "/dev/null", NEEDS_ROOT | MAY_LACK, acl_device_fd},
    {"P10-fchmodat2-fd", NULL, MAY_LACK, mode_at2_fd},
    {"P10-chown", "out/victim", 0, owner_path},
    {"P10-lchown", "out/victim", 0, owner_link},
    {"P10-fchown", "ro/data", 0, owner_fd},
    {"P10-fchownat-handle", "out/victim", 0, owner_handle},
    {"P10-utimensat", "out/victim", 0, times_path},
    {"P10-utimensat-readonly", "ro/data", 0, times_readonly},
    {"P10-utimensat-fd", "ro/data", 0, times_fd},
    {"P10-utimensat-handle", "out/victim", 0, times_handle},
    {"P10-utimensat-now", "ro/data", 0, times_now},
    {"P10-utime", "out/victim", 0, times_utime},
    {"P10-utimes", "out/victim", 0, times_utimes},
    {"P10-futimesat", "out/victim", 0, times_futimesat},
    {"P10-setxattr", "out/victim", MAY_LACK, xattr_path},
    {"P10-setxattr-readonly", "ro/data", MAY_LACK, xattr_readonly},
    {"P10-lsetxattr", "out/victim", MAY_LACK, xattr_link},
    {"P10-fsetxattr", "ro/data", MAY_LACK, xattr_fd},
    {"P10-setxattrat", NULL, MAY_LACK, xattr_at},
    {"P10-removexattr", "ro/marked", MAY_LACK, xattr_remove},
    {"P10-fremovexattr", "ro/marked", MAY_LACK, xattr_remove_fd},
    {"P10-removexattrat", NULL, MAY_LACK, xattr_remove_at},
    {"P10-file-setattr", NULL, MAY_LACK, file_setattr},
};
ESCAPE_TABLE(attributes_table, cases);
