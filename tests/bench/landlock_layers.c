/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program under Landlock and nothing else: no filter, no gate, no shim. What a call costs
 * here is the kernel's own share, which no user of Landlock is spared; the rest of a session's cost
 * is ours.
 *
 *   remit plan --wall -m MANIFEST > wall
 *   landlock_layers wall -- PROGRAM [ARGUMENTS]        one layer, as anybody would use it
 *   landlock_layers hull wall -- PROGRAM [ARGUMENTS]   the two that a session has
 *
 * Each file is one layer in the words of `remit plan --wall` or `--hull`, put on in turn.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/uapi/linux/landlock.h of Linux 6.18; the installed header may be older. */
struct ruleset {
	uint64_t handled_fs, handled_net, scoped;
};

struct path_rule {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

struct port_rule {
	uint64_t access, port;
};

#define PATH_RULE 1
#define PORT_RULE 2

static void fail(const char *what)
{
	fprintf(stderr, "landlock_layers: %s: %s\n", what, strerror(errno));
	exit(125);
}

static int make_ruleset(const char *line)
{
	struct ruleset set;
	char kind[8];

	if (sscanf(line, "%7[a-z]: handled fs %" SCNx64 ", net %" SCNx64 ", scoped %" SCNx64, kind,
		   &set.handled_fs, &set.handled_net, &set.scoped) != 4) {
		fprintf(stderr, "landlock_layers: no layer begins with: %s", line);
		exit(125);
	}
	int fd = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof(set), 0);

	if (fd < 0)
		fail("landlock_create_ruleset");
	return fd;
}

/* "  0x0000c /usr # files.read[0]" or "  0x00001 tcp port 0" */
static void add_line(int set, char *line)
{
	struct path_rule path = {0};
	struct port_rule port = {0};
	char *name = line;

	line[strcspn(line, "\n")] = '\0';
	path.access = strtoull(line, &name, 16);
	name += strspn(name, " ");
	if (sscanf(name, "tcp port %" SCNu64, &port.port) == 1) {
		port.access = path.access;
		if (syscall(SYS_landlock_add_rule, set, PORT_RULE, &port, 0) != 0)
			fail(name);
		return;
	}
	if (strstr(name, " # "))
		*strstr(name, " # ") = '\0';
	path.fd = open(name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (path.fd < 0 || syscall(SYS_landlock_add_rule, set, PATH_RULE, &path, 0) != 0)
		fail(name);
	close(path.fd);
}

static void add_layer(const char *name)
{
	FILE *file = fopen(name, "re");
	char line[8192];

	if (!file || !fgets(line, sizeof(line), file))
		fail(name);
	int set = make_ruleset(line);

	while (fgets(line, sizeof(line), file))
		add_line(set, line);
	fclose(file);
	if (syscall(SYS_landlock_restrict_self, set, 0) != 0)
		fail("landlock_restrict_self");
	close(set);
}

int main(int argc, char **argv)
{
	int i = 1;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fail("no_new_privs");
	for (; i < argc && strcmp(argv[i], "--") != 0; i++)
		add_layer(argv[i]);
	if (i + 1 >= argc) {
		fprintf(stderr, "usage: landlock_layers LAYER… -- PROGRAM [ARGUMENTS]\n");
		return 2;
	}
	execvp(argv[i + 1], argv + i + 1);
	fail(argv[i + 1]);
}
