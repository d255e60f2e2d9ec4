/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wall: which part of each rule Landlock can hold by itself. Always an inner approximation of
 * the scope; what is left out is the gate's.
 *
 * Paths are real ones: a spelling with a symbolic link in it gets no rule, because the kernel
 * judges what the link leads to, and spellings.c has added that as a further spelling.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/core/glob.h"
#include "policy/core/path.h"
#include "policy/plan/build.h"

#define EXPAND_LIMIT 65536
#define FILE_RIGHTS (RIGHT_READ | RIGHT_WRITE | RIGHT_EXEC)

void literal_part(const char *text, bool pattern, char *out)
{
	size_t len = strlen(text);
	if (pattern) {
		len = glob_unquote(text, glob_prefix(text, len), out);
	} else {
		len = len < PATH_TEXT_MAX ? len : PATH_TEXT_MAX - 1;
		memcpy(out, text, len);
	}
	if (!len)
		out[len++] = '/';
	out[len] = '\0';
}

static int by_order(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	return path_order(x, strlen(x), y, strlen(y));
}

/* The first of the sorted names that is not before the first `len` bytes of path; NULL. */
static const char *first_from(const struct names *names, const char *path, size_t len)
{
	size_t low = 0, high = names->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *there = names->items[middle];
		if (path_order(there, strlen(there), path, len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < names->count ? names->items[low] : NULL;
}

/* Whether a socket's name lies at path, beneath it or above it. */
static bool near_socket(const struct names *sockets, const char *path)
{
	size_t len = strlen(path);
	const char *found = first_from(sockets, path, len);
	if (found && path_within(found, strlen(found), path, len))
		return true;
	for (size_t at = 1; at < len; at++) {
		if (at > 1 && path[at] != '/')
			continue;
		found = first_from(sockets, path, at);
		if (found && strlen(found) == at && !memcmp(found, path, at))
			return true;
	}
	return false;
}

/*
 * A unix socket is judged by its name, and Landlock (up to ABI 7) does not see who connects. So
 * where the scope grants some socket's name, no socket may natively get another name, nor a folder
 * that may hold one: the agent would move a socket that it may not use to a name that it may.
 */
uint64_t wall_access(const struct builder *b, uint32_t rights, enum view_kind kind,
		     const char *path)
{
	uint64_t access = access_of(rights, kind, path);
	if (!(rights & RIGHT_WRITE) || kind != VIEW_FOLDER || !near_socket(&b->sockets, path))
		return access;
	return access & ~ACCESS_MOVE_SOCKETS;
}

static int read_sockets(struct builder *b)
{
	char literal[PATH_TEXT_MAX];
	struct rule rule;
	int ret = 0;
	b->sockets.limit = SIZE_MAX;
	for (uint32_t i = 0; ret == 0 && i < scope_rule_count(b->scope); i++) {
		scope_rule(b->scope, i, &rule);
		if (rule.denial || !(rule.rights & (RIGHT_CONNECT | RIGHT_LISTEN)) ||
		    rule.text[0] == '\0')
			continue;
		const char *text = rule.text;
		for (uint32_t n = 0; ret == 0 && text; text = scope_spelling(b->scope, i, n++)) {
			const char *slash = strchr(text, '/');
			if (!slash)
				continue;
			literal_part(slash, rule.pattern, literal);
			ret = names_keep(&b->sockets, literal);
		}
	}
	if (b->sockets.count)
		qsort(b->sockets.items, b->sockets.count, sizeof(*b->sockets.items), by_order);
	return ret;
}

struct granting {
	struct builder *builder;
	uint32_t rule, rights;
	const uint8_t *sha256; /* of the one program that is meant, or NULL */
	bool other;	       /* a program was left out for its digest */
	struct carved carved;
};

/* Only what has the digest now gets in. What may be written later is looked at again by the gate,
 * each time the kernel has started it. */
static bool is_meant(const struct granting *granting, const char *path)
{
	const struct builder *b = granting->builder;
	uint8_t now[32];
	if (plain_kind(granting->builder, path) == VIEW_ABSENT)
		return true;
	return plain_kind(granting->builder, path) == VIEW_FILE && b->view->sha256 &&
	       b->view->sha256(b->view->context, path, now) &&
	       !memcmp(now, granting->sha256, sizeof(now));
}

static int grant_root(void *arg, const char *path)
{
	struct granting *granting = arg;
	if (granting->sha256 && !is_meant(granting, path)) {
		granting->other = true;
		return 0;
	}
	return carve(granting->builder, path, granting->rights, granting->rule, &granting->carved);
}

/* A denial's exception gets its own root: the walk to it from the grant ends at the denial. */
static int grant_exceptions(struct granting *granting, const char *root)
{
	struct builder *b = granting->builder;
	char literal[PATH_TEXT_MAX];
	struct rule denial;
	int ret = 0;
	for (size_t i = 0; i < b->denials.excepting_count; i++) {
		uint32_t index = b->denials.excepting[i];
		scope_rule(b->scope, index, &denial);
		if (!(denial.rights & granting->rights))
			continue;
		for (uint32_t n = 0; ret == 0 && n < denial.except_count; n++) {
			const char *except = scope_except(b->scope, index, n);
			size_t len = strlen(except);
			if (path_is_pattern(except, len) || len >= sizeof(literal))
				continue;
			literal[glob_unquote(except, len, literal)] = '\0';
			if (strcmp(literal, root) &&
			    path_within(literal, strlen(literal), root, strlen(root)))
				ret = grant_root(granting, literal);
		}
	}
	return ret;
}

static int grant_spelling(struct granting *granting, const char *text, bool pattern)
{
	if (pattern) {
		int ret =
		    pattern_expand(granting->builder, text, EXPAND_LIMIT, grant_root, granting);
		if (ret == -E2BIG)
			granting->carved.limited = true;
		return ret == -E2BIG ? 0 : ret;
	}
	struct carved *carved = &granting->carved;
	bool found = carved->found;
	carved->found = false;
	int ret = grant_root(granting, text);
	if (ret == 0 && carved->found && carved->gap)
		ret = grant_exceptions(granting, text);
	carved->found |= found;
	return ret;
}

/*
 * What the gate grants by this text and the wall does not. A link is judged by what it leads to,
 * which has a spelling of its own. Beside a socket's name the wall lacks some of writing.
 */
static void say_inexact(struct builder *b, uint32_t index, uint32_t rights, const char *text)
{
	enum view_kind kind = plain_kind(b, text);

	if (kind == VIEW_ABSENT)
		native_lacks(b, rights, index, "does not exist yet");
	else if (kind == VIEW_FILE)
		native_lacks(b, rights & RIGHT_WRITE, index, "a file, which may be made anew");
	else if (kind == VIEW_FOLDER &&
		 wall_access(b, rights, kind, text) != access_of(rights, kind, text))
		native_lacks(b, RIGHT_WRITE, index, "beside a socket that may be used by its name");
}

static void say_native(struct builder *b, uint32_t index, const struct rule *rule,
		       const struct granting *granting)
{
	const struct carved *carved = &granting->carved;

	if (!carved->found)
		native_lacks(b, granting->rights, index, "nothing of it can be in the wall");
	if (carved->limited)
		native_lacks(b, granting->rights, index, "the bound on rules was met");
	if (carved->many)
		native_lacks(b, granting->rights, index, "more single files than get rules");
	native_lacks(b, carved->gap, index, "denials beneath, or a place in /proc");
	say_inexact(b, index, granting->rights, rule->text);
	for (uint32_t n = 0; n < rule->spelling_count; n++)
		say_inexact(b, index, granting->rights, scope_spelling(b->scope, index, n));
}

static int grant(struct builder *b, uint32_t index, const struct rule *rule)
{
	struct granting granting = {
	    .builder = b, .rule = index, .rights = rule->rights & FILE_RIGHTS};
	bool exec = rule->section == SECTION_EXEC_ALLOW;
	if (b->features->landlock_abi < 1)
		return plan_say(b, index, LANE_GATE, 0, "this kernel has no Landlock");
	/* Arguments are asked of programs that are started, not of files that are read. */
	if (rule->conditions)
		native_lacks(b, rule->conditions == CONDITION_ARGS ? RIGHT_EXEC : granting.rights,
			     index, "a condition");
	if (rule->pattern)
		native_lacks(b, granting.rights, index, "a pattern");
	if (rule->conditions & CONDITION_SESSION_TERMINAL)
		return plan_say(b, index, LANE_GATE, 0,
				"only terminals of the session: the gate looks which one it is");
	if (!exec && rule->conditions)
		return plan_say(b, index, LANE_GATE, 0, "condition: judged at each call");
	if (!exec && rule->pattern)
		return plan_say(b, index, LANE_GATE, 0, "pattern: Landlock knows only trees");
	if (rule->conditions & CONDITION_SHA256)
		granting.sha256 = rule->sha256;
	int ret = grant_spelling(&granting, rule->text, rule->pattern);
	for (uint32_t n = 0; ret == 0 && n < rule->spelling_count; n++)
		ret = grant_spelling(&granting, scope_spelling(b->scope, index, n), rule->pattern);
	if (ret < 0)
		return ret;
	say_native(b, index, rule, &granting);
	return wall_say_grant(b, index, rule, &granting.carved, granting.other);
}

/* The kernel opens a program's ELF interpreter as if the program did. */
static int add_interpreters(struct builder *b, bool exec)
{
	int ret = 0;
	for (size_t i = 0; ret == 0 && exec && i < b->options->interpreter_count; i++) {
		const char *path = b->options->interpreters[i];
		enum view_kind kind = plain_kind(b, path);
		uint32_t rights = RIGHT_READ | RIGHT_EXEC;
		struct reach reach = denials_reach(&b->denials, path, rights);
		if (kind == VIEW_FILE && !((reach.covered | reach.anywhere) & rights))
			ret = domain_add(&b->plan->wall, &b->wall_room, path,
					 access_of(rights, kind, path), RULE_NONE);
	}
	return ret;
}

/*
 * Which terminal /dev/tty is depends on who opens it, so the gate cannot open it for another. It is
 * a rule of its own where the scope grants it by more than its name: nothing else is reached by it.
 */
static int add_own_terminal(struct builder *b)
{
	static const char path[] = "/dev/tty";
	uint32_t rights = 0;
	size_t len = strlen(path);
	if (plain_kind(b, path) != VIEW_OTHER)
		return 0;
	if (decide_path(b->scope, VERB_READ, path, len).verdict == VERDICT_ALLOWED)
		rights |= RIGHT_READ;
	if (decide_path(b->scope, VERB_WRITE, path, len).verdict == VERDICT_ALLOWED)
		rights |= RIGHT_WRITE;
	if (!rights)
		return 0;
	return domain_add(&b->plan->wall, &b->wall_room, path, access_of(rights, VIEW_OTHER, path),
			  RULE_NONE);
}

int wall_build(struct builder *b)
{
	int abi = b->features->landlock_abi;
	bool exec = false;
	struct rule rule;
	b->plan->wall.handled_fs = access_handled_fs(abi);
	b->plan->wall.handled_net = access_handled_net(abi);
	b->plan->wall.scoped = access_scoped(abi);
	int ret = read_sockets(b);
	for (uint32_t i = 0; ret == 0 && i < scope_rule_count(b->scope); i++) {
		scope_rule(b->scope, i, &rule);
		if (rule.denial || !(rule.rights & FILE_RIGHTS)) {
			ret = wall_say_other(b, i, &rule);
			continue;
		}
		exec |= (rule.rights & RIGHT_EXEC) != 0;
		ret = grant(b, i, &rule);
	}
	if (ret == 0 && abi >= 1)
		ret = add_interpreters(b, exec);
	if (ret == 0 && abi >= 1)
		ret = add_own_terminal(b);
	domain_tidy(&b->plan->wall);
	return ret;
}
