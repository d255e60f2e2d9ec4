/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this kernel and this container let us enforce, found out by trying. What would leave a mark
 * (a filter, no_new_privs) is tried in a child that does nothing else.
 *
 * One child does all of it, while the caller goes on: a thread of its asks, its main thread answers
 * as the gate will, and when it has said what it found it stays to be looked at from outside.
 *
 * A feature that cannot be tried counts as absent.
 */
#include "shim/kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/common/uapi.h"

#define LANDLOCK_CREATE_RULESET_VERSION 1U
#define PROBE_MS 5000

/* What the child finds out and says. */
struct found {
	bool notify, addfd, addfd_send, wait_killable, sync_wake_up, unshare_fs;
};

static struct sock_fprog getppid_notifier(struct sock_filter code[4])
{
	code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	code[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1);
	code[2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	code[3] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return (struct sock_fprog){.len = 4, .filter = code};
}

/* Answers one getppid() of the other thread with a descriptor, as the gate will: handed over by
 * itself, and then together with the answer. */
static void serve_one(int listener, struct found *found)
{
	struct pollfd ready = {.fd = listener, .events = POLLIN};
	struct seccomp_notif notif = {0};
	if (poll(&ready, 1, PROBE_MS) != 1 || ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notif) < 0)
		return;
	struct seccomp_notif_addfd addfd = {.id = notif.id, .srcfd = STDIN_FILENO};
	found->addfd = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd) >= 0;
	addfd.flags = SECCOMP_ADDFD_FLAG_SEND;
	found->addfd_send = found->addfd && ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd) >= 0;
	if (!found->addfd_send) {
		struct seccomp_notif_resp response = {.id = notif.id, .error = -EPERM};
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}

static void *ask(void *arg)
{
	(void)arg;
	syscall(SYS_getppid);
	return NULL;
}

static long load(unsigned long flags)
{
	struct sock_filter code[4];
	struct sock_fprog program = getppid_notifier(code);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		       flags | SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static _Noreturn void probe_in_child(int out)
{
	struct found found = {0};
	char byte;
	/* Not for ever, should a call above never return. */
	alarm(PROBE_MS / 1000 + 1);
	found.unshare_fs = unshare(CLONE_FS) == 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(1);
	/* One listener a process: the flag is tried first, and only its refusal tries without. */
	long listener = load(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	found.wait_killable = listener >= 0;
	if (listener < 0)
		listener = load(0);
	found.notify = listener >= 0;
	if (listener >= 0) {
		int fd = open("/dev/null", O_RDONLY);
		if (fd >= 0 && fd != STDIN_FILENO)
			dup2(fd, STDIN_FILENO);
		/* Started after the filter, so it has it. It ends with the process. */
		pthread_t asking;
		if (pthread_create(&asking, NULL, ask, NULL) == 0)
			serve_one((int)listener, &found);
		found.sync_wake_up = ioctl((int)listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
					   SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) == 0;
	}
	if (write(out, &found, sizeof(found)) != sizeof(found))
		_exit(1);
	alarm(0);
	/* Until the caller has looked, or is no more. */
	while (read(out, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

/* Its address is the child's as well. */
static char word = 'r';

static bool reads_memory(pid_t pid)
{
	char copy = 0;
	struct iovec local = {&copy, 1}, remote = {&word, 1};
	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == 1 && copy == word &&
	       process_vm_writev(pid, &local, 1, &remote, 1, 0) == 1;
}

static bool reads_mem_file(pid_t pid)
{
	char path[32], copy = 0;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool there = pread(fd, &copy, 1, (off_t)(uintptr_t)&word) == 1 && copy == word;
	close(fd);
	return there;
}

/* The child may have no stderr: EBADF is an answer of the call itself. */
static bool takes_descriptors(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return false;
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, STDERR_FILENO, 0);
	bool there = fd >= 0 || errno == EBADF;
	if (fd >= 0)
		close(fd);
	close(pidfd);
	return there;
}

static bool opens_thread(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, PIDFD_THREAD);
	if (pidfd >= 0)
		close(pidfd);
	return pidfd >= 0;
}

int kernel_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	return abi < 0 ? 0 : (int)abi;
}

static bool has_openat2(void)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool has_memfd_noexec(void)
{
	int fd = memfd_create("remit-probe", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool has_proc(void)
{
	struct statfs status;
	return statfs("/proc/self", &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

static int yama_scope(void)
{
	char digit = 0;
	int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t got = read(fd, &digit, 1);
	close(fd);
	return got == 1 && digit >= '0' && digit <= '3' ? digit - '0' : 3;
}

int kernel_probe_start(struct kernel_probe *probe)
{
	int ends[2];
	*probe = (struct kernel_probe){.pid = -1, .socket = -1};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		probe_in_child(ends[1]);
	}
	int ret = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (ret < 0) {
		close(ends[0]);
		return ret;
	}
	*probe = (struct kernel_probe){.pid = pid, .socket = ends[0]};
	return 0;
}

/* What is tried on another process: on oneself it is always allowed. */
static void look_at(pid_t pid, struct features *out)
{
	out->pidfd_getfd = takes_descriptors(pid);
	out->pidfd_thread = opens_thread(pid);
	out->process_vm = reads_memory(pid);
	out->proc_mem = reads_mem_file(pid);
}

static void hear(const struct kernel_probe *probe, struct features *out)
{
	struct found found = {0};
	ssize_t got;
	do
		got = read(probe->socket, &found, sizeof(found));
	while (got < 0 && errno == EINTR);
	if (got != sizeof(found))
		return;
	out->seccomp_notify = found.notify;
	out->seccomp_addfd = found.addfd;
	out->seccomp_addfd_send = found.addfd_send;
	out->seccomp_wait_killable = found.wait_killable;
	out->seccomp_sync_wake_up = found.sync_wake_up;
	out->unshare_fs = found.unshare_fs;
}

/* Alone it would end when it reads the end, and take a while for it. */
static void let_end(struct kernel_probe *probe)
{
	if (probe->socket < 0)
		return;
	/* It reads until this end is gone, whoever else has a copy of it by now. */
	shutdown(probe->socket, SHUT_RDWR);
	kill(probe->pid, SIGKILL);
	close(probe->socket);
	probe->socket = -1;
}

void kernel_probe_drop(struct kernel_probe *probe)
{
	if (probe->pid > 0) {
		let_end(probe);
		while (waitpid(probe->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	*probe = (struct kernel_probe){.pid = -1, .socket = -1};
}

void kernel_probe_finish(struct kernel_probe *probe, struct features *out)
{
	struct utsname name;
	*out = (struct features){
	    .landlock_abi = kernel_landlock_abi(),
	    .openat2 = has_openat2(),
	    .close_range = syscall(SYS_close_range, ~0U, ~0U, 0) == 0,
	    .memfd_noexec = has_memfd_noexec(),
	    .proc_mounted = has_proc(),
	    .yama = yama_scope(),
	};
	hear(probe, out);
	look_at(probe->pid, out);
	let_end(probe);
	if (uname(&name) == 0)
		memccpy(out->release, name.release, '\0', sizeof(out->release) - 1);
	/* What follows from what was found. */
	const char *wrong;
	features_without(out, NULL, &wrong);
}

int kernel_probe(struct features *out)
{
	struct kernel_probe probe;
	int ret = kernel_probe_start(&probe);
	if (ret == 0) {
		kernel_probe_finish(&probe, out);
		kernel_probe_drop(&probe);
	}
	return ret;
}
