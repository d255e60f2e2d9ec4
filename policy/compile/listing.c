// SPDX-License-Identifier: Apache-2.0
#include "policy/compile/listing.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "policy/compile/text.h"

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

/* The names that one read of the folder has brought, each behind its type: where they lie is known
 * when all are there. Returns how many. */
static size_t note_block(struct text *text, const char *block, size_t len, bool typed)
{
	size_t count = 0;

	for (size_t at = 0; at < len;) {
		const struct dirent64 *entry = (const struct dirent64 *)(const void *)(block + at);

		at += entry->d_reclen;
		if (is_dots(entry->d_name))
			continue;
		text_byte(text, typed ? (char)entry->d_type : DT_UNKNOWN);
		text_add(text, entry->d_name, strlen(entry->d_name) + 1);
		count++;
	}
	return count;
}

static int name_all(struct listing *listing)
{
	const char *at = listing->text;

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

/* Without a stream: folders are many and most of them small. */
int listing_read(int folder, size_t most, struct listing *out)
{
	_Alignas(struct dirent64) char block[32768];
	bool typed = listing_types_hold(folder);
	struct text text = {0};
	ssize_t len;
	int err = -ENOMEM;

	*out = (struct listing){0};
	while (out->count <= most && (len = getdents64(folder, block, sizeof(block))) > 0)
		out->count += note_block(&text, block, (size_t)len, typed);
	if (out->count > most)
		out->count = most + 1;
	out->text = text_take(&text);
	if (out->text)
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
