// SPDX-License-Identifier: Apache-2.0
/*
 * Where a script's grant names its arguments, its interpreter is granted with the arguments that
 * the kernel makes of them ([argument] script arguments) and no others: who may run `deploy status`
 * may not run `sh deploy prod`.
 */
#include "policy/compile/program_grants.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/arguments.h"
#include "policy/compile/limits.h"
#include "policy/compile/reader.h"
#include "policy/compile/resolve.h"
#include "policy/core/decide.h"
#include "policy/core/path.h"

static bool granted_already(const struct program_grants *grants, const char *path)
{
	return path_map_get(&grants->granted, path, strlen(path), NULL) != 0;
}

int program_grants_note(struct program_grants *grants, const struct model_rule *rule)
{
	if (rule->section != SECTION_EXEC_ALLOW || rule->pattern || rule->conditions ||
	    granted_already(grants, rule->text))
		return 0;
	return path_map_put(&grants->granted, rule->text, strlen(rule->text), 1, NULL);
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
static int imply(struct program_grants *grants, const char *path, const char *program,
		 bool conditions, const char *before)
{
	const struct model_rule *from;
	struct model_rule *rule;
	int err = 0;

	if (granted_already(grants, path))
		return 0;
	rule = model_rule_new(grants->model);
	if (!rule)
		return -ENOMEM;
	from = &grants->model->rules[grants->rule];
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
		err = resolve_implied(grants->model, rule);
	return err ? err : program_grants_note(grants, rule);
}

static void warn(const struct program_grants *grants, const char *format, const char *what)
{
	const struct model_rule *rule = &grants->model->rules[grants->rule];

	diagnostics_add(grants->diagnostics, SEVERITY_WARNING, rule->file, rule->line, rule->column,
			1, NULL, NULL, format, what);
}

static bool over_budget(struct program_grants *grants)
{
	if (grants->programs++ < LIMIT_PROGRAMS)
		return false;
	if (!grants->warned)
		warn(grants,
		     "too many programs to look into: grant the interpreters of the others by "
		     "name%s",
		     "");
	grants->warned = true;
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
static int imply_interpreter(struct program_grants *grants, const char *interpreter,
			     const char *program, const char *argument, char **words)
{
	char clean[PATH_TEXT_MAX];
	long len = path_join("/", 1, interpreter, strlen(interpreter), clean, sizeof(clean));
	int err = *words ? put_before(words, argument) : 0;

	/* `..` in it would need the links before it; nobody writes that. */
	if (len < 0 || strstr(interpreter, "/.."))
		return 0;
	if (!err)
		err = imply(grants, clean, program, false, *words);
	/* Of the next one the name of this is an argument, as it is written. */
	if (!err && *words)
		err = put_before(words, interpreter);
	return err;
}

#define HEAD_NONE 1
#define HEAD_LOADER 2

/* interpreter_of_script(). Of a program that will be asked about again it is remembered, unless it
 * is a script: those are few. */
static int read_program(struct program_grants *grants, const char *program, bool remember,
			char out[PATH_TEXT_MAX], char argument[INTERPRETER_ARGUMENT_MAX])
{
	const char *loader = NULL;
	size_t len = strlen(program);
	uint8_t known = path_map_get(&grants->heads, program, len, &loader);
	int kind;

	if (known == HEAD_NONE)
		return -ENOENT;
	if (known == HEAD_LOADER) {
		strcpy(out, loader);
		return 0;
	}
	kind = interpreter_of_script(program, out, argument);
	if (remember && kind <= 0)
		path_map_put(&grants->heads, program, len, kind ? HEAD_NONE : HEAD_LOADER,
			     kind ? NULL : out);
	return kind;
}

/* Another rule may grant what is named yet: whether it is missed shows at the end. */
static int hold_back(struct program_grants *grants, bool link, const char *program,
		     const char *named)
{
	struct held_back *held =
	    reallocarray(grants->held_back, grants->held_count + 1, sizeof(*held));

	if (!held)
		return -ENOMEM;
	grants->held_back = held;
	held += grants->held_count;
	*held = (struct held_back){grants->rule, link, strdup(program), strdup(named)};
	grants->held_count++;
	return held->program && held->named ? 0 : -ENOMEM;
}

int program_grants_hold_link(struct program_grants *grants, const char *link, const char *real)
{
	return hold_back(grants, true, link, real);
}

static bool is_granted(const struct program_grants *grants, const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < grants->model->rule_count; i++) {
		const struct model_rule *rule = &grants->model->rules[i];
		size_t rule_len = strlen(rule->text);

		if (rule->section == SECTION_EXEC_ALLOW && !rule->conditions &&
		    (rule->pattern ? path_matches(rule->text, rule_len, path, len)
				   : path_within(path, len, rule->text, rule_len)))
			return true;
	}
	return false;
}

static bool is_missed(const struct program_grants *grants, const struct held_back *held)
{
	char clean[PATH_TEXT_MAX];
	long len = path_join("/", 1, held->named, strlen(held->named), clean, sizeof(clean));

	return len < 0 || !is_granted(grants, clean);
}

static void warn_held(const struct program_grants *grants, const struct held_back *first,
		      size_t more)
{
	const struct model_rule *rule = &grants->model->rules[first->rule];
	char others[48] = "";

	if (more)
		snprintf(others, sizeof(others), " (and %zu more so)", more);
	diagnostics_add(grants->diagnostics, SEVERITY_WARNING, rule->file, rule->line, rule->column,
			1, NULL, NULL,
			"the agent may write %s%s, so that %s is not granted with it: name %s%s",
			first->link ? "the link " : "", first->program,
			first->link ? "what it leads to" : "its interpreter", first->named, others);
}

static void warn_kind(struct program_grants *grants, bool link)
{
	const struct held_back *first = NULL;
	size_t more = 0;

	for (size_t i = 0; i < grants->held_count; i++) {
		const struct held_back *held = &grants->held_back[i];

		if (held->link != link || !is_missed(grants, held))
			continue;
		if (first && first->rule == held->rule) {
			more++;
			continue;
		}
		if (first)
			warn_held(grants, first, more);
		first = held;
		more = 0;
	}
	if (first)
		warn_held(grants, first, more);
}

void program_grants_warn_held(struct program_grants *grants)
{
	warn_kind(grants, false);
	warn_kind(grants, true);
}

static int chain_from(struct program_grants *grants, const char *real, bool linked, char **words)
{
	char program[PATH_TEXT_MAX], interpreter[PATH_TEXT_MAX];
	char argument[INTERPRETER_ARGUMENT_MAX];
	int err = 0;

	strcpy(program, real);
	for (unsigned int depth = 0; !err && depth <= LIMIT_INTERPRETERS; depth++) {
		argument[0] = '\0';
		int kind = over_budget(grants) ? -ENOENT
					       : read_program(grants, program, linked || depth > 0,
							      interpreter, argument);

		if (kind < 0)
			return 0;
		if (strlen(interpreter) >= PATH_TEXT_MAX)
			return 0;
		if (resolve_writable(grants->model, program))
			return hold_back(grants, false, program, interpreter);
		/* A loader is not started with the program's arguments: the gate judges what it
		 * loads. */
		char *none = NULL;

		err = imply_interpreter(grants, interpreter, program, argument,
					kind == 1 ? words : &none);
		if (!err &&
		    resolve_path_seen(grants->model, interpreter, true, NULL, NULL, program))
			return 0;
	}
	return err;
}

int program_grant_interpreters(struct program_grants *grants, const char *real, const char *spelled)
{
	bool args = grants->model->rules[grants->rule].conditions & CONDITION_ARGS;
	const char *names[] = {real, spelled};
	int err = 0;

	for (size_t i = 0; i < (args && spelled ? 2 : 1) && !err; i++) {
		char *words = args ? arguments_literal(names[i]) : NULL;

		err = args && !words ? -ENOMEM : chain_from(grants, real, spelled, &words);
		free(words);
	}
	return err;
}

int program_grant_target(struct program_grants *grants, const char *real, const char *spelled)
{
	return imply(grants, real, spelled, true, NULL);
}

void program_grants_free(struct program_grants *grants)
{
	for (size_t i = 0; i < grants->held_count; i++) {
		free(grants->held_back[i].program);
		free(grants->held_back[i].named);
	}
	free(grants->held_back);
	path_map_free(&grants->granted);
	path_map_free(&grants->heads);
}
