/* SPDX-License-Identifier: Apache-2.0 */
/* U1: a process whose memory the gate may not read. P19: the kernel's own knobs, which uid 0 may
 * turn without any capability. F10: filters and rulesets of the agent's own on top. N11: granted
 * addresses reached by way of others. E7: more ways to outlive the session. */
#include "tests/live/escapes/harness.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <time.h>

#include "shim/common/protocol.h"

#define NR_LANDLOCK_CREATE_RULESET 444
#define NR_LANDLOCK_RESTRICT_SELF 446

/* U1 */

static void hide(void)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		exit(3);
}

#define HIDDEN_CASE(label, ...)                                                                    \
	static void label(void)                                                                    \
	{                                                                                          \
		hide();                                                                            \
		__VA_ARGS__;                                                                       \
	}

HIDDEN_CASE(hidden_open, show_file(at("out/secret")))
HIDDEN_CASE(hidden_denied, show_file(at("in/denied.txt")))
HIDDEN_CASE(hidden_late, put_fd(sys_open(at("in/late.txt"), O_WRONLY | O_CREAT, 0644)))
HIDDEN_CASE(hidden_hook, put_fd(sys_open(at("in/hooks/hook"), O_WRONLY, 0)))
HIDDEN_CASE(hidden_chmod, sys_chmod(at("out/victim"), 0600))
HIDDEN_CASE(hidden_fchmod, sys_fchmod((int)sys_open(at("ro/data"), O_RDONLY, 0), 0600))
HIDDEN_CASE(hidden_times, sys_utimensat(AT_FDCWD, at("out/victim"), NULL, 0))
HIDDEN_CASE(hidden_xattr, sys_setxattr(at("out/victim"), "user.remit", "x", 1, 0))
HIDDEN_CASE(hidden_rename, sys_rename(at("in/denied.txt"), at("in/copy")); show_file(at("in/copy")))

static void hidden_link(void)
{
	hide();
	sys_link(at("ro/data"), at("free/copy"));
	put_fd(sys_open(at("free/copy"), O_WRONLY, 0));
}

static void hidden_connect(void)
{
	struct sockaddr_in peer = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)harness_number("tcp_other")),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	long fd = sys_socket(AF_INET, SOCK_STREAM, 0);

	hide();
	if (sys_connect((int)fd, &peer, sizeof(peer)) == 0)
		show_fd(fd);
}

static void hidden_sendto(void)
{
	struct sockaddr_in peer = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)harness_number("udp_other")),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	long fd = sys_socket(AF_INET, SOCK_DGRAM, 0);

	hide();
	sys_sendto((int)fd, "hello", 5, 0, &peer, sizeof(peer));
}

static void hidden_unix(void)
{
	struct sockaddr_un peer = {.sun_family = AF_UNIX};
	long fd = sys_socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(peer.sun_path, sizeof(peer.sun_path), "%.100s", at("sock/other.sock"));
	hide();
	if (sys_connect((int)fd, &peer, sizeof(peer)) == 0)
		show_fd(fd);
}

static void hidden_exec(void)
{
	char *const argv[] = {(char *)(uintptr_t) "tool", (char *)(uintptr_t) "DID", NULL};

	hide();
	sys_execve(at("refused/tool"), argv, environ);
}

static void hidden_watch(void)
{
	long fd = sys_call(SYS_inotify_init1, 0);

	hide();
	did(sys_call(SYS_inotify_add_watch, fd, at("out"), 0xfff) >= 0);
}

static void hidden_granted(void)
{
	hide();
	show_file(at("ro/granted"));
}

/* P19: opened, never written. */

#define KNOB_CASE(label, path)                                                                     \
	static void label(void)                                                                    \
	{                                                                                          \
		did(sys_open(path, O_WRONLY, 0) >= 0);                                             \
	}

KNOB_CASE(knob_core_pattern, "/proc/sys/kernel/core_pattern")
KNOB_CASE(knob_modprobe, "/proc/sys/kernel/modprobe")
KNOB_CASE(knob_sysrq, "/proc/sysrq-trigger")
KNOB_CASE(knob_uevent, "/sys/kernel/uevent_helper")
KNOB_CASE(knob_kmsg, "/dev/kmsg")
KNOB_CASE(knob_cgroup, "/sys/fs/cgroup/cgroup.procs")
KNOB_CASE(knob_through_root, "/proc/self/root/proc/sys/kernel/core_pattern")
KNOB_CASE(knob_mapping, "/proc/self/uid_map")

/* F10 */

static long install(unsigned int flags, unsigned int nr, unsigned int action)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, action),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return sys_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static void own_listener(void)
{
	/* A second listener could answer CONTINUE to what the gate was to judge. */
	did(install(SECCOMP_FILTER_FLAG_NEW_LISTENER, SYS_chmod, SECCOMP_RET_USER_NOTIF) >= 0);
}

static void own_allow(void)
{
	install(0, SYS_getppid, SECCOMP_RET_ALLOW);
	sys_chmod(at("out/victim"), 0600);
	show_file(at("out/secret"));
}

static void own_trace(void)
{
	install(0, SYS_chmod, SECCOMP_RET_LOG);
	sys_chmod(at("out/victim"), 0600);
}

static void own_ruleset(void)
{
	uint64_t handled[3] = {1 /* EXECUTE */, 0, 0};
	long fd = sys_call(NR_LANDLOCK_CREATE_RULESET, handled, 8, 0);

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (fd >= 0)
		sys_call(NR_LANDLOCK_RESTRICT_SELF, fd, 0);
	show_file(at("out/secret"));
}

static void request_key(void)
{
	/* Asks the kernel to start a program outside, or finds a key of the user. */
	did(sys_call(SYS_request_key, "user", "remit-test", NULL, 0) != -EPERM);
}

static void watch_unprivileged(void)
{
	did(sys_call(SYS_fanotify_init, 0x200 /* FAN_REPORT_FID */, O_RDONLY) >= 0);
}

static void limits_of_broker(void)
{
	struct rlimit limit;

	if (sys_call(SYS_prlimit64, getppid(), RLIMIT_CORE, NULL, &limit) == 0)
		did(sys_call(SYS_prlimit64, getppid(), RLIMIT_CORE, &limit, NULL) == 0);
}

static void priority_of_broker(void)
{
	did(sys_call(SYS_setpriority, PRIO_PROCESS, getppid(), 19) == 0);
}

static void priority_of_user(void)
{
	long result = sys_call(SYS_setpriority, PRIO_USER, getuid(), 0);

	/* EACCES: the kernel was asked, and some of them are nicer already. */
	did(result == 0 || result == -EACCES);
}

static void priority_of_group(void)
{
	did(sys_call(SYS_setpriority, PRIO_PGRP, harness_number("stranger"), 19) == 0);
}

static void io_priority_of_group(void)
{
	did(sys_call(SYS_ioprio_set, 2, harness_number("stranger"), (2 << 13) | 7) == 0);
}

static void priority_high_bits(void)
{
	/* The kernel takes pids as ints. */
	did(sys_call(SYS_setpriority, 1L << 32, (1L << 32) | harness_number("stranger"), 19) == 0);
}

/* N11: the packet goes to the first hop, whatever the destination says. */

static void source_route(int type)
{
	/* Loose source route: type 131, 7 bytes, pointer 4, one hop; padded by a no-op. */
	unsigned char route[8] = {1, 131, 7, 4, 127, 0, 0, 2};
	long fd = sys_socket(AF_INET, type, 0);

	did(sys_call(SYS_setsockopt, fd, IPPROTO_IP, IP_OPTIONS, route, sizeof(route)) == 0);
}

static void source_route_stream(void)
{
	source_route(SOCK_STREAM);
}

static void source_route_datagram(void)
{
	source_route(SOCK_DGRAM);
}

static void routing_header(int type)
{
	/* Type 2 of RFC 6275: one address, segments left 1. */
	unsigned char header[24] = {0, 2, 2, 1};
	long fd = sys_socket(AF_INET6, type, 0);

	header[23] = 1;
	did(sys_call(SYS_setsockopt, fd, IPPROTO_IPV6, IPV6_RTHDR, header, sizeof(header)) == 0);
}

static void routing_header_stream(void)
{
	routing_header(SOCK_STREAM);
}

static void routing_header_datagram(void)
{
	routing_header(SOCK_DGRAM);
}

static void source_route_high_bits(void)
{
	unsigned char route[8] = {1, 131, 7, 4, 127, 0, 0, 2};
	long fd = sys_socket(AF_INET, SOCK_STREAM, 0);

	did(sys_call(SYS_setsockopt, fd, 1L << 32, (1L << 32) | IP_OPTIONS, route, sizeof(route)) ==
	    0);
}

static void multicast_out(void)
{
	struct sockaddr_in group = {
	    .sin_family = AF_INET, .sin_port = htons(5353), .sin_addr.s_addr = htonl(0xe00000fb)};
	struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
	long fd = sys_socket(AF_INET, SOCK_DGRAM, 0);

	/* 224.0.0.251:5353, kept on the loopback interface. */
	setsockopt((int)fd, IPPROTO_IP, IP_MULTICAST_IF, &loopback, sizeof(loopback));
	did(sys_sendto((int)fd, "x", 1, 0, &group, sizeof(group)) == 1);
}

/* The network is told of the group, whatever is sent to it later; here only the loopback is. */
static void multicast_join(void)
{
	struct in_addr group[2] = {{htonl(0xef4d4237)}, {htonl(INADDR_LOOPBACK)}};
	long fd = sys_socket(AF_INET, SOCK_DGRAM, 0);

	did(sys_call(SYS_setsockopt, fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, group, sizeof(group)) == 0);
}

static void multicast_join_source(void)
{
	struct in_addr group[3] = {
	    {htonl(0xe8010203)}, {htonl(INADDR_LOOPBACK)}, {htonl(0x0a010203)}};
	long fd = sys_socket(AF_INET, SOCK_DGRAM, 0);

	did(sys_call(SYS_setsockopt, fd, 1L << 32, (1L << 32) | IP_ADD_SOURCE_MEMBERSHIP, group,
		     sizeof(group)) == 0);
}

static void multicast_join6(void)
{
	struct ipv6_mreq group = {.ipv6mr_interface = 1};
	long fd = sys_socket(AF_INET6, SOCK_DGRAM, 0);

	inet_pton(AF_INET6, "ff12::6774", &group.ipv6mr_multiaddr);
	did(sys_call(SYS_setsockopt, fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &group,
		     sizeof(group)) == 0);
}

/* E7 */

static void close_all(void)
{
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
}

static void survive(pid_t starter)
{
	struct timespec second = {.tv_sec = 1, .tv_nsec = 500000000};

	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	nanosleep(&second, NULL);
	if (!outlived(starter))
		_exit(0);
	/* Tagged: needs no gate, which is gone by now. */
	put_fd(sys_call(SYS_openat, AT_FDCWD, at("free/survived"), O_WRONLY | O_CREAT, 0644, 0,
			REMIT_TAG));
	_exit(0);
}

static void sibling_survivor(void)
{
	pid_t starter = getppid();

	/* CLONE_PARENT: the child is nobody's below us. */
	if (sys_call(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0) {
		setsid();
		close_all();
		survive(starter);
	}
}

static void running_survivor(void)
{
	struct timespec start, now, nap = {.tv_nsec = 200000};
	pid_t starter = getppid();

	if (fork() != 0)
		return;
	setsid();
	close_all();
	clock_gettime(CLOCK_MONOTONIC, &start);
	/* A new pid every 0.2 ms, so that whoever lists and kills is always late; never two at a
	 * time for long, and over after a second and a half. */
	do {
		if (fork() != 0)
			_exit(0);
		nanosleep(&nap, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <
		     1500 ||
		 (sys_kill(starter, 0) != -ESRCH && now.tv_sec - start.tv_sec < 5));
	if (sys_kill(starter, 0) != -ESRCH)
		_exit(0);
	/* Tagged: needs no gate, which is gone by now. */
	put_fd(sys_call(SYS_openat, AT_FDCWD, at("free/survived"), O_WRONLY | O_CREAT, 0644, 0,
			REMIT_TAG));
	_exit(0);
}

static void stopped_survivor(void)
{
	pid_t starter = getppid();
	int ready[2];
	char byte;

	if (pipe(ready) != 0)
		return;
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		close_all();
		close(ready[1]);
		survive(starter);
	}
	/* It is stopped once it holds nothing of ours: a reader of our output would wait for it. */
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 0)
		return;
	kill(pid, SIGSTOP);
	if (fork() == 0) {
		struct timespec second = {.tv_sec = 1};

		setsid();
		close_all();
		nanosleep(&second, NULL);
		kill(pid, SIGCONT);
		_exit(0);
	}
}

static const struct escape cases[] = {
    {"U1-open", NULL, 0, hidden_open},
    {"U1-open-denied", NULL, 0, hidden_denied},
    {"U1-create-late", NULL, 0, hidden_late},
    {"U1-hook", NULL, 0, hidden_hook},
    {"U1-chmod", NULL, 0, hidden_chmod},
    {"U1-fchmod", NULL, 0, hidden_fchmod},
    {"U1-utimensat", NULL, 0, hidden_times},
    {"U1-setxattr", NULL, MAY_LACK, hidden_xattr},
    {"U1-rename", NULL, 0, hidden_rename},
    {"U1-link", NULL, 0, hidden_link},
    {"U1-connect", NULL, 0, hidden_connect},
    {"U1-sendto", NULL, 0, hidden_sendto},
    {"U1-unix", NULL, 0, hidden_unix},
    {"U1-exec", NULL, 0, hidden_exec},
    {"U1-inotify", NULL, 0, hidden_watch},
    {"U1-granted", NULL, MUST_WORK, hidden_granted},
    {"P19-core-pattern", "core_pattern", NEEDS_ROOT, knob_core_pattern},
    {"P19-modprobe", "modprobe", NEEDS_ROOT | MAY_LACK, knob_modprobe},
    {"P19-sysrq", "sysrq-trigger", NEEDS_ROOT | MAY_LACK, knob_sysrq},
    {"P19-uevent-helper", "uevent_helper", NEEDS_ROOT | MAY_LACK, knob_uevent},
    {"P19-kmsg", "/dev/kmsg", NEEDS_ROOT | MAY_LACK, knob_kmsg},
    {"P19-cgroup", "cgroup.procs", NEEDS_ROOT | MAY_LACK, knob_cgroup},
    {"P19-through-root", "core_pattern", NEEDS_ROOT, knob_through_root},
    {"P19-uid-map", "uid_map", 0, knob_mapping},
    {"F10-own-listener", NULL, 0, own_listener},
    {"F10-own-allow", "out/", 0, own_allow},
    {"F10-own-log", "out/victim", 0, own_trace},
    {"F10-own-ruleset", "out/secret", 0, own_ruleset},
    {"F8-request-key", "request_key", 0, request_key},
    {"P17-fanotify-unprivileged", "fanotify_init", MAY_LACK, watch_unprivileged},
    {"F7-prlimit-broker", "process ", 0, limits_of_broker},
    {"F7-setpriority-broker", "process ", NO_CONTROL, priority_of_broker},
    {"F7-setpriority-user", "all processes", NEEDS_ORDINARY | MAY_LACK, priority_of_user},
    {"F7-setpriority-group", "process group", 0, priority_of_group},
    {"F7-ioprio-group", "process group", 0, io_priority_of_group},
    {"F7-setpriority-high-bits", "process", 0, priority_high_bits},
    {"N11-source-route", "option 4", NEEDS_ROOT, source_route_stream},
    {"N11-source-route-datagram", "option 4", NEEDS_ROOT, source_route_datagram},
    {"N11-source-route-high-bits", "option 4", NEEDS_ROOT, source_route_high_bits},
    {"N11-routing-header", "option 57", MAY_LACK, routing_header_stream},
    {"N11-routing-header-datagram", "option 57", MAY_LACK, routing_header_datagram},
    {"N3-multicast", "", MAY_LACK, multicast_out},
    {"N3-multicast-join", "multicast group", MAY_LACK, multicast_join},
    {"N3-multicast-join-source", "multicast group", MAY_LACK, multicast_join_source},
    {"N3-multicast-join6", "multicast group", MAY_LACK, multicast_join6},
    {"E7-clone-parent", NULL, 0, sibling_survivor},
    {"E7-fork-chain", NULL, 0, running_survivor},
    {"E7-stopped", NULL, 0, stopped_survivor},
};
ESCAPE_TABLE(further_table, cases);
