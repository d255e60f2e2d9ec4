/* SPDX-License-Identifier: Apache-2.0 */
/* Shared pieces of the file calls: see files.h. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/plan/access.h"
#include "shim/broker/files.h"
#include "shim/broker/gate.h"
#include "shim/broker/nest.h"

struct reply files_error(int error)
{
	return reply_error(error < 0 ? -error : EACCES);
}

int files_read_path(struct request *request, uint64_t address, bool wall_covers, char *buf,
		    struct reply *reply)
{
	long len = memory_peek_string(request, address, buf, PATH_TEXT_MAX);

	if (len >= 0)
		return 0;
	if (len != -EPERM)
		*reply = files_error((int)len);
	else if (wall_covers)
		*reply = reply_continue();
	else
		*reply = files_error(judge_never(request, request->name, "?",
						 "the caller's memory cannot be read", EACCES));
	return -1;
}

bool files_truncation_bounded(const struct request *request)
{
	return (broker_plan(request->broker)->wall.handled_fs & ACCESS_TRUNCATE) != 0;
}

bool files_is_dots(const struct object *object)
{
	return strcmp(object->name, ".") == 0 || strcmp(object->name, "..") == 0 ||
	       strcmp(object->name, "/") == 0;
}

const char *files_name(const struct object *object, char *buf)
{
	snprintf(buf, NAME_MAX + 2, "%s%s", object->name, object->slash ? "/" : "");
	return buf;
}

/* Where a thread cannot have a umask of its own, one at a time makes files. */
static pthread_mutex_t umask_lock = PTHREAD_MUTEX_INITIALIZER;

int files_take_umask(struct request *request)
{
	int mask = request_umask(request);

	if (mask < 0)
		return mask;
	if (!broker_features(request->broker)->unshare_fs)
		pthread_mutex_lock(&umask_lock);
	umask((mode_t)mask);
	return 0;
}

void files_give_umask(const struct request *request)
{
	int error = errno;

	if (!broker_features(request->broker)->unshare_fs)
		pthread_mutex_unlock(&umask_lock);
	errno = error;
}

uint64_t files_limit(const struct request *request, int resource)
{
	struct rlimit limit;

	/* Unknown: none at all, so that nothing grows by it. */
	if (prlimit(request->tid, resource, NULL, &limit) != 0)
		return 0;
	return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

static bool names_place(const char *text, const struct object *object)
{
	const char *path = text ? strchr(text, '/') : NULL;

	return path && strcmp(path, object->path) == 0;
}

static bool grants_place(const struct scope *scope, const struct object *object)
{
	struct rule rule;

	for (uint32_t i = 0; i < scope_rule_count(scope); i++) {
		scope_rule(scope, i, &rule);
		if (rule.denial || rule.pattern ||
		    !(rule.section <= SECTION_EXEC_ALLOW || rule.network == NETWORK_UNIX))
			continue;
		if (names_place(rule.text, object))
			return true;
		for (uint32_t n = 0; n < rule.spelling_count; n++) {
			if (names_place(scope_spelling(scope, i, n), object))
				return true;
		}
	}
	return false;
}

static bool is_granted_place(struct request *request, const struct object *object)
{
	size_t len = object->len - strlen(object->name);
	const struct scope *scope;

	if (len > 1 && judge_would_allow(request, VERB_WRITE, object->path, len - 1))
		return false;
	for (unsigned int n = 0; (scope = nest_scope(request, n)); n++) {
		if (grants_place(scope, object))
			return true;
	}
	return false;
}

/* Of programs the wall alone decides, by what a link leads to, so their denials are no matter. */
#define RIGHTS_BY_NAME (RIGHT_READ | RIGHT_WRITE | RIGHT_CONNECT | RIGHT_LISTEN)

const char *files_why_no_link(struct request *request, const struct object *object)
{
	if (is_granted_place(request, object))
		return "a grant names this very place, and the next session would follow the link";
	if (judge_pinned_beneath(request, object->path, object->len) & RIGHTS_BY_NAME)
		return "something is denied beneath this name, and a link would lead past that: a "
		       "folder may stand here";
	return NULL;
}

int files_judge_link(struct request *request, const struct object *object)
{
	const char *why = files_why_no_link(request, object);

	return why ? judge_never(request, request->name, object->path, why, EACCES) : 0;
}

int files_held_flags(const struct object *object, int fd)
{
	struct stat mine, theirs;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_PATH) || fstat(fd, &mine) != 0 ||
	    fstat(object->handle, &theirs) != 0)
		return -1;
	return mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino ? flags : -1;
}

/* Whether the caller itself has the object open for what the verb is about. */
static bool is_held_for(struct request *request, enum verb verb, const struct object *object,
			bool by_fd)
{
	int fd = by_fd ? object->handle : -1;

	if (!by_fd && object->magic_fd >= 0)
		fd = request_getfd(request, object->magic_fd);
	if (fd < 0)
		return false;
	int flags = files_held_flags(object, fd);

	if (!by_fd)
		close(fd);
	return flags >= 0 && ((flags & O_ACCMODE) == O_RDWR ||
			      (flags & O_ACCMODE) == (verb == VERB_WRITE ? O_WRONLY : O_RDONLY));
}

int files_judge_nameless(struct request *request, enum verb verb, const struct object *object,
			 bool by_fd)
{
	static const char deleted[] = " (deleted)"; /* as the kernel calls it, fs/d_path.c */
	const size_t deleted_len = sizeof(deleted) - 1;

	if (!by_fd && !object->by_magic_link)
		return -ENOENT;
	/* A pipe, a socket: it never had a name. */
	if (object->path[0] != '/' || is_held_for(request, verb, object, by_fd))
		return 0;
	if (object->len <= deleted_len ||
	    strcmp(object->path + object->len - deleted_len, deleted) != 0)
		return judge_path(request, verb, object);
	char former[PATH_TEXT_MAX];

	snprintf(former, sizeof(former), "%.*s", (int)(object->len - deleted_len), object->path);
	return judge_text(request, verb, former, object->len - deleted_len);
}
