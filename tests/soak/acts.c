/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The acts of a soak: a table of what is granted and what is refused. Each uses names of its own
 * slot only, so that a record says which worker's act it was; each leaves nothing open.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/un.h>

#include "tests/live/escapes/sys.h"
#include "tests/soak/soak.h"

#define HYPERCALL 0x52454d54 /* shim/common/protocol.h */

static int done(long result)
{
	if (result >= 0)
		close((int)result);
	return result < 0 ? (int)result : 0;
}

static int open_as(struct actor *actor, const char *folder, const char *name, int flags)
{
	char path[256];

	return done(sys_open(actor_path(actor, folder, name, path), flags | O_CLOEXEC, 0600));
}

static int read_wall(struct actor *actor)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/free/data", actor->root);
	return done(sys_open(path, O_RDONLY | O_CLOEXEC, 0));
}

static int read_gap(struct actor *actor)
{
	return open_as(actor, "in", "public", O_RDONLY);
}

static int read_outside(struct actor *actor)
{
	return open_as(actor, "out", "read", O_RDONLY);
}

static int read_denied(struct actor *actor)
{
	return open_as(actor, "in", "secret", O_RDONLY);
}

static int write_read_only(struct actor *actor)
{
	return open_as(actor, "only", "write", O_WRONLY | O_APPEND);
}

static int create_outside(struct actor *actor)
{
	return open_as(actor, "out", "create", O_WRONLY | O_CREAT);
}

/* A file's whole life in the gap: made, changed, moved, linked, removed. */
static int live_in_gap(struct actor *actor)
{
	char name[64], path[256], other[256];
	unsigned int number = actor_random(actor, UINT32_MAX);

	/* What a killed process leaves is in nobody's way, also not in that of a reused pid's. */
	snprintf(name, sizeof(name), "file-%d-%d-%x", (int)getpid(), actor->thread, number);
	actor_path(actor, "in", name, path);
	snprintf(name, sizeof(name), "moved-%d-%d-%x", (int)getpid(), actor->thread, number);
	actor_path(actor, "in", name, other);
	long fd = sys_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return (int)fd;
	if (write((int)fd, "fine", 4) != 4)
		return -EIO;
	close((int)fd);
	long error = sys_chmod(path, 0600);

	if (!error)
		error = sys_utimensat(AT_FDCWD, path, NULL, 0);
	if (!error)
		error = sys_truncate(path, 2);
	if (!error)
		error = sys_rename(path, other);
	if (!error)
		error = sys_link(other, path);
	if (!error)
		error = sys_unlink(other);
	if (!error)
		error = sys_unlink(path);
	if (!error)
		error = sys_mkdir(path, 0700);
	if (!error)
		error = sys_rmdir(path);
	if (!error)
		error = sys_symlink("public", path);
	if (!error)
		error = sys_unlink(path);
	return (int)error;
}

static int unlink_outside(struct actor *actor)
{
	char path[256];

	return (int)sys_unlink(actor_path(actor, "out", "unlink", path));
}

static int mkdir_outside(struct actor *actor)
{
	char path[256];

	return (int)sys_mkdir(actor_path(actor, "out", "mkdir", path), 0700);
}

static int symlink_outside(struct actor *actor)
{
	char path[256];

	return (int)sys_symlink("/", actor_path(actor, "out", "symlink", path));
}

static int truncate_outside(struct actor *actor)
{
	char path[256];

	return (int)sys_truncate(actor_path(actor, "out", "truncate", path), 0);
}

static int chmod_outside(struct actor *actor)
{
	char path[256];

	return (int)sys_chmod(actor_path(actor, "out", "chmod", path), 0777);
}

static int utimes_outside(struct actor *actor)
{
	char path[256];

	return (int)sys_utimensat(AT_FDCWD, actor_path(actor, "out", "utimes", path), NULL, 0);
}

static int xattr_outside(struct actor *actor)
{
	char path[256];

	return (int)sys_setxattr(actor_path(actor, "out", "xattr", path), "user.soak", "x", 1, 0);
}

static int watch(struct actor *actor, const char *folder, const char *name)
{
	char path[256];
	int instance = inotify_init1(IN_CLOEXEC);

	if (instance < 0)
		return -errno;
	long result = sys_call(SYS_inotify_add_watch, instance,
			       actor_path(actor, folder, name, path), IN_OPEN);

	close(instance);
	return result < 0 ? (int)result : 0;
}

static int watch_gap(struct actor *actor)
{
	return watch(actor, "in", "public");
}

static int watch_outside(struct actor *actor)
{
	return watch(actor, "out", "watch");
}

static struct sockaddr_in address(const struct actor *actor, const char *fact, bool own)
{
	uint32_t host = own ? 0x7f010000U + (uint32_t)actor->slot : INADDR_LOOPBACK;

	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)actor_fact(actor, fact)),
				    .sin_addr.s_addr = htonl(host)};
}

static int connect_to(int family, int type, const void *name, socklen_t len)
{
	long fd = sys_socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return (int)fd;
	long result = sys_connect((int)fd, name, len);

	close((int)fd);
	return (int)result;
}

static int connect_granted(struct actor *actor)
{
	struct sockaddr_in name = address(actor, "tcp", false);
	int error = connect_to(AF_INET, SOCK_STREAM, &name, sizeof(name));

	/* The listener closes with a reset, which may come before connect has looked. */
	return error == -ECONNRESET ? 0 : error;
}

static int connect_refused(struct actor *actor)
{
	struct sockaddr_in name = address(actor, "tcp", true);

	return connect_to(AF_INET, SOCK_STREAM, &name, sizeof(name));
}

static int send_to(struct sockaddr_in name)
{
	long fd = sys_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return (int)fd;
	long result = sys_sendto((int)fd, "x", 1, 0, &name, sizeof(name));

	close((int)fd);
	return result == 1 ? 0 : (int)result;
}

static int send_granted(struct actor *actor)
{
	return send_to(address(actor, "udp", false));
}

static int send_refused(struct actor *actor)
{
	return send_to(address(actor, "udp", true));
}

static int bind_as(struct actor *actor, const char *fact, bool own)
{
	struct sockaddr_in name = address(actor, fact, own);
	long fd = sys_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return (int)fd;
	if (!own) /* a port for each thread of each worker */
		name.sin_port =
		    htons((uint16_t)(ntohs(name.sin_port) + actor->slot * 4 + actor->thread));
	setsockopt((int)fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	long result = -EADDRINUSE;
	bool bound = false;

	/* The one before in this slot may have been killed with the port still in its hands: bound
	 * or, because both may be bound at once, listening. */
	for (int tries = 0; tries < 200 && result == -EADDRINUSE; tries++) {
		if (tries)
			usleep(10000);
		if (!bound)
			result = sys_bind((int)fd, &name, sizeof(name));
		bound = bound || result == 0;
		if (bound)
			result = sys_listen((int)fd, 1);
	}
	close((int)fd);
	return (int)result;
}

static int listen_granted(struct actor *actor)
{
	return bind_as(actor, "first", false);
}

static int listen_refused(struct actor *actor)
{
	return bind_as(actor, "tcp", true);
}

static int connect_unix(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	snprintf(name.sun_path, sizeof(name.sun_path), "%.107s", path);
	return connect_to(AF_UNIX, SOCK_STREAM, &name, sizeof(name));
}

static int unix_granted(struct actor *actor)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/free/socket", actor->root);
	return connect_unix(path);
}

static int unix_refused(struct actor *actor)
{
	char path[256];

	return connect_unix(actor_path(actor, "out", "socket", path));
}

static int abstract_refused(struct actor *actor)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int n = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "soak-%d", actor->slot);

	return connect_to(AF_UNIX, SOCK_STREAM, &name,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n));
}

void actor_die_with_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int finish(pid_t child)
{
	int status;

	if (child < 0)
		return -errno;
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static int exec_granted(struct actor *actor)
{
	char path[256];
	char *argv[] = {path, NULL}, *envp[] = {NULL};

	snprintf(path, sizeof(path), "%s/bin/true", actor->root);
	pid_t child = fork();

	if (child == 0) {
		close(STDOUT_FILENO); /* it prints */
		sys_execve(path, argv, envp);
		_exit(EACCES);
	}
	return -finish(child);
}

static int exec_refused(struct actor *actor)
{
	char path[256];
	char *argv[] = {path, NULL}, *envp[] = {NULL};

	return (int)sys_execve(actor_path(actor, "out", "exec", path), argv, envp);
}

/* A child that is ended while it waits in a call that blocks at the gate. */
static int die_in_fifo(struct actor *actor)
{
	char path[256];

	actor_path(actor, "in", "fifo", path);
	pid_t child = fork();

	if (child == 0) {
		actor_die_with_parent();
		for (;;)
			sys_open(path, O_RDONLY, 0);
	}
	if (child < 0)
		return -errno;
	usleep(actor_random(actor, 4000));
	long error = sys_kill(child, SIGKILL);

	finish(child);
	return (int)error;
}

static int kill_stranger(struct actor *actor)
{
	return (int)sys_kill((pid_t)actor_fact(actor, "stranger"), 0);
}

static int hurry_stranger(struct actor *actor)
{
	return (int)sys_call(SYS_setpriority, 0 /* PRIO_PROCESS */, actor_fact(actor, "stranger"),
			     1);
}

static int memory_granted(struct actor *actor)
{
	(void)actor;
	return done(sys_call(SYS_memfd_create, "soak", 1));
}

static int memory_refused(struct actor *actor)
{
	char name[32];

	snprintf(name, sizeof(name), "soak-%d", actor->slot);
	return done(sys_call(SYS_memfd_create, name, 0x11 /* MFD_CLOEXEC | MFD_EXEC */));
}

/* Behind the last that the door knows (shim/common/protocol.h). */
static int nonsense(struct actor *actor)
{
	long result = sys_call(SYS_prctl, HYPERCALL, 19 + actor_random(actor, 90), actor, 0, 0);

	return result == -EINVAL ? 0 : -EPROTO;
}

const struct kind kinds[] = {
    {"read-wall", "read {root}/free/data", 0, read_wall, NULL},
    {"read-gap", "read {root}/in/{slot}/public", 0, read_gap, NULL},
    {"live-in-gap", "write {root}/in/{slot}/file-0", 0, live_in_gap, NULL},
    {"watch-gap", "read {root}/in/{slot}/public", 0, watch_gap, NULL},
    {"connect", "connect 127.0.0.1:{tcp}", 0, connect_granted, NULL},
    {"send", "connect udp:127.0.0.1:{udp}", 0, send_granted, NULL},
    {"listen", "listen 127.0.0.1:{first}", 0, listen_granted, NULL},
    {"unix", "connect unix:{root}/free/socket", 0, unix_granted, NULL},
    {"exec", "exec {root}/bin/true", 0, exec_granted, NULL},
    {"die-in-fifo", "read {root}/in/{slot}/fifo", 0, die_in_fifo, NULL},
    {"memory", "", 0, memory_granted, NULL},
    {"nonsense", "", 0, nonsense, NULL},
    {"read-outside", "read {root}/out/{slot}/read", EACCES, read_outside, NULL},
    {"read-denied", "read {root}/in/{slot}/secret", EACCES, read_denied, NULL},
    {"write-read-only", "write {root}/only/{slot}/write", EACCES, write_read_only, NULL},
    {"create-outside", "write {root}/out/{slot}/create", EACCES, create_outside, NULL},
    {"unlink-outside", "write {root}/out/{slot}/unlink", EACCES, unlink_outside, NULL},
    {"mkdir-outside", "write {root}/out/{slot}/mkdir", EACCES, mkdir_outside, NULL},
    {"symlink-outside", "write {root}/out/{slot}/symlink", EACCES, symlink_outside, NULL},
    {"truncate-outside", "write {root}/out/{slot}/truncate", EACCES, truncate_outside, NULL},
    {"chmod-outside", "write {root}/out/{slot}/chmod", EACCES, chmod_outside, NULL},
    {"utimes-outside", "write {root}/out/{slot}/utimes", EACCES, utimes_outside, NULL},
    {"xattr-outside", "write {root}/out/{slot}/xattr", EACCES, xattr_outside, NULL},
    {"watch-outside", "read {root}/out/{slot}/watch", EACCES, watch_outside, NULL},
    {"connect-refused", "connect 127.1.0.{slot}:{tcp}", EACCES, connect_refused, NULL},
    {"send-refused", "connect udp:127.1.0.{slot}:{udp}", EACCES, send_refused, NULL},
    {"listen-refused", "listen 127.1.0.{slot}:{tcp}", EACCES, listen_refused, NULL},
    {"unix-refused", "connect unix:{root}/out/{slot}/socket", EACCES, unix_refused, NULL},
    {"abstract-refused", "connect unix:@soak-{slot}", EACCES, abstract_refused, NULL},
    {"exec-refused", "exec {root}/out/{slot}/exec", EACCES, exec_refused, NULL},
    {"kill-stranger", "process {stranger}", EPERM, kill_stranger, "kill"},
    {"hurry-stranger", "process {stranger}", EPERM, hurry_stranger, "setpriority"},
    {"memory-refused", "soak-{slot}", EACCES, memory_refused, "memfd_create"},
};
const size_t kind_count = sizeof(kinds) / sizeof(*kinds);
