/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nanoseconds of the calls that a boundary could slow down, one JSON object on stdout. The same
 * program runs natively and in sessions; tests/bench/run sets them side by side.
 *
 *   bench_calls FOLDER PORT ROUNDS
 *
 * Each number is the median of ROUNDS batches, so that a batch in which something else ran does not
 * count. FOLDER must exist and be writable; PORT is on 127.0.0.1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 200

static char file_path[4096], new_path[4096];
static struct sockaddr_in peer;

static void fail(const char *what)
{
	fprintf(stderr, "bench_calls: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void open_read_close(void)
{
	char byte;
	int fd = open(file_path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &byte, 1) != 1)
		fail(file_path);
	close(fd);
}

static void create_write_unlink(void)
{
	int fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, "x", 1) != 1)
		fail(new_path);
	close(fd);
	if (unlink(new_path) < 0)
		fail(new_path);
}

static void stat_file(void)
{
	struct stat info;

	if (stat(file_path, &info) < 0)
		fail(file_path);
}

static void connect_close(void)
{
	/* Reset instead of TIME_WAIT: thousands of ports would run out. */
	struct linger now = {.l_onoff = 1};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&peer, sizeof(peer)) < 0)
		fail("connect");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static void fork_exec_true(void)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || status)
		fail("/bin/true");
}

static const struct {
	const char *name;
	void (*act)(void);
	unsigned int batch;
} acts[] = {
    {"open_read_close", open_read_close, 200},
    {"create_write_unlink", create_write_unlink, 50},
    {"stat", stat_file, 500},
    {"connect_close", connect_close, 30},
    {"fork_exec_true", fork_exec_true, 4},
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median_of(void (*act)(void), unsigned int batch, unsigned int rounds)
{
	double each[ROUNDS_MAX];

	act();
	for (unsigned int round = 0; round < rounds; round++) {
		uint64_t start = now_ns();

		for (unsigned int i = 0; i < batch; i++)
			act();
		each[round] = (double)(now_ns() - start) / batch;
	}
	qsort(each, rounds, sizeof(*each), by_value);
	return each[rounds / 2];
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc == 4 ? (unsigned int)atoi(argv[3]) : 0;
	FILE *file;

	if (!rounds || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: bench_calls FOLDER PORT ROUNDS (1..%d)\n", ROUNDS_MAX);
		return 2;
	}
	snprintf(file_path, sizeof(file_path), "%s/file", argv[1]);
	snprintf(new_path, sizeof(new_path), "%s/new", argv[1]);
	peer = (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)atoi(argv[2])),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	file = fopen(file_path, "w");
	if (!file || fputs("content\n", file) < 0 || fclose(file) < 0)
		fail(file_path);
	printf("{");
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++)
		printf("%s\"%s\": %.1f", i ? ", " : "", acts[i].name,
		       median_of(acts[i].act, acts[i].batch, rounds));
	printf("}\n");
	return 0;
}
