/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   landlock_alone [-r PATH]… [-w PATH]… [-x PATH]… [-c PORT]… -- PROGRAM [ARGUMENT…]
 *
 * A Landlock domain and nothing else, then PROGRAM: what remit's wall costs by itself. Reading
 * (-r), writing and reading (-w), running and reading (-x) beneath PATH; TCP connections to PORT
 * (-c). All rights on files that the kernel knows are handled, TCP when a -c is given, and signals
 * and abstract sockets stay inside. Raw numbers, because the installed header may be older than the
 * kernel (include/uapi/linux/landlock.h of Linux 6.18).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FS_EXECUTE (1U << 0)
#define FS_WRITE_FILE (1U << 1)
#define FS_READ (1U << 2 | 1U << 3) /* file, folder */
#define FS_TRUNCATE (1U << 14)
#define FS_IOCTL_DEV (1U << 15)
#define FS_ALL 0xffffU /* ABI 5 */
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | 1U << 2 | FS_TRUNCATE | FS_IOCTL_DEV)
#define FS_WRITE (FS_ALL & ~(FS_EXECUTE | FS_IOCTL_DEV))
#define NET_BIND_TCP 1U
#define NET_CONNECT_TCP 2U
#define SCOPE_ALL 3U
#define RULE_PATH 1
#define RULE_PORT 2
#define MIN_ABI 6

struct ruleset {
	uint64_t fs, net, scoped;
};

struct path_rule {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

struct port_rule {
	uint64_t access, port;
};

static int fail(const char *what)
{
	fprintf(stderr, "landlock_alone: %s: %s\n", what, strerror(errno));
	return 125;
}

static int add_path(int ruleset, uint64_t access, const char *path)
{
	struct path_rule rule = {access, open(path, O_PATH | O_CLOEXEC)};
	struct stat info;
	long added = -1;

	if (rule.fd < 0 || fstat(rule.fd, &info) < 0)
		return -1;
	if (!S_ISDIR(info.st_mode))
		rule.access &= FS_OF_FILES;
	added = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0);
	close(rule.fd);
	return (int)added;
}

static int add(int ruleset, int option, const char *value)
{
	struct port_rule port = {NET_CONNECT_TCP, strtoul(value, NULL, 10)};

	switch (option) {
	case 'r':
		return add_path(ruleset, FS_READ, value);
	case 'w':
		return add_path(ruleset, FS_WRITE, value);
	case 'x':
		return add_path(ruleset, FS_READ | FS_EXECUTE, value);
	default:
		return (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &port, 0);
	}
}

int main(int argc, char **argv)
{
	struct ruleset attr = {.fs = FS_ALL, .scoped = SCOPE_ALL};
	int option, ruleset;

	while ((option = getopt(argc, argv, "+r:w:x:c:")) != -1) {
		if (option == '?')
			return 125;
		if (option == 'c')
			attr.net = NET_BIND_TCP | NET_CONNECT_TCP;
	}
	if (optind == argc) {
		fputs("usage: landlock_alone [-r|-w|-x PATH | -c PORT]... -- PROGRAM\n", stderr);
		return 125;
	}
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < MIN_ABI) {
		fprintf(stderr, "landlock_alone: Landlock ABI %d is needed\n", MIN_ABI);
		return 125;
	}
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return fail("ruleset");
	optind = 1;
	while ((option = getopt(argc, argv, "+r:w:x:c:")) != -1)
		if (add(ruleset, option, optarg) < 0)
			return fail(optarg);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return fail("restrict");
	close(ruleset);
	execvp(argv[optind], argv + optind);
	fail(argv[optind]);
	return errno == ENOENT ? 127 : 126;
}
