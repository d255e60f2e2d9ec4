// SPDX-License-Identifier: Apache-2.0
/*
 * Grants that follow from grants: who may run a script may run its interpreter, and who may run a
 * dynamic program its loader. Of `#!/usr/bin/env X` that is env, not X. Folders and patterns of
 * exec.allow are searched, within bounds; links in them lead to grants of single files.
 *
 * Where a script's grant names its arguments, its interpreter is granted with the arguments that
 * the kernel makes of them ([argument] script arguments) and no others: who may run `deploy status`
 * may not run `sh deploy prod`.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/compile/arguments.h"
#include "policy/compile/limits.h"
#include "policy/compile/path_map.h"
#include "policy/compile/reader.h"
#include "policy/compile/resolve.h"
#include "policy/core/decide.h"
#include "policy/core/glob.h"

struct search {
	struct model *model;
	struct diagnostics *diagnostics;
	size_t rule;	  /* the one that is searched for; by number, since the rules move */
	size_t own;	  /* rules of the manifest; those after are implied */
	size_t programs;  /* looked into so far */
	size_t entries;	  /* names met in folders so far */
	const char *tail; /* of the searched pattern, after its root; NULL for a folder */
	size_t root_len;
	bool warned;
	struct path_map granted; /* as they are, without conditions */
	struct path_map heads;	 /* of interpreters: many programs have the same */
};

static bool granted_already(const struct search *search, const char *path)
{
	return path_map_get(&search->granted, path, strlen(path), NULL) != 0;
}

static int note_granted(struct search *search, const struct model_rule *rule)
{
	if (rule->section != SECTION_EXEC_ALLOW || rule->pattern || rule->conditions ||
	    granted_already(search, rule->text))
		return 0;
	return path_map_put(&search->granted, rule->text, strlen(rule->text), 1, NULL);
}

/* The searched rule's alternatives, each behind the words that the kernel puts before it. */
static int add_args(struct model_rule *rule, const struct model_rule *from, const char *before)
{
	int err = 0;

	for (size_t i = 0; i < from->args.count && !err; i++) {
		const char *rest = from->args.items[i];
		char *text = NULL;

		if (asprintf(&text, "%s%s%s", before, *before && *rest ? " " : "", rest) < 0)
			return -ENOMEM;
		err = string_list_add(&rule->args, text);
		free(text);
	}
	rule->conditions |= CONDITION_ARGS;
	return err;
}

/* A grant of `path` that stands where the searched rule stands. `conditions`: with all of its
 * conditions, as the same program; `before`: an interpreter, with those words before its
 * arguments; neither: without conditions. */
static int imply(struct search *search, const char *path, const char *program, bool conditions,
		 const char *before)
{
	const struct model_rule *from;
	struct model_rule *rule;
	int err = 0;

	if (granted_already(search, path))
		return 0;
	rule = model_rule_new(search->model);
	if (!rule)
		return -ENOMEM;
	from = &search->model->rules[search->rule];
	rule->section = SECTION_EXEC_ALLOW;
	rule->origin = ORIGIN_IMPLIED;
	rule->rights = model_section_rights(rule->section, &rule->denial);
	if (conditions) {
		rule->conditions = from->conditions;
		memcpy(rule->sha256, from->sha256, sizeof(rule->sha256));
	}
	if (before || (conditions && (from->conditions & CONDITION_ARGS)))
		err = add_args(rule, from, before ? before : "");
	rule->line = from->line;
	rule->column = from->column;
	rule->id = strdup(from->id);
	rule->file = strdup(from->file);
	rule->text = strdup(path);
	if (!err && !(rule->id && rule->file && rule->text))
		err = -ENOMEM;
	if (!err &&
	    asprintf(&rule->reason, "%s %s",
		     conditions ? "what the link leads to:" : "the interpreter of", program) < 0) {
		rule->reason = NULL;
		err = -ENOMEM;
	}
	if (!err)
		err = resolve_implied(search->model, rule);
	return err ? err : note_granted(search, rule);
}

static void warn(struct search *search, const char *format, const char *what)
{
	const struct model_rule *rule = &search->model->rules[search->rule];

	diagnostics_add(search->diagnostics, SEVERITY_WARNING, rule->file, rule->line, rule->column,
			1, NULL, NULL, format, what);
}

static bool over_budget(struct search *search)
{
	if (search->programs++ < LIMIT_PROGRAMS)
		return false;
	if (!search->warned)
		warn(search,
		     "too many programs to look into: grant the interpreters of the others by "
		     "name%s",
		     "");
	search->warned = true;
	return true;
}

/* Puts one word before the others, in canonical spelling; the empty word "" counts for nothing. */
static int put_before(char **words, const char *word)
{
	char *literal, *joined = NULL;

	if (!*word)
		return 0;
	literal = arguments_literal(word);
	if (!literal)
		return -ENOMEM;
	if (asprintf(&joined, "%s%s%s", literal, **words ? " " : "", *words) < 0)
		joined = NULL;
	free(literal);
	if (!joined)
		return -ENOMEM;
	free(*words);
	*words = joined;
	return 0;
}

/* One interpreter of the chain. `words` are those that come before the program's own arguments,
 * NULL for a program whose arguments are not named. */
static int imply_interpreter(struct search *search, const char *interpreter, const char *program,
			     const char *argument, char **words)
{
	char clean[PATH_TEXT_MAX];
	long len = path_join("/", 1, interpreter, strlen(interpreter), clean, sizeof(clean));
	int err = *words ? put_before(words, argument) : 0;

	/* `..` in it would need the links before it; nobody writes that. */
	if (len < 0 || strstr(interpreter, "/.."))
		return 0;
	if (!err)
		err = imply(search, clean, program, false, *words);
	/* Of the next one the name of this is an argument, as it is written. */
	if (!err && *words)
		err = put_before(words, interpreter);
	return err;
}

#define HEAD_NONE 1
#define HEAD_LOADER 2

/* interpreter_of_script(). Of a program that is itself an interpreter it is remembered, unless that
 * is a script: those are few. */
static int read_program(struct search *search, const char *program, bool remember,
			char out[PATH_TEXT_MAX], char argument[INTERPRETER_ARGUMENT_MAX])
{
	const char *loader = NULL;
	size_t len = strlen(program);
	uint8_t known = path_map_get(&search->heads, program, len, &loader);
	int kind;

	if (known == HEAD_NONE)
		return -ENOENT;
	if (known == HEAD_LOADER) {
		strcpy(out, loader);
		return 0;
	}
	kind = interpreter_of_script(program, out, argument);
	if (remember && kind <= 0)
		path_map_put(&search->heads, program, len, kind ? HEAD_NONE : HEAD_LOADER,
			     kind ? NULL : out);
	return kind;
}

static int chain_from(struct search *search, const char *real, char **words)
{
	char program[PATH_TEXT_MAX], interpreter[PATH_TEXT_MAX];
	char argument[INTERPRETER_ARGUMENT_MAX];
	int err = 0;

	strcpy(program, real);
	for (unsigned int depth = 0; !err && depth <= LIMIT_INTERPRETERS; depth++) {
		argument[0] = '\0';
		int kind = over_budget(search)
			       ? -ENOENT
			       : read_program(search, program, depth > 0, interpreter, argument);

		if (kind < 0)
			return 0;
		if (strlen(interpreter) >= PATH_TEXT_MAX)
			return 0;
		if (resolve_writable(search->model, program)) {
			warn(search,
			     "the agent may write %s, so that its interpreter is not granted with "
			     "it: name the interpreter",
			     program);
			return 0;
		}
		/* A loader is not started with the program's arguments: the gate judges what it
		 * loads. */
		char *none = NULL;

		err = imply_interpreter(search, interpreter, program, argument,
					kind == 1 ? words : &none);
		if (!err &&
		    resolve_path_seen(search->model, interpreter, true, NULL, NULL, program))
			return 0;
	}
	return err;
}

/* The chain of interpreters of one program, by its real path. `spelled`: another way to write it
 * that is granted too, or NULL. */
static int chain(struct search *search, const char *real, const char *spelled)
{
	bool args = search->model->rules[search->rule].conditions & CONDITION_ARGS;
	const char *names[] = {real, spelled};
	int err = 0;

	for (size_t i = 0; i < (args && spelled ? 2 : 1) && !err; i++) {
		char *words = args ? arguments_literal(names[i]) : NULL;

		err = args && !words ? -ENOMEM : chain_from(search, real, &words);
		free(words);
	}
	return err;
}

/* Asked of every link between a granted place and a program. */
static int refuse_writable(void *context, const char *place)
{
	return resolve_writable(context, place) ? -EPERM : 0;
}

/* A file by its real path. `spelled`: the link that leads to it, or NULL; `found`: in a folder or
 * by a pattern, which do not cover what a link in them leads to. */
static int visit_file(struct search *search, const char *real, const char *spelled, bool found,
		      const struct stat *about)
{
	int err = 0;

	if (!S_ISREG(about->st_mode) || !(about->st_mode & 0111))
		return 0;
	if (found && spelled)
		err = imply(search, real, spelled, true, NULL);
	return err ? err : chain(search, real, spelled);
}

/* What the path leads to and its real path; false when that is nothing to look into. */
static bool leads_to(struct search *search, const char *path, char real[PATH_TEXT_MAX],
		     struct stat *about)
{
	int err =
	    resolve_path_seen(search->model, path, true, refuse_writable, search->model, real);

	if (err == -EPERM)
		warn(search,
		     "the agent may write a link in %s, so that it is not followed: grant "
		     "what it leads to",
		     path);
	return !err && stat(real, about) == 0;
}

static int visit_link(struct search *search, const char *path)
{
	char real[PATH_TEXT_MAX];
	struct stat about;

	return leads_to(search, path, real, &about) ? visit_file(search, real, path, true, &about)
						    : 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of a folder, sorted, so that the same folder gives the same rules. */
static int list_folder(const char *folder, struct string_list *names)
{
	DIR *stream = opendir(folder);
	struct dirent *entry;
	int err = 0;

	if (!stream)
		return 0;
	while (!err && names->count <= LIMIT_PROGRAMS && (entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			err = string_list_add(names, entry->d_name);
	closedir(stream);
	if (names->count)
		qsort(names->items, names->count, sizeof(*names->items), compare_names);
	return err;
}

static int visit(struct search *search, const char *path, unsigned int depth);

static int visit_folder(struct search *search, const char *folder, unsigned int depth)
{
	struct string_list names = {0};
	int err = list_folder(folder, &names);

	for (size_t i = 0; i < names.count; i++) {
		char path[PATH_TEXT_MAX];

		if (!err &&
		    (size_t)snprintf(path, sizeof(path), "%s/%s", strcmp(folder, "/") ? folder : "",
				     names.items[i]) < sizeof(path))
			err = visit(search, path, depth);
		free(names.items[i]);
	}
	free(names.items);
	return err;
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

/* One object beneath a searched place, by its real path: links to folders are not entered. */
static int visit(struct search *search, const char *path, unsigned int depth)
{
	struct stat st;

	if (search->programs >= LIMIT_PROGRAMS || search->entries++ >= LIMIT_ENTRIES)
		return 0;
	/* Most names match nothing, whatever they are. */
	if (!may_match(search, path, false) && !may_match(search, path, true))
		return 0;
	if (lstat(path, &st) || !may_match(search, path, S_ISDIR(st.st_mode)))
		return 0;
	if (S_ISDIR(st.st_mode))
		return depth < LIMIT_PROGRAM_FOLDERS ? visit_folder(search, path, depth + 1) : 0;
	return S_ISLNK(st.st_mode) ? visit_link(search, path)
				   : visit_file(search, path, NULL, true, &st);
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

static int visit_rule(struct search *search)
{
	const struct model_rule *rule = &search->model->rules[search->rule];
	char root[PATH_TEXT_MAX], real[PATH_TEXT_MAX];
	struct stat st;

	search->tail = NULL;
	if (rule->pattern)
		search_root(rule->text, root);
	else
		strcpy(root, rule->text);
	if (!leads_to(search, root, real, &st))
		return 0;
	if (rule->pattern)
		search->tail = rule->text + strlen(root) + (root[1] != '\0');
	search->root_len = real[1] ? strlen(real) : 0;
	if (S_ISDIR(st.st_mode))
		return visit_folder(search, real, 0);
	if (rule->pattern)
		return 0;
	return visit_file(search, real, strcmp(real, root) != 0 ? root : NULL, false, &st);
}

int programs_resolve(struct model *model, struct diagnostics *diagnostics)
{
	struct search search = {
	    .model = model, .diagnostics = diagnostics, .own = model->rule_count};
	int err = 0;

	for (size_t i = 0; !err && i < search.own; i++)
		err = note_granted(&search, &model->rules[i]);
	for (search.rule = 0; !err && search.rule < search.own; search.rule++)
		if (model->rules[search.rule].section == SECTION_EXEC_ALLOW)
			err = visit_rule(&search);
	path_map_free(&search.granted);
	path_map_free(&search.heads);
	return err;
}
