/* SPDX-License-Identifier: Apache-2.0 */
/* The scope of a session: sealed, mapped, validated. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/broker/session_internal.h"
#include "shim/common/uapi.h"

/* What was checked is what the agent gets: sealed, and handed out by a descriptor that only reads.
 */
int session_seal_image(const void *image, size_t size, bool no_exec)
{
	const char *bytes = image;
	size_t done = 0;
	char self[32];
	unsigned int noexec = no_exec ? MFD_NOEXEC_SEAL : 0;
	int fd = memfd_create("remit-scope", MFD_CLOEXEC | MFD_ALLOW_SEALING | noexec);

	if (fd < 0)
		return -errno;
	while (done < size) {
		ssize_t n = write(fd, bytes + done, size - done);

		if (n == 0)
			errno = EIO;
		if (n == 0 || (n < 0 && errno != EINTR))
			goto out;
		done += n > 0 ? (size_t)n : 0;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
		goto out;
	int reader = open(object_self_path(fd, self), O_RDONLY | O_CLOEXEC);

	if (reader < 0)
		goto out;
	close(fd);
	return reader;
out:
	done = (size_t)errno;
	close(fd);
	return -(int)done;
}

int session_open_scope(struct session *session)
{
	const struct session_options *options = session->options;
	const char *why = "";

	session->image_fd = session_seal_image(options->image, options->image_size,
					       options->features->memfd_noexec);
	if (session->image_fd < 0)
		return session_fail(session, "cannot keep the scope in memory: %s",
				    strerror(-session->image_fd));
	void *image = mmap(NULL, options->image_size, PROT_READ, MAP_SHARED, session->image_fd, 0);

	if (image == MAP_FAILED)
		return session_fail(session, "cannot map the scope: %s", strerror(errno));
	session->image = image;
	if (scope_open(&session->scope, image, options->image_size, &why) != 0)
		return session_fail(session, "the scope image is not valid: %s; compile it again",
				    why ? why : "damaged");
	scope_about(&session->scope, &session->about);
	if (session->about.has_hosts)
		return session_fail(
		    session, "the manifest grants a host name, which is not yet enforced; name "
			     "addresses instead");
	return 0;
}
