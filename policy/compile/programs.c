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
#include "policy/core/glob.h"

/* Where searches begin, often in the same folder as the one before. */
struct root {
	char path[PATH_TEXT_MAX]; /* real; "": none yet */
	struct listing names;
};

struct search {
	struct program_grants grants;
	size_t entries;	  /* names met in folders so far */
	const char *tail; /* of the searched pattern, after its root; NULL for a folder */
	size_t lead;	  /* bytes of the tail before its first wildcard */
	size_t root_len;
	struct root root;
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

/* What the path leads to and its real path; false when that is nothing to look into. */
static bool leads_to(struct search *search, const char *path, char real[PATH_TEXT_MAX],
		     struct stat *about)
{
	struct model *model = search->grants.model;
	int err = resolve_path_seen(model, path, true, refuse_writable, model, real);

	if (err == -EPERM)
		program_grants_warn(&search->grants,
				    "the agent may write a link in %s, so that it is not followed: "
				    "grant what it leads to",
				    path);
	return !err && stat(real, about) == 0;
}

/* Found in a folder or by a pattern, which do not cover what a link in them leads to. */
static int visit_link(struct search *search, const char *path)
{
	char real[PATH_TEXT_MAX];
	struct stat about;
	int err;

	if (!leads_to(search, path, real, &about) || !is_program(&about))
		return 0;
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

/* A name that the folder's list says nothing of, or whose permissions are asked for. */
static uint8_t look(const struct folder *folder, const char *name, bool *program)
{
	struct stat about;

	*program = false;
	if (fstatat(folder->fd, name, &about, AT_SYMLINK_NOFOLLOW))
		return DT_UNKNOWN;
	*program = is_program(&about);
	return S_ISDIR(about.st_mode)	? DT_DIR
	       : S_ISLNK(about.st_mode) ? DT_LNK
	       : S_ISREG(about.st_mode) ? DT_REG
					: DT_UNKNOWN;
}

static int visit_folder(struct search *search, const char *path, unsigned int depth);

/* One object beneath a searched place, by its real path: links to folders are not entered. */
static int visit(struct search *search, const struct folder *folder,
		 const struct listing_name *name, const char *path)
{
	uint8_t type = name->type;
	bool program = false;

	/* Most names match nothing, whatever they are. */
	if (!may_match(search, path, false) && !may_match(search, path, true))
		return 0;
	if (type == DT_REG || type == DT_UNKNOWN)
		type = look(folder, name->text, &program);
	if (!may_match(search, path, type == DT_DIR))
		return 0;
	if (type == DT_DIR)
		return folder->depth < LIMIT_PROGRAM_FOLDERS
			   ? visit_folder(search, path, folder->depth + 1)
			   : 0;
	if (type == DT_LNK)
		return visit_link(search, path);
	return program ? program_grant_interpreters(&search->grants, path, NULL) : 0;
}

/* What matches the tail begins with what stands before its first wildcard. */
static bool begins_like_tail(const struct search *search, const char *rest)
{
	return !strncmp(rest, search->tail ? search->tail : "", search->lead);
}

static int visit_names(struct search *search, const struct folder *folder,
		       const struct listing *names)
{
	char path[PATH_TEXT_MAX];
	size_t room = sizeof(path) - folder->len - 1, below = folder->len - search->root_len;
	int err = 0;

	memcpy(path, folder->path, folder->len);
	path[folder->len] = '/';
	for (size_t i = 0; i < names->count && !err; i++) {
		const struct listing_name *name = &names->names[i];
		size_t len = strlen(name->text);

		if (search->grants.programs >= LIMIT_PROGRAMS || search->entries++ >= LIMIT_ENTRIES)
			break;
		if (len >= room)
			continue;
		memcpy(path + folder->len + 1, name->text, len + 1);
		if (below || begins_like_tail(search, name->text))
			err = visit(search, folder, name, path);
	}
	return err;
}

/* The listing of the folder that the search before this one began in is kept. */
static int read_names(struct search *search, const struct folder *folder, struct listing **names,
		      struct listing *fresh)
{
	struct root *root = &search->root;
	int err;

	*fresh = (struct listing){0};
	*names = folder->depth ? fresh : &root->names;
	if (!folder->depth && !strcmp(root->path, folder->path))
		return 0;
	if (!folder->depth) {
		listing_free(&root->names);
		root->path[0] = '\0';
	}
	err = listing_read(folder->fd, LIMIT_PROGRAMS, *names);
	if (!err && !folder->depth)
		strcpy(root->path, folder->path);
	return err;
}

static int visit_folder(struct search *search, const char *path, unsigned int depth)
{
	struct folder folder = {
	    .path = path,
	    .len = path[1] ? strlen(path) : 0,
	    .fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
	    .depth = depth,
	};
	struct listing fresh, *names;
	int err;

	if (folder.fd < 0)
		return 0;
	err = read_names(search, &folder, &names, &fresh);
	if (!err)
		err = visit_names(search, &folder, names);
	listing_free(&fresh);
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

	search->tail = NULL;
	search->lead = 0;
	if (rule->pattern)
		search_root(rule->text, root);
	else
		strcpy(root, rule->text);
	if (!leads_to(search, root, real, &about))
		return 0;
	if (rule->pattern) {
		search->tail = rule->text + strlen(root) + (root[1] != '\0');
		search->lead = strcspn(search->tail, "*?[\\/");
	}
	search->root_len = real[1] ? strlen(real) : 0;
	if (S_ISDIR(about.st_mode))
		return visit_folder(search, real, 0);
	return rule->pattern ? 0 : visit_file(search, real, root, &about);
}

int programs_resolve(struct model *model, struct diagnostics *diagnostics)
{
	struct search search = {.grants = {.model = model, .diagnostics = diagnostics}};
	struct program_grants *grants = &search.grants;
	size_t own = model->rule_count; /* those after are implied */
	int err = 0;

	for (size_t i = 0; !err && i < own; i++)
		err = program_grants_note(grants, &model->rules[i]);
	for (; !err && grants->rule < own; grants->rule++)
		if (model->rules[grants->rule].section == SECTION_EXEC_ALLOW)
			err = visit_rule(&search);
	listing_free(&search.root.names);
	program_grants_free(grants);
	return err;
}
