/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hooked functions give, one line each: results, errno, descriptor flags, positions, file
 * contents. Everything happens in the working folder, and nothing printed depends on where that is,
 * so the output of a native run, of a shimmed session and of one without the shim must be equal.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[4096];
static bool early_ok;
static const char *volatile nothing;

__attribute__((constructor)) static void early(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY);
	FILE *stream = fopen("/dev/null", "re");

	early_ok = fd >= 0 && stream;
	if (stream)
		fclose(stream);
	close(fd);
}

static const char *absolute(const char *name)
{
	static char path[8192];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(name);
	close(fd);
}

static void show_fd(const char *what, int fd)
{
	struct stat info = {0};

	if (fd < 0) {
		printf("%s: errno %d\n", what, errno);
		return;
	}
	fstat(fd, &info);
	printf("%s: flags %#x cloexec %d mode %o position %ld\n", what,
	       (unsigned int)fcntl(fd, F_GETFL), fcntl(fd, F_GETFD) & FD_CLOEXEC,
	       (unsigned int)info.st_mode, (long)lseek(fd, 0, SEEK_CUR));
	close(fd);
}

static void show(const char *what, long result)
{
	printf("%s: %ld errno %d\n", what, result, result < 0 ? errno : 0);
}

static void opens(void)
{
	static const int flags[] = {O_RDONLY,
				    O_WRONLY,
				    O_RDWR | O_APPEND,
				    O_RDWR | O_CREAT,
				    O_WRONLY | O_CREAT | O_EXCL,
				    O_WRONLY | O_TRUNC,
				    O_RDONLY | O_CLOEXEC | O_NOFOLLOW,
				    O_RDONLY | O_DIRECTORY,
				    O_PATH | O_CLOEXEC,
				    O_RDONLY | O_NONBLOCK | O_NOATIME};

	umask(027);
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		put("file", "content");
		show_fd("open relative", open("file", flags[i], 0666));
		show_fd("open absolute", open(absolute("file"), flags[i], 0666));
		show_fd("open unclean", openat(AT_FDCWD, "././/file", flags[i], 0666));
		show_fd("open absent", open("absent", flags[i] & ~O_CREAT));
		show_fd("syscall", (int)syscall(SYS_openat, AT_FDCWD, "file", flags[i], 0666));
	}
	show_fd("tmpfile", open(folder, O_TMPFILE | O_RDWR, 0640));
	show_fd("creat", creat("created", 0604));
	show_fd("null", open(nothing, O_RDONLY));
	show_fd("empty", open("", O_RDONLY));
	show_fd("bad dirfd", openat(9999, "file", O_RDONLY));
	show_fd("not a folder", open("file/x", O_RDONLY));
	errno = 77;
	close(open("file", O_RDONLY));
	printf("errno is kept: %d\n", errno);
}

static void streams(void)
{
	static const char *const modes[] = {"r",   "w",	 "a",  "r+", "w+",	    "a+",   "rb",
					    "wb+", "re", "wx", "ae", "r+be",	    "w+xe", "rm",
					    "rc",  "rt", "q",  "",   "r,ccs=UTF-8", "rbe+", "a+e"};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		FILE *stream;

		put("stream", "twelve bytes");
		errno = 0;
		stream = fopen(absolute("stream"), modes[i]);
		printf("fopen %s: %s errno %d", modes[i], stream ? "ok" : "none",
		       stream ? 0 : errno);
		if (stream) {
			int fd = fileno(stream);

			printf(" flags %#x cloexec %d tell %ld offset %ld",
			       (unsigned int)fcntl(fd, F_GETFL), fcntl(fd, F_GETFD) & FD_CLOEXEC,
			       ftell(stream), (long)lseek(fd, 0, SEEK_CUR));
			printf(" first %d", fgetc(stream));
			fseek(stream, 0, SEEK_CUR);
			printf(" put %d", fputs("new", stream));
			/* glibc gives noise for the position of a mapped stream. */
			if (!strchr(modes[i], 'm'))
				printf(" tell %ld", ftell(stream));
			printf(" close %d", fclose(stream));
		}
		stream = fopen("stream", "r");
		if (stream) {
			char text[64] = "";

			printf(" now \"%s\"", fgets(text, sizeof(text), stream));
			fclose(stream);
		}
		printf("\n");
	}
	printf("fopen absent: %p errno %d\n", (void *)fopen("absent/x", "w"), errno);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void folders(void)
{
	char *names[64];
	size_t count = 0;
	struct dirent *entry;
	DIR *stream;

	mkdir("d", 0750);
	put("d/one", "");
	put("d/two", "");
	stream = opendir(absolute("d"));
	if (!stream) {
		printf("opendir: errno %d\n", errno);
		return;
	}
	printf("opendir: flags %#x cloexec %d\n", (unsigned int)fcntl(dirfd(stream), F_GETFL),
	       fcntl(dirfd(stream), F_GETFD) & FD_CLOEXEC);
	while ((entry = readdir(stream)) && count < 64)
		names[count++] = strdup(entry->d_name);
	qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 0; i < count; i++) {
		printf("entry %s\n", names[i]);
		free(names[i]);
	}
	closedir(stream);
	printf("opendir of a file: %p errno %d\n", (void *)opendir("d/one"), errno);
	printf("opendir of nothing: %p errno %d\n", (void *)opendir(""), errno);
}

static void temporaries(void)
{
	char bad[] = "t-XXXXX", name[] = "t-XXXXXX", suffixed[] = "t-XXXXXX.txt",
	     folder_name[] = "f-XXXXXX";
	struct stat info;

	show_fd("mkstemp", mkstemp(name));
	printf("mkstemp replaced: %d\n", strncmp(name, "t-", 2) == 0 && !strstr(name, "XXXXXX"));
	show_fd("mkostemps", mkostemps(suffixed, 4, O_CLOEXEC | O_APPEND));
	printf("suffix kept: %d\n", strcmp(suffixed + 8, ".txt") == 0);
	show_fd("mkstemp bad", mkstemp(bad));
	printf("mkdtemp: %d\n", mkdtemp(folder_name) == folder_name);
	printf("mkdtemp mode: %o\n",
	       stat(folder_name, &info) == 0 ? (unsigned int)info.st_mode : 0);
	unlink(name);
	unlink(suffixed);
	rmdir(folder_name);
}

static void changes(void)
{
	put("c", "1234567890");
	show("truncate", truncate("c", 4));
	show("mkdir", mkdir("m", 0777));
	show("mkdir again", mkdir(absolute("m"), 0777));
	show("mkfifo", mkfifo("m/fifo", 0600));
	show("mknod", mknod("m/node", S_IFREG | 0600, 0));
	show("mknod large", mknod("m/large", S_IFREG | 0600, (dev_t)1 << 40));
	show("link", link("c", "m/c"));
	show("symlink", symlink("../c", "m/s"));
	show("rename", rename("c", absolute("m/moved")));
	show("rename absent", rename("absent", "m/other"));
	show("renameat2", renameat2(AT_FDCWD, "m/moved", AT_FDCWD, "m/c", RENAME_NOREPLACE));
	show("renameat2 exchange",
	     renameat2(AT_FDCWD, "m/moved", AT_FDCWD, "m/s", RENAME_EXCHANGE));
	show("rmdir full", rmdir("m"));
	show("unlink folder", unlink("m"));
	show("remove", remove("m/fifo"));
	show("remove", remove("m/node"));
	show("remove", remove("m/c"));
	show("unlinkat", unlinkat(AT_FDCWD, "m/s", 0));
	show("remove", remove("m/moved"));
	show("remove folder", remove("m"));
	show("remove absent", remove("m"));
}

static volatile sig_atomic_t handled;

static void on_signal(int number)
{
	int fd = open("file", O_RDONLY);
	char name[] = "h-XXXXXX";
	int made = mkstemp(name);

	(void)number;
	handled = fd >= 0 && made >= 0 && unlink(name) == 0;
	close(fd);
	close(made);
}

static void *wait_on_fifo(void *name)
{
	close(open(name, O_RDONLY));
	return NULL;
}

static void *idle(void *unused)
{
	pause();
	return unused;
}

static int status_of(pid_t child)
{
	int status = -1;

	waitpid(child, &status, 0);
	return status;
}

static void contexts(void)
{
	pthread_t thread;
	void *end = NULL;
	pid_t child;

	put("file", "content");
	printf("from a constructor: %d\n", early_ok);
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	printf("from a signal handler: %d\n", (int)handled);

	mkfifo("fifo", 0600);
	pthread_create(&thread, NULL, wait_on_fifo, (void *)(uintptr_t)absolute("fifo"));
	usleep(50000);
	pthread_cancel(thread);
	pthread_join(thread, &end);
	printf("cancelled in open: %d\n", end == PTHREAD_CANCELED);
	unlink("fifo");

	pthread_create(&thread, NULL, idle, NULL);
	child = fork();
	if (child == 0)
		_exit(open("file", O_RDONLY) >= 0 && fopen("file", "r") ? 5 : 6);
	printf("forked with threads: %#x\n", (unsigned int)status_of(child));
	child = vfork();
	if (child == 0) {
		if (open("file", O_RDONLY | O_CLOEXEC) < 0)
			_exit(7);
		execlp("sh", "sh", "-c", "exit 9", (char *)NULL);
		_exit(8);
	}
	printf("after vfork: %#x\n", (unsigned int)status_of(child));
	printf("system: %#x\n", (unsigned int)system("exit 11"));
	pthread_cancel(thread);
	pthread_join(thread, NULL);

	child = fork();
	if (child == 0) {
		close_range(0, ~0U, 0);
		_exit(open("file", O_RDONLY) == 0 && opendir(".") ? 12 : 13);
	}
	printf("after closing all: %#x\n", (unsigned int)status_of(child));
}

static void execs(void)
{
	char *const arguments[] = {(char *)(uintptr_t) "true", NULL};
	char *const none[] = {NULL};

	put("script", "exit 3\n");
	chmod("script", 0755);
	put("plain", "exit 3\n");
	show("execve absent", execve("absent", arguments, none));
	show("execve of a text", execve("script", arguments, none));
	show("execve not executable", execve("plain", arguments, none));
	show("execvp absent", execvp("no-such-program-anywhere", arguments));
	show("execvp empty", execvp("", arguments));
	show("fexecve", fexecve(-1, arguments, none));
	for (int i = 0; i < 3; i++) {
		pid_t child = fork();

		if (child == 0) {
			if (i == 0)
				execlp("./script", "x", (char *)NULL);
			else if (i == 1)
				execvpe("true", arguments, none);
			else
				execle("/bin/sh", "sh", "-c", "exit ${STATUS:-1}", (char *)NULL,
				       (char *const[]){(char *)(uintptr_t) "STATUS=4", NULL});
			_exit(99);
		}
		printf("exec %d: %#x\n", i, (unsigned int)status_of(child));
	}
}

int main(void)
{
	if (!getcwd(folder, sizeof(folder)))
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	opens();
	streams();
	folders();
	temporaries();
	changes();
	contexts();
	execs();
	return 0;
}
