// SPDX-License-Identifier: Apache-2.0
/*
 * Symbolic links. The walk goes component by component with readlink alone, so that it sees every
 * link by its place and can stop before the ones that must not be followed: magic links of /proc
 * mean another object for every process, and links that the agent may write are the agent's word.
 *
 * Each place is looked at once in a compilation (model.places): the rules of a manifest stand
 * beside each other, and their folders would be asked for again with every one of them.
 */
#include "policy/compile/resolve.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "policy/compile/limits.h"
#include "policy/compile/places.h"

/* What is left to walk: a path and the targets of the links before it. */
#define REST_MAX (PATH_TEXT_MAX * 4)

/* What is known of a place. */
enum seen { SEEN_PLAIN = 1, SEEN_MISSING, SEEN_LINK };

struct walk {
	struct places *places; /* or NULL */
	char *out;
	size_t len;
	char rest[REST_MAX];
	unsigned int links;
	bool missing;
	bool follow;
	int (*link)(void *context, const char *place);
	void *context;
};

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

/* What stays as it is spelled. */
static bool stays(const char *path)
{
	if (!strncmp(path, "/proc/", 6))
		return !strcmp(path + 6, "self") || !strcmp(path + 6, "thread-self") ||
		       is_number(path + 6);
	return !strcmp(path, "/dev/fd") || !strcmp(path, "/dev/stdin") ||
	       !strcmp(path, "/dev/stdout") || !strcmp(path, "/dev/stderr");
}

static void pop(struct walk *walk)
{
	while (walk->len && walk->out[--walk->len] != '/')
		;
	walk->out[walk->len] = '\0';
}

static int push(struct walk *walk, const char *component, size_t len)
{
	if (walk->len + len + 2 > PATH_TEXT_MAX)
		return -ENAMETOOLONG;
	walk->out[walk->len++] = '/';
	memcpy(walk->out + walk->len, component, len);
	walk->len += len;
	walk->out[walk->len] = '\0';
	return 0;
}

/* A place that its folder's list tells to be no link. A file is kept there alone; folders are asked
 * for again and again. */
static bool is_listed(struct places *places, const char *path, size_t len)
{
	uint8_t type = siblings_type(places->siblings, path, len);

	if (type == DT_UNKNOWN || type == DT_LNK)
		return false;
	if (type == DT_DIR)
		path_map_put(&places->seen, path, len, SEEN_PLAIN, NULL);
	return true;
}

/* What the kernel says where a path cannot lead on, whoever asks: no link stands there. */
static bool is_no_link(int error)
{
	return error == EINVAL || error == ENOENT || error == ENOTDIR || error == EACCES ||
	       error == ENAMETOOLONG;
}

/* What the place is (enum seen), 0 where the caller may not know; of a link also where it leads,
 * NUL-ended. One that does not fit is too long for the walk. -errno when the kernel could not say.
 */
static int look(struct places *places, const char *path, size_t path_len,
		char target[PATH_TEXT_MAX + 1])
{
	const char *text = NULL;
	int kind = places ? path_map_get(&places->seen, path, path_len, &text) : 0;
	ssize_t len;

	if (kind == SEEN_LINK)
		strcpy(target, text);
	if (kind)
		return kind;
	if (places && is_listed(places, path, path_len))
		return SEEN_PLAIN;
	len = readlink(path, target, PATH_TEXT_MAX);
	if (len < 0 && !is_no_link(errno))
		return -errno;
	if (len < 0 && (errno == EACCES || errno == ENAMETOOLONG))
		return 0;
	kind = len >= 0 ? SEEN_LINK : errno == EINVAL ? SEEN_PLAIN : SEEN_MISSING;
	target[len >= 0 ? len : 0] = '\0';
	/* What does not fit in memory is asked for again. */
	if (places)
		path_map_put(&places->seen, path, path_len, kind,
			     kind == SEEN_LINK ? target : NULL);
	return kind;
}

/* Puts a link's target before what is left. */
static int follow_link(struct walk *walk, const char *left)
{
	char target[PATH_TEXT_MAX + 1];
	int kind = look(walk->places, walk->out, walk->len, target), err;
	size_t left_len = strlen(left), len;

	if (kind < 0)
		return kind;
	if (kind != SEEN_LINK) {
		walk->missing = kind == SEEN_MISSING;
		memmove(walk->rest, left, left_len + 1);
		return 0;
	}
	len = strlen(target);
	err = walk->link ? walk->link(walk->context, walk->out) : 0;
	if (err)
		return err;
	if (++walk->links > LIMIT_LINKS)
		return -ELOOP;
	if (len + left_len + 2 > sizeof(walk->rest) || len == PATH_TEXT_MAX)
		return -ENAMETOOLONG;
	memmove(walk->rest + len + 1, left, left_len + 1);
	memcpy(walk->rest, target, len);
	walk->rest[len] = '/';
	if (target[0] == '/')
		walk->len = 0;
	else
		pop(walk);
	walk->out[walk->len] = '\0';
	return 0;
}

/* The rest, as it is, after a place that stays. */
static int append_rest(struct walk *walk, const char *left)
{
	int err = 0;

	while (!err && *left) {
		size_t len = strcspn(left, "/");

		if (len == 2 && left[0] == '.' && left[1] == '.')
			return -EINVAL;
		if (len && !(len == 1 && left[0] == '.'))
			err = push(walk, left, len);
		left += len + (left[len] == '/');
	}
	walk->rest[0] = '\0';
	return err;
}

/* One component of the rest. */
static int step(struct walk *walk)
{
	const char *component = walk->rest + strspn(walk->rest, "/"), *left;
	size_t len = strcspn(component, "/");
	bool last;
	int err;

	left = component + len;
	last = !left[strspn(left, "/")];
	if (!len || (len == 1 && component[0] == '.')) {
		memmove(walk->rest, left, strlen(left) + 1);
		return 0;
	}
	if (len == 2 && component[0] == '.' && component[1] == '.') {
		pop(walk);
		memmove(walk->rest, left, strlen(left) + 1);
		return 0;
	}
	err = push(walk, component, len);
	if (err)
		return err;
	if (stays(walk->out))
		return append_rest(walk, left);
	if (walk->missing || (last && !walk->follow)) {
		memmove(walk->rest, left, strlen(left) + 1);
		return 0;
	}
	return follow_link(walk, left);
}

/* The known folder that is nearest above the path, or the path itself: its length; 0: the root. */
static size_t known_prefix(const struct path_map *seen, const char *path, size_t len, int *ret_kind)
{
	for (size_t at = len; at > 0; at--) {
		if (at < len && path[at] != '/')
			continue;
		*ret_kind = path_map_get(seen, path, at, NULL);
		if (*ret_kind)
			return at;
	}
	*ret_kind = SEEN_PLAIN;
	return 0;
}

bool resolve_is_real(struct places *places, const char *path)
{
	char part[PATH_TEXT_MAX], target[PATH_TEXT_MAX + 1];
	size_t len = strlen(path), at;
	int kind;

	if (!places || len < 2 || len + 2 > sizeof(part) || !path_is_clean(path, len))
		return false;
	at = known_prefix(&places->seen, path, len, &kind);
	memcpy(part, path, len + 1);
	while (kind == SEEN_PLAIN && at < len) {
		at += 1 + strcspn(path + at + 1, "/");
		part[at] = '\0';
		if (stays(part))
			return true;
		kind = look(places, part, at, target);
		part[at] = path[at];
	}
	return kind == SEEN_PLAIN || kind == SEEN_MISSING;
}

int resolve_path_seen(const struct model *model, const char *path, bool follow,
		      int (*link)(void *context, const char *place), void *context,
		      char out[PATH_TEXT_MAX])
{
	struct walk walk; /* its rest is too large to be cleared each time */
	int err = 0;

	walk.places = model ? model->places : NULL;
	if (resolve_is_real(walk.places, path)) {
		strcpy(out, path);
		return 0;
	}
	walk.out = out;
	walk.len = walk.links = 0;
	walk.missing = false;
	walk.follow = follow;
	walk.link = link;
	walk.context = context;

	if (strlen(path) >= sizeof(walk.rest))
		return -ENAMETOOLONG;
	strcpy(walk.rest, path);
	out[0] = '\0';
	while (!err && walk.rest[0])
		err = step(&walk);
	if (!err && !walk.len)
		err = push(&walk, "", 0);
	return err;
}

int resolve_path(const char *path, bool follow, int (*link)(void *context, const char *place),
		 void *context, char out[PATH_TEXT_MAX])
{
	return resolve_path_seen(NULL, path, follow, link, context, out);
}
