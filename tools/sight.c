/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sight.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/core/path.h"
#include "shim/kernel/kernel.h"

/* Of a folder that has more names none is kept. */
#define NAMES_MAX 16384

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

static int keep_name(void *arg, const char *name)
{
	struct sight *sight = arg;
	size_t len = strlen(name) + 1;

	if (sight->count == NAMES_MAX)
		return -E2BIG;
	if (sight->room - sight->len < len) {
		size_t room = sight->room ? 2 * sight->room : 4096;
		char *grown = realloc(sight->names, room);

		if (!grown)
			return -ENOMEM;
		sight->names = grown;
		sight->room = room;
	}
	memcpy(sight->names + sight->len, name, len);
	sight->len += len;
	sight->count++;
	return 0;
}

/* Lists the folder into memory, unless it is there. -E2BIG: it has too many names to be kept. */
static int keep_folder(struct sight *sight, const char *folder)
{
	int err;

	if (!strcmp(sight->folder, folder))
		return 0;
	sight->folder[0] = '\0';
	sight->len = sight->count = 0;
	err = kernel_view.list(kernel_view.context, folder, keep_name, sight);
	if (!err && strlen(folder) < sizeof(sight->folder))
		strcpy(sight->folder, folder);
	return err;
}

static int sight_list(void *context, const char *folder, int (*each)(void *arg, const char *name),
		      void *arg)
{
	struct sight *sight = context;
	const char *name;
	int err;

	if (in_tmp(sight, folder) && kernel_view.kind(kernel_view.context, folder) == VIEW_ABSENT)
		return 0;
	err = keep_folder(sight, folder);
	if (err == -E2BIG)
		return kernel_view.list(kernel_view.context, folder, each, arg);
	name = sight->names;
	for (size_t i = 0; !err && i < sight->count; i++) {
		err = each(arg, name);
		name += strlen(name) + 1;
	}
	return err;
}

struct plan_view sight_view(struct sight *sight)
{
	return (struct plan_view){sight_kind, sight_list, sight, kernel_view.sha256};
}

void sight_free(struct sight *sight)
{
	free(sight->names);
	sight->names = NULL;
}
