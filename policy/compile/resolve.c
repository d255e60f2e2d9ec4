// SPDX-License-Identifier: Apache-2.0
/*
 * Symbolic links. The walk goes component by component with readlink alone, so that it sees every
 * link by its place and can stop before the ones that must not be followed: magic links of /proc
 * mean another object for every process, and links that the agent may write are the agent's word.
 *
 * Each place is looked at once in a compilation (model.places): the rules of a manifest stand beside
 * each other, and their folders would be asked for again with every one of them.
 */
#include "policy/compile/resolve.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/compile/limits.h"
#include "policy/compile/path_map.h"
#include "policy/compile/paths.h"
#include "policy/compile/reader.h"
#include "policy/compile/siblings.h"
#include "policy/compile/writes.h"

/* What is left to walk: a path and the targets of the links before it. */
#define REST_MAX (PATH_TEXT_MAX * 4)

/* What is known of a place. */
enum seen { SEEN_PLAIN = 1, SEEN_MISSING, SEEN_LINK };

struct places {
	struct path_map seen;
	struct siblings *siblings; /* or NULL */
	struct writes writes;
	struct path_map followed; /* what stands in the guards' lists */
};

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

/* What the place is, 0 when that cannot be told; of a link also where it leads, NUL-ended. One that
 * does not fit is too long for the walk. */
static enum seen look(struct places *places, const char *path, size_t path_len,
		      char target[PATH_TEXT_MAX + 1])
{
	const char *text = NULL;
	enum seen kind = places ? path_map_get(&places->seen, path, path_len, &text) : 0;
	ssize_t len;

	if (kind == SEEN_LINK)
		strcpy(target, text);
	if (kind)
		return kind;
	if (places && is_listed(places, path, path_len))
		return SEEN_PLAIN;
	len = readlink(path, target, PATH_TEXT_MAX);
	if (len < 0 && errno != EINVAL && errno != ENOENT && errno != ENOTDIR)
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
	enum seen kind = look(walk->places, walk->out, walk->len, target);
	size_t left_len = strlen(left), len;
	int err;

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
static size_t known_prefix(const struct path_map *seen, const char *path, size_t len,
			   enum seen *ret_kind)
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

/* The whole walk for a path that is spelled as it is: true when no link is on it, so that it
 * resolves to itself whoever asks. */
static bool is_plain(struct places *places, const char *path)
{
	char part[PATH_TEXT_MAX], target[PATH_TEXT_MAX + 1];
	size_t len = strlen(path), at;
	enum seen kind;

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
	if (is_plain(walk.places, path)) {
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

/* What links that grants go through are asked about, and where they are noted. */
struct guard {
	const struct model *model;
	struct string_list *followed; /* or NULL */
	bool follows_all;	      /* for denials: a link of the agent's hides nothing */
	bool asks_none;		      /* every link is followed, and none is noted */
};

/* The place that a grant names is the operator's word, what lies in it is the agent's. */
bool resolve_writable(const struct model *model, const char *path)
{
	struct writes writes;
	bool allowed = true;

	if (model->places)
		return writes_allowed(&model->places->writes, path, false);
	/* Without memory a link counts as the agent's: it is not followed. */
	if (!writes_read(&writes, model))
		allowed = writes_allowed(&writes, path, false);
	writes_free(&writes);
	return allowed;
}

/* After the spellings of the rules that grant or deny writing have changed. */
static int read_writes(struct model *model)
{
	writes_free(&model->places->writes);
	return writes_read(&model->places->writes, model);
}

static int ask_guard(void *context, const char *place)
{
	struct guard *guard = context;
	struct path_map *followed = &guard->model->places->followed;
	size_t len = strlen(place);

	if (guard->asks_none)
		return 0;
	if (!guard->follows_all && resolve_writable(guard->model, place))
		return -EPERM;
	if (!guard->followed || path_map_get(followed, place, len, NULL))
		return 0;
	return path_map_put(followed, place, len, 1, NULL)
		   ? -ENOMEM
		   : string_list_add(guard->followed, place);
}

static int add_spelling(struct string_list *list, const char *text, const char *spelling)
{
	if (!strcmp(text, spelling))
		return 0;
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i], spelling))
			return 0;
	return string_list_add(list, spelling);
}

/* The literal folders before the first wildcard, unquoted; "" when there are none. Returns where
 * the rest begins, at its slash. */
static size_t literal_prefix(const char *pattern, char out[PATH_TEXT_MAX])
{
	size_t end = 0, to = 0;

	for (size_t at = 0; pattern[at]; at++) {
		if (strchr("*?[", pattern[at]))
			break;
		if (pattern[at] == '/')
			end = at;
		if (pattern[at] == '\\')
			at++;
	}
	for (size_t from = 0; from < end; from++) {
		if (pattern[from] == '\\')
			from++;
		out[to++] = pattern[from];
	}
	out[to] = '\0';
	return end;
}

/* A pattern with its literal folders resolved. */
static int spell_pattern(const char *pattern, struct guard *guard, struct string_list *list)
{
	char prefix[PATH_TEXT_MAX], real[PATH_TEXT_MAX], quoted[PATH_TEXT_MAX];
	size_t end = literal_prefix(pattern, prefix), len;
	char *spelling = NULL;
	int err;

	if (!prefix[0] || resolve_path_seen(guard->model, prefix, true, ask_guard, guard, real))
		return 0;
	len = strcmp(real, "/") ? paths_quote(real, quoted) : 0;
	if (len + strlen(pattern + end) >= PATH_TEXT_MAX)
		return 0;
	spelling = malloc(PATH_TEXT_MAX);
	if (!spelling)
		return -ENOMEM;
	memcpy(spelling, quoted, len);
	strcpy(spelling + len, pattern + end);
	err = add_spelling(list, pattern, spelling);
	free(spelling);
	return err;
}

/* Both what the path leads to and, when it is a link itself, the link's own place. */
static int spell_literal(const char *text, struct guard *guard, struct string_list *list)
{
	char real[PATH_TEXT_MAX];
	int err = 0;

	if (is_plain(guard->model->places, text))
		return 0;
	if (!resolve_path_seen(guard->model, text, false, ask_guard, guard, real))
		err = add_spelling(list, text, real);
	if (!err && !resolve_path_seen(guard->model, text, true, ask_guard, guard, real))
		err = add_spelling(list, text, real);
	return err;
}

static int spell(const char *text, bool pattern, struct guard *guard, struct string_list *list)
{
	return pattern ? spell_pattern(text, guard, list) : spell_literal(text, guard, list);
}

/* An exception has no mark of its own that tells a pattern from a name with a star in it: such
 * spellings are left out, and the denial holds there. */
static int spell_except(struct model_rule *rule, const char *text, struct guard *guard)
{
	bool pattern = path_is_pattern(text, strlen(text));
	struct string_list more = {0};
	int err = spell(text, pattern, guard, &more);

	for (size_t i = 0; i < more.count; i++) {
		if (!err && (pattern || !strpbrk(more.items[i], "*?[\\")))
			err = add_spelling(&rule->excepts, text, more.items[i]);
		free(more.items[i]);
	}
	free(more.items);
	return err;
}

static int resolve_excepts(struct model *model, struct guard *guard)
{
	int err = 0;

	for (size_t i = 0; i < model->rule_count; i++) {
		struct model_rule *rule = &model->rules[i];
		size_t count = rule->excepts.count;

		for (size_t j = 0; !err && j < count; j++)
			err = spell_except(rule, rule->excepts.items[j], guard);
		rule->excepts_resolved += rule->excepts.count - count;
	}
	return err;
}

int resolve_implied(const struct model *model, struct model_rule *rule)
{
	struct guard guard = {.model = model};

	return spell(rule->text, rule->pattern, &guard, &rule->spellings);
}

static bool has_path(const struct model_rule *rule)
{
	if (rule->section <= SECTION_EXEC_DENY)
		return true;
	return rule->section >= SECTION_NETWORK_CONNECT && rule->section <= SECTION_NETWORK_DENY &&
	       rule->network == NETWORK_UNIX;
}

static bool grants_write(const struct model_rule *rule)
{
	return rule->section == SECTION_FILES_WRITE;
}

static void swap_lists(struct string_list *a, struct string_list *b)
{
	struct string_list old = *a;

	*a = *b;
	*b = old;
}

/*
 * Grants of writing decide which links are the agent's, and are spelled through links themselves.
 * So they are spelled twice: first through every link, which gives more places than are granted,
 * then again, judging links by those. The order of rules means nothing to the outcome.
 */
static int resolve_write_grants(struct model *model, struct guard *guard)
{
	struct string_list *strict = calloc(model->rule_count + 1, sizeof(*strict));
	struct guard first = {.model = model, .asks_none = true};
	int err = strict ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < model->rule_count; i++)
		if (grants_write(&model->rules[i]))
			err = spell(model->rules[i].text, model->rules[i].pattern, &first,
				    &model->rules[i].spellings);
	if (!err)
		err = read_writes(model);
	for (size_t i = 0; !err && i < model->rule_count; i++)
		if (grants_write(&model->rules[i]))
			err =
			    spell(model->rules[i].text, model->rules[i].pattern, guard, &strict[i]);
	for (size_t i = 0; strict && i < model->rule_count; i++) {
		if (!err && grants_write(&model->rules[i]))
			swap_lists(&model->rules[i].spellings, &strict[i]);
		for (size_t j = 0; j < strict[i].count; j++)
			free(strict[i].items[j]);
		free(strict[i].items);
	}
	free(strict);
	return err ? err : read_writes(model);
}

static int resolve_others(struct model *model, bool denials, struct guard *guard)
{
	int err = 0;

	for (size_t i = 0; !err && i < model->rule_count; i++) {
		struct model_rule *rule = &model->rules[i];

		if (has_path(rule) && rule->denial == denials && !grants_write(rule))
			err = spell(rule->text, rule->pattern, guard, &rule->spellings);
	}
	return err;
}

/* Denies writing of exactly one place: what lies beneath a link is never decided by its name. */
static int protect(struct model *model, const char *place)
{
	char quoted[PATH_TEXT_MAX];
	size_t len = paths_quote(place, quoted);
	struct model_rule *rule;

	if (!len || len + 3 > sizeof(quoted))
		return 0;
	strcpy(quoted + len, "/*");
	if (model_add_path(model, SECTION_FILES_DENY_WRITE, ORIGIN_IMPLIED, "followed-link", place))
		return -ENOMEM;
	rule = &model->rules[model->rule_count - 1];
	rule->reason = strdup("a rule goes through this link, so the agent may not change it");
	return rule->reason ? string_list_add(&rule->excepts, quoted) : -ENOMEM;
}

static int resolve_all(struct model *model, struct diagnostics *diagnostics)
{
	struct string_list followed = {0};
	struct guard guard = {.model = model, .followed = &followed};
	/* A denial means what its links lead to now; were the agent to turn one, the next session
	 * would deny another place. */
	struct guard denying = {.model = model, .followed = &followed, .follows_all = true};
	int err = resolve_others(model, true, &denying);

	if (!err)
		err = resolve_write_grants(model, &guard);
	if (!err)
		err = resolve_others(model, false, &guard);
	if (!err)
		err = resolve_excepts(model, &guard);
	for (size_t i = 0; i < followed.count; i++) {
		if (!err && writes_allowed(&model->places->writes, followed.items[i], true))
			err = protect(model, followed.items[i]);
		free(followed.items[i]);
	}
	free(followed.items);
	return err ? err : programs_resolve(model, model->places->siblings, diagnostics);
}

int resolve_model(struct model *model, const struct compile_options *options,
		  struct diagnostics *diagnostics)
{
	struct places places = {.siblings = options->siblings};
	int err;

	model->places = &places;
	err = resolve_all(model, diagnostics);
	model->places = NULL;
	path_map_free(&places.seen);
	path_map_free(&places.followed);
	writes_free(&places.writes);
	return err;
}
