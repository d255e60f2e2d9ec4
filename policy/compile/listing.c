// SPDX-License-Identifier: Apache-2.0
#include "policy/compile/listing.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

bool listing_types_hold(int folder)
{
	struct statfs about;

	if (fstatfs(folder, &about) != 0)
		return false;
	switch ((unsigned long)about.f_type) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case TMPFS_MAGIC:
	case OVERLAYFS_SUPER_MAGIC:
		return true;
	default:
		return false;
	}
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* A type and a name, one behind the other: where they lie is known when all are there. */
static int note(struct listing *listing, uint8_t type, const char *name)
{
	size_t len = strlen(name) + 1;

	if (listing->room - listing->len < len + 1) {
		size_t room = listing->room ? 2 * listing->room : 4096;
		char *grown = realloc(listing->text, room);

		if (!grown)
			return -ENOMEM;
		listing->text = grown;
		listing->room = room;
	}
	listing->text[listing->len] = (char)type;
	memcpy(listing->text + listing->len + 1, name, len);
	listing->len += len + 1;
	listing->count++;
	return 0;
}

static int name_all(struct listing *listing)
{
	char *at = listing->text;

	listing->names = calloc(listing->count + 1, sizeof(*listing->names));
	if (!listing->names)
		return -ENOMEM;
	for (size_t i = 0; i < listing->count; i++) {
		listing->names[i].type = (uint8_t)*at++;
		listing->names[i].text = at;
		at += strlen(at) + 1;
	}
	return 0;
}

/* The names that one read of the folder has brought. */
static int note_block(struct listing *listing, const char *block, size_t len, bool typed,
		      size_t most)
{
	int err = 0;

	for (size_t at = 0; !err && at < len && listing->count <= most;) {
		const struct dirent64 *entry = (const struct dirent64 *)(const void *)(block + at);

		if (!is_dots(entry->d_name))
			err = note(listing, typed ? entry->d_type : DT_UNKNOWN, entry->d_name);
		at += entry->d_reclen;
	}
	return err;
}

/* Without a stream: folders are many and most of them small. */
int listing_read(int folder, size_t most, struct listing *out)
{
	_Alignas(struct dirent64) char block[32768];
	bool typed = listing_types_hold(folder);
	ssize_t len = 0;
	int err = 0;

	*out = (struct listing){0};
	while (!err && out->count <= most && (len = getdents64(folder, block, sizeof(block))) > 0)
		err = note_block(out, block, (size_t)len, typed, most);
	if (!err)
		err = name_all(out);
	if (err)
		listing_free(out);
	return err;
}

static int compare(const void *a, const void *b)
{
	const struct listing_name *left = a, *right = b;

	return strcmp(left->text, right->text);
}

void listing_sort(struct listing_name *names, size_t count)
{
	if (count > 1)
		qsort(names, count, sizeof(*names), compare);
}

void listing_free(struct listing *listing)
{
	free(listing->names);
	free(listing->text);
	*listing = (struct listing){0};
}
