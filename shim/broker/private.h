/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The private folders of the sessions. What is in one is removed when its session ends, by remit
 * and not by the agent: no denial is asked then. So nothing comes in that a denial keeps the agent
 * from removing.
 */
#ifndef REMIT_BROKER_PRIVATE_H
#define REMIT_BROKER_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/broker/broker.h"

/* Known by what it is: the agent may be granted to rename it. */
struct private_folder {
	uint64_t device, inode; /* of stat(2); inode 0: none */
};

/* 0 or a negative errno. */
int private_look(const char *path, struct private_folder *out);

/* The nearest that the folder is or lies in, the broker's own or an inner session's. 0 or a
 * negative errno. */
int private_nearest(const struct broker *broker, int folder, struct private_folder *out);

#endif
