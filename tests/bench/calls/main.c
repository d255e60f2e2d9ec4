/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   bench_calls FOLDER TCP_PORT UDP_PORT
 *
 * FOLDER must exist and be writable, the ports are on 127.0.0.1. Reads lines, answers each with
 * one:
 *
 *   ACT COUNT [WORKERS [threads|processes [DEPTH]]]    nanoseconds per act, or "error TEXT"
 *   try WHAT OBJECT                                    "0", or "error TEXT"
 *
 * The time is that of all acts together divided by their number: with several workers, what the
 * machine gets done.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/calls/calls.h"

struct place place;

const struct act *act_find(const char *name)
{
	const struct act *const lists[] = {file_acts, network_acts, process_acts};

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		for (const struct act *act = lists[i]; act->name; act++)
			if (!strcmp(act->name, name))
				return act;
	return NULL;
}

static struct sockaddr_in loopback(const char *port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)atoi(port)),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* 0 or a positive errno. */
static int parse(const char *line, struct task *task)
{
	char name[64], crowd[16] = "threads";

	*task = (struct task){.workers = 1, .depth = 4};
	if (sscanf(line, "%63s %u %u %15s %u", name, &task->count, &task->workers, crowd,
		   &task->depth) < 2)
		return EINVAL;
	task->act = act_find(name);
	task->crowd = strcmp(crowd, "processes") ? CROWD_THREADS : CROWD_PROCESSES;
	if (!task->act || !task->count || !task->workers || task->workers > WORKERS_MAX ||
	    task->depth > DEPTH_MAX)
		return EINVAL;
	return 0;
}

static void answer(const char *line)
{
	char what[64], object[PATH_MAX];
	struct task task;
	uint64_t ns = 0;
	int error;

	if (sscanf(line, "try %63s %4095s", what, object) == 2) {
		error = try_once(what, object);
	} else {
		error = parse(line, &task);
		if (!error)
			error = task_run(&task, &ns);
		if (!error) {
			printf("%.1f\n", (double)ns / task.count / task.workers);
			return;
		}
	}
	if (error)
		printf("error %s\n", strerror(error));
	else
		puts("0");
}

int main(int argc, char **argv)
{
	char line[PATH_MAX + 128];

	if (argc != 4 || strlen(argv[1]) >= sizeof(place.folder)) {
		fputs("usage: bench_calls FOLDER TCP_PORT UDP_PORT\n", stderr);
		return 2;
	}
	strcpy(place.folder, argv[1]);
	place.tcp = loopback(argv[2]);
	place.udp = loopback(argv[3]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	while (fgets(line, sizeof(line), stdin))
		answer(line);
	return 0;
}
