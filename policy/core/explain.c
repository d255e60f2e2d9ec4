/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A refusal in one line. Whatever comes from the agent or from the manifest is escaped on its way
 * in: control characters, C1 controls, line and direction marks of Unicode, bytes that are no
 * UTF-8. Writes only to the caller's buffer and never past it.
 */
#include "policy/core/explain.h"

#include <string.h>

#include "policy/core/path.h"
#include "policy/core/shown.h"

/* Most escaped bytes of an object's name that are shown. */
#define OBJECT_MAX 320
/* Of what the manifest says: identifiers and file names. */
#define LABEL_MAX 120
/* A name longer than this is not written a second time as the grant that would cover it. */
#define SNIPPET_MAX 240

struct out {
	char *buf;
	size_t size, len;
};

static void put(struct out *out, const char *text, size_t len)
{
	if (out->size == 0)
		return;
	size_t room = out->size - 1 - out->len;
	if (len > room)
		len = room;
	memcpy(out->buf + out->len, text, len);
	out->len += len;
	out->buf[out->len] = '\0';
}

static void put_string(struct out *out, const char *text)
{
	put(out, text, strlen(text));
}

static void put_number(struct out *out, uint32_t value)
{
	char digits[12];
	size_t n = sizeof(digits);

	do {
		digits[--n] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	put(out, digits + n, sizeof(digits) - n);
}

static size_t escaped_length(const char *text, size_t len)
{
	size_t total = 0;

	for (size_t i = 0; i < len;) {
		char shown[4];
		size_t n;
		i += shown_next(text + i, len - i, shown, &n);
		total += n;
	}
	return total;
}

/* At most `max` bytes; what is longer loses its middle. */
static void put_escaped(struct out *out, const char *text, size_t len, size_t max)
{
	size_t total = escaped_length(text, len), at = 0;
	size_t half = (max - strlen("…")) / 2;
	bool cut = total > max, gap = false;

	for (size_t i = 0; i < len;) {
		char shown[4];
		size_t n;
		i += shown_next(text + i, len - i, shown, &n);
		bool middle = cut && at + n > half && at < total - half;
		at += n;
		if (!middle)
			put(out, shown, n);
		else if (!gap)
			put_string(out, "…");
		gap |= middle;
	}
}

/* The part of an object in front of its name in the query language. */
static const char *object_prefix(const struct query *query)
{
	if (query->object == OBJECT_ABSTRACT)
		return "unix:@";
	if (query->object == OBJECT_PATH &&
	    (query->verb == VERB_CONNECT || query->verb == VERB_LISTEN))
		return "unix:";
	return "";
}

static void put_object(struct out *out, const struct query *query)
{
	if (query->object == OBJECT_ADDRESS) {
		char address[ADDRESS_TEXT_MAX];
		put(out, address, address_format(&query->address, address, sizeof(address)));
		return;
	}
	put_string(out, object_prefix(query));
	if (query->text)
		put_escaped(out, query->text, query->len, OBJECT_MAX);
}

size_t explain_object(const struct query *query, char *buf, size_t size)
{
	struct out out = {buf, size, 0};

	if (size > 0)
		buf[0] = '\0';
	put_object(&out, query);
	return out.len;
}

static enum rule_section granting_section(enum verb verb)
{
	static const uint8_t sections[VERB_COUNT] = {
	    [VERB_READ] = SECTION_FILES_READ,	    [VERB_WRITE] = SECTION_FILES_WRITE,
	    [VERB_EXEC] = SECTION_EXEC_ALLOW,	    [VERB_CONNECT] = SECTION_NETWORK_CONNECT,
	    [VERB_LISTEN] = SECTION_NETWORK_LISTEN, [VERB_ENV] = SECTION_ENV_PASS,
	};

	return (enum rule_section)sections[verb];
}

/* How much of a path is "/proc/PID"; 0 when it is no process's. */
static size_t process_len(const char *path, size_t len)
{
	static const char proc[] = "/proc/";
	const size_t start = sizeof(proc) - 1;
	size_t at = start;

	if (len <= start || memcmp(path, proc, start) != 0)
		return 0;
	while (at < len && path[at] >= '0' && path[at] <= '9')
		at++;
	return at > start && (at == len || path[at] == '/') ? at : 0;
}

/*
 * The object as a manifest would write it, within double quotes: wildcards of the name quoted for
 * the pattern language, and that backslash quoted for YAML. False when no manifest can say it.
 */
static bool put_snippet(struct out *out, const struct query *query)
{
	if (query->object == OBJECT_ADDRESS) {
		put_object(out, query);
		return true;
	}
	if (!query->text || query->len == 0 || query->len > SNIPPET_MAX ||
	    escaped_length(query->text, query->len) != query->len)
		return false;
	put_string(out, object_prefix(query));
	size_t from = 0;

	/* A process has another number each time. */
	if (query->object == OBJECT_PATH && process_len(query->text, query->len) > 0) {
		put_string(out, "/proc/*");
		from = process_len(query->text, query->len);
	}
	for (size_t i = from; i < query->len; i++) {
		char c = query->text[i];
		if (c == '$') { /* no variable of the manifest's */
			put_string(out, "[$]");
			continue;
		}
		if (c == '*' || c == '?' || c == '[' || c == '\\')
			put_string(out, c == '\\' ? "\\\\\\" : "\\\\");
		else if (c == '"')
			put_string(out, "\\");
		put(out, &c, 1);
	}
	return true;
}

static void put_remedy(struct out *out, const struct query *query)
{
	const char *section = rule_section_name(granting_section(query->verb));
	struct out start = *out;

	if (query->object == OBJECT_PATH &&
	    !path_is_clean(query->text ? query->text : "", query->text ? query->len : 0)) {
		put_string(out, "no manifest can grant a name that is not absolute and clean");
		return;
	}
	put_string(out, section);
	put_string(out, ": [\"");
	if (put_snippet(out, query)) {
		put_string(out, "\"] would grant it");
		return;
	}
	*out = start;
	put_string(out, "an entry that covers it in ");
	put_string(out, section);
	put_string(out, " would grant it");
}

/* `files.deny[0] at manifest.yaml:12`; an id of the manifest's own also names its section. */
static void put_rule(struct out *out, const struct rule *rule)
{
	const char *section = rule_section_name(rule->section);
	size_t id_len = strlen(rule->id), section_len = strlen(section);

	if (id_len < section_len || memcmp(rule->id, section, section_len) != 0) {
		put_string(out, section);
		put_string(out, " ");
	}
	put_escaped(out, rule->id, id_len, LABEL_MAX);
	if (rule->file[0] == '\0')
		return;
	put_string(out, " at ");
	put_escaped(out, rule->file, strlen(rule->file), LABEL_MAX);
	put_string(out, ":");
	put_number(out, rule->line);
}

static void put_agent(struct out *out, const struct scope *scope)
{
	struct scope_about about;

	if (!scope->base)
		return;
	scope_about(scope, &about);
	put_string(out, " (agent ");
	put_escaped(out, about.agent_id, strlen(about.agent_id), LABEL_MAX);
	put_string(out, ")");
}

static void put_denial(struct out *out, const struct scope *scope, const struct query *query,
		       const struct rule *rule)
{
	put_string(out, "denied by ");
	put_rule(out, rule);
	if (rule->reason[0] != '\0') {
		put_string(out, ", \"");
		put_escaped(out, rule->reason, strlen(rule->reason), LABEL_MAX);
		put_string(out, "\"");
	}
	put_agent(out, scope);
	if (rule->origin == ORIGIN_SESSION)
		put_string(out, "; remit protects this itself, no manifest can grant it");
	else if (rule->origin == ORIGIN_IMPLIED)
		put_string(out, "; it follows from another rule, no `except` lifts it");
	else if (rule->conditions & CONDITION_ARGS)
		put_string(out, "; other arguments are not denied by it");
	else if (query->object == OBJECT_PATH)
		put_string(out, "; an `except` in that rule would lift it");
	else
		put_string(out, "; only narrowing or removing that rule would lift it");
}

/* The arguments as a query writes them, within `max` bytes or so. */
static void put_arguments(struct out *out, const struct facts *facts, size_t max)
{
	const char *end = facts->args + facts->args_len;

	if (facts->args_len == 0)
		put_string(out, "none");
	for (const char *at = facts->args; at < end; at += strlen(at) + 1) {
		if ((size_t)(at - facts->args) > max) {
			put_string(out, " …");
			return;
		}
		if (at > facts->args)
			put_string(out, " ");
		bool quote = *at == '\0' || strchr(at, ' ');

		put_string(out, quote ? "\"" : "");
		put_escaped(out, at, strlen(at), LABEL_MAX);
		put_string(out, quote ? "\"" : "");
	}
}

static void put_condition(struct out *out, const struct scope *scope, const struct query *query,
			  const struct decision *decision, const struct rule *rule)
{
	bool content = rule->conditions & CONDITION_SHA256;

	put_rule(out, rule);
	if (decision->conditions & CONDITION_ARGS) {
		put_string(out, " depends on the arguments, which are not known");
		put_agent(out, scope);
		return;
	}
	if ((rule->conditions & CONDITION_ARGS) && query->facts.args) {
		put_string(out, content ? " covers it only with another content (sha256) or other "
					  "arguments than "
					: " covers it only with other arguments than ");
		put_arguments(out, &query->facts, LABEL_MAX);
		put_agent(out, scope);
		put_string(out, "; a pattern of these in the rule's `args`, or ");
	} else {
		put_string(out, content ? " covers it only with another content (sha256)"
					: " covers it only for the session's own terminals");
		put_agent(out, scope);
		put_string(out, content ? "; the file's present sha256 in that rule, or " : "; ");
	}
	put_remedy(out, query);
}

size_t explain_refusal(const struct scope *scope, const struct query *query,
		       const struct decision *decision, char *buf, size_t size)
{
	struct out out = {buf, size, 0};
	struct rule rule;

	if (size > 0)
		buf[0] = '\0';
	put_string(&out, "remit: refused ");
	put_string(&out, verb_name(query->verb));
	put_string(&out, " ");
	put_object(&out, query);
	put_string(&out, ": ");
	if (!scope->base || (unsigned int)query->verb >= VERB_COUNT) {
		put_string(&out, "there is no scope that could grant it");
		return out.len;
	}
	if (decision->rule < scope_rule_count(scope)) {
		scope_rule(scope, decision->rule, &rule);
		if (rule.denial && !decision->conditions)
			put_denial(&out, scope, query, &rule);
		else
			put_condition(&out, scope, query, decision, &rule);
		return out.len;
	}
	put_string(&out, "no grant covers it");
	put_agent(&out, scope);
	put_string(&out, "; ");
	put_remedy(&out, query);
	return out.len;
}
