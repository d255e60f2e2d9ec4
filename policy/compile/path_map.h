/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of paths: a table that only grows, from a path to a small number and perhaps a
 * text. One compilation asks for the same folders again and again.
 */
#ifndef REMIT_COMPILE_PATH_MAP_H
#define REMIT_COMPILE_PATH_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct path_entry;

struct path_map {
	struct path_entry *entries; /* a power of two of them, or NULL */
	size_t count, room;
};

/* 0 when the path is not there, else its value. *text (which may be NULL) lives as long as the
 * map. */
uint8_t path_map_get(const struct path_map *map, const char *path, size_t len, const char **text);
/* Of a path that is not there yet; value is not 0, text is copied and may be NULL. 0 or -ENOMEM,
 * and then nothing is noted. */
int path_map_put(struct path_map *map, const char *path, size_t len, uint8_t value,
		 const char *text);
void path_map_free(struct path_map *map);

#endif
