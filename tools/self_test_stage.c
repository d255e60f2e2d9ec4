/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything happens in one folder of mode 0700, on loopback, and to processes of our own. Marks
 * are taken after all is in place: a change of any time, mode, owner, size or name is seen.
 */
#include "tools/self_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/broker/scratch.h"
#include "tools/output.h"

static int put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return -errno;
	ssize_t n = write(fd, text, strlen(text));

	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -EIO;
}

static int copy(const char *from, const char *to, mode_t mode)
{
	static char buf[1 << 16];
	int in = open(from, O_RDONLY | O_CLOEXEC), error = in < 0 ? -errno : 0;
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	ssize_t n = 0;

	if (!error && out < 0)
		error = -errno;
	while (!error && (n = read(in, buf, sizeof(buf))) > 0)
		error = write(out, buf, (size_t)n) == n ? 0 : -EIO;
	if (!error && n < 0)
		error = -errno;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return error;
}

static int random_name(char out[33])
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	output_hex(bytes, sizeof(bytes), out);
	return 0;
}

static int folder(const struct self_test_stage *stage, const char *first, const char *second)
{
	return mkdir(probe_text("%s/%s%s%s", stage->root, first, second ? "/" : "",
				second ? second : ""),
		     0755)
		   ? -errno
		   : 0;
}

static int case_files(const struct self_test_stage *stage, const char *name)
{
	static const char *const folders[] = {"out", "ro", "in", "free"};
	const char *secret = probe_text("%s\n", stage->token);
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(folders) / sizeof(*folders); i++)
		error = folder(stage, folders[i], name);
	if (!error)
		error = put(probe_text("%s/out/%s/secret", stage->root, name), secret, 0644);
	if (!error)
		error = put(probe_text("%s/out/%s/victim", stage->root, name), "x\n", 0644);
	if (!error)
		error = put(probe_text("%s/ro/%s/data", stage->root, name), secret, 0644);
	if (!error)
		error = put(probe_text("%s/in/%s/.env", stage->root, name), secret, 0644);
	if (!error)
		error = put(probe_text("%s/in/denied/%s", stage->root, name), secret, 0644);
	return error;
}

static int make_files(struct self_test_stage *stage)
{
	static const char *const folders[] = {"out", "ro", "in", "in/denied", "free", "bin"};
	const struct probe *probe;
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(folders) / sizeof(*folders); i++)
		error = folder(stage, folders[i], NULL);
	for (size_t i = 0; !error && (probe = probe_at(i)); i++)
		error = case_files(stage, probe->name);
	if (!error)
		error = copy(stage->options->probe, probe_text("%s/ro/tool", stage->root), 0755);
	if (!error)
		error = copy(stage->options->probe, probe_text("%s/bin/probe", stage->root), 0755);
	if (!error)
		error = copy(stage->options->self, probe_text("%s/bin/remit", stage->root), 0755);
	return error;
}

static int listen_at(int type, const void *address, socklen_t len)
{
	const struct sockaddr *name = address;
	int fd = socket(name->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), only = 1;

	if (fd < 0)
		return -errno;
	if (name->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	if (bind(fd, name, len) == 0 && (type == SOCK_DGRAM || listen(fd, 16) == 0))
		return fd;
	int error = -errno;

	close(fd);
	return error;
}

static int listen_ip(uint32_t host, int type, long port, long *out)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)port),
				   .sin_addr.s_addr = htonl(host)};
	socklen_t len = sizeof(name);
	int fd = listen_at(type, &name, sizeof(name));

	if (fd >= 0 && getsockname(fd, (struct sockaddr *)&name, &len) == 0)
		*out = ntohs(name.sin_port);
	return fd;
}

static int listen_ip6(long *out)
{
	struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t len = sizeof(name);
	int fd = listen_at(SOCK_STREAM, &name, sizeof(name));

	if (fd >= 0 && getsockname(fd, (struct sockaddr *)&name, &len) == 0)
		*out = ntohs(name.sin6_port);
	return fd;
}

static int listen_unix(const char *text, bool abstract)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	size_t len = strlen(text);

	if (len + 1 > sizeof(name.sun_path))
		return -ENAMETOOLONG;
	memcpy(name.sun_path + abstract, text, len);
	return listen_at(SOCK_STREAM, &name,
			 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1));
}

/* Where the machine has no IPv6, or the folder's name is too long for a socket, the control will
 * show that the case cannot be tried. */
static void open_listener(const struct self_test_stage *stage, const struct probe *probe,
			  struct self_test_case *item)
{
	if (probe->needs & PROBE_TCP)
		item->listener = listen_ip(INADDR_LOOPBACK, SOCK_STREAM, 0, &item->port);
	else if (probe->needs & PROBE_ADDRESS)
		item->listener =
		    listen_ip(INADDR_LOOPBACK + 1, SOCK_STREAM, stage->granted_port, &item->port);
	else if (probe->needs & PROBE_TCP6)
		item->listener = listen_ip6(&item->port);
	else if (probe->needs & PROBE_UDP)
		item->listener = listen_ip(INADDR_LOOPBACK, SOCK_DGRAM, 0, &item->port);
	else if (probe->needs & PROBE_UNIX)
		item->listener =
		    listen_unix(probe_text("%s/out/%s/socket", stage->root, probe->name), false);
	else if (probe->needs & PROBE_ABSTRACT)
		item->listener = listen_unix(stage->name, true);
}

static int open_network(struct self_test_stage *stage)
{
	const struct probe *probe;
	int number = SIGUSR1;

	stage->granted = listen_ip(INADDR_LOOPBACK, SOCK_STREAM, 0, &stage->granted_port);
	if (stage->granted < 0)
		return stage->granted;
	for (size_t i = 0; (probe = probe_at(i)); i++) {
		open_listener(stage, probe, &stage->cases[i]);
		if (!(probe->needs & PROBE_SIGNAL))
			continue;
		stage->cases[i].port = number;
		number = number == SIGUSR1 ? SIGUSR2 : SIGHUP;
	}
	return 0;
}

static int open_terminal(struct self_test_stage *stage)
{
	int slave;

	/* Both ends stay open: without a slave the master says end of file. */
	if (openpty(&stage->master, &slave, stage->terminal, NULL, NULL) != 0)
		return -errno;
	fcntl(stage->master, F_SETFD, FD_CLOEXEC);
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	fcntl(stage->master, F_SETFL, O_NONBLOCK);
	return 0;
}

/* No other process knows the key, and a machine without System V memory has no such way out. */
static void share_memory(struct self_test_stage *stage)
{
	uint32_t key;

	memcpy(&key, stage->token, sizeof(key));
	stage->key = (long)(key & 0x7fffffff) | 1;
	stage->shm = shmget((key_t)stage->key, 4096, IPC_CREAT | IPC_EXCL | 0600);
	char *map = stage->shm < 0 ? NULL : shmat(stage->shm, NULL, 0);

	if (map && map != (void *)-1) {
		strcpy(map, stage->token);
		shmdt(map);
	}
}

static void become_stranger(const struct self_test_stage *stage, int said)
{
	const char *argv[] = {probe_text("%s/bin/probe", stage->root), "--stranger", NULL};
	const char *environment[] = {probe_text("REMIT_SELF_TEST=%s", stage->token), NULL};
	int secret = open(probe_text("%s/out/P5-stranger-fd/secret", stage->root), O_RDONLY);

	if (secret < 0 || dup2(said, STDOUT_FILENO) < 0 || dup2(secret, 7) < 0)
		_exit(1);
	execve(argv[0], (char **)(uintptr_t)argv, (char **)(uintptr_t)environment);
	_exit(1);
}

/* proc_pid_stat(5): env_start is field 50. */
static unsigned long environment_of(pid_t pid)
{
	char text[2048];
	int fd = open(probe_text("/proc/%d/stat", pid), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	char *field = strrchr(text, ')');

	for (int i = 2; i < 50 && field; i++)
		field = strchr(field + 1, ' ');
	return field ? strtoul(field, NULL, 10) : 0;
}

static int start_stranger(struct self_test_stage *stage)
{
	int pipe_fds[2];
	char ready[64];

	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		return -errno;
	stage->stranger = fork();
	if (stage->stranger == 0)
		become_stranger(stage, pipe_fds[1]);
	close(pipe_fds[1]);
	stage->heard = pipe_fds[0];
	if (stage->stranger < 0)
		return -errno;
	if (read(stage->heard, ready, sizeof(ready)) <= 0)
		return -ECHILD;
	fcntl(stage->heard, F_SETFL, O_NONBLOCK);
	stage->memory = environment_of(stage->stranger);
	return 0;
}

static int write_manifest(const struct self_test_stage *stage)
{
	const char *root = stage->root, *include = stage->options->include;
	char *text;
	int error = include ? copy(include, probe_text("%s/more.yaml", root), 0644) : 0;

	if (error)
		return error;
	int len = asprintf(&text,
			   "remit: 1\n"
			   "agent: {id: self-test, purpose: Try the ways out}\n"
			   "include: [base%s]\n"
			   "files:\n"
			   "  read: [\"%s/ro\"]\n"
			   "  write: [\"%s/in\", \"%s/free\"]\n"
			   "  deny: [\"%s/in/denied\", \"%s/in/**/.env\", \"%s/in/late.*\"]\n"
			   "exec: {allow: [\"%s/bin\"]}\n"
			   "network: {connect: [\"127.0.0.1:%ld\", \"udp:127.0.0.1:%ld\"]}\n",
			   include ? ", ./more.yaml" : "", root, root, root, root, root, root, root,
			   stage->granted_port, stage->granted_port);

	if (len < 0)
		return -ENOMEM;
	error = put(probe_text("%s/manifest.yaml", root), text, 0644);
	free(text);
	return error;
}

/* What must not change, of one case. */
static const char *marked(const struct self_test_stage *stage, const char *name, size_t which)
{
	static const char *const places[SELF_TEST_MARKS] = {
	    "out/%s", "out/%s/secret", "out/%s/victim", "ro/%s/data", "in/denied/%s", "in/%s/.env",
	    NULL};
	const char *place = probe_text("in/late.%s", name);

	if (places[which]) {
		const char *mark = strchr(places[which], '%');

		place = probe_text("%.*s%s%s", (int)(mark - places[which]), places[which], name,
				   mark + 2);
	}
	return probe_text("%s/%s", stage->root, place);
}

static void look(const struct self_test_stage *stage, const char *name, struct stat marks[])
{
	for (size_t i = 0; i < SELF_TEST_MARKS; i++) {
		if (lstat(marked(stage, name, i), &marks[i]) != 0)
			marks[i] = (struct stat){0};
	}
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_nlink == b->st_nlink && a->st_mode == b->st_mode &&
	       a->st_uid == b->st_uid && a->st_gid == b->st_gid && a->st_size == b->st_size &&
	       !memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) &&
	       !memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim));
}

static int make_root(struct self_test_stage *stage)
{
	const char *tmp = getenv("TMPDIR");
	char *text;

	if (!tmp || tmp[0] != '/')
		tmp = "/tmp";
	if (asprintf(&text, "%s/remit-self-test-XXXXXX", tmp) < 0)
		return -ENOMEM;
	if (mkdtemp(text))
		stage->root = realpath(text, NULL);
	int error = stage->root ? 0 : -errno;

	free(text);
	/* The manifest names it. */
	return !error && strpbrk(stage->root, "\"\\*?[]{}$%") ? -EINVAL : error;
}

int self_test_stage_make(const struct self_test_options *options, struct self_test_stage *out,
			 const char **what)
{
	const struct probe *probe;
	int error;

	*out = (struct self_test_stage){
	    .options = options, .granted = -1, .heard = -1, .master = -1, .shm = -1};
	while (probe_at(out->count))
		out->count++;
	out->cases = calloc(out->count, sizeof(*out->cases));
	if (!out->cases)
		return -ENOMEM;
	for (size_t i = 0; i < out->count; i++)
		out->cases[i].listener = -1;
	*what = "a private folder in $TMPDIR or /tmp";
	error = make_root(out);
	if (!error)
		error = random_name(out->token);
	if (!error)
		error = random_name(out->name);
	if (!error)
		error = make_files(out);
	*what = "listeners on loopback";
	if (!error)
		error = open_network(out);
	if (!error)
		error = write_manifest(out);
	*what = "a terminal";
	if (!error)
		error = open_terminal(out);
	*what = "a process outside; a folder mounted noexec would refuse it";
	if (!error)
		error = start_stranger(out);
	if (error)
		return error;
	share_memory(out);
	for (size_t i = 0; (probe = probe_at(i)); i++)
		look(out, probe->name, out->cases[i].marks);
	return 0;
}

void self_test_stage_free(struct self_test_stage *stage)
{
	if (stage->stranger > 0) {
		kill(stage->stranger, SIGKILL);
		while (waitpid(stage->stranger, NULL, 0) < 0 && errno == EINTR)
			;
	}
	for (size_t i = 0; stage->cases && i < stage->count; i++) {
		if (stage->cases[i].listener >= 0)
			close(stage->cases[i].listener);
	}
	if (stage->granted >= 0)
		close(stage->granted);
	if (stage->heard >= 0)
		close(stage->heard);
	if (stage->master >= 0)
		close(stage->master);
	if (stage->shm >= 0)
		shmctl(stage->shm, IPC_RMID, NULL);
	if (stage->root)
		scratch_remove(stage->root);
	free(stage->root);
	free(stage->cases);
	*stage = (struct self_test_stage){0};
}

char **self_test_stage_program(struct self_test_stage *stage, bool is_static)
{
	static char text[SELF_TEST_WORDS][256];
	static char *words[SELF_TEST_WORDS + 1];
	const struct probe *probe;
	size_t n = 0;

#define WORD(...) snprintf(text[n++], sizeof(text[0]), __VA_ARGS__)
	WORD("%s/bin/%s", stage->root, is_static ? "probe" : "remit");
	if (!is_static)
		WORD("%s", PROBE_COMMAND);
	WORD("%s", stage->root);
	WORD("%s/bin/%s", stage->root, is_static ? "probe" : "remit");
	WORD("terminal=%s", stage->terminal);
	WORD("token=%s", stage->name);
	WORD("granted=%ld", stage->granted_port);
	WORD("stranger=%d", (int)stage->stranger);
	WORD("memory=%lu", stage->memory);
	WORD("key=%ld", stage->key);
	for (size_t i = 0; (probe = probe_at(i)) && n < SELF_TEST_WORDS; i++) {
		if (stage->cases[i].port)
			WORD("%s=%ld", probe->name, stage->cases[i].port);
	}
#undef WORD
	for (size_t i = 0; i < n; i++)
		words[i] = text[i];
	words[n] = NULL;
	return words;
}

void self_test_stage_look(struct self_test_stage *stage)
{
	char bytes[256];
	ssize_t n;

	while ((n = read(stage->heard, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			stage->signals |= 1UL << (bytes[i] & 63);
	}
	stage->terminal_heard = read(stage->master, bytes, sizeof(bytes)) > 0;
}

static bool arrived(int listener)
{
	struct pollfd ready = {.fd = listener, .events = POLLIN};

	return listener >= 0 && poll(&ready, 1, 0) == 1 && (ready.revents & POLLIN);
}

static bool has(const char *output, size_t len, const char *text)
{
	return memmem(output, len, text, strlen(text)) != NULL;
}

const char *self_test_stage_seen(const struct self_test_stage *stage, size_t index,
				 const char *output, size_t len)
{
	const struct probe *probe = probe_at(index);
	const struct self_test_case *item = &stage->cases[index];
	struct stat now[SELF_TEST_MARKS];

	if (has(output, len, stage->token))
		return "the secret was read";
	if (has(output, len, probe_text("\ndid %s\n", probe->name)))
		return "it was done";
	if (arrived(item->listener))
		return "it arrived";
	if ((probe->needs & PROBE_SIGNAL) && (stage->signals & (1UL << item->port)))
		return "the signal arrived";
	if ((probe->needs & PROBE_TERMINAL) && stage->terminal_heard)
		return "the terminal heard it";
	if (access(probe_text("%s/free/%s/survived", stage->root, probe->name), F_OK) == 0)
		return "it outlived the session";
	look(stage, probe->name, now);
	for (size_t i = 0; i < SELF_TEST_MARKS; i++) {
		if (!same(&now[i], &item->marks[i]))
			return "a file changed";
	}
	return NULL;
}
