/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Performs what the queries are about, one after the other, and says what really happened: the
 * bytes that were read, the byte that was written, the answer of the listener, the output of the
 * program. Puts back what it changed, so that the next query finds the same world.
 *
 * `driver FILE`: lines of act TAB object TAB token; prints for each "ok" TAB what was read, or "no"
 * TAB errno. Built twice: plainly, and with bare system calls (-DRAW).
 */
#include <dirent.h>
#include <linux/openat2.h>
#include <signal.h>
#include <spawn.h>
#include <time.h>

#include "tests/live/escapes/sys.h"
#include "tests/parity/driver.h"

struct act {
	const char *name;
	long (*perform)(const char *object); /* 0 or more: it happened; else a negative errno */
};

char driver_seen[SEEN_MAX];
static const char *token;

static long read_all(long fd)
{
	ssize_t got;

	if (fd < 0)
		return fd;
	got = read((int)fd, driver_seen, sizeof(driver_seen) - 1);
	if (got >= 0)
		driver_seen[got] = '\0';
	driver_seen[strcspn(driver_seen, "\n")] = '\0';
	close((int)fd);
	return got < 0 ? -EIO : 0;
}

static long act_open(const char *path)
{
	return read_all(sys_open(path, O_RDONLY | O_CLOEXEC, 0));
}

/* The folder that holds path, as an O_PATH handle, and the name in it. */
long driver_open_parent(const char *path, const char **name)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');

	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	*name = slash + 1;
	return sys_open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

static long act_openat(const char *path)
{
	const char *name;
	long parent = driver_open_parent(path, &name), result;

	if (parent < 0)
		return parent;
	result = read_all(sys_openat((int)parent, name, O_RDONLY | O_CLOEXEC, 0));
	close((int)parent);
	return result;
}

static long act_openat2(const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};

	return read_all(sys_call(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)));
}

static long act_fopen(const char *path)
{
#ifdef RAW
	return act_open(path);
#else
	FILE *stream = fopen(path, "re");

	if (stream == NULL)
		return -errno;
	if (fgets(driver_seen, sizeof(driver_seen), stream) == NULL)
		driver_seen[0] = '\0';
	driver_seen[strcspn(driver_seen, "\n")] = '\0';
	fclose(stream);
	return 0;
#endif
}

static long act_mmap(const char *path)
{
	long fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	struct stat about;
	char *map;

	if (fd < 0)
		return fd;
	if (fstat((int)fd, &about) != 0)
		return -errno;
	map = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, (int)fd, 0);
	close((int)fd);
	if (map == MAP_FAILED)
		return -errno;
	snprintf(driver_seen, sizeof(driver_seen), "%.*s", (int)about.st_size - 1, map);
	munmap(map, (size_t)about.st_size);
	return 0;
}

static long act_opendir(const char *path)
{
	long fd = sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	char buf[4096];
	long got;

	if (fd < 0)
		return fd;
	got = sys_call(SYS_getdents64, fd, buf, sizeof(buf));
	close((int)fd);
	return got > 0 ? 0 : -EIO;
}

/* Adds one byte, sees that it is there, takes it away. */
static long add_byte(long fd)
{
	struct stat before, after;
	long result = -EIO;

	if (fd < 0)
		return fd;
	if (fstat((int)fd, &before) == 0 && pwrite((int)fd, "+", 1, before.st_size) == 1 &&
	    fstat((int)fd, &after) == 0 && after.st_size == before.st_size + 1 &&
	    ftruncate((int)fd, before.st_size) == 0)
		result = 0;
	close((int)fd);
	return result;
}

static long act_append(const char *path)
{
	return add_byte(sys_open(path, O_WRONLY | O_CLOEXEC, 0));
}

static long act_rdwr(const char *path)
{
	return add_byte(sys_open(path, O_RDWR | O_CLOEXEC, 0));
}

/* The canary of an attribute: the time of the last change moved. */
static long changed(const char *path, const struct stat *before, long result)
{
	struct stat after;

	if (result < 0)
		return result;
	if (stat(path, &after) != 0)
		return -errno;
	return memcmp(&before->st_ctim, &after.st_ctim, sizeof(after.st_ctim)) == 0 ? -EIO : 0;
}

/* Coarse file times step once a tick: a change within one tick would not be seen. */
static long look_then_wait(const char *path, struct stat *about)
{
	struct timespec tick = {.tv_nsec = 12000000};

	if (stat(path, about) != 0)
		return -errno;
	nanosleep(&tick, NULL);
	return 0;
}

static long act_chmod(const char *path)
{
	struct stat about;
	long result = look_then_wait(path, &about);

	return result < 0 ? result : changed(path, &about, sys_chmod(path, about.st_mode & 07777));
}

static long act_fchmod(const char *path)
{
	struct stat about;
	long result = look_then_wait(path, &about);
	long fd = result < 0 ? result : sys_open(path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	result = changed(path, &about, sys_fchmod((int)fd, about.st_mode & 07777));
	close((int)fd);
	return result;
}

static long act_chown(const char *path)
{
	struct stat about;
	long result = look_then_wait(path, &about);

	return result < 0 ? result : changed(path, &about, sys_chown(path, getuid(), getgid()));
}

static long act_times(const char *path)
{
	struct stat about;
	long result = look_then_wait(path, &about);

	return result < 0 ? result : changed(path, &about, sys_utimensat(AT_FDCWD, path, NULL, 0));
}

static long act_truncate(const char *path)
{
	struct stat about, after;
	long result;

	if (stat(path, &about) != 0)
		return -errno;
	result = sys_truncate(path, about.st_size + 1);
	if (result < 0)
		return result;
	if (stat(path, &after) != 0 || after.st_size != about.st_size + 1)
		return -EIO;
	return sys_truncate(path, about.st_size);
}

static long act_replace(const char *path)
{
	struct stat about;
	long fd, result;

	if (stat(path, &about) != 0)
		return -errno;
	result = sys_unlink(path);
	if (result < 0)
		return result;
	fd = sys_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, about.st_mode & 07777);
	if (fd < 0) {
		fprintf(stderr, "driver: %s was removed and cannot be made again: %ld\n", path, fd);
		return -EIO;
	}
	result = write((int)fd, token, strlen(token)) < 0 || write((int)fd, "\n", 1) < 0 ? -EIO : 0;
	close((int)fd);
	return result;
}

static long made(const char *path, long result, long (*unmake)(const char *path))
{
	struct stat about;

	if (result < 0)
		return result;
	if (lstat(path, &about) != 0)
		return -errno;
	return unmake(path);
}

static long act_creat(const char *path)
{
	long fd = sys_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return fd;
	close((int)fd);
	return made(path, 0, sys_unlink);
}

static long act_creat_through(const char *path)
{
	char real[4096];
	long fd = sys_open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return fd;
	close((int)fd);
	if (realpath(path, real) == NULL)
		return -EIO;
	return made(real, 0, sys_unlink);
}

static long act_mkdir(const char *path)
{
	return made(path, sys_mkdir(path, 0755), sys_rmdir);
}

static long act_symlink(const char *path)
{
	return made(path, sys_symlink("nowhere", path), sys_unlink);
}

static long act_fifo(const char *path)
{
	return made(path, sys_mknod(path, S_IFIFO | 0644, 0), sys_unlink);
}

/* --- programs --- */

static long run(const char *path, long (*start)(const char *path, char *const argv[]))
{
	char *argv[] = {(char *)(uintptr_t) "tool", (char *)(uintptr_t) "it-ran", NULL};
	int ends[2], status;
	pid_t pid;
	long result;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		result = start(path, argv);
		_exit(result < 0 && result > -200 ? (int)-result : 200);
	}
	close(ends[1]);
	result = read_all(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	if (result == 0 && strcmp(driver_seen, "it-ran") == 0)
		return 0;
	return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? -WEXITSTATUS(status) : -EIO;
}

static long start_execve(const char *path, char *const argv[])
{
	return sys_execve(path, argv, environ);
}

static long start_execveat(const char *path, char *const argv[])
{
	const char *name;
	long parent = driver_open_parent(path, &name);

	return parent < 0 ? parent : sys_call(SYS_execveat, parent, name, argv, environ, 0);
}

static long start_spawn(const char *path, char *const argv[])
{
	pid_t pid;
	int status, error = posix_spawn(&pid, path, NULL, NULL, argv, environ);

	if (error != 0)
		return -error;
	waitpid(pid, &status, 0);
	_exit(0);
}

static long act_execve(const char *path)
{
	return run(path, start_execve);
}

static long act_execveat(const char *path)
{
	return run(path, start_execveat);
}

static long act_spawn(const char *path)
{
	return run(path, start_spawn);
}

static long act_getenv(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		return -ENOENT;
	snprintf(driver_seen, sizeof(driver_seen), "%s", value);
	return 0;
}

static const struct act acts[] = {
    {"open", act_open},
    {"openat", act_openat},
    {"openat2", act_openat2},
    {"fopen", act_fopen},
    {"mmap", act_mmap},
    {"opendir", act_opendir},
    {"append", act_append},
    {"rdwr", act_rdwr},
    {"chmod", act_chmod},
    {"fchmod", act_fchmod},
    {"chown", act_chown},
    {"times", act_times},
    {"truncate", act_truncate},
    {"replace", act_replace},
    {"creat", act_creat},
    {"creat-through", act_creat_through},
    {"mkdir", act_mkdir},
    {"symlink", act_symlink},
    {"fifo", act_fifo},
    {"execve", act_execve},
    {"execveat", act_execveat},
    {"spawn", act_spawn},
    {"connect", act_connect},
    {"nonblock", act_nonblock},
    {"sendto", act_sendto},
    {"sendmsg", act_sendmsg},
    {"sendmmsg", act_sendmmsg},
    {"udpconnect", act_udpconnect},
    {"listen", act_listen},
    {"unix", act_unix},
    {"unix-relative", act_unix_relative},
    {"unix-listen", act_unix_listen},
    {"abstract", act_unix},
    {"abstract-listen", act_unix_listen},
    {"getenv", act_getenv},
};

static long perform(const char *name, const char *object)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		if (strcmp(acts[i].name, name) == 0)
			return acts[i].perform(object);
	}
	fprintf(stderr, "driver: no act %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	static char line[16384];
	FILE *queries = argc == 2 ? fopen(argv[1], "re") : NULL;

	if (queries == NULL) {
		fprintf(stderr, "usage: driver FILE\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	while (fgets(line, sizeof(line), queries) != NULL) {
		char *object = strchr(line, '\t'), *tail = object ? strchr(object + 1, '\t') : NULL;
		long result;

		if (tail == NULL)
			return 2;
		*object++ = '\0';
		*tail++ = '\0';
		tail[strcspn(tail, "\n")] = '\0';
		token = tail;
		driver_seen[0] = '\0';
		result = perform(line, object);
		if (result >= 0)
			printf("ok\t%s\n", driver_seen);
		else
			printf("no\t%ld\n", -result);
		fflush(stdout);
	}
	return 0;
}
