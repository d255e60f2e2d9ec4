/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind(2) to a path makes a file, and keeps the text of the path as the socket's name: getsockname
 * shows it, peers answer to it. Both matter: the file must come to be exactly where it was judged,
 * whatever is swapped meanwhile; the text should be the caller's.
 *
 * Two ways. Where every place beneath the parent folder is granted and nothing beneath it denied, a
 * thread of its own goes where the caller is, puts a Landlock domain on itself that lets it make
 * sockets beneath that parent only, and binds the caller's own spelling: a swapped link leads to
 * another granted place or to EACCES. A spelling through /proc/self and kin means another place to
 * us: then it is the path of the place itself. Else the thread goes into the parent, held open
 * since it was judged, and binds the bare name: it can be nowhere else, but the name of the socket
 * is relative.
 */
#include "shim/broker/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/broker/files.h"
#include "shim/broker/resolve.h"
#include "shim/kernel/kernel.h"

/* linux/landlock.h */
#define ACCESS_FS_MAKE_SOCK (1ULL << 9)

struct binding {
	int fd;
	int folder; /* where to stand */
	mode_t mask;
	int parent; /* only beneath it; -1: the folder is the parent */
	struct sockaddr_un name;
	socklen_t len;
	int error;
};

/* By the handle that was judged: "/." leads through the magic link to the folder itself. */
static int confine(int parent)
{
	char text[40];
	struct path_access path = {.path = text, .access = ACCESS_FS_MAKE_SOCK, .rule = RULE_NONE};
	struct domain domain = {.handled_fs = ACCESS_FS_MAKE_SOCK, .paths = &path, .path_count = 1};

	object_self_path(parent, text);
	strcat(text, "/.");
	return kernel_landlock(&domain);
}

static void *bind_thread(void *arg)
{
	struct binding *binding = arg;

	binding->error = 0;
	/* A container may refuse it: then no unix socket gets a path. */
	if (unshare(CLONE_FS) != 0 || fchdir(binding->folder) != 0)
		binding->error = -errno;
	else if (binding->parent >= 0)
		binding->error = confine(binding->parent);
	if (binding->error)
		return NULL;
	umask(binding->mask);
	if (bind(binding->fd, (const struct sockaddr *)&binding->name, binding->len) != 0)
		binding->error = -errno;
	return NULL;
}

/* Small: it makes four system calls. */
#define STACK_SIZE (128 * 1024)

static int run(struct binding *binding)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	int error = pthread_create(&thread, &attributes, bind_thread, binding);

	pthread_attr_destroy(&attributes);
	if (error)
		return -error;
	pthread_join(thread, NULL);
	return binding->error;
}

static bool all_granted_beneath(struct request *request, const struct object *object)
{
	const char *end = strrchr(object->path, '/');
	size_t len = end ? (size_t)(end - object->path) : 0;

	if (len == 0)
		return false;
	return judge_would_allow(request, VERB_LISTEN, object->path, len) &&
	       !(judge_beneath(request, object->path, len) & BENEATH_DENIAL);
}

static void set_name(struct binding *binding, const char *text, size_t len)
{
	memset(&binding->name, 0, sizeof(binding->name));
	binding->name.sun_family = AF_UNIX;
	memcpy(binding->name.sun_path, text, len);
	/* A path of 108 bytes has no ending NUL; the kernel knows (unix(7)). */
	binding->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
				   (len < sizeof(binding->name.sun_path)));
}

static int caller_folder(struct request *request)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/cwd", (int)request->tid);
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!request_alive(request)) {
		close(fd);
		return -ESRCH;
	}
	return fd;
}

/* Whether the caller's text leads us from its folder to the parent that was judged, through nothing
 * that is another process's in our eyes. */
static bool reads_alike(int folder, const struct object *object, const struct socket_name *name)
{
	char text[ADDRESS_UNIX_MAX + 1];
	struct stat there, judged;

	memcpy(text, name->text, name->len);
	text[name->len] = '\0';
	char *slash = strrchr(text, '/');

	if (!slash)
		return true;
	slash[slash == text] = '\0';
	int fd = resolve_openat2(folder, text, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_MAGICLINKS);

	if (fd < 0)
		return false;
	bool same = fstat(fd, &there) == 0 && fstat(object->parent, &judged) == 0 &&
		    there.st_dev == judged.st_dev && there.st_ino == judged.st_ino;

	close(fd);
	return same;
}

static int bind_bare(struct binding *binding, const struct object *object)
{
	size_t len = strlen(object->name);

	if (len > sizeof(binding->name.sun_path))
		return -ENAMETOOLONG;
	binding->folder = object->parent;
	binding->parent = -1;
	set_name(binding, object->name, len);
	return run(binding);
}

static int bind_spelled(struct request *request, struct binding *binding,
			const struct object *object, const struct socket_name *name)
{
	int folder = caller_folder(request), error;

	if (folder < 0)
		return folder;
	binding->folder = folder;
	binding->parent = object->parent;
	if (reads_alike(folder, object, name)) {
		set_name(binding, name->text, name->len);
		error = run(binding);
	} else if (object->len <= sizeof(binding->name.sun_path)) {
		set_name(binding, object->path, object->len);
		error = run(binding);
	} else {
		error = bind_bare(binding, object);
	}
	close(folder);
	return error;
}

struct reply network_bind_unix(struct request *request, const struct peer_socket *sock,
			       const struct socket_name *name)
{
	struct binding binding = {.fd = sock->fd};
	struct object object;
	int error = resolve(request, AT_FDCWD, name->text, RESOLVE_PARENT, &object);

	if (error)
		return reply_error(-error);
	int mask = request_umask(request);

	if (mask < 0)
		error = mask;
	else if (object.parent < 0 || object.slash || files_is_dots(&object))
		error = -EADDRINUSE;
	else
		error = judge_text(request, VERB_LISTEN, object.path, object.len);
	binding.mask = (mode_t)mask;
	if (!error)
		error = all_granted_beneath(request, &object)
			    ? bind_spelled(request, &binding, &object, name)
			    : bind_bare(&binding, &object);
	object_close(&object);
	return error ? reply_error(-error) : reply_value(0);
}
