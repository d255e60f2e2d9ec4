/* SPDX-License-Identifier: Apache-2.0 */
/* `remit plan`: what a session of this manifest would enforce on this machine, and how; starts
 * nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/command.h"
#include "tools/flags.h"
#include "tools/load.h"
#include "tools/output.h"
#include "tools/prepare.h"

static const char usage[] =
    "Usage: remit plan [OPTIONS] FILE\n"
    "Prints each rule of a manifest or image with its lane on this machine and why, then the "
    "wall,\n"
    "the hull and what is not enforced.\n\n" LOAD_USAGE
    "      --no-resolve      take paths as they are spelled, without following "
    "links\n" PREPARE_USAGE "      --rules           only the rules and their lanes\n"
    "      --wall            only the wall: what the kernel grants the agent by itself\n"
    "      --hull            only the hull: what the gate can reach at most\n"
    "      --filter          only the seccomp filter, one line a system call\n"
    "      --json            everything as JSON\n"
    "Exit status: 0, 1 when this machine does not enforce all of it, 2 usage or manifest error.\n";

struct plan_choice {
	struct load_flags load;
	struct without without;
	bool rules, wall, hull, filter;
	struct loaded loaded;
	struct prepared prepared;
};

static void print_rules(const struct plan_choice *choice)
{
	const struct plan *plan = &choice->prepared.plan;
	struct rule rule;

	for (size_t i = 0; i < plan->line_count; i++) {
		const struct plan_line *line = &plan->lines[i];

		scope_rule(&choice->loaded.scope, line->rule, &rule);
		printf("%-7s %s ", lane_name(line->lane), rule_section_name(rule.section));
		output_text(stdout, rule.text);
		fputs(" (", stdout);
		output_text(stdout, rule.id);
		fputs("): ", stdout);
		output_text(stdout, line->why);
		putchar('\n');
	}
}

static void print_domain(const char *name, const struct domain *domain, const struct scope *scope)
{
	struct rule rule;

	printf("%s: handled fs 0x%" PRIx64 ", net 0x%" PRIx64 ", scoped 0x%" PRIx64 "\n", name,
	       domain->handled_fs, domain->handled_net, domain->scoped);
	for (size_t i = 0; i < domain->path_count; i++) {
		const struct path_access *path = &domain->paths[i];

		printf("  0x%05" PRIx64 " ", path->access);
		output_text(stdout, path->path);
		if (path->rule != RULE_NONE) {
			scope_rule(scope, path->rule, &rule);
			fputs(" # ", stdout);
			output_text(stdout, rule.id);
		}
		putchar('\n');
	}
	for (size_t i = 0; i < domain->port_count; i++)
		printf("  0x%05" PRIx64 " tcp port %u\n", domain->ports[i].access,
		       domain->ports[i].port);
}

static void print_chosen(const struct plan_choice *choice)
{
	const struct plan *plan = &choice->prepared.plan;
	const struct scope *scope = &choice->loaded.scope;

	if (choice->load.json)
		plan_print_json(plan, scope, stdout);
	else if (!choice->rules && !choice->wall && !choice->hull && !choice->filter)
		plan_print(plan, scope, stdout);
	if (choice->load.json)
		return;
	if (choice->rules)
		print_rules(choice);
	if (choice->wall)
		print_domain("wall", &plan->wall, scope);
	if (choice->hull)
		print_domain("hull", &plan->hull, scope);
	if (choice->filter)
		plan_print_filter(plan, stdout);
}

static int plan_file(struct plan_choice *choice, int argc, char **argv)
{
	if (!choice->load.manifest && argc == 1) {
		choice->load.manifest = argv[0];
	} else if (argc) {
		output_error("plan: one file at a time; \"%s\" is one too many", argv[argc - 1]);
		return STATUS_USAGE;
	}
	if (load_any(&choice->load, true, &choice->loaded) ||
	    prepare(&choice->loaded, &choice->without, NULL, &choice->prepared))
		return STATUS_USAGE;
	print_chosen(choice);
	return choice->prepared.plan.loss_count || choice->loaded.about.has_hosts ? STATUS_NO
										  : STATUS_OK;
}

int plan_command(int argc, char **argv)
{
	struct plan_choice choice = {0};
	const struct flag flags[] = {
	    LOAD_FLAGS(&choice.load),
	    LOAD_FLAGS_RESOLVE(&choice.load),
	    PREPARE_FLAGS(&choice.without),
	    {"rules", 0, FLAG_SWITCH, &choice.rules, NULL},
	    {"wall", 0, FLAG_SWITCH, &choice.wall, NULL},
	    {"hull", 0, FLAG_SWITCH, &choice.hull, NULL},
	    {"filter", 0, FLAG_SWITCH, &choice.filter, NULL},
	    {"json", 0, FLAG_SWITCH, &choice.load.json, NULL},
	};
	int first = flags_parse(argc, argv, flags, sizeof(flags) / sizeof(flags[0]), false, usage);
	int status;

	if (first < 0)
		status = first == FLAGS_HELP ? STATUS_OK : STATUS_USAGE;
	else
		status = plan_file(&choice, argc - first, argv + first);
	prepare_free(&choice.prepared);
	load_free(&choice.loaded);
	load_flags_free(&choice.load);
	return status;
}
