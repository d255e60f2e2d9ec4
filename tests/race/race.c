/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Races between what the gate reads and what the kernel does: one thread swaps the argument between
 * a granted and a refused object, another makes the call, a bounded number of times. Whatever was
 * got of the refused object is printed; the runner looks for the token, arrivals and changes, not
 * at errno.
 *
 * `race CASE ROOT LOOPS [NAME=value…]`; built plainly and with bare system calls (-DRAW).
 */
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/uio.h>
#include <time.h>

#include "tests/race/race.h"

const char *race_root;
static char **facts;
static long loops;
static atomic_int stop;
static atomic_long tries, successes;

char argument[ARGUMENT_MAX] __attribute__((aligned(64)));
char granted[ARGUMENT_MAX] __attribute__((aligned(64)));
char refused[ARGUMENT_MAX] __attribute__((aligned(64)));
size_t argument_size;

static long number(const char *name)
{
	size_t len = strlen(name);

	for (char **fact = facts; *fact != NULL; fact++) {
		if (strncmp(*fact, name, len) == 0 && (*fact)[len] == '=')
			return strtol(*fact + len + 1, NULL, 10);
	}
	fprintf(stderr, "race: no %s was given\n", name);
	exit(3);
}

static void set_paths(const char *good, const char *bad)
{
	snprintf(granted, sizeof(granted), "%s/%s", race_root, good);
	snprintf(refused, sizeof(refused), "%s/%s", race_root, bad);
	/* Equally long, so that a torn copy is still one of two paths that exist. */
	if (strlen(granted) != strlen(refused))
		exit(3);
	argument_size = strlen(granted) + 1;
	memcpy(argument, granted, argument_size);
}

static void set_addresses(const char *good, const char *bad)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	address.sin_port = htons((uint16_t)number(good));
	memcpy(granted, &address, sizeof(address));
	address.sin_port = htons((uint16_t)number(bad));
	memcpy(refused, &address, sizeof(address));
	argument_size = sizeof(address);
	memcpy(argument, granted, argument_size);
}

void *swap_argument(void *unused)
{
	/* The time that each value stays is varied, so that the swap falls before, into and after
	 * the broker's reading. */
	for (unsigned int round = 0; !atomic_load(&stop); round++) {
		memcpy(argument, round & 1 ? refused : granted, argument_size);
		for (volatile unsigned int spin = 0; spin < (round * 7919) % 4000; spin++)
			;
	}
	return unused;
}

void look(long fd)
{
	char buf[256];
	ssize_t got;

	atomic_fetch_add(&tries, 1);
	if (fd < 0)
		return;
	got = read((int)fd, buf, sizeof(buf));
	if (got > 0) {
		atomic_fetch_add(&successes, 1);
		/* What is granted says "fine"; anything else is told to the runner. */
		if (got < 4 || memcmp(buf, "fine", 4) != 0) {
			if (write(STDOUT_FILENO, buf, (size_t)got) < 0)
				exit(3);
		}
	}
	close((int)fd);
}

void with_swapper(void *(*swapper)(void *), void (*act)(void))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, swapper, NULL) != 0)
		exit(3);
	for (long i = 0; i < loops; i++)
		act();
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
}

/* R1 */

static void open_once(void)
{
	look(sys_open(argument, O_RDONLY | O_CLOEXEC, 0));
}

static void race_open(void)
{
	set_paths("free/data", "outs/data");
	with_swapper(swap_argument, open_once);
}

static void race_open_denied(void)
{
	set_paths("in/public", "in/secret");
	with_swapper(swap_argument, open_once);
}

static void write_once(void)
{
	long fd = sys_open(argument, O_WRONLY | O_CLOEXEC, 0);

	atomic_fetch_add(&tries, 1);
	if (fd < 0)
		return;
	atomic_fetch_add(&successes, 1);
	if (pwrite((int)fd, "fine", 4, 0) < 0)
		exit(3);
	close((int)fd);
}

static void race_write(void)
{
	set_paths("free/data", "outs/data");
	with_swapper(swap_argument, write_once);
}

static void chmod_once(void)
{
	atomic_fetch_add(&tries, 1);
	atomic_fetch_add(&successes, sys_chmod(argument, 0640) == 0);
}

static void race_chmod(void)
{
	set_paths("free/data", "outs/data");
	with_swapper(swap_argument, chmod_once);
}

/* P2: the object behind the name is swapped instead of the name. */

static char pair[2][256];

static void *swap_names(void *unused)
{
	while (!atomic_load(&stop))
		sys_call(SYS_renameat2, AT_FDCWD, pair[0], AT_FDCWD, pair[1], 2 /* EXCHANGE */);
	return unused;
}

static void make_pair(const char *folder, const char *good, const char *bad)
{
	char target[256];

	snprintf(pair[0], sizeof(pair[0]), "%s/%s/one", race_root, folder);
	snprintf(pair[1], sizeof(pair[1]), "%s/%s/two", race_root, folder);
	snprintf(target, sizeof(target), "%s/%s", race_root, good);
	sys_symlink(target, pair[0]);
	snprintf(target, sizeof(target), "%s/%s", race_root, bad);
	sys_symlink(target, pair[1]);
}

static void race_link(void)
{
	make_pair("free", "free/data", "outs/data");
	snprintf(argument, sizeof(argument), "%s", pair[0]);
	with_swapper(swap_names, open_once);
}

static void race_link_in_gap(void)
{
	make_pair("in", "in/public", "in/secret");
	snprintf(argument, sizeof(argument), "%s", pair[0]);
	with_swapper(swap_names, open_once);
}

static void race_link_folder(void)
{
	make_pair("in", "free", "outs");
	snprintf(argument, sizeof(argument), "%.200s/data", pair[0]);
	with_swapper(swap_names, open_once);
}

static void race_link_write(void)
{
	make_pair("in", "free", "outs");
	snprintf(argument, sizeof(argument), "%.200s/data", pair[0]);
	with_swapper(swap_names, write_once);
}

static void race_link_chmod(void)
{
	make_pair("free", "free", "outs");
	snprintf(argument, sizeof(argument), "%.200s/data", pair[0]);
	with_swapper(swap_names, chmod_once);
}

static void create_once(void)
{
	long fd = sys_open(argument, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	atomic_fetch_add(&tries, 1);
	if (fd < 0)
		return;
	atomic_fetch_add(&successes, 1);
	close((int)fd);
	sys_unlink(argument);
}

static void race_link_create(void)
{
	make_pair("in", "free", "outs");
	snprintf(argument, sizeof(argument), "%.200s/made", pair[0]);
	with_swapper(swap_names, create_once);
}

static void *swap_folders(void *unused)
{
	/* A folder that is moved while the broker walks through it. */
	char away[256];

	snprintf(away, sizeof(away), "%s/free/deep2", race_root);
	while (!atomic_load(&stop)) {
		sys_rename(pair[0], away);
		sys_rename(away, pair[0]);
	}
	return unused;
}

static void race_dotdot(void)
{
	snprintf(pair[0], sizeof(pair[0]), "%s/free/deep/a", race_root);
	snprintf(argument, sizeof(argument), "%s/free/deep/a/../../../outs/data", race_root);
	with_swapper(swap_folders, open_once);
}

/* R2: by a thread, and by a process that shares the memory. */

static char *const tool_argv[] = {(char *)(uintptr_t) "tool", (char *)(uintptr_t) "fine", NULL};

static void exec_once(void)
{
	int status;
	pid_t pid = vfork();

	/* vfork: the child runs on our memory, while the swapper goes on. */
	if (pid == 0) {
		sys_execve(argument, tool_argv, environ);
		_exit(1);
	}
	atomic_fetch_add(&tries, 1);
	if (pid > 0 && waitpid(pid, &status, 0) > 0 && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0)
		atomic_fetch_add(&successes, 1);
}

static void race_exec(void)
{
	/* bin/good prints its argument, bad/good the token. */
	loops = loops > 2000 ? loops / 10 : loops;
	set_paths("bin/true", "bad/true");
	with_swapper(swap_argument, exec_once);
}

/* E9: the content of a program that is granted by its digest, in a folder that may be written. */

static char contents[2][1 << 16];
static size_t sizes[2];

static void load(const char *name, int which)
{
	char path[256];
	long fd;

	snprintf(path, sizeof(path), "%s/%s", race_root, name);
	fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	sizes[which] = fd < 0 ? 0 : (size_t)read((int)fd, contents[which], sizeof(contents[0]));
	if (sizes[which] == 0)
		exit(3);
	close((int)fd);
}

static void *swap_contents(void *unused)
{
	for (unsigned int round = 0; !atomic_load(&stop); round++) {
		long fd = sys_open(argument, O_WRONLY | O_CLOEXEC, 0);

		/* Where it is executing right now: ETXTBSY, and again. */
		if (fd < 0)
			continue;
		if (pwrite((int)fd, contents[round & 1], sizes[round & 1], 0) < 0)
			exit(3);
		close((int)fd);
		for (volatile unsigned int spin = 0; spin < (round * 7919) % 40000; spin++)
			;
	}
	return unused;
}

static void race_digest(void)
{
	loops = loops > 3000 ? loops / 4 : loops;
	load("free/digest", 0);
	load("free/other", 1);
	snprintf(argument, sizeof(argument), "%s/free/digest", race_root);
	with_swapper(swap_contents, exec_once);
}

/* R3, R4 */

static void connect_once(void)
{
	long fd = sys_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct linger reset = {1, 0};

	atomic_fetch_add(&tries, 1);
	if (fd < 0)
		return;
	/* Reset at close: no port stays in TIME_WAIT. */
	setsockopt((int)fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	atomic_fetch_add(&successes,
			 sys_connect((int)fd, argument, sizeof(struct sockaddr_in)) == 0);
	close((int)fd);
}

static void race_connect(void)
{
	set_addresses("tcp_granted", "tcp_other");
	with_swapper(swap_argument, connect_once);
}

static long datagram_socket = -1;

static void sendto_once(void)
{
	atomic_fetch_add(&tries, 1);
	atomic_fetch_add(&successes, sys_sendto((int)datagram_socket, "x", 1, MSG_DONTWAIT,
						argument, sizeof(struct sockaddr_in)) == 1);
}

static void race_sendto(void)
{
	set_addresses("udp_granted", "udp_other");
	datagram_socket = sys_socket(AF_INET, SOCK_DGRAM, 0);
	with_swapper(swap_argument, sendto_once);
}

static void sendmsg_once(void)
{
	struct iovec vector = {(void *)(uintptr_t) "x", 1};
	struct msghdr message = {.msg_name = argument,
				 .msg_namelen = sizeof(struct sockaddr_in),
				 .msg_iov = &vector,
				 .msg_iovlen = 1};

	atomic_fetch_add(&tries, 1);
	atomic_fetch_add(&successes,
			 sys_sendmsg((int)datagram_socket, &message, MSG_DONTWAIT) == 1);
}

static void race_sendmsg(void)
{
	set_addresses("udp_granted", "udp_other");
	datagram_socket = sys_socket(AF_INET, SOCK_DGRAM, 0);
	with_swapper(swap_argument, sendmsg_once);
}

/* The fd itself is swapped under a connect that was judged on its number. */

static int fd_slot;

static void *swap_fds(void *unused)
{
	int inet = (int)sys_socket(AF_INET, SOCK_DGRAM, 0);
	int stream = (int)sys_socket(AF_INET, SOCK_STREAM, 0);

	while (!atomic_load(&stop)) {
		dup2(inet, fd_slot);
		dup2(stream, fd_slot);
	}
	return unused;
}

static void connect_slot(void)
{
	atomic_fetch_add(&tries, 1);
	atomic_fetch_add(&successes,
			 sys_connect(fd_slot, argument, sizeof(struct sockaddr_in)) == 0);
	if (write(fd_slot, "x", 1) < 0)
		sched_yield();
}

static void race_socket_kind(void)
{
	/* TCP to tcp_granted is granted; UDP to the same port is not. */
	set_addresses("tcp_granted", "tcp_granted");
	fd_slot = (int)sys_socket(AF_INET, SOCK_STREAM, 0);
	with_swapper(swap_fds, connect_slot);
}

/* R5: callers that die in the middle of their calls. */

static void die_once(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			look(sys_open(refused, O_RDONLY, 0));
	}
	atomic_fetch_add(&tries, 1);
	for (volatile int spin = 0; spin < rand() % 100000; spin++)
		;
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static void race_death(void)
{
	snprintf(refused, sizeof(refused), "%s/in/secret", race_root);
	loops = loops > 2000 ? 2000 : loops;
	for (long i = 0; i < loops; i++)
		die_once();
	/* The gate still answers. */
	snprintf(argument, sizeof(argument), "%s/in/public", race_root);
	open_once();
}

/* R8: very many threads in gated calls at once. */

static void *one_gated_call(void *unused)
{
	long fd = sys_open(argument, O_RDONLY | O_CLOEXEC, 0);

	atomic_fetch_add(&tries, 1);
	if (fd >= 0) {
		atomic_fetch_add(&successes, 1);
		close((int)fd);
	}
	return unused;
}

static void race_crowd(void)
{
	pthread_attr_t attributes;
	pthread_t threads[256];
	long rounds = loops / 256;

	snprintf(argument, sizeof(argument), "%s/in/public", race_root);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 1 << 16);
	for (long round = 0; round < rounds; round++) {
		int made = 0;
		while (made < 256 &&
		       pthread_create(&threads[made], &attributes, one_gated_call, NULL) == 0)
			made++;
		for (int i = 0; i < made; i++)
			pthread_join(threads[i], NULL);
	}
}

/* R6: the runner kills the broker once it reads "ready". */

static void orphaned(void)
{
	struct timespec second = {.tv_sec = 1};

	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		exit(3);
	nanosleep(&second, NULL);
	atomic_fetch_add(&tries, 1);
	snprintf(refused, sizeof(refused), "%s/in/secret", race_root);
	look(sys_open(refused, O_RDONLY, 0));
	snprintf(refused, sizeof(refused), "%s/outs/data", race_root);
	look(sys_open(refused, O_RDONLY, 0));
	sys_chmod(refused, 0600);
	set_addresses("tcp_granted", "tcp_other");
	memcpy(argument, refused, argument_size);
	connect_once();
}

/* R7: opens that block, many of them, beside one that must not. */

static void slow_neighbours(void)
{
	struct timespec start, end;
	pid_t slow[100];

	snprintf(refused, sizeof(refused), "%s/in/fifo", race_root);
	snprintf(argument, sizeof(argument), "%s/in/public", race_root);
	for (int i = 0; i < 100; i++) {
		slow[i] = fork();
		if (slow[i] == 0) {
			sys_open(refused, O_RDONLY, 0);
			_exit(0);
		}
	}
	usleep(200000);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < 100; i++)
		open_once();
	clock_gettime(CLOCK_MONOTONIC, &end);
	for (int i = 0; i < 100; i++) {
		kill(slow[i], SIGKILL);
		waitpid(slow[i], NULL, 0);
	}
	if (end.tv_sec - start.tv_sec > 5)
		atomic_store(&successes, 0);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
    {"P2-link", race_link},
    {"P2-link-in-gap", race_link_in_gap},
    {"P2-link-folder", race_link_folder},
    {"P2-link-write", race_link_write},
    {"P2-link-chmod", race_link_chmod},
    {"P2-link-create", race_link_create},
    {"P2-dotdot", race_dotdot},
    {"R1-open", race_open},
    {"R1-open-denied", race_open_denied},
    {"R1-write", race_write},
    {"R1-chmod", race_chmod},
    {"R1-how", race_how},
    {"R1-how-handle", race_how_handle},
    {"R2-exec", race_exec},
    {"E9-digest", race_digest},
    {"R3-connect", race_connect},
    {"R3-socket-kind", race_socket_kind},
    {"R4-sendto", race_sendto},
    {"R4-sendmsg", race_sendmsg},
    {"R5-death", race_death},
    {"R6-orphan", orphaned},
    {"R7-slow-neighbours", slow_neighbours},
    {"R8-crowd", race_crowd},
};

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
			puts(cases[i].name);
		return 0;
	}
	if (argc < 4) {
		fprintf(stderr, "usage: race --list | race CASE ROOT LOOPS [NAME=value...]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	race_root = argv[2];
	loops = strtol(argv[3], NULL, 10);
	facts = argv + 4;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (strcmp(cases[i].name, argv[1]) != 0)
			continue;
		cases[i].run();
		fprintf(stderr, "race: %ld tries, %ld went through\n", atomic_load(&tries),
			atomic_load(&successes));
		/* A race that never succeeds, or never tries, shows nothing. */
		return atomic_load(&tries) == 0 ? 3 : 0;
	}
	return 2;
}
