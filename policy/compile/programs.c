// SPDX-License-Identifier: Apache-2.0
/*
 * Grants that follow from grants: who may run a script may run its interpreter, and who may run a
 * dynamic program its loader. Of `#!/usr/bin/env X` that is env, not X. Folders and patterns of
 * exec.allow are searched, within bounds; links in them lead to grants of single files.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/compile/limits.h"
#include "policy/compile/listing.h"
#include "policy/compile/program_grants.h"
#include "policy/compile/resolve.h"
#include "policy/compile/siblings.h"
#include "policy/core/glob.h"

struct search {
	struct program_grants grants;
	size_t entries;	  /* names met in folders so far */
	const char *tail; /* of the searched pattern, after its root; NULL for a folder */
	size_t lead;	  /* bytes of the tail before its first wildcard */
	size_t root_len;
	struct siblings *siblings;
};

/* An open folder that is searched, by its real path. */
struct folder {
	const char *path;
	size_t len; /* of the path, 0 for the root */
	int fd;
	unsigned int depth;
};

/* Asked of every link between a granted place and a program. */
static int refuse_writable(void *context, const char *place)
{
	return resolve_writable(context, place) ? -EPERM : 0;
}

static bool is_program(const struct stat *about)
{
	return S_ISREG(about->st_mode) && (about->st_mode & 0111);
}

/* What the path leads to and its real path: 1; 0 when that is nothing to look into; -ENOMEM.
 * folders: they are searched, too. */
static int leads_to(struct search *search, const char *path, bool folders, char real[PATH_TEXT_MAX],
		    struct stat *about)
{
	struct model *model = search->grants.model;
	int err = resolve_path_seen(model, path, true, refuse_writable, model, real);
	bool held = err == -EPERM;

	if (held)
		err = resolve_path_seen(model, path, true, NULL, NULL, real);
	if (err || stat(real, about) != 0)
		return 0;
	if (held && (is_program(about) || (folders && S_ISDIR(about->st_mode))))
		return program_grants_hold_link(&search->grants, path, real);
	return held ? 0 : 1;
}

/* Found in a folder or by a pattern, which do not cover what a link in them leads to. */
static int visit_link(struct search *search, const char *path)
{
	char real[PATH_TEXT_MAX];
	struct stat about;
	int err = leads_to(search, path, false, real, &about);

	if (err <= 0 || !is_program(&about))
		return err < 0 ? err : 0;
	err = program_grant_target(&search->grants, real, path);
	return err ? err : program_grant_interpreters(&search->grants, real, path);
}

/* Whether the pattern matches the path, or may match something in it. */
static bool may_match(const struct search *search, const char *path, bool folder)
{
	const char *rest = path + search->root_len;
	uint64_t states;

	if (!search->tail)
		return true;
	rest += *rest == '/';
	if (!folder)
		return glob_tail(search->tail, strlen(search->tail), rest, strlen(rest));
	return !glob_states(search->tail, strlen(search->tail), rest, strlen(rest), &states) ||
	       states;
}

/* What a name is, which matters only of folders, links and programs: DT_UNKNOWN is all else. */
static uint8_t look(const struct folder *folder, const struct listing_name *name)
{
	struct stat about;

	if (name->type == DT_DIR || name->type == DT_LNK)
		return name->type;
	if (name->type != DT_REG && name->type != DT_UNKNOWN)
		return DT_UNKNOWN;
	if (fstatat(folder->fd, name->text, &about, AT_SYMLINK_NOFOLLOW))
		return DT_UNKNOWN;
	if (S_ISDIR(about.st_mode))
		return DT_DIR;
	if (S_ISLNK(about.st_mode))
		return DT_LNK;
	return is_program(&about) ? DT_REG : DT_UNKNOWN;
}

/* The path of a name beneath the folder; false when it is too long. */
static bool name_path(const struct folder *folder, const char *name, char out[PATH_TEXT_MAX])
{
	size_t len = strlen(name);

	if (folder->len + 1 + len >= PATH_TEXT_MAX)
		return false;
	memcpy(out, folder->path, folder->len);
	out[folder->len] = '/';
	memcpy(out + folder->len + 1, name, len + 1);
	return true;
}

/* What matches the tail begins with what stands before its first wildcard. */
static bool begins_like_tail(const struct search *search, const struct folder *folder,
			     const char *name)
{
	return folder->len != search->root_len || !search->lead ||
	       !strncmp(name, search->tail, search->lead);
}

/* Most names match nothing, whatever they are; most of the others are no programs. */
static uint8_t look_if_wanted(const struct search *search, const struct folder *folder,
			      const struct listing_name *name)
{
	char path[PATH_TEXT_MAX];
	uint8_t type;

	if (!search->tail)
		return look(folder, name);
	if (!begins_like_tail(search, folder, name->text) || !name_path(folder, name->text, path))
		return DT_UNKNOWN;
	if (!may_match(search, path, false) && !may_match(search, path, true))
		return DT_UNKNOWN;
	type = look(folder, name);
	return may_match(search, path, type == DT_DIR) ? type : DT_UNKNOWN;
}

static int visit_folder(struct search *search, const char *path, unsigned int depth);

/* One object beneath a searched place, by its real path: links to folders are not entered. */
static int visit(struct search *search, const struct folder *folder,
		 const struct listing_name *name)
{
	char path[PATH_TEXT_MAX];

	if (!name_path(folder, name->text, path))
		return 0;
	if (name->type == DT_LNK)
		return visit_link(search, path);
	if (name->type == DT_REG)
		return program_grant_interpreters(&search->grants, path, NULL);
	return folder->depth < LIMIT_PROGRAM_FOLDERS ? visit_folder(search, path, folder->depth + 1)
						     : 0;
}

/* A copy of the names; where they are too many, the first of them by name. */
static size_t copy_names(struct search *search, const struct listing *names,
			 struct listing_name *out)
{
	size_t left = LIMIT_ENTRIES - search->entries, count = names->count;

	memcpy(out, names->names, count * sizeof(*out));
	if (count > left) {
		listing_sort(out, count);
		count = left;
	}
	search->entries += count;
	return count;
}

/* Looked at in the order that they come in, visited in that of their names. */
static int visit_names(struct search *search, const struct folder *folder,
		       const struct listing *names)
{
	struct listing_name *found = calloc(names->count + 1, sizeof(*found));
	size_t count, wanted = 0;
	int err = 0;

	if (!found)
		return -ENOMEM;
	count = copy_names(search, names, found);
	for (size_t i = 0; i < count; i++) {
		found[wanted] = found[i];
		found[wanted].type = look_if_wanted(search, folder, &found[i]);
		wanted += found[wanted].type != DT_UNKNOWN;
	}
	listing_sort(found, wanted);
	for (size_t i = 0; !err && i < wanted && search->grants.programs < LIMIT_PROGRAMS; i++)
		err = visit(search, folder, &found[i]);
	free(found);
	return err;
}

/* Where a search begins another has often begun, and the plan will look as well. */
static int read_and_visit(struct search *search, const struct folder *folder)
{
	const struct listing *kept =
	    folder->depth ? NULL : siblings_listing(search->siblings, folder->path);
	struct listing fresh;
	int err;

	if (kept)
		return visit_names(search, folder, kept);
	err = listing_read(folder->fd, LIMIT_ENTRIES, &fresh);
	if (!err)
		err = visit_names(search, folder, &fresh);
	listing_free(&fresh);
	return err;
}

static int visit_folder(struct search *search, const char *path, unsigned int depth)
{
	struct folder folder = {
	    .path = path,
	    .len = path[1] ? strlen(path) : 0,
	    .fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
	    .depth = depth,
	};
	int err;

	if (folder.fd < 0)
		return 0;
	err = read_and_visit(search, &folder);
	close(folder.fd);
	return err;
}

/* The folder that a pattern's search begins in: what stands before its first wildcard. */
static void search_root(const char *pattern, char out[PATH_TEXT_MAX])
{
	size_t len = strcspn(pattern, "*?[\\");

	while (len > 1 && pattern[len - 1] != '/')
		len--;
	while (len > 1 && pattern[len - 1] == '/')
		len--;
	memcpy(out, pattern, len);
	out[len] = '\0';
}

static int visit_file(struct search *search, const char *real, const char *spelled,
		      const struct stat *about)
{
	if (!is_program(about))
		return 0;
	return program_grant_interpreters(&search->grants, real,
					  strcmp(real, spelled) != 0 ? spelled : NULL);
}

static int visit_rule(struct search *search)
{
	const struct model_rule *rule = &search->grants.model->rules[search->grants.rule];
	char root[PATH_TEXT_MAX], real[PATH_TEXT_MAX];
	struct stat about;
	int err;

	search->tail = NULL;
	search->lead = 0;
	if (rule->pattern)
		search_root(rule->text, root);
	else
		strcpy(root, rule->text);
	err = leads_to(search, root, true, real, &about);
	if (err <= 0)
		return err;
	if (rule->pattern) {
		search->tail = rule->text + strlen(root) + (root[1] != '\0');
		search->lead = strcspn(search->tail, "*?[\\/");
	}
	search->root_len = real[1] ? strlen(real) : 0;
	if (S_ISDIR(about.st_mode))
		return visit_folder(search, real, 0);
	return rule->pattern ? 0 : visit_file(search, real, root, &about);
}

int programs_resolve(struct model *model, struct siblings *siblings,
		     struct diagnostics *diagnostics)
{
	struct search search = {.grants = {.model = model, .diagnostics = diagnostics},
				.siblings = siblings};
	struct program_grants *grants = &search.grants;
	size_t own = model->rule_count; /* those after are implied */
	int err = 0;

	for (size_t i = 0; !err && i < own; i++)
		err = program_grants_note(grants, &model->rules[i]);
	for (; !err && grants->rule < own; grants->rule++)
		if (model->rules[grants->rule].section == SECTION_EXEC_ALLOW)
			err = visit_rule(&search);
	if (!err)
		program_grants_warn_held(grants);
	program_grants_free(grants);
	return err;
}
