/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A made-up file system and fixed features for tests of the plan: no test depends on the machine.
 * A tree is a list of paths ended by NULL: "/a/" is a folder, "/a" a file, "/a@" a symbolic link,
 * "/a!" something else (a device, a socket). Folders above need not be listed.
 */
#ifndef REMIT_TESTS_PLAN_FIXTURE_H
#define REMIT_TESTS_PLAN_FIXTURE_H

#include <errno.h>
#include <string.h>

#include "policy/plan/plan.h"

static const struct features fixture_features = {
    .landlock_abi = 7,
    .seccomp_notify = true,
    .seccomp_addfd = true,
    .seccomp_addfd_send = true,
    .seccomp_wait_killable = true,
    .seccomp_sync_wake_up = true,
    .pidfd_getfd = true,
    .pidfd_thread = true,
    .process_vm = true,
    .proc_mem = true,
    .close_range = true,
    .unshare_fs = true,
    .openat2 = true,
    .memfd_noexec = true,
    .proc_mounted = true,
    .yama = -1,
    .release = "6.18.0",
};

/* The tree as a context: const char *const *. */
static inline enum view_kind fixture_kind(void *context, const char *path)
{
	const char *const *tree = *(const char *const **)context;
	size_t len = strlen(path);
	if (!strcmp(path, "/"))
		return VIEW_FOLDER;
	for (; *tree; tree++) {
		if (strncmp(*tree, path, len))
			continue;
		switch ((*tree)[len]) {
		case '\0':
			return VIEW_FILE;
		case '/':
			return VIEW_FOLDER;
		case '@':
			return VIEW_LINK;
		case '!':
			return VIEW_OTHER;
		default:
			continue;
		}
	}
	return VIEW_ABSENT;
}

/* Names may come more than once: the plan must not mind. */
static inline int fixture_list(void *context, const char *folder,
			       int (*each)(void *arg, const char *name), void *arg)
{
	const char *const *tree = *(const char *const **)context;
	size_t len = strcmp(folder, "/") ? strlen(folder) : 0;
	char last[256] = "";
	if (fixture_kind(context, folder) != VIEW_FOLDER)
		return -ENOTDIR;
	for (; *tree; tree++) {
		char name[256];
		if (strncmp(*tree, folder, len) || (*tree)[len] != '/' || !(*tree)[len + 1])
			continue;
		size_t size = strcspn(*tree + len + 1, "/@!");
		memcpy(name, *tree + len + 1, size);
		name[size] = '\0';
		if (!strcmp(name, last))
			continue;
		strcpy(last, name);
		int ret = each(arg, name);
		if (ret)
			return ret;
	}
	return 0;
}

static inline struct plan_view fixture_view(const char *const **tree)
{
	return (struct plan_view){.kind = fixture_kind, .list = fixture_list, .context = tree};
}

#endif
