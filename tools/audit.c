/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/output.h"

int audit_session_id(char id[SESSION_ID_MAX])
{
	unsigned char random[3];
	time_t now = time(NULL);
	struct tm utc;
	size_t len;

	if (getrandom(random, sizeof(random), 0) != sizeof(random) || !gmtime_r(&now, &utc))
		return -EIO;
	len = strftime(id, SESSION_ID_MAX, "%Y%m%dT%H%M%S-", &utc);
	snprintf(id + len, SESSION_ID_MAX - len, "%02x%02x%02x", random[0], random[1], random[2]);
	return 0;
}

/* The file behind an fd, when it is a regular one with a name. */
static char *name_of(int fd)
{
	char link[64], path[PATH_MAX];
	struct stat status;
	ssize_t len;

	if (fstat(fd, &status) || !S_ISREG(status.st_mode) || !status.st_nlink)
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len <= 0 || path[0] != '/')
		return NULL;
	path[len] = '\0';
	return strdup(path);
}

int audit_open_file(const char *file, struct audit *out)
{
	int error;

	*out = (struct audit){.fd = -1};
	/* A FIFO that nobody reads is an error, not a reason to wait. */
	out->fd =
	    open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	out->name = strdup(file);
	if (out->fd >= 0 && out->name && fcntl(out->fd, F_SETFL, O_APPEND) == 0) {
		out->path = name_of(out->fd);
		return 0;
	}
	error = out->name ? -errno : -ENOMEM;
	output_error("the audit log %s cannot be opened: %s; --audit FILE names another", file,
		     strerror(-error));
	return error;
}

int audit_open_fd(int fd, struct audit *out)
{
	int flags = fcntl(fd, F_GETFL);

	*out = (struct audit){.fd = -1};
	if (flags < 0) {
		output_error("--audit-fd %d: no such file descriptor is open", fd);
		return -EBADF;
	}
	if ((flags & O_ACCMODE) == O_RDONLY || (flags & O_PATH)) {
		output_error("--audit-fd %d: is not open for writing", fd);
		return -EBADF;
	}
	out->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (out->fd < 0) {
		int error = -errno;

		output_error("--audit-fd %d: %s", fd, strerror(-error));
		return error;
	}
	out->path = name_of(out->fd);
	/* Others may write to the same file: only appended lines stay whole. */
	if (out->path && fcntl(out->fd, F_SETFL, flags | O_APPEND)) {
		int error = -errno;

		output_error("--audit-fd %d: %s", fd, strerror(-error));
		return error;
	}
	return 0;
}

int audit_open_default(const struct operator* operator, const char * session, struct audit *out)
{
	char *folder = place_state(operator);
	int error;

	*out = (struct audit){.fd = -1};
	if (!folder) {
		output_error("no place for the audit log: HOME and XDG_STATE_HOME are not set; "
			     "--audit FILE names one");
		return -ENOENT;
	}
	error = place_make_folder(folder);
	if (!error && asprintf(&out->name, "%s/%s.jsonl", folder, session) < 0) {
		out->name = NULL;
		error = -ENOMEM;
	}
	if (!error) {
		out->fd =
		    open(out->name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			 0600);
		error = out->fd < 0 ? -errno : 0;
	}
	if (error)
		output_error("the audit log %s cannot be made: %s; --audit FILE names another "
			     "place",
			     out->name ? out->name : folder, strerror(-error));
	else
		out->path = name_of(out->fd);
	free(folder);
	return error;
}

void audit_free(struct audit *audit)
{
	if (audit->fd >= 0)
		close(audit->fd);
	free(audit->name);
	free(audit->path);
	*audit = (struct audit){.fd = -1};
}
