/* SPDX-License-Identifier: Apache-2.0 */
/* Relies on plan paths without links. A path that changes between the look and the kernel's own
 * costs a refusal, never an access: the wall has the last word. */
#include "shim/broker/standing.h"

#include <stdlib.h>
#include <sys/stat.h>

struct mark {
	dev_t device;
	ino_t inode;
	bool there;
};

struct standing {
	const struct plan *plan;
	struct mark marks[];
};

static struct mark look(const char *path)
{
	struct stat about;

	if (lstat(path, &about) != 0)
		return (struct mark){.there = false};
	return (struct mark){.device = about.st_dev, .inode = about.st_ino, .there = true};
}

struct standing *standing_take(const struct plan *plan)
{
	struct standing *standing =
	    calloc(1, sizeof(*standing) + plan->wall.path_count * sizeof(standing->marks[0]));

	if (!standing)
		return NULL;
	standing->plan = plan;
	for (size_t i = 0; i < plan->wall.path_count; i++)
		standing->marks[i] = look(plan->wall.paths[i].path);
	return standing;
}

static bool holds(void *context, size_t index)
{
	const struct standing *standing = context;
	const struct mark *then = &standing->marks[index];
	struct mark now = look(standing->plan->wall.paths[index].path);

	return then->there && now.there && now.inode == then->inode && now.device == then->device;
}

bool standing_in_wall(const struct standing *standing, const char *path, size_t len,
		      uint32_t rights)
{
	/* holds() only reads it. */
	void *context = (void *)(uintptr_t)standing;

	return plan_in_wall_now(standing->plan, path, len, rights, holds, context);
}

void standing_free(struct standing *standing)
{
	free(standing);
}
