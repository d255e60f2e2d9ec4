/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `remit self-test`: the harmless part of the ways out that the tests try, on the user's own
 * machine, as the user that asks.
 *
 * Guarantees: a way out counts as held only when the very same act got something out without a
 * session just before, and nothing inside one; what cannot be shown outside is said to be untried.
 * A session that does not start, or refuses what its manifest grants, is no result at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/flags.h"
#include "tools/output.h"
#include "tools/place.h"
#include "tools/self_test.h"
#include "tools/self_test_report.h"

static const char usage[] =
    "Usage: remit self-test [OPTIONS]\n"
    "Tries some eighty harmless ways out of a session on this machine, as this user, each first\n"
    "without a session and then inside one: with the shim, without it, and from a static program.\n"
    "Says of each whether it was held.\n\n"
    "      --include FILE    a manifest that the one of the test includes: what would it open?\n"
    "      --profiles DIR    where the built-in profiles are\n"
    "      --allow-degraded  try also where this kernel does not enforce everything\n"
    "      --json            as JSON\n"
    "Exit status: 0 all that could be tried was held, 1 something was not, 2 usage error,\n"
    "125 nothing could be tried.\n";

#define RUN_SECONDS 180
/* What leaves a session needs this long to show that it is still there (probe/programs.c). */
#define SURVIVOR_MS 1000
#define OUTPUT_MAX (8U * 1024 * 1024)

struct self_test {
	struct self_test_options options;
	const char *include;
	bool json, allow_degraded;
	char *self, *probe, *include_path;
	struct self_test_result *results;
	size_t count;
};

static void nap(long milliseconds)
{
	struct timespec time = {.tv_sec = milliseconds / 1000,
				.tv_nsec = milliseconds % 1000 * 1000000};

	nanosleep(&time, NULL);
}

/* What ends the program that is tried ends the test, and the stage is still taken away. */
static void on_signals(void (*handler)(int))
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], handler);
}

static void become(char **words, const char *token, int out, int err)
{
	int null = open("/dev/null", O_RDONLY);

	on_signals(SIG_DFL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(err, STDERR_FILENO) < 0 || setenv("REMIT_SELF_TEST", token, 1) != 0)
		_exit(STATUS_RUN);
	execv(words[0], words);
	_exit(STATUS_ABSENT);
}

/* The exit status, or STATUS_RUN when it took too long. */
static int await(pid_t pid)
{
	int status = 0;

	for (long waited = 0; waitpid(pid, &status, WNOHANG) == 0; waited += 10) {
		if (waited > RUN_SECONDS * 1000L) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return STATUS_RUN;
		}
		nap(10);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* An unnamed file: nothing that outlives the program can hold up who reads it. */
static int open_output(const struct self_test_stage *stage)
{
	int fd = open(stage->root, O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
	char path[4096];

	if (fd >= 0 || errno != EOPNOTSUPP)
		return fd;
	snprintf(path, sizeof(path), "%s/output-XXXXXX", stage->root);
	fd = mkostemp(path, O_APPEND | O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static char *read_all(int fd, size_t *len)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = size < 0 || size > (off_t)OUTPUT_MAX ? NULL : malloc((size_t)size + 1);
	ssize_t n = text ? pread(fd, text, (size_t)size, 0) : -1;

	*len = n > 0 ? (size_t)n : 0;
	if (text)
		text[*len] = '\0';
	return text;
}

/* Splits the output at its "ran NAME" lines. False when a case is missing. */
static bool judge(const struct self_test_stage *stage, const char *text, size_t len,
		  const char **seen)
{
	const struct probe *probe;

	for (size_t i = 0; (probe = probe_at(i)); i++) {
		const char *mark = probe_text("\nran %s\n", probe->name);
		size_t mark_len = strlen(mark);
		const char *end = memmem(text, len, mark, mark_len);

		if (!end)
			return false;
		/* The mark's first newline ends what the case printed, its last begins the next. */
		size_t used = (size_t)(end - text) + mark_len - 1;

		seen[i] = self_test_stage_seen(stage, i, text, (size_t)(end - text) + 1);
		text += used;
		len -= used;
	}
	return true;
}

static int spawn(const struct self_test_stage *stage, char **words, int out, int err)
{
	fflush(NULL);
	pid_t pid = fork();

	if (pid == 0)
		become(words, stage->token, out, err);
	return pid < 0 ? STATUS_RUN : await(pid);
}

/* Runs all cases once and says what each let out. 0 or a negative errno, told. */
static int run_words(struct self_test_stage *stage, char **words, const char *label,
		     const char **seen)
{
	int out = open_output(stage), err = open_output(stage), error = -EIO;
	char *text = NULL, *told = NULL;
	size_t len = 0, told_len = 0;

	if (out < 0 || err < 0) {
		output_error("self-test: cannot keep output in %s: %s", stage->root,
			     strerror(errno));
		goto done;
	}
	int status = spawn(stage, words, out, err);

	nap(SURVIVOR_MS);
	self_test_stage_look(stage);
	text = read_all(out, &len);
	told = read_all(err, &told_len);
	error = text && judge(stage, text, len, seen) ? 0 : -EPROTO;
	if (error) {
		output_error("self-test: %s did not run to its end (status %d)", label, status);
		if (told)
			fputs(told, stderr);
	}
done:
	free(text);
	free(told);
	if (out >= 0)
		close(out);
	if (err >= 0)
		close(err);
	return error;
}

static int make_stage(const struct self_test *test, struct self_test_stage *stage)
{
	const char *what = "";
	int error = self_test_stage_make(&test->options, stage, &what);

	if (error)
		output_error("self-test: cannot make %s: %s", what, strerror(-error));
	return error;
}

static int run_outside(const struct self_test *test, bool is_static, const char **seen)
{
	struct self_test_stage stage;
	int error = make_stage(test, &stage);

	if (!error)
		error = run_words(&stage, self_test_stage_program(&stage, is_static),
				  "the control without a session", seen);
	self_test_stage_free(&stage);
	return error;
}

static int run_inside(const struct self_test *test, enum way way, const char **seen)
{
	const char *words[SELF_TEST_WORDS * 2], *manifest, *workspace, *log;
	struct self_test_stage stage;
	size_t n = 0;
	int error = make_stage(test, &stage);

	if (error)
		goto done;
	manifest = probe_text("%s/manifest.yaml", stage.root);
	workspace = probe_text("%s/in", stage.root);
	log = probe_text("%s/log.jsonl", stage.root);
	const char *fixed[] = {test->self,    "run",	 "--quiet", "--manifest", manifest,
			       "--workspace", workspace, "--audit", log};

	for (; n < sizeof(fixed) / sizeof(*fixed); n++)
		words[n] = fixed[n];
	if (test->options.profiles) {
		words[n++] = "--profiles";
		words[n++] = test->options.profiles;
	}
	if (test->allow_degraded)
		words[n++] = "--allow-degraded";
	if (way != WAY_SHIM)
		words[n++] = "--no-shim";
	words[n++] = "--";
	for (char **program = self_test_stage_program(&stage, way == WAY_STATIC); *program;
	     program++)
		words[n++] = *program;
	words[n] = NULL;
	error = run_words(&stage, (char **)(uintptr_t)words, "the session", seen);
done:
	self_test_stage_free(&stage);
	return error;
}

static int run_everything(struct self_test *test)
{
	const char **seen = calloc(test->count, sizeof(*seen));
	int error = seen ? 0 : -ENOMEM;

	on_signals(SIG_IGN);
	for (int i = 0; !error && i < 2; i++) {
		error = run_outside(test, i == 1, seen);
		for (size_t n = 0; n < test->count; n++)
			test->results[n].outside[i] = seen[n];
	}
	for (int i = 0; !error && i < WAYS; i++) {
		error = run_inside(test, (enum way)i, seen);
		for (size_t n = 0; n < test->count; n++)
			test->results[n].inside[i] = seen[n];
	}
	free(seen);
	return error;
}

/* A session that refuses what is granted shows nothing by what it holds. */
static bool grants_work(const struct self_test *test)
{
	const struct probe *probe;
	bool work = true;

	for (size_t i = 0; (probe = probe_at(i)); i++) {
		for (int way = 0; (probe->needs & PROBE_MUST_WORK) && way < WAYS; way++) {
			if (test->results[i].inside[way])
				continue;
			output_error(
			    "self-test: the session (%s) refused what its manifest grants: "
			    "%s",
			    self_test_ways[way], probe->what);
			work = false;
		}
	}
	return work;
}

static int make_ready(struct self_test *test)
{
	while (probe_at(test->count))
		test->count++;
	test->results = calloc(test->count, sizeof(*test->results));
	test->self = place_self();
	test->probe = place_probe();
	if (!test->results || !test->self) {
		output_error("self-test: %s", strerror(errno));
		return STATUS_RUN;
	}
	if (!test->probe) {
		output_error("the static program remit-probe is neither beside the command nor "
			     "in " REMIT_LIBDIR "; install it");
		return STATUS_RUN;
	}
	if (test->include) {
		test->include_path = place_real(test->include);
		if (!test->include_path) {
			output_error("%s: %s", test->include, strerror(errno));
			return STATUS_USAGE;
		}
	}
	test->options.self = test->self;
	test->options.probe = test->probe;
	test->options.include = test->include_path;
	return STATUS_OK;
}

int self_test_command(int argc, char **argv)
{
	struct self_test test = {0};
	const struct flag flags[] = {
	    {"include", 0, FLAG_TEXT, &test.include, NULL},
	    {"profiles", 0, FLAG_TEXT, &test.options.profiles, NULL},
	    {"allow-degraded", 0, FLAG_SWITCH, &test.allow_degraded, NULL},
	    {"json", 0, FLAG_SWITCH, &test.json, NULL},
	};
	int first = flags_parse(argc, argv, flags, sizeof(flags) / sizeof(flags[0]), false, usage);
	int status;

	if (first < 0)
		return first == FLAGS_HELP ? STATUS_OK : STATUS_USAGE;
	if (first < argc) {
		output_error("self-test: takes no \"%s\"", argv[first]);
		return STATUS_USAGE;
	}
	status = make_ready(&test);
	if (!status && run_everything(&test))
		status = STATUS_RUN;
	if (!status)
		status =
		    grants_work(&test) ? self_test_report(test.results, test.json) : STATUS_RUN;
	free(test.results);
	free(test.self);
	free(test.probe);
	free(test.include_path);
	return status;
}
