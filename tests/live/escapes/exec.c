/* SPDX-License-Identifier: Apache-2.0 */
/* E1, E3–E7: running what is not granted, and running out of the session. refused/tool and ro/tool
 * are one static program that prints its first argument; ro/ may be read, refused/ not even that.
 */
#include "tests/live/escapes/harness.h"

#include <dlfcn.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <time.h>

#include "shim/common/protocol.h"

static char *const tool_argv[] = {(char *)(uintptr_t) "tool", (char *)(uintptr_t) "DID", NULL};

static void run(const char *path)
{
	sys_execve(path, tool_argv, environ);
}

static void by_path(void)
{
	run(at("refused/tool"));
}

static void by_readable_path(void)
{
	run(at("ro/tool"));
}

static void by_relative(void)
{
	if (chdir(at("ro")) == 0)
		run("./tool");
}

static void by_dots(void)
{
	run(at("bin/.././/ro/tool"));
}

static void by_link(void)
{
	sys_symlink(at("ro/tool"), at("free/tool"));
	run(at("free/tool"));
}

static void by_hard_link(void)
{
	sys_link(at("ro/tool"), at("free/tool"));
	run(at("free/tool"));
}

static void by_handle(void)
{
	long fd = sys_open(at("ro"), O_PATH | O_DIRECTORY, 0);

	sys_call(SYS_execveat, fd, "tool", tool_argv, environ, 0);
}

static void by_fd_path(void)
{
	run(text("/proc/self/fd/%ld", sys_open(at("ro/tool"), O_RDONLY, 0)));
}

static void by_root(void)
{
	run(text("/proc/self/root%s", at("ro/tool")));
}

static void by_path_search(void)
{
	setenv("PATH", at("ro"), 1);
	execvp("tool", tool_argv);
}

static void by_spawn(void)
{
	pid_t pid;
	int status;

	if (posix_spawn(&pid, at("ro/tool"), NULL, NULL, tool_argv, environ) == 0)
		waitpid(pid, &status, 0);
}

static void by_vfork(void)
{
	const char *path = at("ro/tool");
	pid_t pid = vfork();
	int status;

	if (pid == 0) {
		sys_execve(path, tool_argv, environ);
		_exit(1);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
}

static void write_script(const char *path, const char *interpreter)
{
	FILE *script = fopen(path, "w");

	if (script == NULL)
		return;
	fprintf(script, "#!%s DID\n", interpreter);
	fclose(script);
	chmod(path, 0755);
}

static void by_script(void)
{
	write_script(at("free/script"), at("refused/tool"));
	run(at("free/script"));
}

static void by_script_of_granted(void)
{
	/* The interpreter is granted, the script itself is not. */
	write_script(at("free/script"), at("bin/tool"));
	run(at("free/script"));
}

static void denied_beneath(void)
{
	run(at("bin/denied"));
}

static void copied(const char *to)
{
	copy_file(at("ro/tool"), to, 0755);
	run(to);
}

static void copy_to_free(void)
{
	copied(at("free/tool"));
}

static void copy_to_in(void)
{
	copied(at("in/tool"));
}

static void copy_over_granted(void)
{
	/* bin/ is not writable; a grant of exec must not have become a grant of writing. */
	long fd = sys_open(at("bin/denied"), O_WRONLY | O_TRUNC, 0);

	put_fd(fd);
}

static void rename_into_granted(void)
{
	copy_file(at("ro/tool"), at("free/tool"), 0755);
	sys_rename(at("free/tool"), at("bin/mine"));
	run(at("bin/mine"));
}

static void move_granted_folder(void)
{
	sys_rename(at("bin"), at("free/bin"));
	sys_rename(at("free/bin"), at("bin"));
}

/* E4: without the shim, or anything else of the environment. */

static void again(char *const envp[])
{
	const char *argv[] = {harness_fact("self"), "P8-open", harness_root, NULL};

	sys_execve(argv[0], (char *const *)(uintptr_t)argv, envp);
}

static void empty_environment(void)
{
	char *const none[] = {NULL};

	again(none);
}

static void no_environment(void)
{
	again(NULL);
}

static void from_static(void)
{
	const char *argv[] = {harness_fact("static"), "E4-empty-environment", harness_root,
			      text("self=%s", harness_fact("self")), NULL};
	char *const none[] = {NULL};

	sys_execve(argv[0], (char *const *)(uintptr_t)argv, none);
}

static void hostile_preload(void)
{
	char *const envp[] = {(char *)(uintptr_t)text("LD_PRELOAD=%s", harness_fact("evil")),
			      (char *)(uintptr_t)text("EVIL_TARGET=%s", at("out/secret")), NULL};

	/* E6: the constructor of evil.so reads EVIL_TARGET before anything else of ours. */
	const char *argv[] = {harness_fact("dynamic"), "--list", NULL};

	sys_execve(argv[0], (char *const *)(uintptr_t)argv, envp);
}

static void hostile_audit(void)
{
	char *const envp[] = {(char *)(uintptr_t)text("LD_AUDIT=%s", harness_fact("evil")),
			      (char *)(uintptr_t)text("EVIL_TARGET=%s", at("out/secret")), NULL};
	const char *argv[] = {harness_fact("dynamic"), "--list", NULL};

	sys_execve(argv[0], (char *const *)(uintptr_t)argv, envp);
}

/* E5: privilege through a file. */

static void set_user_id(void)
{
	const char *argv[] = {"suid", "euid", NULL};

	sys_execve(at("bin/suid"), (char *const *)(uintptr_t)argv, environ);
}

static void file_capability(void)
{
	const char *argv[] = {"caps", "caps", NULL};

	sys_execve(at("bin/caps"), (char *const *)(uintptr_t)argv, environ);
}

static void privileges_back(void)
{
	did(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 || getuid() != geteuid());
}

/* E7: what outlives the session. */

static void survivor(void)
{
	pid_t starter = getppid();

	if (fork() == 0) {
		setsid();
		if (fork() == 0) {
			struct timespec second = {.tv_sec = 1, .tv_nsec = 500000000};

			prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
			close(STDIN_FILENO);
			close(STDOUT_FILENO);
			close(STDERR_FILENO);
			nanosleep(&second, NULL);
			if (!outlived(starter))
				_exit(0);
			/* Tagged: needs no gate, which is gone by now. */
			put_fd(sys_call(SYS_openat, AT_FDCWD, at("free/survived"),
					O_WRONLY | O_CREAT, 0644, 0, REMIT_TAG));
			_exit(0);
		}
		_exit(0);
	}
}

static void session_in_session(void)
{
	/* E8: a wider manifest inside; nothing that the outer session refuses can come of it. */
	const char *argv[] = {harness_fact("remit"),
			      "run",
			      "--quiet",
			      "--no-shim",
			      "-m",
			      at("in/wide.yaml"),
			      "--audit",
			      at("free/inner.jsonl"),
			      "--",
			      harness_fact("self"),
			      "P8-open",
			      harness_root,
			      NULL};

	sys_execve(argv[0], (char *const *)(uintptr_t)argv, environ);
}

static void granted(void)
{
	run(at("bin/tool"));
}

static void granted_script(void)
{
	run(at("bin/script"));
}

static const struct escape cases[] = {
    {"E0-granted", NULL, MUST_WORK, granted},
    {"E0-granted-script", NULL, MUST_WORK, granted_script},
    {"E1-path", "refused/tool", 0, by_path},
    {"E1-readable-path", "ro/tool", 0, by_readable_path},
    {"E1-relative", "ro/tool", 0, by_relative},
    {"E1-dots", "ro/tool", 0, by_dots},
    {"E1-link", "ro/tool", 0, by_link},
    {"E1-hard-link", "", 0, by_hard_link},
    {"E1-handle", "ro/tool", 0, by_handle},
    {"E1-proc-fd", "ro/tool", 0, by_fd_path},
    {"E1-proc-root", "ro/tool", 0, by_root},
    {"E1-path-search", "ro/tool", 0, by_path_search},
    {"E1-spawn", "ro/tool", 0, by_spawn},
    {"E1-vfork", "ro/tool", 0, by_vfork},
    {"E1-script", "free/script", 0, by_script},
    {"E1-script-of-granted", "free/script", 0, by_script_of_granted},
    {"E1-denied-beneath", "bin/denied", 0, denied_beneath},
    {"E3-copy-free", "free/tool", 0, copy_to_free},
    {"E3-copy-in", "in/tool", 0, copy_to_in},
    {"E3-overwrite", "bin/denied", 0, copy_over_granted},
    {"E3-rename-into", "", 0, rename_into_granted},
    {"E3-move-folder", "bin", 0, move_granted_folder},
    {"E4-empty-environment", "out/secret", 0, empty_environment},
    {"E4-no-environment", "out/secret", 0, no_environment},
    {"E4-static-parent", "out/secret", 0, from_static},
    {"E5-set-user-id", NULL, NEEDS_ORDINARY, set_user_id},
    {"E5-file-capability", NULL, NEEDS_ORDINARY, file_capability},
    {"E5-no-new-privs", NULL, NO_CONTROL, privileges_back},
    {"E6-preload", "out/secret", 0, hostile_preload},
    {"E6-audit", "out/secret", 0, hostile_audit},
    {"E7-survivor", NULL, 0, survivor},
    {"E8-session-in-session", NULL, 0, session_in_session},
};
ESCAPE_TABLE(exec_table, cases);
