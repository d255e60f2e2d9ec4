/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relies on: parents being visible in /proc; a parent that one may not see ends the chain, and the
 * process then counts as foreign. A process whose parent ends while we look is given to the broker
 * by the kernel, so a chain that breaks is walked again before it counts as broken.
 */
#include "shim/broker/process_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHAIN_TRIES 4
/* PID_MAX_LIMIT, linux/threads.h: no chain is longer. */
#define CHAIN_MAX (4 * 1024 * 1024)

/* Fields of proc_pid_stat(5). */
#define FIELD_STATE 3
#define FIELD_NUM_THREADS 20

/* A first thread that has ended is shown as 'Z' for as long as another one runs. stat: from the
 * state on. */
static bool has_other_threads(const char *stat)
{
	for (int field = FIELD_STATE; stat && field < FIELD_NUM_THREADS; field++) {
		stat = strchr(stat, ' ');
		if (stat)
			stat++;
	}
	return stat && strtol(stat, NULL, 10) > 1;
}

bool process_has_ended(const struct process *process)
{
	return process->state == 'X' || (process->state == 'Z' && !process->others);
}

int process_read(pid_t pid, struct process *out)
{
	char path[32], text[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	int error = n < 0 ? -errno : -ESRCH;

	close(fd);
	if (n <= 0)
		return error;
	text[n] = '\0';
	/* The name is the process's own choice and may hold parentheses and blanks. */
	const char *after = strrchr(text, ')');
	int parent;

	if (!after || sscanf(after, ") %c %d", &out->state, &parent) != 2)
		return -ESRCH;
	out->others = out->state == 'Z' && has_other_threads(after + 2);
	out->pid = pid;
	out->parent = parent;
	return 0;
}

static int walk_up(pid_t pid, pid_t root)
{
	for (int i = 0; i < CHAIN_MAX; i++) {
		struct process process;
		int error = process_read(pid, &process);

		if (error)
			return error;
		if (process.parent == root)
			return 1;
		if (process.parent <= 1)
			return 0;
		pid = process.parent;
	}
	return 0;
}

bool process_descends(pid_t pid, pid_t root)
{
	int found = -ESRCH;

	for (int i = 0; i < CHAIN_TRIES && found == -ESRCH; i++)
		found = walk_up(pid, root);
	return found == 1;
}

static int compare(const void *a, const void *b)
{
	const struct process *left = a, *right = b;

	return left->pid < right->pid ? -1 : left->pid > right->pid;
}

static int scan(struct process **out, size_t *count)
{
	DIR *folder = opendir("/proc");
	size_t room = 0;
	int error = 0;
	bool self = false;
	struct dirent *entry;

	*out = NULL;
	*count = 0;
	if (!folder)
		return -errno;
	while (!error && (errno = 0, entry = readdir(folder))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);
		struct process process;

		if (*end != '\0' || pid <= 0)
			continue;
		error = process_read((pid_t)pid, &process);
		if (error == -ESRCH || error == -EACCES || error == -EPERM) {
			error = 0; /* gone, or so hidden that it is none of ours */
			continue;
		}
		if (error)
			break;
		if (*count == room) {
			room = room ? 2 * room : 256;
			struct process *grown = reallocarray(*out, room, sizeof(*grown));

			if (!grown) {
				error = -ENOMEM;
				break;
			}
			*out = grown;
		}
		(*out)[(*count)++] = process;
		self |= process.pid == getpid();
	}
	/* A list that is cut short, or hides even us, would count too few. */
	if (!error && !entry)
		error = errno ? -errno : self ? 0 : -EACCES;
	closedir(folder);
	return error;
}

/* Follows each chain once: what it passes is marked with what it leads to. */
static void mark(const struct process *all, size_t count, pid_t root, signed char *inside)
{
	for (size_t i = 0; i < count; i++) {
		const struct process *at = &all[i];
		signed char answer = 0;

		/* -1 marks what this very chain has passed, so that an inconsistent scan cannot
		 * loop. */
		while (at && inside[at - all] == 0) {
			inside[at - all] = -1;
			if (at->parent == root) {
				answer = 1;
				break;
			}
			at = bsearch(&(struct process){.pid = at->parent}, all, count, sizeof(*all),
				     compare);
		}
		if (at && answer == 0)
			answer = inside[at - all] == 1;
		for (at = &all[i]; at && inside[at - all] == -1;) {
			inside[at - all] = answer ? 1 : 2;
			at = bsearch(&(struct process){.pid = at->parent}, all, count, sizeof(*all),
				     compare);
		}
	}
}

int process_tree(pid_t root, struct process **out, size_t *count)
{
	struct process *all = NULL;
	signed char *inside = NULL;
	size_t total = 0, kept = 0;
	int error = scan(&all, &total);

	if (!error)
		inside = calloc(total + 1, 1);
	if (!error && !inside)
		error = -ENOMEM;
	if (error) {
		free(all);
		return error;
	}
	qsort(all, total, sizeof(*all), compare);
	mark(all, total, root, inside);
	for (size_t i = 0; i < total; i++) {
		if (inside[i] == 1)
			all[kept++] = all[i];
	}
	free(inside);
	*out = all;
	*count = kept;
	return 0;
}
