/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TIOCGPTPEER: the other end of a pty whose master the caller holds. The kernel opens it by a path
 * of its own, which the agent's wall may not cover; who holds the master holds the terminal anyway.
 *
 * One difference to the native call: the peer never becomes the caller's controlling terminal by
 * being opened, as without O_NOCTTY it natively might; TIOCSCTTY does that as ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "shim/broker/broker.h"
#include "shim/broker/never.h"
#include "shim/broker/performers.h"

struct reply perform_ioctl(struct request *request)
{
	int fd = (int)request->notif.data.args[0];
	int flags = (int)request->notif.data.args[2];
	unsigned int number;

	if ((unsigned int)request->notif.data.args[1] != TIOCGPTPEER)
		return never_ioctl(request);
	int master = request_getfd(request, fd);

	if (master < 0)
		return reply_error(-master);
	int peer = -1, error = 0;

	/* Only the master of a pty answers this. */
	if (ioctl(master, TIOCGPTN, &number) != 0)
		error = errno;
	else
		peer = ioctl(master, TIOCGPTPEER, flags | O_NOCTTY | O_CLOEXEC);
	if (!error && peer < 0)
		error = errno;
	close(master);
	return error ? reply_error(error) : reply_fd(peer, flags & O_CLOEXEC ? O_CLOEXEC : 0);
}
