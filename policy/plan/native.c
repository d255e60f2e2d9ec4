/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that need no gate. What makes them sound is what makes the tag sound: Landlock has the last
 * word on each, and the wall lies inside the scope; anybody may tag a call. What has to be shown is
 * the other half, that nobody loses by it: nothing that the scope grants to such a call is outside
 * the wall. One denial, pattern, condition or absent path among the grants, and the gate stays.
 */
#include <string.h>

#include "policy/plan/build.h"

static const uint32_t right_of[NATIVE_COUNT] = {
    [NATIVE_READ] = RIGHT_READ, [NATIVE_WRITE] = RIGHT_WRITE, [NATIVE_EXEC] = RIGHT_EXEC};

const char *native_name(enum native native)
{
	static const char *const names[NATIVE_COUNT] = {"read", "write", "exec"};

	return native < NATIVE_COUNT ? names[native] : "?";
}

bool plan_is_native(const struct plan *plan)
{
	bool native = false;

	for (enum native i = 0; i < NATIVE_COUNT; i++)
		native |= plan->native[i].on;
	return native;
}

void native_lacks(struct builder *b, uint32_t rights, uint32_t rule, const char *why)
{
	for (enum native i = 0; i < NATIVE_COUNT; i++) {
		if ((rights & right_of[i]) && !b->inexact[i].why)
			b->inexact[i] = (struct native_class){.rule = rule, .why = why};
	}
}

/* Why no class can be had in this session; NULL: some may. */
static const char *kept_altogether(const struct builder *b)
{
	if (b->options->gate_around)
		return "the session around it has the filter";
	if (!b->plan->fast_lane)
		return "this kernel's wall does not bound every call";
	/* A call that cannot be read is left to the wall by the gate too, but nothing else works.
	 */
	if (features_blind(b->features))
		return "the gate cannot read arguments here";
	return NULL;
}

/* Whatever kept a grant out of the wall and was not said: what is there now has to be in it. */
static void check_root(struct builder *b, uint32_t rule, uint32_t rights, const char *path)
{
	enum view_kind kind = plain_kind(b, path);

	if (kind == VIEW_LINK || kind == VIEW_ABSENT)
		return;
	for (enum native i = 0; i < NATIVE_COUNT; i++) {
		if ((rights & right_of[i]) &&
		    !plan_in_wall(b->plan, path, strlen(path), right_of[i]))
			native_lacks(b, right_of[i], rule, "not all of it is in the wall");
	}
}

static void check_roots(struct builder *b)
{
	struct rule rule;

	for (uint32_t i = 0; i < scope_rule_count(b->scope); i++) {
		scope_rule(b->scope, i, &rule);
		if (rule.denial || rule.pattern || rule.section > SECTION_EXEC_ALLOW)
			continue;
		check_root(b, i, rule.rights, rule.text);
		for (uint32_t n = 0; n < rule.spelling_count; n++)
			check_root(b, i, rule.rights, scope_spelling(b->scope, i, n));
	}
}

void native_choose(struct builder *b, const struct scope_about *about)
{
	struct native_class *native = b->plan->native;
	const char *why = kept_altogether(b);

	if (about->record == RECORD_NONE && !why)
		check_roots(b);
	/* Denials may have some too, which take nothing out of the wall. */
	if (about->has_exec_conditions)
		native_lacks(b, RIGHT_EXEC, RULE_NONE, "programs have conditions");
	b->plan->records_none = about->record == RECORD_NONE;
	for (enum native i = 0; i < NATIVE_COUNT; i++) {
		native[i] = (struct native_class){.rule = RULE_NONE, .why = why};
		if (!b->plan->records_none || why)
			continue;
		if (b->inexact[i].why)
			native[i] = b->inexact[i];
		else
			native[i].on = true;
	}
	/* What may be written may be read, so this is rare; the filter is the simpler for it. */
	if (native[NATIVE_WRITE].on && !native[NATIVE_READ].on)
		native[NATIVE_WRITE] = native[NATIVE_READ];
}
