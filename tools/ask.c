/* SPDX-License-Identifier: Apache-2.0 */
/* One query, one answer. Relies on query_parse() to resolve links as the gate does, and on decide()
 * for the rest; the only fact computed here is a program's digest. */
#include "tools/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/compile/variables.h"
#include "shim/kernel/kernel.h"

static int digest_file(const char *path, uint8_t digest[32])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), error;

	if (fd < 0)
		return -errno;
	error = kernel_sha256(fd, digest);
	close(fd);
	return error;
}

static int expand(const struct loaded *loaded, const char *line, char **out, char *why, size_t size)
{
	struct variable_fault fault = {0};
	int error = variables_expand(&loaded->options, line, query_quoting(line), out, &fault);

	if (error == -EINVAL)
		snprintf(why, size, "%s", fault.message);
	else if (error)
		snprintf(why, size, "%s", strerror(-error));
	return error;
}

static int parse(const struct loaded *loaded, const char *line, struct parsed_query *out, char *why,
		 size_t size)
{
	const char *fault = NULL;
	int error = query_parse(line, loaded->workspace, !loaded->flags.no_resolve, out, &fault);

	if (error)
		snprintf(why, size, "%s", fault ? fault : strerror(-error));
	return error;
}

int ask(const struct loaded *loaded, const char *line, bool variables, struct answer *out,
	char *why, size_t size)
{
	struct query *query = &out->parsed.query;
	uint8_t digest[32];
	char *text = NULL;
	int error = variables ? expand(loaded, line, &text, why, size) : 0;

	if (!error)
		error = parse(loaded, text ? text : line, &out->parsed, why, size);
	free(text);
	if (error)
		return error;
	out->decision = decide(&loaded->scope, query);
	if ((out->decision.conditions & CONDITION_SHA256) && !digest_file(query->text, digest)) {
		query->facts.sha256 = digest;
		out->decision = decide(&loaded->scope, query);
		query->facts.sha256 = NULL;
	}
	out->has_rule = out->decision.rule != RULE_NONE;
	out->rule = (struct rule){0};
	if (out->has_rule)
		scope_rule(&loaded->scope, out->decision.rule, &out->rule);
	explain_object(query, out->object, sizeof(out->object));
	out->sentence[0] = '\0';
	if (out->decision.verdict == VERDICT_REFUSED)
		explain_refusal(&loaded->scope, query, &out->decision, out->sentence,
				sizeof(out->sentence));
	return 0;
}

void ask_print_rule(const struct answer *answer, FILE *stream)
{
	const struct rule *rule = &answer->rule;

	if (!answer->has_rule) {
		fputs("no grant covers it", stream);
		return;
	}
	output_text(stream, rule->id);
	if (rule->line) {
		fputs(" at ", stream);
		output_text(stream, rule->file);
		fprintf(stream, ":%u", rule->line);
	}
}

static void rule_json(const struct rule *rule, struct writer *json)
{
	writer_open(json, "rule", '{');
	writer_text(json, "id", rule->id);
	writer_text(json, "section", rule_section_name(rule->section));
	writer_text(json, "text", rule->text);
	writer_text(json, "file", rule->file);
	writer_number(json, "line", rule->line);
	if (*rule->reason)
		writer_text(json, "reason", rule->reason);
	writer_close(json, '}');
}

void ask_print_json(const struct answer *answer, const char *line, struct writer *json)
{
	const struct decision *decision = &answer->decision;
	bool allowed = decision->verdict == VERDICT_ALLOWED;

	writer_text(json, "query", line);
	writer_text(json, "verdict", allowed ? "allowed" : "refused");
	writer_text(json, "op", verb_name(answer->parsed.query.verb));
	writer_text(json, "object", answer->object);
	if (answer->has_rule)
		rule_json(&answer->rule, json);
	else
		writer_null(json, "rule");
	writer_text(json, "lane", lane_name(decision->lane));
	if (allowed)
		return;
	writer_number(json, "errno", decision->error);
	writer_open(json, "wants", '[');
	if (decision->conditions & CONDITION_SHA256)
		writer_text(json, NULL, "sha256");
	if (decision->conditions & CONDITION_SESSION_TERMINAL)
		writer_text(json, NULL, "session-terminal");
	if (decision->conditions & CONDITION_ARGS)
		writer_text(json, NULL, "args");
	writer_close(json, ']');
	writer_bool(json, "quiet", decision->quiet);
	writer_text(json, "explanation", answer->sentence);
}
