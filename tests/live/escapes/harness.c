/* SPDX-License-Identifier: Apache-2.0 */
/* The escapes program: `escapes --list` prints the cases, `escapes CASE ROOT [NAME=value…]` runs
 * one act. Exit 0 whatever the act met; 2 for usage, 3 when the stage is not set. */
#include "tests/live/escapes/harness.h"

#include <stdarg.h>
#include <signal.h>

#define RING 16

static char ring[RING][8192];
static unsigned int ring_next;
static char **facts;
const char *harness_root = "";

static const struct escape_table *const tables[] = {
    &paths_table,   &names_table,   &change_table, &attributes_table, &lane_table,    &filter_table,
    &process_table, &network_table, &socket_table, &exec_table,	      &further_table, &deeper_table,
};

const char *text(const char *format, ...)
{
	char *buf = ring[ring_next++ % RING];
	va_list list;

	va_start(list, format);
	vsnprintf(buf, sizeof(ring[0]), format, list);
	va_end(list);
	return buf;
}

const char *at(const char *path)
{
	return text("%s/%s", harness_root, path);
}

const char *harness_fact(const char *name)
{
	size_t len = strlen(name);

	for (char **fact = facts; *fact != NULL; fact++) {
		if (strncmp(*fact, name, len) == 0 && (*fact)[len] == '=')
			return *fact + len + 1;
	}
	fprintf(stderr, "escapes: no %s was given\n", name);
	exit(3);
}

long harness_number(const char *name)
{
	return strtol(harness_fact(name), NULL, 10);
}

void show_fd(long fd)
{
	char buf[4096];
	ssize_t got;

	if (fd < 0)
		return;
	got = read((int)fd, buf, sizeof(buf));
	if (got > 0 && write(STDOUT_FILENO, buf, (size_t)got) < 0)
		exit(3);
	close((int)fd);
}

void show_file(const char *path)
{
	show_fd(sys_open(path, O_RDONLY | O_CLOEXEC, 0));
}

void put_fd(long fd)
{
	static const char changed[] = "CHANGED";

	if (fd < 0)
		return;
	if (write((int)fd, changed, sizeof(changed) - 1) < 0)
		fprintf(stderr, "write: %s\n", strerror(errno));
	close((int)fd);
}

void did(int happened)
{
	static const char line[] = "DID\n";

	if (happened && write(STDOUT_FILENO, line, sizeof(line) - 1) < 0)
		exit(3);
}

int outlived(pid_t starter)
{
	for (int i = 0; i < 400; i++) {
		if (sys_kill(starter, 0) == -ESRCH)
			return 1;
		usleep(10000);
	}
	return 0;
}

int in_child(void (*body)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		body();
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

void copy_file(const char *from, const char *to, mode_t mode)
{
	static char buf[1 << 16];
	ssize_t got;
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (in < 0 || out < 0) {
		fprintf(stderr, "escapes: copy %s %s: %s\n", from, to, strerror(errno));
		exit(3);
	}
	while ((got = read(in, buf, sizeof(buf))) > 0) {
		if (write(out, buf, (size_t)got) != got)
			exit(3);
	}
	close(in);
	close(out);
}

static int list(void)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++) {
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct escape *item = &tables[t]->items[i];
			printf("%s\t%u\t%s\n", item->name, item->flags,
			       item->record == NULL ? "-" : item->record);
		}
	}
	return 0;
}

static const struct escape *find(const char *name)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++) {
		for (size_t i = 0; i < tables[t]->count; i++) {
			if (strcmp(tables[t]->items[i].name, name) == 0)
				return &tables[t]->items[i];
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const struct escape *item;

	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list();
	item = argc >= 3 ? find(argv[1]) : NULL;
	if (item == NULL) {
		fprintf(stderr, "usage: escapes --list | escapes CASE ROOT [NAME=value...]\n");
		return 2;
	}
	/* A refused pipe or tty must end the case, not the program, and no case may hang. */
	signal(SIGPIPE, SIG_IGN);
	alarm(20);
	harness_root = argv[2];
	facts = argv + 3;
	item->act();
	return 0;
}
