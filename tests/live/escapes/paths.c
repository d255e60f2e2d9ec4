/* SPDX-License-Identifier: Apache-2.0 */
/* P1, P3, P4, P5, P8, P16: reading and opening what lies outside, by every road to the object. */
#include "tests/live/escapes/harness.h"

#include <dirent.h>
#include <linux/openat2.h>

/* P1: a link inside a grant that leads out. */

static void link_read(void)
{
	sys_symlink(at("out/secret"), at("free/l"));
	show_file(at("free/l"));
}

static void link_read_relative(void)
{
	sys_symlink("../out/secret", at("free/l"));
	show_file(at("free/l"));
}

static void link_folder(void)
{
	sys_symlink(at("out"), at("free/d"));
	show_file(at("free/d/secret"));
}

static void link_chain(void)
{
	sys_symlink(at("out"), at("free/a"));
	sys_symlink("a/secret", at("free/b"));
	sys_symlink("b", at("free/c"));
	show_file(at("free/c"));
}

static void link_create(void)
{
	sys_symlink(at("out/new"), at("free/l"));
	put_fd(sys_open(at("free/l"), O_WRONLY | O_CREAT, 0644));
}

static void link_write(void)
{
	sys_symlink(at("out/victim"), at("free/l"));
	put_fd(sys_open(at("free/l"), O_WRONLY, 0));
}

static void link_to_denied(void)
{
	sys_symlink("denied.txt", at("in/l"));
	show_file(at("in/l"));
}

static void link_at_grant(void)
{
	/* The next launch would resolve the grant through it. */
	sys_symlink(at("out"), at("spot"));
	sys_symlink(at("out"), at("free/s"));
	sys_rename(at("free/s"), at("spot"));
	sys_linkat(AT_FDCWD, at("free/s"), AT_FDCWD, at("spot"), 0);
}

/* P3: the process's own root, cwd and threads. */

static void self_root(void)
{
	show_file(text("/proc/self/root%s", at("out/secret")));
}

static void thread_self_root(void)
{
	show_file(text("/proc/thread-self/root%s", at("out/secret")));
}

static void task_root(void)
{
	show_file(text("/proc/self/task/%d/root%s", getpid(), at("out/secret")));
}

static void pid_root(void)
{
	show_file(text("/proc/%d/root%s", getpid(), at("out/secret")));
}

static void self_cwd(void)
{
	if (chdir(at("out")) == 0)
		show_file("/proc/self/cwd/secret");
}

static void cwd_dotdot(void)
{
	if (chdir(at("out/dir")) == 0)
		show_file("/proc/self/cwd/../secret");
}

static void relative(void)
{
	if (chdir(at("out")) == 0)
		show_file("secret");
}

static void relative_up(void)
{
	if (chdir(at("free")) == 0)
		show_file("../out/secret");
}

/* P4: an fd with fewer rights turned into one with more. */

static void reopen_through(const char *folder)
{
	long fd = sys_open(at("ro/data"), O_RDONLY, 0);

	put_fd(sys_open(text("%s/%ld", folder, fd), O_WRONLY, 0));
}

static void reopen_proc(void)
{
	reopen_through("/proc/self/fd");
}

static void reopen_dev(void)
{
	reopen_through("/dev/fd");
}

static void reopen_task(void)
{
	reopen_through(text("/proc/self/task/%d/fd", getpid()));
}

static void reopen_truncate(void)
{
	long fd = sys_open(at("ro/data"), O_RDONLY, 0);

	sys_truncate(text("/proc/self/fd/%ld", fd), 0);
}

static void reopen_trunc_flag(void)
{
	long fd = sys_open(at("ro/data"), O_RDONLY, 0);

	show_fd(sys_open(text("/proc/self/fd/%ld", fd), O_RDONLY | O_TRUNC, 0));
}

static void reopen_stdin(void)
{
	long fd = sys_open(at("ro/data"), O_RDONLY, 0);

	dup2((int)fd, STDIN_FILENO);
	put_fd(sys_open("/dev/stdin", O_WRONLY, 0));
}

static void handle_reopen(void)
{
	long fd = sys_open(at("out/secret"), O_PATH, 0);

	show_file(text("/proc/self/fd/%ld", fd));
}

static void handle_folder(void)
{
	long fd = sys_open(at("out"), O_PATH | O_DIRECTORY, 0);

	show_fd(sys_openat((int)fd, "secret", O_RDONLY, 0));
}

static void handle_folder_proc(void)
{
	long fd = sys_open(at("out"), O_PATH | O_DIRECTORY, 0);

	show_file(text("/proc/self/fd/%ld/secret", fd));
}

static void handle_folder_up(void)
{
	long fd = sys_open(at("free"), O_PATH | O_DIRECTORY, 0);

	show_file(text("/proc/self/fd/%ld/../out/secret", fd));
}

static void handle_fchdir(void)
{
	long fd = sys_open(at("out"), O_PATH | O_DIRECTORY, 0);

	if (fd >= 0 && fchdir((int)fd) == 0)
		show_file("secret");
}

static void handle_openat2(void)
{
	long fd = sys_open(at("out"), O_PATH | O_DIRECTORY, 0);
	struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_BENEATH};

	show_fd(sys_call(SYS_openat2, fd, "secret", &how, sizeof(how)));
}

static void handle_write(void)
{
	long fd = sys_open(at("out/victim"), O_PATH, 0);

	put_fd(sys_open(text("/proc/self/fd/%ld", fd), O_WRONLY, 0));
}

static void by_handle(void)
{
	struct {
		struct file_handle handle;
		unsigned char bytes[128];
	} name = {.handle.handle_bytes = 128};
	int mount = 0;
	long fd = sys_open(at("free"), O_RDONLY | O_DIRECTORY, 0);

	sys_call(SYS_name_to_handle_at, AT_FDCWD, at("out/secret"), &name.handle, &mount, 0);
	show_fd(sys_call(SYS_open_by_handle_at, fd, &name.handle, O_RDONLY));
}

/* P5: other processes. The stranger holds the token in its environment, on fd 7 and in its cwd. */

static void show_pid(long pid, const char *what)
{
	show_file(text("/proc/%ld/%s", pid, what));
}

static void show_memory(long pid)
{
	char stat[2048], *field;
	unsigned long start = 0;
	long fd = sys_open(text("/proc/%ld/stat", pid), O_RDONLY, 0);
	ssize_t got = fd < 0 ? -1 : read((int)fd, stat, sizeof(stat) - 1);
	char buf[4096];

	if (got <= 0)
		start = strtoul(harness_fact("env_start"), NULL, 0);
	else {
		stat[got] = '\0';
		field = strrchr(stat, ')');
		/* proc(5): comm is field 2, env_start is field 50. */
		for (int i = 2; i < 50 && field != NULL; i++)
			field = strchr(field + 1, ' ');
		start = field == NULL ? 0 : strtoul(field, NULL, 10);
	}
	fd = sys_open(text("/proc/%ld/mem", pid), O_RDONLY, 0);
	if (fd < 0)
		return;
	got = pread((int)fd, buf, sizeof(buf), (off_t)start);
	if (got > 0 && write(STDOUT_FILENO, buf, (size_t)got) < 0)
		exit(3);
}

#define PROCESS_CASE(label, pid, what)                                                             \
	static void label(void)                                                                    \
	{                                                                                          \
		show_pid(pid, what);                                                               \
	}

PROCESS_CASE(broker_environ, getppid(), "environ")
PROCESS_CASE(broker_task_environ, getppid(), text("task/%d/environ", getppid()))
PROCESS_CASE(broker_root, getppid(), text("root%s", at("out/secret")))
PROCESS_CASE(stranger_environ, harness_number("stranger"), "environ")
PROCESS_CASE(stranger_root, harness_number("stranger"), text("root%s", at("out/secret")))
PROCESS_CASE(stranger_cwd, harness_number("stranger"), "cwd/secret")
PROCESS_CASE(stranger_fd, harness_number("stranger"), "fd/7")
PROCESS_CASE(stranger_cmdline, harness_number("stranger"), "cmdline")
PROCESS_CASE(stranger_map_files, harness_number("stranger"), "cwd/../out/secret")

static void broker_maps(void)
{
	char buf[64];
	long fd = sys_open(text("/proc/%d/maps", getppid()), O_RDONLY, 0);

	did(fd >= 0 && read((int)fd, buf, sizeof(buf)) > 0);
}

static void broker_mem(void)
{
	show_memory(getppid());
}

static void broker_fds(void)
{
	int seen = 0;

	for (int fd = 3; fd < 64; fd++) {
		long got =
		    sys_open(text("/proc/%d/fd/%d", getppid(), fd), O_RDONLY | O_NONBLOCK, 0);
		seen |= got >= 0;
	}
	did(seen);
}

static void stranger_mem(void)
{
	show_memory(harness_number("stranger"));
}

/* P8: every spelling of open. */

static void spell_open(void)
{
	show_file(at("out/secret"));
}

static void spell_openat(void)
{
	show_fd(sys_openat(AT_FDCWD, at("out/secret"), O_RDONLY, 0));
}

static void spell_openat_badfd(void)
{
	show_fd(sys_openat(-77, at("out/secret"), O_RDONLY, 0));
}

static void spell_openat2(void)
{
	struct open_how how = {.flags = O_RDONLY};

	show_fd(sys_call(SYS_openat2, AT_FDCWD, at("out/secret"), &how, sizeof(how)));
}

static void spell_openat2_in_root(void)
{
	long fd = sys_open("/", O_PATH | O_DIRECTORY, 0);
	struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_IN_ROOT};

	show_fd(sys_call(SYS_openat2, fd, at("out/secret"), &how, sizeof(how)));
}

static void spell_fopen(void)
{
	char buf[256];
	FILE *stream = fopen(at("out/secret"), "r");

	if (stream != NULL && fgets(buf, sizeof(buf), stream) != NULL)
		printf("%s\n", buf);
}

static void spell_rdwr(void)
{
	show_fd(sys_open(at("out/secret"), O_RDWR, 0));
}

static void spell_mode3(void)
{
	/* Access mode 3 asks for ioctl rights only, yet checks read and write. */
	did(sys_open(at("out/secret"), O_ACCMODE, 0) >= 0);
}

static void spell_creat(void)
{
	put_fd(sys_creat(at("out/victim"), 0644));
}

static void spell_creat_readonly(void)
{
	put_fd(sys_creat(at("ro/data"), 0644));
}

static void spell_trunc(void)
{
	show_fd(sys_open(at("ro/data"), O_RDONLY | O_TRUNC, 0));
}

static void spell_append(void)
{
	put_fd(sys_open(at("ro/data"), O_WRONLY | O_APPEND, 0));
}

static void spell_create_readonly(void)
{
	show_fd(sys_open(at("ro/made"), O_RDONLY | O_CREAT, 0644));
}

static void spell_tmpfile(void)
{
	long fd = sys_open(at("out"), O_TMPFILE | O_RDWR, 0644);

	if (fd >= 0)
		sys_linkat(AT_FDCWD, text("/proc/self/fd/%ld", fd), AT_FDCWD, at("out/tmpfile"),
			   AT_SYMLINK_FOLLOW);
}

static void spell_tmpfile_out(void)
{
	long fd = sys_open(at("free"), O_TMPFILE | O_RDWR, 0644);

	if (fd >= 0)
		sys_linkat(AT_FDCWD, text("/proc/self/fd/%ld", fd), AT_FDCWD, at("out/tmpfile"),
			   AT_SYMLINK_FOLLOW);
}

static void spell_folder(void)
{
	struct dirent *entry;
	DIR *folder = opendir(at("out"));

	while (folder != NULL && (entry = readdir(folder)) != NULL)
		printf("%s\n", entry->d_name);
}

static void spell_execute_as_data(void)
{
	/* uselib(2) opens and reads a file by path; long gone, so only where it still exists. */
	did(sys_call(SYS_uselib, at("out/secret")) == 0);
}

static const struct escape cases[] = {
    {"P1-link-read", "out/secret", 0, link_read},
    {"P1-link-read-relative", "out/secret", 0, link_read_relative},
    {"P1-link-folder", "out/secret", 0, link_folder},
    {"P1-link-chain", "out/secret", 0, link_chain},
    {"P1-link-create", "out/new", 0, link_create},
    {"P1-link-write", "out/victim", 0, link_write},
    {"P1-link-to-denied", "in/denied.txt", 0, link_to_denied},
    {"P1-link-at-grant", "", 0, link_at_grant},
    {"P3-self-root", "out/secret", 0, self_root},
    {"P3-thread-self-root", "out/secret", 0, thread_self_root},
    {"P3-task-root", "out/secret", 0, task_root},
    {"P3-pid-root", "out/secret", 0, pid_root},
    {"P3-self-cwd", "out/secret", 0, self_cwd},
    {"P3-cwd-dotdot", "out/secret", 0, cwd_dotdot},
    {"P3-relative", "out/secret", 0, relative},
    {"P3-relative-up", "out/secret", 0, relative_up},
    {"P4-reopen-proc", "ro/data", 0, reopen_proc},
    {"P4-reopen-dev-fd", "ro/data", 0, reopen_dev},
    {"P4-reopen-task", "ro/data", 0, reopen_task},
    {"P4-reopen-truncate", "ro/data", 0, reopen_truncate},
    {"P4-reopen-trunc-flag", "ro/data", 0, reopen_trunc_flag},
    {"P4-reopen-stdin", "ro/data", 0, reopen_stdin},
    {"P4-handle-reopen", "out/secret", 0, handle_reopen},
    {"P4-handle-folder", "out/secret", 0, handle_folder},
    {"P4-handle-folder-proc", "out/secret", 0, handle_folder_proc},
    {"P4-handle-folder-up", "out/secret", 0, handle_folder_up},
    {"P4-handle-fchdir", "out/secret", 0, handle_fchdir},
    {"P4-handle-openat2", "out/secret", 0, handle_openat2},
    {"P4-handle-write", "out/victim", 0, handle_write},
    {"P5-broker-environ", "environ", 0, broker_environ},
    {"P5-broker-task-environ", "environ", 0, broker_task_environ},
    {"P5-broker-root", "", 0, broker_root},
    {"P5-broker-maps", "maps", 0, broker_maps},
    {"P5-broker-mem", "mem", 0, broker_mem},
    {"P5-broker-fds", "", 0, broker_fds},
    {"P5-stranger-environ", "environ", 0, stranger_environ},
    {"P5-stranger-root", "", 0, stranger_root},
    {"P5-stranger-cwd", "", 0, stranger_cwd},
    {"P5-stranger-cwd-up", "", 0, stranger_map_files},
    {"P5-stranger-fd", "", 0, stranger_fd},
    {"P5-stranger-cmdline", "cmdline", 0, stranger_cmdline},
    {"P5-stranger-mem", "", 0, stranger_mem},
    {"P8-open", "out/secret", 0, spell_open},
    {"P8-openat", "out/secret", 0, spell_openat},
    {"P8-openat-badfd", "out/secret", 0, spell_openat_badfd},
    {"P8-openat2", "out/secret", 0, spell_openat2},
    {"P8-openat2-in-root", "out/secret", 0, spell_openat2_in_root},
    {"P8-fopen", "out/secret", 0, spell_fopen},
    {"P8-rdwr", "out/secret", 0, spell_rdwr},
    {"P8-mode3", "out/secret", 0, spell_mode3},
    {"P8-creat", "out/victim", 0, spell_creat},
    {"P8-creat-readonly", "ro/data", 0, spell_creat_readonly},
    {"P8-trunc", "ro/data", 0, spell_trunc},
    {"P8-append", "ro/data", 0, spell_append},
    {"P8-create-readonly", "ro/made", 0, spell_create_readonly},
    {"P8-tmpfile", "out", 0, spell_tmpfile},
    {"P8-tmpfile-linked-out", "out/tmpfile", 0, spell_tmpfile_out},
    {"P8-opendir", "out", 0, spell_folder},
    {"P8-uselib", NULL, MAY_LACK, spell_execute_as_data},
    {"P16-open-by-handle", NULL, NEEDS_ROOT, by_handle},
};
ESCAPE_TABLE(paths_table, cases);
