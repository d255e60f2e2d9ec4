/* SPDX-License-Identifier: Apache-2.0 */
/* L1, L2: the tag in the sixth argument and the hypercall are no secrets. Whoever forges them gets
 * nothing that he was not granted. Tagged calls meet the wall, so they leave no record. */
#include "tests/live/escapes/harness.h"

#include <dirent.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "shim/common/protocol.h"

#define TAGGED(nr, a, b, c, d, e) sys_call(nr, a, b, c, d, e, REMIT_TAG)

static void tagged_open(void)
{
	show_fd(TAGGED(SYS_open, at("out/secret"), O_RDONLY, 0, 0, 0));
}

static void tagged_openat(void)
{
	show_fd(TAGGED(SYS_openat, AT_FDCWD, at("out/secret"), O_RDONLY, 0, 0));
}

static void tagged_openat_denied(void)
{
	show_fd(TAGGED(SYS_openat, AT_FDCWD, at("in/denied.txt"), O_RDONLY, 0, 0));
}

static void tagged_openat_glob(void)
{
	show_fd(TAGGED(SYS_openat, AT_FDCWD, at("in/sub/.env"), O_RDONLY, 0, 0));
}

static void tagged_openat2(void)
{
	uint64_t how[3] = {O_RDONLY, 0, 0};

	show_fd(TAGGED(SYS_openat2, AT_FDCWD, at("out/secret"), how, sizeof(how), 0));
}

/* Access mode 3: neither reads nor writes, so Landlock asks for nothing. */
static void tagged_mode3(void)
{
	did(TAGGED(SYS_openat, AT_FDCWD, at("out/secret"), O_ACCMODE, 0, 0) >= 0);
}

static void tagged_openat2_mode3(void)
{
	uint64_t how[3] = {O_ACCMODE, 0, 0};

	did(TAGGED(SYS_openat2, AT_FDCWD, at("out/secret"), how, sizeof(how), 0) >= 0);
}

static void tagged_late(void)
{
	put_fd(TAGGED(SYS_openat, AT_FDCWD, at("in/late.txt"), O_WRONLY | O_CREAT, 0644, 0));
}

static void tagged_creat(void)
{
	put_fd(TAGGED(SYS_creat, at("out/victim"), 0644, 0, 0, 0));
}

static void tagged_hook(void)
{
	put_fd(TAGGED(SYS_openat, AT_FDCWD, at("in/hooks/hook"), O_WRONLY, 0, 0));
}

static void tagged_truncate(void)
{
	TAGGED(SYS_truncate, at("ro/data"), 1, 0, 0, 0);
}

static void tagged_unlink(void)
{
	TAGGED(SYS_unlink, at("in/denied.txt"), 0, 0, 0, 0);
}

static void tagged_unlinkat(void)
{
	TAGGED(SYS_unlinkat, AT_FDCWD, at("out/victim"), 0, 0, 0);
}

static void tagged_mkdir(void)
{
	TAGGED(SYS_mkdir, at("out/made"), 0755, 0, 0, 0);
}

static void tagged_symlink(void)
{
	TAGGED(SYS_symlinkat, "secret", AT_FDCWD, at("out/made"), 0, 0);
}

static void tagged_mknod(void)
{
	TAGGED(SYS_mknodat, AT_FDCWD, at("ro/made"), S_IFREG | 0644, 0, 0);
}

static void tagged_rename(void)
{
	TAGGED(SYS_rename, at("in/denied.txt"), at("in/copy"), 0, 0, 0);
	show_file(at("in/copy"));
}

static void tagged_renameat2(void)
{
	TAGGED(SYS_renameat2, AT_FDCWD, at("in/vault"), AT_FDCWD, at("in/v2"), 0);
	show_file(at("in/v2/key"));
}

static void tagged_rename_up(void)
{
	TAGGED(SYS_rename, at("in/sub"), at("free/sub"), 0, 0, 0);
	show_file(at("free/sub/.env"));
}

static void tagged_link(void)
{
	TAGGED(SYS_linkat, AT_FDCWD, at("ro/data"), AT_FDCWD, at("free/copy"), 0);
	put_fd(sys_open(at("free/copy"), O_WRONLY, 0));
}

static void tagged_link_denied(void)
{
	TAGGED(SYS_link, at("in/denied.txt"), at("in/copy"), 0, 0, 0);
	show_file(at("in/copy"));
}

static void tagged_chmod(void)
{
	TAGGED(SYS_chmod, at("out/victim"), 0600, 0, 0, 0);
	TAGGED(SYS_fchmodat, AT_FDCWD, at("out/victim"), 0600, 0, 0);
}

static void tagged_fchmod(void)
{
	TAGGED(SYS_fchmod, sys_open(at("ro/data"), O_RDONLY, 0), 0600, 0, 0, 0);
}

static void tagged_chown(void)
{
	TAGGED(SYS_chown, at("out/victim"), getuid(), getgid(), 0, 0);
	TAGGED(SYS_fchownat, AT_FDCWD, at("out/victim"), getuid(), getgid(), 0);
}

static void tagged_times(void)
{
	TAGGED(SYS_utimensat, AT_FDCWD, at("out/victim"), NULL, 0, 0);
}

static void tagged_xattr(void)
{
	TAGGED(SYS_setxattr, at("out/victim"), "user.remit", "x", 1, 0);
}

static void tagged_kill(void)
{
	TAGGED(SYS_kill, harness_number("stranger"), SIGUSR1, 0, 0, 0);
}

static void tagged_exec(void)
{
	const char *argv[] = {"tool", "DID", NULL};

	TAGGED(SYS_execve, at("refused/tool"), argv, environ, 0, 0);
	TAGGED(SYS_execveat, AT_FDCWD, at("refused/tool"), argv, environ, 0);
}

static void tagged_connect(void)
{
	struct sockaddr_in peer = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)harness_number("tcp_other")),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	long fd = sys_socket(AF_INET, SOCK_STREAM, 0);

	if (TAGGED(SYS_connect, fd, &peer, sizeof(peer), 0, 0) == 0)
		show_fd(fd);
}

static void tagged_bind(void)
{
	struct sockaddr_in self = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)harness_number("tcp_unused")),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	long fd = sys_socket(AF_INET, SOCK_STREAM, 0);

	TAGGED(SYS_bind, fd, &self, sizeof(self), 0, 0);
	did(TAGGED(SYS_listen, fd, 1, 0, 0, 0) == 0);
}

static void tagged_race_exec_twice(void)
{
	/* A tagged and an untagged call of the same thing must agree. */
	long tagged = TAGGED(SYS_openat, AT_FDCWD, at("ro/granted"), O_RDONLY, 0, 0);
	long plain = sys_call(SYS_openat, AT_FDCWD, at("ro/granted"), O_RDONLY, 0);

	did(tagged >= 0 && plain >= 0);
}

/* L2: the hypercall door. */

static void scope_is_sealed(void)
{
	long fd = sys_call(SYS_prctl, REMIT_HYPERCALL, HYPERCALL_HELLO, REMIT_PROTOCOL);
	int changed = 0;

	if (fd < 0)
		return;
	changed |= write((int)fd, "x", 1) == 1;
	changed |= ftruncate((int)fd, 0) == 0;
	changed |= mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0) != MAP_FAILED;
	changed |= sys_open(text("/proc/self/fd/%ld", fd), O_RDWR | O_TRUNC, 0) >= 0 &&
		   lseek((int)fd, 0, SEEK_END) == 0;
	did(changed);
}

static void unknown_hypercalls(void)
{
	int given = 0;

	for (long op = -2; op < 64; op++) {
		if (op == HYPERCALL_HELLO || op == HYPERCALL_FLAGS || op == HYPERCALL_REFUSED ||
		    op == HYPERCALL_NEST_FEATURES)
			continue;
		given |= sys_call(SYS_prctl, REMIT_HYPERCALL, op, 0, 0, 0) >= 0;
		given |= sys_call(SYS_prctl, REMIT_HYPERCALL, op | (1L << 32), -1, -1, -1) >= 0;
	}
	did(given);
}

static void bad_testimony(void)
{
	did(sys_call(SYS_prctl, REMIT_HYPERCALL, HYPERCALL_REFUSED, (void *)8) >= 0);
	did(sys_call(SYS_prctl, REMIT_HYPERCALL, HYPERCALL_REFUSED, (void *)-8L) >= 0);
}

static void listener_in_reach(void)
{
	char target[256];
	struct dirent *entry;
	DIR *folder = opendir("/proc/self/fd");
	int found = 0;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		ssize_t len = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
		if (len > 0) {
			target[len] = '\0';
			found |= strstr(target, "seccomp") != NULL;
		}
	}
	for (int fd = 0; fd < 256; fd++) {
		uint64_t id = 0;
		long got = sys_call(SYS_ioctl, fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
		found |= got == 0 || got == -ENOENT;
	}
	did(found);
}

static void inherited_fds(void)
{
	int found = 0;

	for (int fd = 3; fd < 1024; fd++)
		found |= fcntl(fd, F_GETFD) >= 0;
	did(found);
}

static const struct escape cases[] = {
    {"L1-tagged-open", NULL, 0, tagged_open},
    {"L1-tagged-openat", NULL, 0, tagged_openat},
    {"L1-tagged-openat-denied", NULL, 0, tagged_openat_denied},
    {"L1-tagged-openat-glob", NULL, 0, tagged_openat_glob},
    {"L1-tagged-openat2", NULL, 0, tagged_openat2},
    {"L1-tagged-mode3", NULL, 0, tagged_mode3},
    {"L1-tagged-openat2-mode3", NULL, 0, tagged_openat2_mode3},
    {"L1-tagged-late", NULL, 0, tagged_late},
    {"L1-tagged-creat", NULL, 0, tagged_creat},
    {"L1-tagged-hook", NULL, 0, tagged_hook},
    {"L1-tagged-truncate", NULL, 0, tagged_truncate},
    {"L1-tagged-unlink", NULL, 0, tagged_unlink},
    {"L1-tagged-unlinkat", NULL, 0, tagged_unlinkat},
    {"L1-tagged-mkdir", NULL, 0, tagged_mkdir},
    {"L1-tagged-symlink", NULL, 0, tagged_symlink},
    {"L1-tagged-mknod", NULL, 0, tagged_mknod},
    {"L1-tagged-rename", NULL, 0, tagged_rename},
    {"L1-tagged-renameat2", NULL, 0, tagged_renameat2},
    {"L1-tagged-rename-up", NULL, 0, tagged_rename_up},
    {"L1-tagged-link", NULL, 0, tagged_link},
    {"L1-tagged-link-denied", NULL, 0, tagged_link_denied},
    {"L1-tagged-chmod", NULL, 0, tagged_chmod},
    {"L1-tagged-fchmod", NULL, 0, tagged_fchmod},
    {"L1-tagged-chown", NULL, 0, tagged_chown},
    {"L1-tagged-times", NULL, 0, tagged_times},
    {"L1-tagged-xattr", NULL, MAY_LACK, tagged_xattr},
    {"L1-tagged-exec", NULL, 0, tagged_exec},
    {"L1-tagged-kill", NULL, 0, tagged_kill},
    {"L1-tagged-connect", NULL, 0, tagged_connect},
    {"L1-tagged-bind", NULL, 0, tagged_bind},
    {"L1-tagged-granted", NULL, MUST_WORK, tagged_race_exec_twice},
    {"L2-scope-sealed", NULL, NO_CONTROL, scope_is_sealed},
    {"L2-unknown-hypercalls", NULL, NO_CONTROL, unknown_hypercalls},
    {"L2-bad-testimony", NULL, NO_CONTROL, bad_testimony},
    {"L2-listener-fd", NULL, NO_CONTROL, listener_in_reach},
    {"L2-inherited-fds", NULL, 0, inherited_fds},
};
ESCAPE_TABLE(lane_table, cases);
