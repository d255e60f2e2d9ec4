/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orphans of a PID namespace become children of its first process, whoever started them. A broker
 * tells its session by descent, so it must not be that process: it would take strangers for the
 * agent's, and its own janitor too. The kernel ends all that is left when we return.
 */
#include "tools/init.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/output.h"

/* How long what was left to us may still tidy up (the janitor removes the private folder). */
#define LAST_MS 2000
#define STEP_MS 10

/* True once the child has ended; its status then. */
static bool reap(pid_t child, int *status)
{
	int ended;
	pid_t pid;

	while ((pid = waitpid(-1, &ended, WNOHANG)) > 0) {
		if (pid != child)
			continue;
		*status = WIFSIGNALED(ended) ? 128 + WTERMSIG(ended) : WEXITSTATUS(ended);
		return true;
	}
	return pid < 0 && errno == ECHILD;
}

/* What the terminal sends reaches the child by itself. */
static void hand_on(pid_t child, const siginfo_t *info)
{
	if (info->si_code <= 0)
		kill(child, info->si_signo);
}

static int serve(pid_t child, const sigset_t *all)
{
	int status = STATUS_RUN;
	siginfo_t info;

	for (;;) {
		if (sigwaitinfo(all, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD)
			hand_on(child, &info);
		else if (reap(child, &status))
			break;
	}
	for (int waited = 0; waited < LAST_MS; waited += STEP_MS) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0 && errno == ECHILD)
			break;
		if (pid == 0)
			nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
	}
	return status;
}

int init_run(int (*body)(int argc, char **argv), int argc, char **argv)
{
	struct sigaction action = {.sa_handler = SIG_DFL}, before;
	sigset_t all, mask;

	if (getpid() != 1)
		return body(argc, argv);
	/* Ignored, it would reap the child without telling. */
	sigaction(SIGCHLD, &action, &before);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	pid_t child = fork();

	if (child > 0)
		return serve(child, &all);
	sigaction(SIGCHLD, &before, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (child == 0)
		return body(argc, argv);
	output_error("cannot fork: %s", strerror(errno));
	return STATUS_RUN;
}
