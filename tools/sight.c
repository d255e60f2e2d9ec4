/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sight.h"

#include <dirent.h>
#include <stdint.h>
#include <string.h>

#include "policy/compile/listing.h"
#include "policy/core/path.h"
#include "shim/kernel/kernel.h"

static enum view_kind kind_of_type(uint8_t type)
{
	switch (type) {
	case DT_REG:
		return VIEW_FILE;
	case DT_DIR:
		return VIEW_FOLDER;
	case DT_LNK:
		return VIEW_LINK;
	default:
		return VIEW_OTHER;
	}
}

static bool in_tmp(const struct sight *sight, const char *path)
{
	return sight->tmp && path_within(sight->tmp, strlen(sight->tmp), path, strlen(path));
}

static enum view_kind sight_kind(void *context, const char *path)
{
	const struct sight *sight = context;
	uint8_t type;

	if (in_tmp(sight, path))
		return VIEW_FOLDER;
	type = siblings_type(sight->siblings, path, strlen(path));
	if (type != DT_UNKNOWN)
		return kind_of_type(type);
	return kernel_view.kind(kernel_view.context, path);
}

static int sight_list(void *context, const char *folder, int (*each)(void *arg, const char *name),
		      void *arg)
{
	const struct sight *sight = context;
	const struct listing *listing;
	int err = 0;

	if (in_tmp(sight, folder) && kernel_view.kind(kernel_view.context, folder) == VIEW_ABSENT)
		return 0;
	listing = siblings_listing(sight->siblings, folder);
	if (!listing)
		return kernel_view.list(kernel_view.context, folder, each, arg);
	for (size_t i = 0; !err && i < listing->count; i++)
		err = each(arg, listing->names[i].text);
	return err;
}

struct plan_view sight_view(const struct sight *sight)
{
	/* Its functions only read it. */
	void *context = (void *)(uintptr_t)sight;

	return (struct plan_view){sight_kind, sight_list, context, kernel_view.sha256};
}
