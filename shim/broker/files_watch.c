/* SPDX-License-Identifier: Apache-2.0 */
/* inotify_add_watch: tells of every open and write in a folder, so it needs the right to read it.
 * Set on the caller's own inotify instance, for exactly the object that was judged. */
#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "shim/broker/files.h"
#include "shim/broker/performers.h"

static struct reply watch(struct request *request, const struct object *object, uint32_t mask)
{
	char self_path[32];
	int error;

	if (object->anonymous)
		error = files_judge_nameless(request, VERB_READ, object, false);
	else
		error = judge_path(request, VERB_READ, object);
	if (error)
		return files_error(error);
	int instance = request_getfd(request, (int)request->notif.data.args[0]);

	if (instance < 0)
		return files_error(instance);
	/* The link itself was found by the handle; the way to the handle is a link as well. */
	struct reply reply = reply_result(inotify_add_watch(
	    instance, object_self_path(object->handle, self_path), mask & ~IN_DONT_FOLLOW));

	close(instance);
	return reply;
}

struct reply perform_inotify_add_watch(struct request *request)
{
	uint32_t mask = (uint32_t)request->notif.data.args[2];
	char path[PATH_TEXT_MAX];
	struct object object;
	struct reply reply;

	if (files_read_path(request, request->notif.data.args[1], false, path, &reply) != 0)
		return reply;
	int error = resolve(request, AT_FDCWD, path,
			    (mask & IN_DONT_FOLLOW) ? RESOLVE_NOFOLLOW_LAST : 0, &object);

	if (error)
		return files_error(error);
	reply = watch(request, &object, mask);
	object_close(&object);
	return reply;
}
