// SPDX-License-Identifier: Apache-2.0
/*
 * Includes: built-in profiles by name and other files as ./relative.yaml, merged as a union of
 * grants and denials. Depth, number and size are bounded; cycles are errors. What a profile holds
 * is marked as such, and its default ids carry its name ("base:files.read[2]").
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/reader.h"

#define PROFILE_NAMES 64

struct included {
	char *path;   /* to open */
	char *name;   /* for messages and rules */
	char *folder; /* that its own ./ includes are relative to */
	char *prefix;
	enum rule_origin origin;
};

static void included_clear(struct included *included)
{
	free(included->path);
	free(included->name);
	free(included->folder);
	free(included->prefix);
}

static bool profile_name_ok(const char *text)
{
	if (*text < 'a' || *text > 'z')
		return false;
	for (; *text; text++)
		if (!(*text >= 'a' && *text <= 'z') && !(*text >= '0' && *text <= '9') &&
		    *text != '-')
			return false;
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of the built-in profiles, each malloc'ed, sorted. */
static size_t profile_names(const char *folder, char *names[PROFILE_NAMES])
{
	DIR *stream = opendir(folder);
	struct dirent *entry;
	size_t count = 0;

	while (stream && count < PROFILE_NAMES && (entry = readdir(stream))) {
		size_t len = strlen(entry->d_name);

		if (len <= 5 || strcmp(entry->d_name + len - 5, ".yaml") != 0)
			continue;
		names[count] = strndup(entry->d_name, len - 5);
		if (names[count])
			count++;
	}
	if (stream)
		closedir(stream);
	qsort(names, count, sizeof(*names), compare_names);
	return count;
}

static int unknown_profile(struct reader *reader, const struct node *item, const char *text)
{
	char *names[PROFILE_NAMES] = {0}, *hint;
	const char *folder = reader->all->options->profile_dir;
	size_t count = folder ? profile_names(folder, names) : 0;

	hint = reader_near(text, (const char *const *)names, count);
	if (count)
		reader_error(reader, item, hint ? hint : "a file is included as ./name.yaml",
			     "unknown profile \"%.60s\"", text);
	else
		reader_error(reader, item, "a file is included as ./name.yaml",
			     "no profile \"%.60s\": no built-in profiles in %.200s", text,
			     folder ? folder : "this installation");
	free(hint);
	while (count)
		free(names[--count]);
	return -EINVAL;
}

/* The name that a file beside the including one is known by. */
static char *beside(const char *name, const char *relative)
{
	const char *slash = strrchr(name, '/');
	char *out = NULL;

	if (asprintf(&out, "%.*s%s", slash ? (int)(slash - name + 1) : 0, name, relative) < 0)
		return NULL;
	return out;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* "team:" of "./rules/team.yaml". */
static char *prefix_of(const char *text)
{
	const char *slash = strrchr(text, '/'), *base = slash ? slash + 1 : text, *dot;
	char *out = NULL;

	dot = strrchr(base, '.');
	if (asprintf(&out, "%.*s:", (int)(dot && dot > base ? dot - base : (long)strlen(base)),
		     base) < 0)
		return NULL;
	return out;
}

static bool has_parent(const char *text)
{
	size_t len;

	for (; *text; text += len + (text[len] == '/')) {
		len = strcspn(text, "/");
		if (len == 2 && text[0] == '.' && text[1] == '.')
			return true;
	}
	return false;
}

static int locate(struct reader *reader, const struct node *item, const char *text,
		  struct included *out)
{
	const char *profiles = reader->all->options->profile_dir;

	if (!strncmp(text, "./", 2)) {
		if (has_parent(text))
			return reader_error(reader, item,
					    "included files lie beside the manifest or beneath it",
					    "`..` is not allowed in an include");
		out->origin = reader->origin;
		out->name = beside(reader->document->name, text + 2);
		if (asprintf(&out->path, "%s/%s", reader->folder, text + 2) < 0)
			out->path = NULL;
	} else {
		if (!profile_name_ok(text))
			return reader_error(reader, item,
					    "name a built-in profile, or a file as ./name.yaml",
					    "bad include \"%.80s\"", text);
		if (!profiles)
			return unknown_profile(reader, item, text);
		out->origin = ORIGIN_PROFILE;
		if (asprintf(&out->name, "profiles/%s.yaml", text) < 0)
			out->name = NULL;
		if (asprintf(&out->path, "%s/%s.yaml", profiles, text) < 0)
			out->path = NULL;
	}
	out->prefix = prefix_of(text);
	out->folder = out->path ? folder_of(out->path) : NULL;
	return out->name && out->path && out->prefix && out->folder ? 0 : -ENOMEM;
}

/* Reads the text as a manifest's part; the document is kept in all, for later messages. */
static int read_part(struct reader *parent, struct included *included, char *text, size_t len)
{
	struct reading *all = parent->all;
	struct document *document = &all->documents[all->document_count];
	struct reader reader = {
	    .all = all,
	    .document = document,
	    .origin = included->origin,
	    .prefix = included->prefix,
	    .folder = included->folder,
	    .depth = parent->depth + 1,
	};
	int err;

	all->texts[all->document_count] = text;
	all->names[all->document_count] = included->name;
	all->document_count++;
	err = document_read(included->name, text, len, document, all->diagnostics);
	included->name = NULL;
	return err ? err : manifest_root(&reader);
}

static int include_found(struct reader *reader, const struct node *item, const char *what,
			 struct included *included)
{
	char *text = NULL;
	size_t len = 0, seen = 0;
	int err = 0;

	switch (source_read(reader->all, included->path, false, &text, &len, &seen, &err)) {
	case SOURCE_SEEN:
		return 0;
	case SOURCE_CYCLE:
		return reader_error(reader, item, NULL, "\"%.80s\" includes itself", what);
	case SOURCE_FAILED:
		if (err == -ENOMEM)
			return err;
		if (err == -ENOENT && strncmp(what, "./", 2) != 0)
			return unknown_profile(reader, item, what);
		return reader_error(reader, item, NULL, "cannot include \"%.80s\": %s", what,
				    source_why(err));
	case SOURCE_READ:
		break;
	}
	err = read_part(reader, included, text, len);
	reader->all->seen[seen].open = false;
	return err;
}

static int include_item(struct reader *reader, const struct key *key, const struct node *item,
			size_t index, void *target)
{
	const char *text = reader_text(reader, item, "an item in include");
	struct included included = {0};
	int err;

	(void)key;
	(void)index;
	(void)target;
	if (!text)
		return -EINVAL;
	if (reader->depth >= LIMIT_INCLUDE_DEPTH)
		return reader_error(
		    reader, item, NULL,
		    "includes nested more than " LIMIT_NUMBER(LIMIT_INCLUDE_DEPTH) " deep");
	err = locate(reader, item, text, &included);
	if (!err)
		err = include_found(reader, item, text, &included);
	included_clear(&included);
	return err;
}

int include_list(struct reader *reader, const struct key *key, const struct node *value,
		 void *target)
{
	return reader_list(reader, value, "include", include_item, key, target);
}
