// SPDX-License-Identifier: Apache-2.0
/* A folder is listed bit by bit, as names of it are asked for; a few folders take turns. What a
 * name was when it was first met stays its type. */
#include "policy/compile/siblings.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/compile/listing.h"
#include "policy/compile/path_map.h"
#include "policy/core/path.h"

#define FOLDERS 64 /* so many that the plan finds those of the compilation */
/* Names of one folder that are asked for before it is listed: of most, few are. */
#define PATIENCE 64
/* Names that are read for one that is asked for: together they cost no more than it does. */
#define AHEAD 4
#define KEPT 8		 /* listings, which take turns */
#define KEPT_NAMES 16384 /* of one of them, at most */

struct folder {
	char *path; /* NULL: none yet */
	size_t len;
	size_t asked, read;
	DIR *stream; /* NULL: not yet, or all was read */
	bool done;
};

struct kept {
	char *path; /* NULL: none */
	struct listing listing;
};

struct siblings {
	struct path_map known;
	struct folder folders[FOLDERS];
	unsigned int last, next; /* asked for last; to be given up next */
	struct kept kept[KEPT];
	unsigned int next_kept;
};

struct siblings *siblings_new(void)
{
	return calloc(1, sizeof(struct siblings));
}

/* Of what it lists nothing more will be read. */
static void folder_close(struct folder *folder)
{
	if (folder->stream)
		closedir(folder->stream);
	folder->stream = NULL;
	folder->done = true;
}

static bool is_folder(const struct folder *folder, const char *path, size_t len)
{
	return folder->path && folder->len == len && !memcmp(folder->path, path, len);
}

static struct folder *folder_of(struct siblings *siblings, const char *path, size_t len)
{
	struct folder *folder = &siblings->folders[siblings->last];

	if (is_folder(folder, path, len))
		return folder;
	for (unsigned int i = 0; i < FOLDERS; i++) {
		if (!is_folder(&siblings->folders[i], path, len))
			continue;
		siblings->last = i;
		return &siblings->folders[i];
	}
	siblings->last = siblings->next;
	siblings->next = (siblings->next + 1) % FOLDERS;
	folder = &siblings->folders[siblings->last];
	folder_close(folder);
	free(folder->path);
	*folder = (struct folder){.path = strndup(path, len), .len = len};
	folder->done = !folder->path;
	return folder;
}

static void folder_open(struct folder *folder)
{
	int fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && !listing_types_hold(fd)) {
		close(fd);
		fd = -1;
	}
	folder->stream = fd < 0 ? NULL : fdopendir(fd);
	folder->done = !folder->stream;
	if (fd >= 0 && !folder->stream)
		close(fd);
}

static void note(struct siblings *siblings, const struct folder *folder, const struct dirent *entry)
{
	char path[PATH_TEXT_MAX];
	size_t name_len = strlen(entry->d_name), len = folder->len + 1 + name_len;

	if (entry->d_type == DT_UNKNOWN || len >= sizeof(path))
		return;
	memcpy(path, folder->path, folder->len);
	path[folder->len] = '/';
	memcpy(path + folder->len + 1, entry->d_name, name_len);
	/* Without memory it stays unknown. */
	if (!path_map_get(&siblings->known, path, len, NULL))
		path_map_put(&siblings->known, path, len, entry->d_type, NULL);
}

static void read_ahead(struct siblings *siblings, struct folder *folder)
{
	for (; folder->stream && folder->read < folder->asked * AHEAD; folder->read++) {
		const struct dirent *entry = readdir(folder->stream);

		if (entry)
			note(siblings, folder, entry);
		else
			folder_close(folder);
	}
}

uint8_t siblings_type(struct siblings *siblings, const char *path, size_t len)
{
	const char *slash = memrchr(path, '/', len);
	size_t folder_len = slash ? (size_t)(slash - path) : 0;
	struct folder *folder;
	uint8_t type;

	if (!siblings || !folder_len || len >= PATH_TEXT_MAX)
		return DT_UNKNOWN;
	folder = folder_of(siblings, path, folder_len);
	type = path_map_get(&siblings->known, path, len, NULL);
	if (++folder->asked < PATIENCE || type || folder->done)
		return type;
	if (!folder->stream)
		folder_open(folder);
	read_ahead(siblings, folder);
	return path_map_get(&siblings->known, path, len, NULL);
}

static void kept_free(struct kept *kept)
{
	free(kept->path);
	listing_free(&kept->listing);
	kept->path = NULL;
}

static bool kept_read(struct kept *kept, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return false;
	kept->path = strdup(path);
	if (kept->path && listing_read(fd, KEPT_NAMES, &kept->listing) == 0 &&
	    kept->listing.count > KEPT_NAMES)
		kept_free(kept);
	close(fd);
	return kept->path && kept->listing.names;
}

const struct listing *siblings_listing(struct siblings *siblings, const char *path)
{
	struct kept *kept;

	if (!siblings)
		return NULL;
	for (unsigned int i = 0; i < KEPT; i++) {
		kept = &siblings->kept[i];
		if (kept->path && !strcmp(kept->path, path))
			return &kept->listing;
	}
	kept = &siblings->kept[siblings->next_kept];
	kept_free(kept);
	if (!kept_read(kept, path)) {
		kept_free(kept);
		return NULL;
	}
	siblings->next_kept = (siblings->next_kept + 1) % KEPT;
	return &kept->listing;
}

void siblings_free(struct siblings *siblings)
{
	if (!siblings)
		return;
	for (unsigned int i = 0; i < FOLDERS; i++) {
		folder_close(&siblings->folders[i]);
		free(siblings->folders[i].path);
	}
	for (unsigned int i = 0; i < KEPT; i++)
		kept_free(&siblings->kept[i]);
	path_map_free(&siblings->known);
	free(siblings);
}
