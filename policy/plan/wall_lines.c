/* SPDX-License-Identifier: Apache-2.0 */
/* What the plan says of each rule: how much of it the wall holds, and why not more. */
#include <stdio.h>
#include <string.h>

#include "policy/core/path.h"
#include "policy/plan/build.h"

#define WHY_MAX 320

/* Why nothing of a grant is in the wall. */
static const char *why_no_rule(struct builder *b, const struct rule *rule,
			       const struct carved *carved)
{
	if (path_within(rule->text, strlen(rule->text), "/proc", strlen("/proc")))
		return "inodes of /proc do not last, so Landlock cannot hold it";
	if (carved->found)
		return carved->many ? "more single files are granted than are worth a Landlock rule"
				    : "everything in it may be denied";
	if (rule->pattern)
		return "nothing matches it now";
	if (plain_kind(b, rule->text) == VIEW_LINK)
		return "a symbolic link, judged by what it leads to";
	return rule->conditions & CONDITION_SHA256 ? "absent, or of another digest"
						   : "does not exist yet";
}

int wall_say_grant(struct builder *b, uint32_t index, const struct rule *rule,
		   const struct carved *carved, bool other)
{
	char why[WHY_MAX];
	const char *limited = carved->limited ? "; the bound on rules was met" : "";
	static const char *const compared[] = {"", "; the gate compares the digest at exec",
					       "; the gate compares the arguments at exec",
					       "; the gate compares digest and arguments at exec"};
	const char *digest = compared[(rule->conditions & CONDITION_SHA256 ? 1 : 0) +
				      (rule->conditions & CONDITION_ARGS ? 2 : 0)];
	if (!carved->rules) {
		const char *reason = why_no_rule(b, rule, carved);
		if (rule->section == SECTION_EXEC_ALLOW && !carved->found && !other)
			snprintf(why, sizeof(why),
				 "%s: programs that appear later are refused by the wall%s", reason,
				 limited);
		else
			snprintf(why, sizeof(why), "%s%s", reason, limited);
		return plan_say(b, index, LANE_GATE, 0, why);
	}
	if (rule->pattern)
		snprintf(why, sizeof(why),
			 "pattern, expanded at launch to %zu Landlock rules%s%s; programs that "
			 "appear later are refused by the wall",
			 carved->rules, limited, digest);
	else if (!carved->gap && !carved->limited)
		snprintf(why, sizeof(why),
			 "literal path, nothing denied beneath: %zu Landlock rule%s%s",
			 carved->rules, carved->rules == 1 ? "" : "s", digest);
	else
		snprintf(why, sizeof(why),
			 "literal path, denials beneath: carved into %zu Landlock rule%s, the rest "
			 "is the gate's%s%s",
			 carved->rules, carved->rules == 1 ? "" : "s", limited, digest);
	enum lane lane = carved->gap || carved->limited || rule->conditions || rule->pattern
			     ? LANE_CARVE
			     : LANE_WALL;
	return plan_say(b, index, lane, carved->rules, why);
}

int wall_say_other(struct builder *b, uint32_t index, const struct rule *rule)
{
	switch (rule->section) {
	case SECTION_ENV_PASS:
	case SECTION_ENV_SET:
		return plan_say(b, index, LANE_WALL, 0,
				"applied once, at launch: what is not passed is nowhere");
	case SECTION_NETWORK_CONNECT:
	case SECTION_NETWORK_LISTEN:
		if (rule->network == NETWORK_UNIX)
			return plan_say(b, index, LANE_GATE, 0,
					"unix socket by path: Landlock does not see it");
		if (rule->network == NETWORK_ABSTRACT)
			return plan_say(b, index, LANE_GATE, 0,
					"abstract unix socket: the wall denies all outside");
		if (rule->network == NETWORK_HOST)
			return plan_say(b, index, LANE_REFUSED, 0,
					"host names are not yet enforced");
		return plan_say(b, index, LANE_GATE, 0,
				rule->protocol == PROTOCOL_UDP
				    ? "UDP: Landlock does not see it"
				    : "address: the wall denies all TCP ports, the gate connects");
	default:
		if (rule->conditions & CONDITION_ARGS)
			return plan_say(b, index, LANE_REFUSED, 0,
					"denial of arguments: the gate compares them at exec");
		return plan_say(b, index, LANE_REFUSED, 0,
				"denial: taken out of the wall, decided by the gate");
	}
}
