/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mutations showed to be untried. L1: each right of the wall by a tagged call of its own. P20:
 * read-only descriptors. P4: handles that a granted peer hands over. P5, P15, F7, F8: further
 * doors. N4, N11, N12: peers, routes and options. M8: the environment. P22: what the kernel writes
 * for a process that crashes.
 */
#include "tests/live/escapes/harness.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "shim/common/protocol.h"

#ifndef MFD_HUGETLB
#define MFD_HUGETLB 0x4U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x10U /* linux/memfd.h, Linux 6.3 */
#endif

#define TAGGED(nr, a, b, c, d, e) sys_call(nr, a, b, c, d, e, REMIT_TAG)

static char *const tool_argv[] = {(char *)(uintptr_t) "tool", (char *)(uintptr_t) "DID", NULL};

/* L1 */

static void tagged_rmdir(void)
{
	TAGGED(SYS_rmdir, at("out/empty"), 0, 0, 0, 0);
}

static void tagged_fifo(void)
{
	TAGGED(SYS_mknodat, AT_FDCWD, at("out/made"), S_IFIFO | 0644, 0, 0);
}

static void tagged_socket(void)
{
	TAGGED(SYS_mknodat, AT_FDCWD, at("out/made"), S_IFSOCK | 0644, 0, 0);
}

static void tagged_device(void)
{
	/* /dev/null under another name. */
	did(TAGGED(SYS_mknodat, AT_FDCWD, at("free/made"), S_IFCHR | 0600, makedev(1, 3), 0) == 0);
}

static void tagged_folder(void)
{
	char buf[4096];
	long fd = TAGGED(SYS_openat, AT_FDCWD, at("out"), O_RDONLY | O_DIRECTORY, 0, 0);
	long got = fd < 0 ? -1 : sys_call(SYS_getdents64, fd, buf, sizeof(buf));

	/* A name in it holds the token. */
	if (got > 0 && write(STDOUT_FILENO, buf, (size_t)got) < 0)
		exit(3);
}

static void tagged_link(void)
{
	char target[16];

	TAGGED(SYS_symlinkat, at("free"), AT_FDCWD, at("in/absent"), 0, 0);
	sys_symlink(at("free"), at("free/l"));
	TAGGED(SYS_renameat, AT_FDCWD, at("free/l"), AT_FDCWD, at("in/absent"), 0);
	TAGGED(SYS_linkat, AT_FDCWD, at("free/l"), AT_FDCWD, at("in/absent"), 0);
	did(sys_call(SYS_readlinkat, AT_FDCWD, at("in/absent"), target, sizeof(target)) > 0);
}

static void tagged_write(void)
{
	put_fd(TAGGED(SYS_openat, AT_FDCWD, at("out/victim"), O_WRONLY, 0, 0));
}

static void tagged_exec(void)
{
	TAGGED(SYS_execve, at("ro/tool"), tool_argv, environ, 0, 0);
}

static void tagged_memory_exec(unsigned int flags)
{
	static char buf[1 << 16];
	long in = sys_open(at("ro/tool"), O_RDONLY, 0);
	long fd = sys_call(SYS_memfd_create, "tool", flags);
	ssize_t got;

	if (in < 0 || fd < 0)
		return;
	while ((got = read((int)in, buf, sizeof(buf))) > 0) {
		if (write((int)fd, buf, (size_t)got) != got)
			return;
	}
	TAGGED(SYS_fchmod, fd, 0777, 0, 0, 0);
	TAGGED(SYS_execveat, fd, "", tool_argv, environ, AT_EMPTY_PATH);
}

static void tagged_memory(void)
{
	tagged_memory_exec(0);
}

static void tagged_memory_marked(void)
{
	tagged_memory_exec(MFD_EXEC);
}

static void memory_huge(void)
{
	struct stat about = {0};
	long fd = sys_call(SYS_memfd_create, "tool", MFD_HUGETLB);

	/* There may be no such page to put a program into: that it may be run is enough. */
	sys_call(SYS_fchmod, fd, 0700);
	did(fd >= 0 && fstat((int)fd, &about) == 0 && (about.st_mode & 0111));
}

/* P20: nothing turns a read-only descriptor into a way to write. The kernel holds most of it. */

static long read_only(void)
{
	return sys_open(at("ro/data"), O_RDONLY, 0);
}

static void only_truncate(void)
{
	sys_call(SYS_ftruncate, read_only(), 0);
}

static void only_allocate(void)
{
	sys_call(SYS_fallocate, read_only(), 0, 0, 8192);
	sys_call(SYS_fallocate, read_only(), 3 /* PUNCH_HOLE | KEEP_SIZE */, 0, 1);
}

static void only_copy(void)
{
	long from = sys_open(at("ro/granted"), O_RDONLY, 0), to = read_only();

	sys_call(SYS_copy_file_range, from, NULL, to, NULL, 8, 0);
	sys_call(SYS_sendfile, to, from, NULL, 8);
	sys_call(SYS_ioctl, to, 0x40049409 /* FICLONE */, from);
}

static void only_splice(void)
{
	int ends[2];

	if (pipe(ends) != 0 || write(ends[1], "CHANGED", 7) != 7)
		return;
	sys_call(SYS_splice, ends[0], NULL, read_only(), NULL, 7, 0);
}

static void only_map(void)
{
	long fd = read_only();
	char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, (int)fd, 0);
	long memory = sys_open("/proc/self/mem", O_RDWR, 0);

	if (map == MAP_FAILED)
		return;
	/* The debugger's way writes where the page tables do not let. */
	if (memory >= 0 && pwrite((int)memory, "CHANGED", 1, (off_t)(uintptr_t)map) < 0)
		fprintf(stderr, "mem: %s\n", strerror(errno));
	if (mprotect(map, 4096, PROT_READ | PROT_WRITE) == 0)
		map[0] = 'C';
}

/* P4: the peer may hand over what it likes; handles without rights stay without. */

static long from_peer(int which)
{
	struct sockaddr_un peer = {.sun_family = AF_UNIX};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control;
	char byte;
	struct iovec vector = {&byte, 1};
	struct msghdr message = {.msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	long fd = sys_socket(AF_UNIX, SOCK_STREAM, 0);
	int fds[2] = {-1, -1};

	snprintf(peer.sun_path, sizeof(peer.sun_path), "%.100s", at("sock/fds.sock"));
	if (sys_connect((int)fd, &peer, sizeof(peer)) != 0 || recvmsg((int)fd, &message, 0) != 1 ||
	    CMSG_FIRSTHDR(&message) == NULL)
		return -1;
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fds));
	return fds[which];
}

static void peer_folder(void)
{
	show_fd(sys_openat((int)from_peer(0), "secret", O_RDONLY, 0));
}

static void peer_folder_tagged(void)
{
	show_fd(TAGGED(SYS_openat, from_peer(0), "secret", O_RDONLY, 0, 0));
}

static void peer_handle(void)
{
	show_file(text("/proc/self/fd/%ld", from_peer(1)));
}

static void peer_change(void)
{
	long fd = from_peer(0);

	sys_call(SYS_fchmodat, fd, "victim", 0600, 0);
	sys_call(SYS_unlinkat, fd, "victim", 0);
	sys_call(SYS_mkdirat, fd, "made", 0755);
}

static void peer_cwd(void)
{
	if (fchdir((int)from_peer(0)) == 0)
		show_file("secret");
}

/* P5 */

static void opens(const char *what)
{
	did(sys_open(text("/proc/%ld/%s", harness_number("stranger"), what), O_RDONLY, 0) >= 0);
}

#define STRANGER_CASE(label, what)                                                                 \
	static void label(void)                                                                    \
	{                                                                                          \
		opens(what);                                                                       \
	}

STRANGER_CASE(stranger_maps, "maps")
STRANGER_CASE(stranger_namespace, "ns/mnt")
STRANGER_CASE(stranger_program, "exe")
STRANGER_CASE(stranger_fdinfo, "fdinfo/7")
STRANGER_CASE(stranger_status, "status")

/* P15, F8: asks for the right only. */

static void pivot(void)
{
	did(sys_call(SYS_pivot_root, at("free"), at("free")) != -EPERM);
}

static void quota(void)
{
	did(sys_call(SYS_quotactl, 0x80000100 /* Q_SYNC */, NULL, 0, NULL) == 0);
}

static void executable_memory(void)
{
	did(sys_call(SYS_personality, READ_IMPLIES_EXEC) >= 0);
}

static void memory_map(void)
{
	unsigned int size = 0;

	/* How large the struct is with which /proc/self/exe could be forged. */
	did(prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) == 0);
}

/* F7 */

static void owner_by_ioctl(void)
{
	int pair[2], owner = (int)harness_number("stranger");

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return;
	sys_call(SYS_ioctl, pair[0], FIOSETOWN, &owner);
	fcntl(pair[0], F_SETSIG, SIGUSR1);
	fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK);
	if (write(pair[1], "x", 1) == 1)
		usleep(50000);
}

/* N4, N11, N12 */

static void netlink_peer(void)
{
	struct sockaddr_nl peer = {.nl_family = AF_NETLINK,
				   .nl_pid = (uint32_t)harness_number("stranger")};
	long fd = sys_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	did(sys_connect((int)fd, &peer, sizeof(peer)) == 0);
}

static void netlink_groups(void)
{
	struct sockaddr_nl peer = {.nl_family = AF_NETLINK, .nl_groups = 1};
	long fd = sys_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	did(sys_connect((int)fd, &peer, sizeof(peer)) == 0);
}

static void routed_message(void)
{
	/* Loose source route to 127.0.0.2, on a datagram to what is granted. */
	static const unsigned char route[8] = {1, 131, 7, 4, 127, 0, 0, 2};
	struct sockaddr_in peer = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)harness_number("udp_granted")),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	union {
		struct cmsghdr first;
		char bytes[CMSG_SPACE(sizeof(route))];
	} control = {.first = {CMSG_LEN(sizeof(route)), IPPROTO_IP, IP_RETOPTS}};
	struct iovec vector = {(char *)(uintptr_t) "x", 1};
	struct msghdr message = {.msg_name = &peer,
				 .msg_namelen = sizeof(peer),
				 .msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};

	memcpy(CMSG_DATA(&control.first), route, sizeof(route));
	did(sys_sendmsg((int)sys_socket(AF_INET, SOCK_DGRAM, 0), &message, 0) == 1);
}

static void option(int level, int name)
{
	int on = 1;

	did(sys_call(SYS_setsockopt, sys_socket(AF_INET, SOCK_STREAM, 0), level, name, &on,
		     sizeof(on)) == 0);
}

static void transparent(void)
{
	option(IPPROTO_IP, IP_TRANSPARENT);
}

static void repair(void)
{
	option(IPPROTO_TCP, TCP_REPAIR);
}

static void marked(void)
{
	option(SOL_SOCKET, SO_MARK);
}

static void interface(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	long fd = sys_socket(AF_INET, SOCK_STREAM, 0);

	/* Sets the flags that are set. */
	if (sys_call(SYS_ioctl, fd, SIOCGIFFLAGS, &request) == 0)
		did(sys_call(SYS_ioctl, fd, SIOCSIFFLAGS, &request) == 0);
}

/* M8: the runner's environment holds the token; the manifest passes PATH and HOME. */

static void variable(void)
{
	const char *token = getenv("ESCAPE_TOKEN");

	printf("%s\n", token == NULL ? "" : token);
}

static void own_environ(void)
{
	show_file("/proc/self/environ");
}

static void own_stack(void)
{
	uintptr_t start = (uintptr_t)environ & ~4095UL;
	long fd = sys_open("/proc/self/mem", O_RDONLY, 0);
	char page[4096];

	/* All that the kernel put there at exec, up to the end of the stack. */
	while (fd >= 0 && pread((int)fd, page, sizeof(page), (off_t)start) == sizeof(page)) {
		if (write(STDOUT_FILENO, page, sizeof(page)) < 0)
			exit(3);
		start += sizeof(page);
	}
}

/* P22 */

static void crash(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_CORE, &limit);
	if (chdir(at("out")) == 0)
		abort();
}

static void core_file(void)
{
	in_child(crash);
}

static const struct escape cases[] = {
    {"L1-tagged-rmdir", NULL, 0, tagged_rmdir},
    {"L1-tagged-fifo", NULL, 0, tagged_fifo},
    {"L1-tagged-socket", NULL, 0, tagged_socket},
    {"L1-tagged-link-above", NULL, 0, tagged_link},
    {"L1-tagged-device", NULL, NEEDS_ROOT, tagged_device},
    {"L1-tagged-folder", NULL, 0, tagged_folder},
    {"L1-tagged-write", NULL, 0, tagged_write},
    {"L1-tagged-exec-readable", NULL, 0, tagged_exec},
    {"L1-tagged-memfd", NULL, 0, tagged_memory},
    {"L1-tagged-memfd-marked", NULL, 0, tagged_memory_marked},
    {"L1-memfd-huge", "tool", MAY_LACK, memory_huge},
    {"P20-ftruncate", NULL, NO_CONTROL, only_truncate},
    {"P20-fallocate", NULL, NO_CONTROL, only_allocate},
    {"P20-copy", NULL, NO_CONTROL, only_copy},
    {"P20-splice", NULL, NO_CONTROL, only_splice},
    {"P20-map", NULL, NO_CONTROL, only_map},
    {"P4-peer-folder", "out/secret", 0, peer_folder},
    {"P4-peer-folder-tagged", NULL, 0, peer_folder_tagged},
    {"P4-peer-handle", "out/secret", 0, peer_handle},
    {"P4-peer-change", "out/", 0, peer_change},
    {"P4-peer-cwd", "out/secret", 0, peer_cwd},
    {"P5-stranger-maps", "maps", 0, stranger_maps},
    {"P5-stranger-namespace", "", 0, stranger_namespace},
    {"P5-stranger-program", "", 0, stranger_program},
    {"P5-stranger-fdinfo", NULL, 0, stranger_fdinfo},
    {"P5-stranger-status", "status", 0, stranger_status},
    {"P15-pivot-root", "", NEEDS_ROOT, pivot},
    {"F7-sigio-ioctl", NULL, 0, owner_by_ioctl},
    {"F8-quota", "quotactl", MAY_LACK, quota},
    {"F8-personality", "0x400000", 0, executable_memory},
    {"F8-set-mm", "PR_SET_MM", MAY_LACK, memory_map},
    {"N4-netlink-peer", "netlink", NEEDS_ROOT, netlink_peer},
    {"N4-netlink-groups", "netlink", NEEDS_ROOT, netlink_groups},
    {"N11-control-message", "", NEEDS_ROOT | MAY_LACK, routed_message},
    {"N12-transparent", NULL, NEEDS_ROOT | MAY_LACK, transparent},
    {"N12-repair", NULL, NEEDS_ROOT | MAY_LACK, repair},
    {"N12-mark", NULL, NEEDS_ROOT | MAY_LACK, marked},
    {"N12-interface", NULL, NEEDS_ROOT | MAY_LACK, interface},
    {"M8-getenv", NULL, 0, variable},
    {"M8-proc-environ", NULL, 0, own_environ},
    {"M8-stack", NULL, 0, own_stack},
    {"P22-core", NULL, MAY_LACK, core_file},
};
ESCAPE_TABLE(deeper_table, cases);
