/* SPDX-License-Identifier: Apache-2.0 */
/* One owner at a time: who swaps an fd out of its place has it. */
#include "shim/broker/known.h"

#include <stddef.h>
#include <unistd.h>

static void put(struct known *known, enum known_kind kind, int fd)
{
	int old = atomic_exchange(&known->kept[kind].fd, fd);

	if (old >= 0)
		close(old);
}

void known_init(struct known *known)
{
	for (int kind = 0; kind < KNOWN_KINDS; kind++)
		atomic_init(&known->kept[kind].fd, -1);
}

int known_take(struct known *known, enum known_kind kind, pid_t tid)
{
	int fd = known ? atomic_exchange(&known->kept[kind].fd, -1) : -1;

	if (fd >= 0 && known->kept[kind].tid != tid) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void known_keep(struct known *known, enum known_kind kind, pid_t tid, int fd)
{
	if (!known) {
		close(fd);
		return;
	}
	known->kept[kind].tid = tid;
	put(known, kind, fd);
}

void known_forget(struct known *known)
{
	for (int kind = 0; kind < KNOWN_KINDS; kind++)
		put(known, (enum known_kind)kind, -1);
}
