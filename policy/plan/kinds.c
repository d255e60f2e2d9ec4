/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing, at most half full; no entry is ever taken out. */
#include "policy/plan/kinds.h"

#include <stdlib.h>
#include <string.h>

#include "policy/core/hash.h"
#include "policy/core/path.h"

#define ROOM_FIRST 512

struct kind_entry {
	uint64_t hash;
	char *path; /* NULL: free */
	uint32_t len;
	enum view_kind kind;
};

/* Where the path is, or the free place where it would be. */
static struct kind_entry *find(struct kind_entry *entries, size_t room, const char *path,
			       size_t len, uint64_t hash)
{
	size_t at = (size_t)hash & (room - 1);
	while (entries[at].path && (entries[at].hash != hash || entries[at].len != len ||
				    memcmp(entries[at].path, path, len) != 0))
		at = (at + 1) & (room - 1);
	return &entries[at];
}

bool kinds_known(const struct kinds *kinds, const char *path, size_t len, enum view_kind *ret_kind)
{
	if (!kinds->room)
		return false;
	const struct kind_entry *entry =
	    find(kinds->entries, kinds->room, path, len, hash_bytes(path, len, 0));
	if (!entry->path)
		return false;
	*ret_kind = entry->kind;
	return true;
}

static bool grow(struct kinds *kinds)
{
	size_t room = kinds->room ? kinds->room * 2 : ROOM_FIRST;
	struct kind_entry *entries = calloc(room, sizeof(*entries));
	if (!entries)
		return false;
	for (size_t i = 0; i < kinds->room; i++) {
		const struct kind_entry *entry = &kinds->entries[i];
		if (entry->path)
			*find(entries, room, entry->path, entry->len, entry->hash) = *entry;
	}
	free(kinds->entries);
	kinds->entries = entries;
	kinds->room = room;
	return true;
}

enum view_kind kinds_of(struct kinds *kinds, const struct plan_view *view, const char *path,
			size_t len)
{
	char part[PATH_TEXT_MAX];
	enum view_kind kind;
	if (kinds_known(kinds, path, len, &kind))
		return kind;
	if (len >= sizeof(part))
		return VIEW_ABSENT;
	memcpy(part, path, len);
	part[len] = '\0';
	kind = view->kind(view->context, part);
	char *copy = kinds->count * 2 < kinds->room || grow(kinds) ? strdup(part) : NULL;
	if (copy) {
		uint64_t hash = hash_bytes(part, len, 0);
		*find(kinds->entries, kinds->room, part, len, hash) = (struct kind_entry){
		    .hash = hash, .path = copy, .len = (uint32_t)len, .kind = kind};
		kinds->count++;
	}
	return kind;
}

void kinds_free(struct kinds *kinds)
{
	for (size_t i = 0; i < kinds->room; i++)
		free(kinds->entries[i].path);
	free(kinds->entries);
	*kinds = (struct kinds){0};
}
