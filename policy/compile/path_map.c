// SPDX-License-Identifier: Apache-2.0
/* Open addressing, at most half full; no entry is ever taken out. */
#include "policy/compile/path_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/core/hash.h"

#define ROOM_FIRST 256

struct path_entry {
	uint64_t hash;
	char *path; /* NULL: free; the text, if there is one, follows it */
	uint32_t len;
	uint8_t value;
	bool has_text;
};

/* Where the path is, or the free place where it would be. */
static struct path_entry *find(struct path_entry *entries, size_t room, const char *path,
			       size_t len, uint64_t hash)
{
	size_t at = (size_t)hash & (room - 1);

	while (entries[at].path && (entries[at].hash != hash || entries[at].len != len ||
				    memcmp(entries[at].path, path, len) != 0))
		at = (at + 1) & (room - 1);
	return &entries[at];
}

uint8_t path_map_get(const struct path_map *map, const char *path, size_t len, const char **text)
{
	const struct path_entry *entry;

	if (!map->room)
		return 0;
	entry = find(map->entries, map->room, path, len, hash_bytes(path, len, 0));
	if (!entry->path)
		return 0;
	if (text)
		*text = entry->has_text ? entry->path + len + 1 : NULL;
	return entry->value;
}

static int grow(struct path_map *map)
{
	size_t room = map->room ? map->room * 2 : ROOM_FIRST;
	struct path_entry *entries = calloc(room, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < map->room; i++) {
		const struct path_entry *entry = &map->entries[i];

		if (entry->path)
			*find(entries, room, entry->path, entry->len, entry->hash) = *entry;
	}
	free(map->entries);
	map->entries = entries;
	map->room = room;
	return 0;
}

int path_map_put(struct path_map *map, const char *path, size_t len, uint8_t value,
		 const char *text)
{
	uint64_t hash = hash_bytes(path, len, 0);
	size_t text_len = text ? strlen(text) + 1 : 0;
	char *copy;

	if (len > UINT32_MAX || (map->count * 2 >= map->room && grow(map)))
		return -ENOMEM;
	copy = malloc(len + 1 + text_len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, path, len);
	copy[len] = '\0';
	if (text)
		memcpy(copy + len + 1, text, text_len);
	*find(map->entries, map->room, path, len, hash) = (struct path_entry){
	    .hash = hash,
	    .path = copy,
	    .len = (uint32_t)len,
	    .value = value,
	    .has_text = text != NULL,
	};
	map->count++;
	return 0;
}

void path_map_free(struct path_map *map)
{
	for (size_t i = 0; i < map->room; i++)
		free(map->entries[i].path);
	free(map->entries);
	*map = (struct path_map){0};
}
