/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a program with an emptied environment in the way that the first argument names: each a way
 * in which LD_PRELOAD gets lost. launch WAY PROGRAM */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int finish(pid_t child)
{
	int status = 1;

	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int by_spawn(const char *way, char *program, char *const argv[], char *const none[])
{
	pid_t child;
	int error = strcmp(way, "posix_spawn") == 0
			? posix_spawn(&child, program, NULL, NULL, argv, none)
			: posix_spawnp(&child, program, NULL, NULL, argv, none);

	return error ? error : finish(child);
}

static int by_popen(const char *program)
{
	char line[128];
	FILE *stream = popen(program, "r");

	while (stream && fgets(line, sizeof(line), stream))
		fputs(line, stdout);
	return stream ? pclose(stream) : 1;
}

int main(int argc, char **argv)
{
	char *none[] = {NULL}, *only[] = {argv[2], NULL};
	const char *way = argv[1];

	if (argc != 3)
		return 2;
	if (strncmp(way, "posix_spawn", 11) == 0)
		return by_spawn(way, argv[2], only, none);
	if (strcmp(way, "execve") == 0)
		execve(argv[2], only, none);
	else if (strcmp(way, "execve-null") == 0)
		execve(argv[2], only, NULL);
	else if (strcmp(way, "execle") == 0)
		execle(argv[2], argv[2], (char *)NULL, none);
	else if (strcmp(way, "execvpe") == 0)
		execvpe(argv[2], only, none);
	else if (strcmp(way, "fexecve") == 0)
		fexecve(open(argv[2], O_RDONLY | O_CLOEXEC), only, none);
	else if (strcmp(way, "execveat") == 0)
		execveat(AT_FDCWD, argv[2], only, none, 0);
	else if (strcmp(way, "syscall") == 0)
		syscall(SYS_execve, argv[2], only, none);
	clearenv();
	if (strcmp(way, "clearenv") == 0)
		execv(argv[2], only);
	environ = none;
	if (strcmp(way, "environ") == 0)
		execl(argv[2], argv[2], (char *)NULL);
	if (strcmp(way, "vfork") == 0) {
		pid_t child = vfork();

		if (child == 0) {
			execve(argv[2], only, none);
			_exit(127);
		}
		return finish(child);
	}
	if (strcmp(way, "system") == 0)
		return system(argv[2]);
	if (strcmp(way, "popen") == 0)
		return by_popen(argv[2]);
	fprintf(stderr, "launch: %s: %s\n", way, strerror(errno));
	return 2;
}
