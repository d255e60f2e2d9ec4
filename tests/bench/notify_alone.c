/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   notify_alone -- PROGRAM [ARGUMENT…]
 *
 * A supervisor by seccomp notification that judges nothing, then PROGRAM: the least that any gate
 * costs which sees what a call names before the kernel does. It is asked about the calls
 * of tests/bench/calls that remit's gate is asked about. It copies the name or address; opens of an
 * absolute path it performs by one openat2() and hands the descriptor over as remit does (given
 * first, closed here, then answered); all else it lets go on. One thread, no record, no check of
 * anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* linux/seccomp.h since 6.6 */
#define SET_FLAGS SECCOMP_IOW(4, uint64_t)
#define SYNC_WAKE_UP 1ULL
#define NAME_MAX_READ 256

struct asked {
	int nr, name; /* which argument is copied */
};

static const struct asked asked[] = {
    {SYS_open, 0},     {SYS_openat, 1},	   {SYS_openat2, 1}, {SYS_creat, 0},	{SYS_unlink, 0},
    {SYS_unlinkat, 1}, {SYS_mkdir, 0},	   {SYS_mkdirat, 1}, {SYS_rmdir, 0},	{SYS_rename, 0},
    {SYS_renameat, 1}, {SYS_renameat2, 1}, {SYS_chmod, 0},   {SYS_fchmodat, 1}, {SYS_connect, 1},
    {SYS_sendto, 4},   {SYS_execve, 0},
};
#define ASKED (sizeof(asked) / sizeof(*asked))

static int fail(const char *what)
{
	fprintf(stderr, "notify_alone: %s: %s\n", what, strerror(errno));
	return 125;
}

static int load(void)
{
	struct sock_filter code[ASKED + 3];
	struct sock_fprog program = {.len = ASKED + 3, .filter = code};

	code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					       offsetof(struct seccomp_data, nr));
	for (unsigned int i = 0; i < ASKED; i++)
		code[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   (uint32_t)asked[i].nr, ASKED - i, 0);
	code[ASKED + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[ASKED + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &program);
}

/* The copy ends where the mapping does, which may be within these bytes. */
static void copy_name(const struct seccomp_notif *notif, int argument, char out[NAME_MAX_READ])
{
	uint64_t address = notif->data.args[argument];
	struct iovec local = {out, NAME_MAX_READ - 1};
	struct iovec remote = {(void *)(uintptr_t)address, NAME_MAX_READ - 1};
	ssize_t got = process_vm_readv((pid_t)notif->pid, &local, 1, &remote, 1, 0);

	out[got > 0 ? got : 0] = '\0';
}

/* 0 where it is not this one's to open, or was not opened: the kernel says why. */
static int open_for(int listener, const struct seccomp_notif *notif, const char *name)
{
	int at = notif->data.nr == SYS_openat ? 2 : 1;
	uint64_t flags = notif->data.args[at] & 0xffffffff;
	struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	struct seccomp_notif_addfd add = {.id = notif->id,
					  .newfd_flags = (uint32_t)flags & O_CLOEXEC};
	struct seccomp_notif_resp resp = {.id = notif->id};
	int fd;

	if ((at == 1 && notif->data.nr != SYS_open) || name[0] != '/' || (flags & O_PATH))
		return 0;
	if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)))
		how.mode = notif->data.args[at + 1] & 07777;
	fd = (int)syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof(how));
	if (fd < 0)
		return 0;
	add.srcfd = (uint32_t)fd;
	resp.val = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	close(fd);
	return resp.val >= 0 && ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) == 0;
}

static void serve(int listener, const struct seccomp_notif *notif)
{
	struct seccomp_notif_resp resp = {.id = notif->id,
					  .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
	char name[NAME_MAX_READ];
	unsigned int i = 0;

	while (i < ASKED - 1 && asked[i].nr != notif->data.nr)
		i++;
	copy_name(notif, asked[i].name, name);
	if (!open_for(listener, notif, name))
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

static void serve_all(int listener)
{
	struct pollfd poll_fd = {.fd = listener, .events = POLLIN};

	ioctl(listener, SET_FLAGS, SYNC_WAKE_UP);
	for (;;) {
		struct seccomp_notif notif = {0};

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notif) == 0)
			serve(listener, &notif);
		else if (errno != EINTR && poll(&poll_fd, 1, 0) != 0 &&
			 (poll_fd.revents & (POLLHUP | POLLERR | POLLNVAL)))
			return;
	}
}

/* Over the socket goes the number; the descriptor is taken from the child. */
static int run(int socket, char **command)
{
	int listener = load();
	char go;

	if (listener < 0)
		return fail("filter");
	if (write(socket, &listener, sizeof(listener)) != sizeof(listener) ||
	    read(socket, &go, 1) != 1)
		return fail("socket");
	close(listener);
	close(socket);
	execvp(command[0], command);
	return fail(command[0]);
}

int main(int argc, char **argv)
{
	int first = argc > 1 && !strcmp(argv[1], "--") ? 2 : 1, ends[2], number, status;

	if (first >= argc) {
		fputs("usage: notify_alone [--] PROGRAM\n", stderr);
		return 125;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return fail("socketpair");
	pid_t child = fork();

	if (child == 0)
		_exit(run(ends[1], argv + first));
	close(ends[1]);
	if (child < 0 || read(ends[0], &number, sizeof(number)) != sizeof(number))
		return fail("start");
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	int listener = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);

	if (listener < 0 || write(ends[0], "", 1) != 1)
		return fail("listener");
	close(ends[0]);
	serve_all(listener);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
