/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stranger: a process of the same user outside every session, with something worth stealing in
 * each place where a process can keep it: environment, fd 7, System V and POSIX shared objects.
 * `stranger TOKEN ROOT KEY QUEUE`: starts itself again with the token in its environment, writes
 * "PID ENV_START SHM MSG SEM" to stdout, gives each byte of its stdin back, and ends with it.
 */
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

extern char **environ;

static char victim[4096];

static void signalled(int number)
{
	int fd = open(victim, O_WRONLY | O_APPEND);

	(void)number;
	if (fd >= 0 && write(fd, "SIGNALLED", 9) < 0)
		_exit(3);
	close(fd);
}

static int shm_id, msg_id, sem_id;

static int share(const char *token, key_t key, const char *queue)
{
	char name[256];
	int fd;

	shm_id = shmget(key, 4096, IPC_CREAT | 0600);
	msg_id = msgget(key, IPC_CREAT | 0600);
	sem_id = semget(key, 1, IPC_CREAT | 0600);
	char *map = shm_id < 0 ? MAP_FAILED : shmat(shm_id, NULL, 0);

	if (map == MAP_FAILED || msg_id < 0 || sem_id < 0)
		return -1;
	snprintf(map, 4096, "%s", token);
	snprintf(name, sizeof(name), "/%s", queue);
	mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
	snprintf(name, sizeof(name), "/dev/shm/%s", queue);
	fd = open(name, O_RDWR | O_CREAT, 0600);
	return fd < 0 || write(fd, token, strlen(token)) < 0 ? -1 : 0;
}

static void unshare_all(key_t key, const char *queue)
{
	char name[256];

	shmctl(shmget(key, 0, 0), IPC_RMID, NULL);
	msgctl(msgget(key, 0), IPC_RMID, NULL);
	semctl(semget(key, 0, 0), 0, IPC_RMID);
	snprintf(name, sizeof(name), "/%s", queue);
	mq_unlink(name);
	snprintf(name, sizeof(name), "/dev/shm/%s", queue);
	unlink(name);
}

int main(int argc, char **argv)
{
	char path[4200];
	char byte;
	int fd;

	if (argc != 5)
		return 2;
	if (getenv("ESCAPE_TOKEN") == NULL) {
		char assignment[256];
		char *const envp[] = {assignment, NULL};

		snprintf(assignment, sizeof(assignment), "ESCAPE_TOKEN=%s", argv[1]);
		execve("/proc/self/exe", argv, envp);
		return 3;
	}
	snprintf(path, sizeof(path), "%s/out", argv[2]);
	snprintf(victim, sizeof(victim), "%s/out/victim", argv[2]);
	fd = chdir(path) == 0 ? open("secret", O_RDONLY) : -1;
	if (fd < 0 || dup2(fd, 7) < 0 || share(argv[1], atoi(argv[3]), argv[4]) != 0) {
		perror("stranger");
		return 3;
	}
	signal(SIGUSR1, signalled);
	/* Where Yama is on, a sibling could not even try; the control needs it open. */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	printf("%d %p %d %d %d\n", getpid(), (void *)environ[0], shm_id, msg_id, sem_id);
	fflush(stdout);
	/* An answer says that every signal that was sent before the question has been handled. */
	while (read(STDIN_FILENO, &byte, 1) != 0)
		if (write(STDOUT_FILENO, &byte, 1) != 1)
			break;
	unshare_all(atoi(argv[3]), argv[4]);
	return 0;
}
