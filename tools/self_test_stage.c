/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything happens in one folder of mode 0700, on loopback, and to processes of our own. Marks
 * are taken after all is in place: a change of any time, mode, owner, size or name is seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/scratch.h"
#include "tools/output.h"
#include "tools/self_test_stage.h"

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

	*what = "room for the stage";
	*out = (struct self_test_stage){.options = options,
					.granted = -1,
					.heard = -1,
					.master = -1,
					.slave = -1,
					.shm = -1};
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
		error = stage_open_network(out);
	if (!error)
		error = write_manifest(out);
	*what = "a terminal";
	if (!error)
		error = stage_open_terminal(out);
	*what = "a process outside; a folder mounted noexec would refuse it";
	if (!error)
		error = stage_start_stranger(out);
	if (error)
		return error;
	stage_share_memory(out);
	for (size_t i = 0; (probe = probe_at(i)); i++)
		stage_mark(out, probe->name, out->cases[i].marks);
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
	if (stage->slave >= 0)
		close(stage->slave);
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
	static char text[SELF_TEST_WORDS][PATH_MAX];
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
