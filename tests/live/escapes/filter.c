/* SPDX-License-Identifier: Apache-2.0 */
/* F1–F5, F8, F11, P15: what the filter refuses by itself: other doors into the kernel, other
 * worlds, and code that no path names. */
#include "tests/live/escapes/harness.h"

#include <linux/bpf.h>
#include <linux/fs.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U /* linux/memfd.h, Linux 6.3 */
#endif
#define NR_IO_URING_SETUP 425
#define NR_OPEN_TREE 428
#define NR_FSOPEN 430
#define NR_MEMFD_SECRET 447
#define X32_BIT 0x40000000L /* asm/unistd.h __X32_SYSCALL_BIT */

/* F1 */

static void io_uring(void)
{
	unsigned char parameters[120] = {0}; /* struct io_uring_params */

	did(sys_call(NR_IO_URING_SETUP, 4, parameters) >= 0);
}

/* F2, F3: the numbers of other machines. */

static void x32_open(void)
{
	show_fd(sys_call(X32_BIT | SYS_openat, AT_FDCWD, at("out/secret"), O_RDONLY, 0));
}

static void x32_getpid(void)
{
	did(sys_call(X32_BIT | SYS_getpid, 0) > 0);
}

static long int80(long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "r8", "r9", "r10", "r11", "memory");
	return (int)result;
}

static void int80_open(void)
{
	char *low = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (low == MAP_FAILED)
		return;
	strcpy(low, at("out/secret"));
	show_fd(int80(5 /* open of asm/unistd_32.h */, (long)low, O_RDONLY, 0));
}

static void int80_getpid(void)
{
	did(int80(20 /* getpid of asm/unistd_32.h */, 0, 0, 0) == getpid());
}

/* F11: numbers that no table has. Zeros are what every call survives. */
static void unknown_numbers(void)
{
	for (long nr = 337; nr < 1024; nr++) {
		if (nr >= 424 && nr <= 470)
			continue;
		long result = sys_call(nr, 0);

		if (result != -ENOSYS)
			fprintf(stderr, "system call %ld: %ld\n", nr, result);
		did(result != -ENOSYS);
	}
	did(sys_call(-1L, 0) != -ENOSYS);
	did(sys_call(0x7fffffffL, 0) != -ENOSYS);
	did(sys_call(0x40000200L, 0) != -ENOSYS);
}

/* F4 */

static void type_into(unsigned long request)
{
	int master, slave;
	char letter = 'x';

	if (openpty(&master, &slave, NULL, NULL, NULL) != 0)
		return;
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) != 0)
		return;
	did(sys_call(SYS_ioctl, slave, request, &letter) == 0);
}

static void tiocsti_body(void)
{
	type_into(TIOCSTI);
}

static void tiocsti(void)
{
	in_child(tiocsti_body);
}

static void tiocsti_high_body(void)
{
	/* The kernel cuts the request to 32 bits; so must the filter. */
	type_into(0xdead00000000UL | TIOCSTI);
}

static void tiocsti_high(void)
{
	in_child(tiocsti_high_body);
}

static void tioclinux(void)
{
	char code[2] = {6, 0}; /* TIOCL_GETSHIFTSTATE, ioctl_console(2) */
	long fd = sys_open("/dev/tty0", O_RDWR | O_NOCTTY, 0);

	did(fd >= 0 && sys_call(SYS_ioctl, fd, TIOCLINUX, code) >= 0);
}

/* Whether the command came as far as the file system: most of them know most of these not. */
static void file_system_command(unsigned long command)
{
	long fd = sys_open(at("ro/data"), O_RDONLY, 0);

	did(fd >= 0 && sys_call(SYS_ioctl, fd, command, NULL) != -EPERM);
}

#define COMMAND_CASE(name, command)                                                                \
	static void name(void)                                                                     \
	{                                                                                          \
		file_system_command(command);                                                      \
	}

COMMAND_CASE(remove_key, 0xc0406618UL)
COMMAND_CASE(remove_key_all, 0xc0406619UL)
COMMAND_CASE(add_key_command, 0xc0506617UL)
COMMAND_CASE(password_salt, 0x40106614UL)
COMMAND_CASE(migrate, 0x6609UL)
COMMAND_CASE(allocate_now, 0x660cUL)
COMMAND_CASE(lustre_stripe, 0x4008669aUL)
COMMAND_CASE(reflink_paths, 0x40186f04UL)
COMMAND_CASE(pin_file, 0x4004f50dUL)
COMMAND_CASE(atomic_write, 0xdead0000f501UL)
COMMAND_CASE(ceph_layout, 0x40289702UL)
COMMAND_CASE(smb_integrity, 0xcf04UL)
COMMAND_CASE(ask_flags, 0x80086601UL)
COMMAND_CASE(ask_extents, 0xc020660bUL)
COMMAND_CASE(ask_policy, 0xc0096616UL)
COMMAND_CASE(clone_file, 0x40049409UL)

/* F5: a program without a path. ro/tool may be read and not executed; it prints its argument. */

static char *const tool_argv[] = {(char *)(uintptr_t) "tool", (char *)(uintptr_t) "DID", NULL};

static long memfd_with_tool(unsigned int flags)
{
	static char buf[1 << 16];
	long in = sys_open(at("ro/tool"), O_RDONLY, 0);
	long fd = sys_call(SYS_memfd_create, "tool", flags);
	ssize_t got;

	if (in < 0 || fd < 0)
		return -1;
	while ((got = read((int)in, buf, sizeof(buf))) > 0) {
		if (write((int)fd, buf, (size_t)got) != got)
			return -1;
	}
	return fd;
}

static void memfd_execveat(void)
{
	sys_call(SYS_execveat, memfd_with_tool(0), "", tool_argv, environ, AT_EMPTY_PATH);
}

static void memfd_mode_execveat(void)
{
	long fd = memfd_with_tool(0);

	sys_fchmod((int)fd, 0777);
	sys_call(SYS_execveat, fd, "", tool_argv, environ, AT_EMPTY_PATH);
}

static void memfd_marked(void)
{
	sys_call(SYS_execveat, memfd_with_tool(MFD_EXEC), "", tool_argv, environ, AT_EMPTY_PATH);
}

static void memfd_fexecve(void)
{
	fexecve((int)memfd_with_tool(0), tool_argv, environ);
}

static void memfd_proc(void)
{
	sys_execve(text("/proc/self/fd/%ld", memfd_with_tool(0)), tool_argv, environ);
}

static void memfd_dev(void)
{
	sys_execve(text("/dev/fd/%ld", memfd_with_tool(0)), tool_argv, environ);
}

static void memfd_script(void)
{
	/* A script in a memfd, for an interpreter that is refused. */
	const char *line = text("#!%s DID\n", at("refused/tool"));
	long fd = sys_call(SYS_memfd_create, "script", 0);

	if (write((int)fd, line, strlen(line)) < 0)
		return;
	sys_call(SYS_execveat, fd, "", tool_argv, environ, AT_EMPTY_PATH);
}

static void tmpfile_execveat(void)
{
	long in = sys_open(at("ro/tool"), O_RDONLY, 0);
	long fd = sys_open(at("free"), O_TMPFILE | O_RDWR, 0755);
	struct stat about;

	if (in < 0 || fd < 0 || fstat((int)in, &about) != 0)
		return;
	if (sys_call(SYS_sendfile, fd, in, NULL, about.st_size) != about.st_size)
		return;
	/* A file that is open for writing cannot be executed: reopen it read-only. */
	in = sys_open(text("/proc/self/fd/%ld", fd), O_RDONLY, 0);
	close((int)fd);
	sys_call(SYS_execveat, in, "", tool_argv, environ, AT_EMPTY_PATH);
}

static void readonly_execveat(void)
{
	sys_call(SYS_execveat, sys_open(at("ro/tool"), O_RDONLY, 0), "", tool_argv, environ,
		 AT_EMPTY_PATH);
}

static void handle_execveat(void)
{
	sys_call(SYS_execveat, sys_open(at("refused/tool"), O_PATH, 0), "", tool_argv, environ,
		 AT_EMPTY_PATH);
}

static void memfd_secret(void)
{
	did(sys_call(NR_MEMFD_SECRET, 0) >= 0);
}

/* F8 */

static void keyring(void)
{
	did(sys_call(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3 /* process */, 1) > 0);
	did(sys_call(SYS_add_key, "user", "remit-test", "x", 1, -2 /* process */) > 0);
}

static void bpf(void)
{
	union bpf_attr attr = {
	    .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};

	did(sys_call(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)) >= 0);
}

static void perf(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_TASK_CLOCK,
				       .exclude_kernel = 1};

	did(sys_call(SYS_perf_event_open, &attr, 0, -1, -1, 0) >= 0);
}

static void faults(void)
{
	did(sys_call(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */) >= 0);
}

static void kernel_log(void)
{
	did(sys_call(SYS_syslog, 10 /* SIZE_BUFFER */, NULL, 0) > 0);
	did(sys_call(SYS_syslog, 3 /* READ_ALL */, calloc(1, 4096), 4096) > 0);
}

static void host_name(void)
{
	char name[65] = "";

	if (gethostname(name, sizeof(name) - 1) == 0)
		did(sys_call(SYS_sethostname, name, strlen(name)) == 0);
}

static void time_adjust(void)
{
	long zero[2] = {0, 0};

	/* An adjustment of nothing: asks for the right, changes no clock. */
	did(sys_call(SYS_adjtimex, zero) == -EFAULT ||
	    sys_call(SYS_settimeofday, NULL, NULL) != -EPERM);
}

static void modules(void)
{
	did(sys_call(SYS_init_module, "", 0, "") == -ENOEXEC);
}

static void io_ports(void)
{
	did(sys_call(SYS_iopl, 3) == 0);
}

/* P15: other worlds. */

static void new_user(void)
{
	did(sys_call(SYS_unshare, CLONE_NEWUSER) == 0);
}

static void new_mounts(void)
{
	did(sys_call(SYS_unshare, CLONE_NEWNS) == 0);
}

static void new_by_clone(void)
{
	long pid = sys_call(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	did(pid > 0);
}

static void new_by_clone_high(void)
{
	/* Upper bits that clone(2) ignores must not hide the lower ones. */
	long pid = sys_call(SYS_clone, (1L << 40) | CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	did(pid > 0);
}

static void new_by_clone3(void)
{
	uint64_t args[11] = {CLONE_NEWUSER, [4] = SIGCHLD};
	long pid = sys_call(SYS_clone3, args, sizeof(args));

	if (pid == 0)
		_exit(0);
	did(pid > 0);
}

static void enter_namespace(void)
{
	long fd = sys_open("/proc/self/ns/uts", O_RDONLY, 0);

	did(fd >= 0 && sys_call(SYS_setns, fd, 0) == 0);
}

static void change_root(void)
{
	did(sys_call(SYS_chroot, at("out")) == 0);
	if (chdir("/") == 0)
		show_file("/secret");
}

static void change_root_child(void)
{
	in_child(change_root);
}

static void mount_tmpfs_body(void)
{
	/* In mounts of its own, so that nothing of it is seen elsewhere. */
	if (sys_call(SYS_unshare, CLONE_NEWNS) != 0 ||
	    sys_call(SYS_mount, "none", "/", NULL, (1UL << 18) | (1UL << 14), NULL) != 0)
		return;
	did(sys_call(SYS_mount, "none", at("free"), "tmpfs", 0, NULL) == 0);
}

static void mount_tmpfs(void)
{
	in_child(mount_tmpfs_body);
}

static void tree_of_mounts(void)
{
	long fd = sys_call(NR_OPEN_TREE, AT_FDCWD, at("out"), 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC);

	if (fd >= 0)
		show_fd(sys_openat((int)fd, "secret", O_RDONLY, 0));
}

static void tree_handle(void)
{
	/* Without OPEN_TREE_CLONE it is a kind of O_PATH, open to everyone. */
	long fd = sys_call(NR_OPEN_TREE, AT_FDCWD, at("out"), O_CLOEXEC);

	if (fd >= 0)
		show_fd(sys_openat((int)fd, "secret", O_RDONLY, 0));
}

static void file_system(void)
{
	did(sys_call(NR_FSOPEN, "tmpfs", 1 /* FSOPEN_CLOEXEC */) >= 0);
}

static const struct escape cases[] = {
    {"F1-io-uring", NULL, MAY_LACK, io_uring},
    {"F2-x32-open", NULL, MAY_LACK, x32_open},
    {"F2-x32-getpid", NULL, MAY_LACK, x32_getpid},
    {"F3-int80-open", NULL, MAY_LACK, int80_open},
    {"F3-int80-getpid", NULL, MAY_LACK, int80_getpid},
    {"F11-unknown-numbers", NULL, NO_CONTROL, unknown_numbers},
    {"F4-tiocsti", "TIOCSTI", MAY_LACK, tiocsti},
    {"F4-tiocsti-high-bits", "TIOCSTI", MAY_LACK, tiocsti_high},
    {"F4-tioclinux", NULL, MAY_LACK | NEEDS_ROOT, tioclinux},
    {"F4-remove-key", "FS_IOC_REMOVE_ENCRYPTION_KEY", 0, remove_key},
    {"F4-remove-key-all", "FS_IOC_REMOVE_ENCRYPTION_KEY_ALL", 0, remove_key_all},
    {"F4-add-key", "FS_IOC_ADD_ENCRYPTION_KEY", 0, add_key_command},
    {"F4-password-salt", "FS_IOC_GET_ENCRYPTION_PWSALT", 0, password_salt},
    {"F4-migrate", "EXT4_IOC_MIGRATE", 0, migrate},
    {"F4-allocate-now", "EXT4_IOC_ALLOC_DA_BLKS", 0, allocate_now},
    {"F4-unlisted", "0x4008669a", 0, lustre_stripe},
    {"F4-reflink-paths", "OCFS2_IOC_REFLINK", 0, reflink_paths},
    {"F4-pin-file", "0x4004f50d", 0, pin_file},
    {"F4-atomic-write-high-bits", "0xf501", 0, atomic_write},
    {"F4-ceph-layout", "0x40289702", 0, ceph_layout},
    {"F4-smb-integrity", "0xcf04", 0, smb_integrity},
    {"F4-ask-flags", NULL, MUST_WORK, ask_flags},
    {"F4-ask-extents", NULL, MUST_WORK, ask_extents},
    {"F4-ask-policy", NULL, MUST_WORK, ask_policy},
    {"F4-clone", NULL, MUST_WORK, clone_file},
    {"F5-memfd-execveat", NULL, 0, memfd_execveat},
    {"F5-memfd-chmod-execveat", NULL, 0, memfd_mode_execveat},
    {"F5-memfd-marked-exec", NULL, 0, memfd_marked},
    {"F5-memfd-fexecve", NULL, 0, memfd_fexecve},
    {"F5-memfd-proc", NULL, 0, memfd_proc},
    {"F5-memfd-dev-fd", NULL, 0, memfd_dev},
    {"F5-memfd-script", NULL, 0, memfd_script},
    {"F5-tmpfile-execveat", "", 0, tmpfile_execveat},
    {"F5-readonly-execveat", "ro/tool", 0, readonly_execveat},
    {"F5-handle-execveat", "refused/tool", 0, handle_execveat},
    {"F5-memfd-secret", NULL, MAY_LACK, memfd_secret},
    {"F8-keys", "keyctl", 0, keyring},
    {"F8-bpf", "bpf", NEEDS_ROOT, bpf},
    {"F8-perf", "perf_event_open", MAY_LACK, perf},
    {"F8-userfaultfd", "userfaultfd", MAY_LACK, faults},
    {"F8-syslog", "syslog", NEEDS_ROOT, kernel_log},
    {"F8-sethostname", "sethostname", NEEDS_ROOT, host_name},
    {"F8-clock", "settimeofday", NEEDS_ROOT, time_adjust},
    {"F8-modules", "init_module", NEEDS_ROOT | MAY_LACK, modules},
    {"F8-iopl", "iopl", NEEDS_ROOT | MAY_LACK, io_ports},
    {"P15-unshare-user", "CLONE_NEWUSER", MAY_LACK, new_user},
    {"P15-unshare-mounts", "CLONE_NEWNS", NEEDS_ROOT, new_mounts},
    {"P15-clone-user", "CLONE_NEWUSER", MAY_LACK, new_by_clone},
    {"P15-clone-high-bits", "CLONE_NEWUSER", MAY_LACK, new_by_clone_high},
    {"P15-clone3-user", NULL, MAY_LACK, new_by_clone3},
    {"P15-setns", "setns", NEEDS_ROOT, enter_namespace},
    {"P15-chroot", "chroot", NEEDS_ROOT, change_root_child},
    {"P15-mount", "CLONE_NEWNS", NEEDS_ROOT | MAY_LACK, mount_tmpfs}, /* a chroot cannot */
    {"P15-open-tree-clone", "open_tree", NEEDS_ROOT, tree_of_mounts},
    {"P15-open-tree-handle", "open_tree", 0, tree_handle},
    {"P15-fsopen", "fsopen", NEEDS_ROOT, file_system},
};
ESCAPE_TABLE(filter_table, cases);
