/* SPDX-License-Identifier: Apache-2.0 */
/* Programs, other processes, memory files, terminals; and what is left behind at the end. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fault/acts.h"

#define FORKS 40

static int executed_with(const char *path, const char *argument)
{
	int status;
	char *const argv[] = {(char *)(size_t)path, (char *)(size_t)argument, NULL};
	char *const none[] = {NULL};
	pid_t child = fork();

	if (child == 0) {
		execve(path, argv, none);
		_exit(errno & 0x7f);
	}
	if (child < 0)
		return -errno;
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

static int executed(const char *path)
{
	return executed_with(path, NULL);
}

static int program(void)
{
	return executed(acts_path("bin/tool"));
}

static int program_asked(void)
{
	return executed_with(acts_path("cond/asked"), "yes");
}

static int program_asked_otherwise(void)
{
	return executed_with(acts_path("cond/asked"), "no");
}

static int program_known(void)
{
	return executed(acts_path("cond/known"));
}

/* The parent waits in vfork while its child, on the same memory, passes the gate. */
static int program_by_vfork(void)
{
	const char *path = acts_path("bin/tool");
	char *const argv[] = {(char *)(size_t)path, NULL};
	char *const none[] = {NULL};
	pid_t child;
	int status, error = posix_spawn(&child, path, NULL, NULL, argv, none);

	if (error)
		return -error;
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

static int script(void)
{
	return executed(acts_path("bin/script"));
}

static int program_refused(void)
{
	return executed(acts_path("out/tool"));
}

static int program_copied(void)
{
	return executed(acts_path("gap/tool"));
}

static int program_by_fd(void)
{
	char *const argv[] = {(char *)(size_t) "tool", NULL};
	char *const none[] = {NULL};
	int fd = open(acts_path("out/tool"), O_PATH | O_CLOEXEC), status;
	pid_t child = fork();

	if (child == 0) {
		syscall(SYS_execveat, fd, "", argv, none, AT_EMPTY_PATH);
		_exit(errno & 0x7f);
	}
	acts_closed(fd);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -ECHILD;
	return -WEXITSTATUS(status);
}

static int memory_file(void)
{
	int error = acts_closed(syscall(SYS_memfd_create, "one", MFD_ALLOW_SEALING));

	return error ? error : acts_closed(syscall(SYS_memfd_create, "two", MFD_CLOEXEC));
}

static int memory_program(void)
{
	return acts_closed(syscall(SYS_memfd_create, "bad", 0x10U));
}

static int with_child(int (*act)(pid_t))
{
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	if (child < 0)
		return -errno;
	int error = act(child);

	kill(child, SIGKILL);
	syscall(SYS_tkill, child, SIGKILL);
	/* What could not be killed goes with the session. */
	for (int i = 0; i < 100 && waitpid(child, NULL, WNOHANG) == 0; i++)
		usleep(1000);
	return error;
}

static int signal_it(pid_t pid)
{
	return acts_result(kill(pid, SIGCONT));
}

static int signal_by_pidfd(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int error =
	    fd < 0 ? -errno : acts_result(syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0));

	acts_closed(fd);
	return error;
}

static int nicer(pid_t pid)
{
	return acts_result(setpriority(PRIO_PROCESS, (id_t)pid, 18));
}

static int limited(pid_t pid)
{
	struct rlimit limit = {64, 64};

	return acts_result(syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, &limit, NULL));
}

/* As it is already, where that can be said. */
static int scheduled(pid_t pid)
{
	struct sched_param none = {0};
	uint64_t attributes[6] = {sizeof(attributes)};
	cpu_set_t all;

	attributes[2] = (uint32_t)getpriority(PRIO_PROCESS, (id_t)pid); /* sched_nice */
	memset(&all, 0xff, sizeof(all));
	if (sched_setparam(pid, &none) != 0 || sched_setscheduler(pid, SCHED_OTHER, &none) != 0 ||
	    sched_setaffinity(pid, sizeof(all), &all) != 0)
		return -errno;
	int error = acts_result(syscall(SYS_sched_setattr, pid, attributes, 0));

	return error ? error : acts_result(syscall(SYS_ioprio_set, 1, pid, 3 << 13));
}

/* A group of its own, then all of it at once. */
static int grouped(pid_t pid)
{
	setpgid(pid, pid);
	int error = acts_result(setpriority(PRIO_PGRP, (id_t)pid, 18));

	return error ? error : acts_result(kill(-pid, SIGCONT));
}

static int schedule_child(void)
{
	return with_child(scheduled);
}

static int group_of_child(void)
{
	return with_child(grouped);
}

static int schedule_victim(void)
{
	return scheduled(place.victim);
}

static int signal_child(void)
{
	return with_child(signal_it);
}

static int signal_child_by_pidfd(void)
{
	return with_child(signal_by_pidfd);
}

static int nicer_child(void)
{
	return with_child(nicer);
}

static int limited_child(void)
{
	return with_child(limited);
}

static int signal_victim(void)
{
	return acts_result(kill(place.victim, SIGTERM));
}

static int signal_victim_by_pidfd(void)
{
	return signal_by_pidfd(place.victim);
}

static int nicer_victim(void)
{
	return nicer(place.victim);
}

static int limited_victim(void)
{
	return limited(place.victim);
}

static int signal_broker(void)
{
	return acts_result(kill(getppid(), SIGCONT));
}

static int own_group(void)
{
	pid_t child = fork();

	if (child == 0) {
		setsid();
		_exit(setpriority(PRIO_PGRP, 0, 19) != 0 ? errno & 0x7f : 0);
	}
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child)
		return -ECHILD;
	return -WEXITSTATUS(status);
}

static int all_of_user(void)
{
	return acts_result(setpriority(PRIO_USER, 0, 19));
}

/* More processes than limits.processes: success would be all of them at once. */
static int too_many(void)
{
	pid_t children[FORKS];
	int count = 0, error = 0;

	while (count < FORKS && !error) {
		pid_t child = fork();

		if (child == 0) {
			pause();
			_exit(0);
		}
		if (child < 0)
			error = -errno;
		else
			children[count++] = child;
	}
	for (int i = 0; i < count; i++) {
		kill(children[i], SIGKILL);
		for (int n = 0; n < 50 && waitpid(children[i], NULL, WNOHANG) == 0; n++)
			usleep(200);
	}
	return error;
}

static int terminal(void)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), zero = 0;
	char *name = master < 0 || ioctl(master, TIOCSPTLCK, &zero) != 0 ? NULL : ptsname(master);

	if (!name) {
		int error = -errno;

		acts_closed(master);
		return error;
	}
	int error = acts_closed(syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_NOCTTY, 0));

	if (!error)
		error = acts_closed(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
	close(master);
	return error;
}

/* One of each kind, removed again; and one of each that is left for the session's end. */
static int objects(key_t key)
{
	int memory = shmget(key, 4096, IPC_CREAT | 0600);
	int set = semget(key, 1, IPC_CREAT | 0600), messages = msgget(key, IPC_CREAT | 0600);

	if (memory < 0 || set < 0 || messages < 0)
		return -errno;
	if (key != IPC_PRIVATE)
		return 0;
	int error = acts_result(shmctl(memory, IPC_RMID, NULL));

	if (!error)
		error = acts_result(semctl(set, 0, IPC_RMID));
	return error ? error : acts_result(msgctl(messages, IPC_RMID, NULL));
}

static int private_objects(void)
{
	return objects(IPC_PRIVATE);
}

static int objects_by_key(void)
{
	return objects(0x52454d00);
}

static int queues(void)
{
	int error = acts_closed(mq_open("/remit-fault", O_RDWR | O_CREAT, 0600, NULL));

	if (!error)
		error = acts_result(mq_unlink("/remit-fault"));
	return error ? error
		     : acts_closed(mq_open("/remit-fault-left", O_RDWR | O_CREAT, 0600, NULL));
}

/* Left running, in a session of its own, and files in ${TMP} that are hard to remove. */
static int leave(void)
{
	const char *tmp = getenv("TMPDIR");
	pid_t child = fork();

	if (child == 0) {
		setsid();
		for (int fd = 0; fd < 3; fd++)
			close(fd);
		for (;;)
			pause();
	}
	if (child < 0 || !tmp || chdir(tmp) != 0)
		return -errno;
	for (int i = 0; i < 40; i++) {
		if (mkdir("deep", 0700) != 0 || chdir("deep") != 0)
			return -errno;
	}
	int error = acts_closed(open("file", O_WRONLY | O_CREAT, 0600));

	return error ? error : acts_result(chmod(".", 0));
}

const struct act process_acts[] = {
    {"program", 0, program},
    {"program by vfork", 0, program_by_vfork},
    {"program with its arguments", 0, program_asked},
    {"program with other arguments", 1, program_asked_otherwise},
    {"program with its digest", 0, program_known},
    {"script", 0, script},
    {"program refused", 1, program_refused},
    {"program copied", 1, program_copied},
    {"program by fd refused", 1, program_by_fd},
    {"memory file", 0, memory_file},
    {"memory program", 1, memory_program},
    {"signal a child", 0, signal_child},
    {"signal a child by pidfd", 0, signal_child_by_pidfd},
    {"priority of a child", 0, nicer_child},
    {"limit of a child", 0, limited_child},
    {"scheduling of a child", 0, schedule_child},
    {"group of a child", 0, group_of_child},
    {"scheduling of a stranger", 1, schedule_victim},
    {"signal a stranger", 1, signal_victim},
    {"signal a stranger by pidfd", 1, signal_victim_by_pidfd},
    {"priority of a stranger", 1, nicer_victim},
    {"limit of a stranger", 1, limited_victim},
    {"signal the broker", 1, signal_broker},
    {"priority of the own group", 0, own_group},
    {"priority of a user", 1, all_of_user},
    {"too many processes", 1, too_many},
    {"terminal", 0, terminal},
    {"private objects", 0, private_objects},
    {"objects by key", 0, objects_by_key},
    {"queues", 0, queues},
    {"leave things behind", 0, leave},
    {NULL, 0, NULL},
};
