/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan for people, for goldens and for machines. In names, what deceives (policy/core/shown.h)
 * is written as \xNN (people) or \uNNNN (JSON): a name can forge no line.
 */
#include "policy/plan/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/core/shown.h"
#include "policy/plan/access.h"

static void print_text(FILE *stream, const char *text)
{
	for (size_t left = strlen(text); left > 0;) {
		char shown[4];
		size_t len, used = shown_next(text, left, shown, &len);

		fwrite(shown, 1, len, stream);
		text += used;
		left -= used;
	}
}

static void print_json_text(FILE *stream, const char *text)
{
	fputc('"', stream);
	for (size_t left = strlen(text); left > 0;) {
		char shown[SHOWN_JSON];
		size_t len, used = shown_json(text, left, shown, &len);

		fwrite(shown, 1, len, stream);
		text += used;
		left -= used;
	}
	fputc('"', stream);
}

static void rule_name(const struct scope *scope, uint32_t index, struct rule *rule)
{
	*rule = (struct rule){.id = "remit itself", .text = "", .file = ""};
	if (index != RULE_NONE)
		scope_rule(scope, index, rule);
}

static void print_lines(const struct plan *plan, const struct scope *scope, FILE *stream)
{
	struct rule rule;
	fputs("rules\n", stream);
	for (size_t i = 0; i < plan->line_count; i++) {
		const struct plan_line *line = &plan->lines[i];
		rule_name(scope, line->rule, &rule);
		fprintf(stream, "  %-8s %-24s ", lane_name(line->lane), rule.id);
		print_text(stream, rule.text);
		fprintf(stream, "\n           %s\n", line->why);
	}
}

static void print_ports(const struct domain *domain, FILE *stream)
{
	static const char *const names[] = {"-", "bind", "connect", "bind,connect"};
	for (size_t i = 0; i < domain->port_count; i++) {
		const struct port_access *first = &domain->ports[i];
		size_t last = i;
		while (last + 1 < domain->port_count &&
		       domain->ports[last + 1].access == first->access &&
		       domain->ports[last + 1].port == domain->ports[last].port + 1)
			last++;
		fprintf(stream, "  tcp %u", first->port);
		if (last != i)
			fprintf(stream, "-%u", domain->ports[last].port);
		fprintf(stream, " %s\n", names[first->access & 3]);
		i = last;
	}
}

static void print_domain(const char *name, const struct domain *domain, const struct scope *scope,
			 FILE *stream)
{
	char text[ACCESS_TEXT_MAX];
	struct rule rule;
	fprintf(stream, "%s\n  handles %s\n", name, access_text(domain->handled_fs, text));
	fprintf(stream, "  handles tcp%s%s; scopes%s%s\n",
		domain->handled_net & ACCESS_BIND_TCP ? " bind" : "",
		domain->handled_net & ACCESS_CONNECT_TCP ? " connect" : "",
		domain->scoped & SCOPE_ABSTRACT_UNIX_SOCKET ? " abstract" : "",
		domain->scoped & SCOPE_SIGNAL ? " signal" : "");
	for (size_t i = 0; i < domain->path_count; i++) {
		const struct path_access *path = &domain->paths[i];
		rule_name(scope, path->rule, &rule);
		fputs("  ", stream);
		print_text(stream, path->path);
		fprintf(stream, "\n      %s (%s)\n", access_text(path->access, text), rule.id);
	}
	print_ports(domain, stream);
}

/* Only of a session that might: in all others every such call is the gate's. */
static void print_native(const struct plan *plan, const struct scope *scope, FILE *stream)
{
	struct rule rule;
	if (!plan->records_none)
		return;
	fputs("without the gate\n", stream);
	for (enum native i = 0; i < NATIVE_COUNT; i++) {
		const struct native_class *native = &plan->native[i];
		fprintf(stream, "  %-8s ", native_name(i));
		if (native->on) {
			fputs("yes: the wall is all of it\n", stream);
			continue;
		}
		fputs("no: ", stream);
		if (native->rule != RULE_NONE) {
			scope_rule(scope, native->rule, &rule);
			fprintf(stream, "%s at ", rule.id);
			print_text(stream, rule.file);
			fprintf(stream, ":%u: ", rule.line);
		}
		fprintf(stream, "%s\n", native->why);
	}
}

static const char *yes(bool value)
{
	return value ? "yes" : "no";
}

void plan_print(const struct plan *plan, const struct scope *scope, FILE *stream)
{
	print_lines(plan, scope, stream);
	print_domain("wall", &plan->wall, scope, stream);
	print_domain("hull", &plan->hull, scope, stream);
	fprintf(stream, "filter\n  %zu calls; fast lane %s, gated sends %s, gated forks %s\n",
		plan->filter_count, yes(plan->fast_lane), yes(plan->gated_sends),
		yes(plan->gated_forks));
	print_native(plan, scope, stream);
	for (size_t i = 0; i < plan->loss_count; i++)
		fprintf(stream, "%s  %s\n", i ? "" : "not enforced on this kernel\n",
			plan->losses[i]);
}

static void json_lines(const struct plan *plan, const struct scope *scope, FILE *stream)
{
	struct rule rule;
	fputs("\"rules\":[", stream);
	for (size_t i = 0; i < plan->line_count; i++) {
		const struct plan_line *line = &plan->lines[i];
		rule_name(scope, line->rule, &rule);
		fprintf(stream, "%s{\"id\":", i ? "," : "");
		print_json_text(stream, rule.id);
		fputs(",\"text\":", stream);
		print_json_text(stream, rule.text);
		fputs(",\"file\":", stream);
		print_json_text(stream, rule.file);
		fprintf(stream,
			",\"line\":%u,\"lane\":\"%s\",\"landlock_rules\":%zu,\"why\":", rule.line,
			lane_name(line->lane), line->landlock_rules);
		print_json_text(stream, line->why);
		fputc('}', stream);
	}
	fputc(']', stream);
}

static void json_access(uint64_t access, FILE *stream)
{
	const char *comma = "";
	fputc('[', stream);
	for (size_t i = 0; i < sizeof(access_names) / sizeof(*access_names); i++) {
		if (!(access & (1ULL << i)))
			continue;
		fprintf(stream, "%s\"%s\"", comma, access_names[i]);
		comma = ",";
	}
	fputc(']', stream);
}

static void json_domain(const char *name, const struct domain *domain, const struct scope *scope,
			FILE *stream)
{
	struct rule rule;
	fprintf(stream, ",\"%s\":{\"handled_fs\":", name);
	json_access(domain->handled_fs, stream);
	fprintf(stream, ",\"handled_net\":%llu,\"scoped\":%llu,\"paths\":[",
		(unsigned long long)domain->handled_net, (unsigned long long)domain->scoped);
	for (size_t i = 0; i < domain->path_count; i++) {
		const struct path_access *path = &domain->paths[i];
		rule_name(scope, path->rule, &rule);
		fprintf(stream, "%s{\"path\":", i ? "," : "");
		print_json_text(stream, path->path);
		fputs(",\"access\":", stream);
		json_access(path->access, stream);
		fputs(",\"rule\":", stream);
		print_json_text(stream, rule.id);
		fputc('}', stream);
	}
	fputs("],\"ports\":[", stream);
	for (size_t i = 0; i < domain->port_count; i++)
		fprintf(stream, "%s{\"port\":%u,\"access\":%llu}", i ? "," : "",
			domain->ports[i].port, (unsigned long long)domain->ports[i].access);
	fputs("]}", stream);
}

static void json_native(const struct plan *plan, FILE *stream)
{
	const char *comma = "";
	fputs(",\"native\":[", stream);
	for (enum native i = 0; i < NATIVE_COUNT; i++) {
		if (!plan->native[i].on)
			continue;
		fprintf(stream, "%s\"%s\"", comma, native_name(i));
		comma = ",";
	}
	fputs("]", stream);
}

void plan_print_json(const struct plan *plan, const struct scope *scope, FILE *stream)
{
	fputc('{', stream);
	json_lines(plan, scope, stream);
	json_domain("wall", &plan->wall, scope, stream);
	json_domain("hull", &plan->hull, scope, stream);
	json_native(plan, stream);
	fprintf(stream, ",\"fast_lane\":%s,\"gated_sends\":%s,\"gated_forks\":%s,\"losses\":[",
		plan->fast_lane ? "true" : "false", plan->gated_sends ? "true" : "false",
		plan->gated_forks ? "true" : "false");
	for (size_t i = 0; i < plan->loss_count; i++) {
		fputs(i ? "," : "", stream);
		print_json_text(stream, plan->losses[i]);
	}
	fputs("]}\n", stream);
}

static void print_clause(const struct filter_clause *clause, FILE *stream)
{
	fputs("      ", stream);
	for (uint8_t i = 0; i < clause->compare_count; i++) {
		const struct filter_compare *compare = &clause->compare[i];
		fprintf(stream, "arg%u", compare->arg);
		if (compare->op == COMPARE_MASKED_EQ)
			fprintf(stream, "&%#llx", (unsigned long long)compare->mask);
		fprintf(stream, "==%#llx ", (unsigned long long)compare->value);
	}
	if (clause->action == FILTER_ERRNO)
		fprintf(stream, "-> %s\n", strerrorname_np(clause->error));
	else
		fprintf(stream, "-> %s\n", clause->action == FILTER_ALLOW ? "allow" : "notify");
}

void plan_print_filter(const struct plan *plan, FILE *stream)
{
	static const char *const classes[] = {"allow", "path", "object", "args", "pid", "errno"};
	for (size_t i = 0; i < plan->filter_count; i++) {
		const struct filter_row *row = &plan->filter[i];
		fprintf(stream, "%3d %-24s %-6s  # %s\n", row->nr, row->name, classes[row->class],
			row->why);
		for (uint8_t n = 0; n < row->clause_count; n++)
			print_clause(&row->clause[n], stream);
	}
	fputs("any other number\n      -> notify (the gate answers ENOSYS)\n"
	      "any other architecture\n      -> ENOSYS\n",
	      stream);
}
