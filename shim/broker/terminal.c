/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relies on: SIGTTOU being ignored by the broker, so that it may give itself the terminal from the
 * background. It only does so when the group that holds the terminal is empty, so it never takes it
 * from the shell.
 */
#include "shim/broker/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int pty_index(dev_t device)
{
	unsigned int kind = major(device);

	if (kind < PTY_SLAVE_MAJOR || kind >= PTY_SLAVE_MAJOR + PTY_SLAVE_MAJORS)
		return -1;
	return (int)((kind - PTY_SLAVE_MAJOR) * 256 + minor(device));
}

/* /dev/tty has a number of its own; the controlling terminal's is the one of our standard
 * descriptors that answers for our session. */
static int find_index(const struct terminal *terminal)
{
	struct stat about;

	for (int fd = 0; fd <= 2; fd++) {
		if (fstat(fd, &about) != 0 || !S_ISCHR(about.st_mode))
			continue;
		if (pty_index(about.st_rdev) < 0)
			continue;
		if (terminal->fd < 0 || tcgetsid(fd) == getsid(0))
			return pty_index(about.st_rdev);
	}
	unsigned int number;

	/* linux/tty.h, 2.6.36: the device number of the terminal behind /dev/tty. */
	if (terminal->fd >= 0 && ioctl(terminal->fd, TIOCGDEV, &number) == 0)
		return pty_index(
		    makedev((number >> 8) & 0xfff, (number & 0xff) | ((number >> 12) & 0xfff00)));
	return -1;
}

static void save_standard(int fd, struct terminal_standard *out)
{
	int exclusive = 0;

	out->there = isatty(fd);
	if (!out->there)
		return;
	out->exclusive = ioctl(fd, TIOCGEXCL, &exclusive) == 0 && exclusive;
	out->flags = fcntl(fd, F_GETFL);
}

/* What a terminal's modes do not hold. A stop by the operator's own Ctrl-S is another than that by
 * TCOOFF, and stays. */
static void restore_standard(int fd, const struct terminal_standard *from)
{
	if (!from->there)
		return;
	tcflow(fd, TCOON);
	if (!from->exclusive)
		ioctl(fd, TIOCNXCL);
	if (from->flags >= 0 && fcntl(fd, F_GETFL) != from->flags)
		fcntl(fd, F_SETFL, from->flags);
}

void terminal_save(struct terminal *terminal)
{
	*terminal = (struct terminal){.fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)};
	terminal->index = find_index(terminal);
	for (int fd = 0; fd <= 2; fd++)
		save_standard(fd, &terminal->standard[fd]);
	if (terminal->fd < 0)
		return;
	terminal->foreground = tcgetpgrp(terminal->fd) == getpgrp();
	terminal->saved = tcgetattr(terminal->fd, &terminal->modes) == 0;
}

bool terminal_is_operators(const struct stat *about, int index)
{
	struct stat own;

	if (!S_ISCHR(about->st_mode))
		return false;
	if (index >= 0 && pty_index(about->st_rdev) == index)
		return true;
	for (int fd = 0; fd <= 2; fd++) {
		if (fstat(fd, &own) == 0 && own.st_dev == about->st_dev &&
		    own.st_ino == about->st_ino && isatty(fd))
			return true;
	}
	return false;
}

bool terminal_has_shell(const struct terminal *terminal)
{
	pid_t parent = getppid();

	return terminal->fd >= 0 && getsid(parent) == getsid(0) && getpgid(parent) != getpgrp();
}

void terminal_restore(struct terminal *terminal, bool modes)
{
	for (int fd = 0; fd <= 2; fd++)
		restore_standard(fd, &terminal->standard[fd]);
	if (terminal->fd < 0)
		return;
	/* None of the standard descriptors needs to be it. */
	tcflow(terminal->fd, TCOON);
	pid_t holder = tcgetpgrp(terminal->fd);

	if (holder > 0 && holder != getpgrp() && kill(-holder, 0) != 0 && errno == ESRCH) {
		tcsetpgrp(terminal->fd, getpgrp());
		holder = tcgetpgrp(terminal->fd);
	}
	if (modes && terminal->saved && holder == getpgrp())
		tcsetattr(terminal->fd, TCSANOW, &terminal->modes);
	close(terminal->fd);
	terminal->fd = -1;
}
