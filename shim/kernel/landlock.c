/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts a Landlock domain on the calling thread. Raw system calls with our own structs, because the
 * installed header may be older than the kernel (include/uapi/linux/landlock.h of Linux 6.18).
 *
 * Guarantees: the domain is applied whole or not at all. A path that is gone since the plan was
 * made is left out, which only narrows. Landlock restricts the calling thread and what it starts, no
 * sibling: who means the process calls before it has threads.
 */
#include "shim/kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/plan/access.h"

struct ruleset_attr {
	uint64_t handled_access_fs, handled_access_net, scoped;
};

struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

struct net_port_attr {
	uint64_t allowed_access, port;
};

#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

static int ruleset_create(const struct domain *domain)
{
	struct ruleset_attr attr = {
	    .handled_access_fs = domain->handled_fs,
	    .handled_access_net = domain->handled_net,
	    .scoped = domain->scoped,
	};
	/* An older kernel takes a longer struct as long as what it does not know is zero. */
	long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	return fd < 0 ? -errno : (int)fd;
}

/*
 * The plan's paths had no link in them when it was made. Another session of the same agent may have
 * put one there since, in a folder above as well. The one link that is meant is a thread's own
 * handle (network_bind_unix.c), which no other process can change.
 */
static int open_plain(const char *path)
{
	static const char own[] = "/proc/self/fd/";
	if (strncmp(path, own, sizeof(own) - 1))
		return kernel_open_plain(path);
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Accesses of folders on what is none are EINVAL to the kernel; what is left of them is a file's.
 */
static int cut_to_file(const struct path_beneath_attr *attr, struct path_beneath_attr *ret_attr)
{
	struct stat status;
	if (fstat(attr->parent_fd, &status) < 0)
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EINVAL;
	*ret_attr = *attr;
	ret_attr->allowed_access &= ACCESS_OF_FILES;
	/* A link cannot be opened here, but for the handle that is meant: nothing to give on it. */
	if (S_ISLNK(status.st_mode))
		ret_attr->allowed_access = 0;
	return 0;
}

static int add_rule(int ruleset, const struct path_beneath_attr *attr)
{
	if (!attr->allowed_access)
		return 0;
	return syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, attr, 0) < 0 ? -errno : 0;
}

static int add_path(int ruleset, const struct path_access *path)
{
	struct path_beneath_attr attr = {.allowed_access = path->access}, cut;
	attr.parent_fd = open_plain(path->path);
	int ret = attr.parent_fd;
	if (ret < 0)
		return ret == -ENOENT || ret == -ENOTDIR || ret == -EACCES || ret == -ELOOP ? 0
											    : ret;
	ret = add_rule(ruleset, &attr);
	/* It was a folder when the plan was made. */
	if (ret == -EINVAL && (ret = cut_to_file(&attr, &cut)) == 0)
		ret = add_rule(ruleset, &cut);
	close(attr.parent_fd);
	/* The kernel refuses rules on what only it can see (nsfs, pipes): no rule, no right. */
	return ret == -EBADFD ? 0 : ret;
}

static int add_port(int ruleset, const struct port_access *port)
{
	struct net_port_attr attr = {.allowed_access = port->access, .port = port->port};
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &attr, 0) < 0)
		return -errno;
	return 0;
}

/* What the descriptor lets its holder do with a file, for whoever opens that again. Nothing for what
 * is no file: pipes and terminals are not opened by a path beneath a granted one. */
static int add_held(int ruleset, uint64_t handled, int fd)
{
	struct path_beneath_attr attr = {.parent_fd = fd};
	struct stat status;
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || (flags & O_PATH) || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return 0;
	if ((flags & O_ACCMODE) != O_WRONLY)
		attr.allowed_access |= ACCESS_READ_FILE;
	if ((flags & O_ACCMODE) != O_RDONLY)
		attr.allowed_access |= ACCESS_WRITE_FILE | ACCESS_TRUNCATE;
	attr.allowed_access &= handled;
	int ret = add_rule(ruleset, &attr);
	return ret == -EBADFD ? 0 : ret;
}

int kernel_landlock_holding(const struct domain *domain, const int *fds, size_t count)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (!domain->handled_fs && !domain->handled_net && !domain->scoped)
		return 0;
	int ruleset = ruleset_create(domain);
	if (ruleset < 0)
		return ruleset;
	int ret = 0;
	for (size_t i = 0; ret == 0 && domain->handled_fs && i < domain->path_count; i++)
		ret = add_path(ruleset, &domain->paths[i]);
	for (size_t i = 0; ret == 0 && domain->handled_fs && i < count; i++)
		ret = add_held(ruleset, domain->handled_fs, fds[i]);
	for (size_t i = 0; ret == 0 && domain->handled_net && i < domain->port_count; i++)
		ret = add_port(ruleset, &domain->ports[i]);
	if (ret == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		ret = -errno;
	close(ruleset);
	return ret;
}

int kernel_landlock(const struct domain *domain)
{
	return kernel_landlock_holding(domain, NULL, 0);
}
