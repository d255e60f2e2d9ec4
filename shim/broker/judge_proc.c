/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of /proc that are refused whatever the manifest grants. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/broker/gate.h"
#include "shim/broker/judge_internal.h"
#include "shim/broker/process.h"

/* The number that follows "/proc/" when it names the broker or one of its threads. */
bool judge_is_broker(const struct broker *broker, const char *path, size_t len)
{
	char task[64];
	size_t n = 6;

	if (len <= n || memcmp(path, "/proc/", n) != 0)
		return false;
	while (n < len && path[n] >= '0' && path[n] <= '9')
		n++;
	if (n == 6 || n > 20 || (n < len && path[n] != '/'))
		return false;
	if (atol(path + 6) == broker_pid(broker))
		return true;
	snprintf(task, sizeof(task), "/proc/self/task/%.*s", (int)(n - 6), path + 6);
	return access(task, F_OK) == 0;
}

/* What the kernel tells of a process to those who may not trace it. */
static bool tells_everybody(const char *rest)
{
	static const char *const names[] = {
	    "",	      "autogroup",  "cgroup",	 "cmdline",   "comm",	       "coredump_filter",
	    "cpuset", "fd",	    "gid_map",	 "limits",    "loginuid",      "mountinfo",
	    "mounts", "mountstats", "oom_adj",	 "oom_score", "oom_score_adj", "projid_map",
	    "sched",  "schedstat",  "sessionid", "setgroups", "stat",	       "statm",
	    "status", "task",	    "uid_map",	 "wchan"};

	if (strncmp(rest, "task/", 5) == 0) {
		rest += 5 + strcspn(rest + 5, "/");
		rest += *rest == '/';
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(rest, names[i]) == 0)
			return true;
	}
	return false;
}

/*
 * The inside of a process that is not of the caller's own session. What keeps a caller out of it is
 * the domain that it descends from (ptrace_may_access() asks Landlock), and an inner session's is
 * deeper than ours: we may look into all that is around it. Where the caller is in no inner session
 * our own domain bounds us as it bounds him.
 */
bool judge_is_around(struct request *request, enum verb verb, const char *path, size_t len)
{
	char text[64], *end; /* a process and the longest of the names above */
	size_t rest = len < 6 ? 0 : len - 6;

	if (!request->nested || len < 6 || memcmp(path, "/proc/", 6) != 0)
		return false;
	memcpy(text, path + 6, rest < sizeof(text) ? rest : sizeof(text) - 1);
	text[rest < sizeof(text) ? rest : sizeof(text) - 1] = '\0';
	long pid = strtol(text, &end, 10);

	if (pid <= 0 || (*end && *end != '/') || process_in_session(request, (pid_t)pid))
		return false;
	return verb != VERB_READ || rest >= sizeof(text) ||
	       !tells_everybody(*end ? end + 1 : end);
}
