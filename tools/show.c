/* SPDX-License-Identifier: Apache-2.0 */
/* `remit show`: everything that a manifest or an image says, in canonical order, with the file and
 * line of each rule. `--canonical` prints the very text that is digested. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/core/decide.h"
#include "policy/core/path.h"
#include "tools/capability.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/load.h"
#include "tools/output.h"

static const char usage[] =
    "Usage: remit show [OPTIONS] FILE\n"
    "Prints a manifest or a scope image in full: who, limits, and every rule with its "
    "origin.\n\n" LOAD_USAGE
    "      --no-resolve      take paths as they are spelled, without following links\n"
    "      --canonical       the canonical text, which the digest names (manifests only)\n"
    "      --json            as JSON\n"
    "Exit status: 0, or 2 for a usage or manifest error.\n";

struct show {
	struct load_flags load;
	bool canonical;
	struct loaded loaded;
};

static const char *const origins[] = {
    [ORIGIN_MANIFEST] = "manifest",
    [ORIGIN_PROFILE] = "profile",
    [ORIGIN_IMPLIED] = "implied",
    [ORIGIN_SESSION] = "session",
};
static const char *const modes[] = {
    [RECORD_DENIALS] = "denials",
    [RECORD_ALL] = "all",
    [RECORD_STRICT] = "strict",
    [RECORD_NONE] = "none",
};

static const char *origin_name(enum rule_origin origin)
{
	return (size_t)origin < sizeof(origins) / sizeof(origins[0]) ? origins[origin] : "?";
}

static const char *mode_name(enum record_mode mode)
{
	return (size_t)mode < sizeof(modes) / sizeof(modes[0]) ? modes[mode] : "?";
}

static void print_field(const char *name, const char *value)
{
	if (!*value)
		return;
	printf("%-13s ", name);
	output_text(stdout, value);
	putchar('\n');
}

static void print_limits(const struct scope_about *about)
{
	char buf[32];

	if (about->processes)
		printf("%-13s %" PRIu64 "\n", "processes", about->processes);
	if (about->open_files)
		printf("%-13s %" PRIu64 "\n", "open_files", about->open_files);
	if (about->memory_bytes)
		print_field("memory", output_size(about->memory_bytes, buf));
	if (about->cpu_seconds)
		print_field("cpu_time", output_duration(about->cpu_seconds, buf));
	if (about->wall_seconds)
		print_field("wall_time", output_duration(about->wall_seconds, buf));
	if (about->file_bytes)
		print_field("file_size", output_size(about->file_bytes, buf));
}

static void print_about(const struct loaded *loaded)
{
	const struct scope_about *about = &loaded->about;
	char digest[2 * SCOPE_DIGEST_SIZE + 1], buf[32];
	uint64_t left = about->capabilities;

	print_field("agent", about->agent_id);
	print_field("purpose", about->purpose);
	print_field("owner", about->owner);
	if (about->expires)
		print_field("expires", output_time(about->expires, buf));
	print_field("digest", output_hex(about->digest, SCOPE_DIGEST_SIZE, digest));
	print_field("record", mode_name(about->record));
	if (about->log_bytes)
		print_field("max_size", output_size(about->log_bytes, buf));
	print_limits(about);
	for (unsigned int n = 0; left; n++, left >>= 1)
		if (left & 1)
			print_field("capability", capability_name(n, buf));
}

/* A socket's name is stored bare; the manifest writes its kind in front. */
static const char *text_prefix(const struct rule *rule)
{
	if (rule->section < SECTION_NETWORK_CONNECT || rule->section > SECTION_NETWORK_DENY)
		return "";
	switch (rule->network) {
	case NETWORK_UNIX:
		return "unix:";
	case NETWORK_ABSTRACT:
		return "unix:@";
	default:
		return "";
	}
}

static void print_conditions(const struct scope *scope, uint32_t index, const struct rule *rule)
{
	char digest[65];

	if (rule->conditions & CONDITION_SHA256)
		printf(" sha256 %s", output_hex(rule->sha256, 32, digest));
	for (uint32_t n = 0; n < rule->args_count; n++) {
		fputs(n ? ", \"" : " args \"", stdout);
		output_text(stdout, scope_args(scope, index, n));
		putchar('"');
	}
	if (rule->conditions & CONDITION_SESSION_TERMINAL)
		fputs(" when session-terminal", stdout);
	if (rule->quiet)
		fputs(" quiet", stdout);
}

static void print_rule(const struct loaded *loaded, uint32_t index)
{
	struct rule rule;

	scope_rule(&loaded->scope, index, &rule);
	printf("%-16s %s", rule_section_name(rule.section), text_prefix(&rule));
	output_text(stdout, rule.text);
	if (*rule.value) {
		putchar('=');
		output_text(stdout, rule.value);
	}
	print_conditions(&loaded->scope, index, &rule);
	fputs("  # ", stdout);
	output_text(stdout, rule.id);
	if (rule.line) {
		putchar(' ');
		output_text(stdout, rule.file);
		printf(":%" PRIu32, rule.line);
	}
	if (rule.origin != ORIGIN_MANIFEST)
		printf(" (%s)", origin_name(rule.origin));
	if (*rule.reason) {
		fputs(": ", stdout);
		output_text(stdout, rule.reason);
	}
	putchar('\n');
	for (uint32_t n = 0; n < rule.spelling_count; n++) {
		printf("%-16s   = ", "");
		output_text(stdout, scope_spelling(&loaded->scope, index, n));
		putchar('\n');
	}
	for (uint32_t n = 0; n < rule.except_count; n++) {
		printf("%-16s   except ", "");
		output_text(stdout, scope_except(&loaded->scope, index, n));
		putchar('\n');
	}
}

static void json_about(const struct loaded *loaded, struct writer *json)
{
	const struct scope_about *about = &loaded->about;
	char digest[2 * SCOPE_DIGEST_SIZE + 1], buf[32];
	uint64_t left = about->capabilities;

	writer_text(json, "agent", about->agent_id);
	writer_text(json, "purpose", about->purpose);
	writer_text(json, "owner", about->owner);
	if (about->expires)
		writer_text(json, "expires", output_time(about->expires, buf));
	writer_text(json, "digest", output_hex(about->digest, SCOPE_DIGEST_SIZE, digest));
	writer_text(json, "record", mode_name(about->record));
	writer_number(json, "max_size", (int64_t)about->log_bytes);
	writer_open(json, "limits", '{');
	writer_number(json, "processes", (int64_t)about->processes);
	writer_number(json, "open_files", (int64_t)about->open_files);
	writer_number(json, "memory", (int64_t)about->memory_bytes);
	writer_number(json, "cpu_time", (int64_t)about->cpu_seconds);
	writer_number(json, "wall_time", (int64_t)about->wall_seconds);
	writer_number(json, "file_size", (int64_t)about->file_bytes);
	writer_close(json, '}');
	writer_open(json, "capabilities", '[');
	for (unsigned int n = 0; left; n++, left >>= 1)
		if (left & 1)
			writer_text(json, NULL, capability_name(n, buf));
	writer_close(json, ']');
}

static void json_rule(const struct loaded *loaded, uint32_t index, struct writer *json)
{
	char digest[65], text[PATH_TEXT_MAX + 16];
	struct rule rule;

	scope_rule(&loaded->scope, index, &rule);
	writer_open(json, NULL, '{');
	writer_text(json, "section", rule_section_name(rule.section));
	writer_text(json, "id", rule.id);
	snprintf(text, sizeof(text), "%s%s", text_prefix(&rule), rule.text);
	writer_text(json, "text", text);
	if (rule.section == SECTION_ENV_SET)
		writer_text(json, "value", rule.value);
	writer_text(json, "origin", origin_name(rule.origin));
	writer_text(json, "file", rule.file);
	writer_number(json, "line", rule.line);
	if (*rule.reason)
		writer_text(json, "reason", rule.reason);
	if (rule.quiet)
		writer_bool(json, "quiet", true);
	if (rule.conditions & CONDITION_SHA256)
		writer_text(json, "sha256", output_hex(rule.sha256, 32, digest));
	if (rule.conditions & CONDITION_ARGS) {
		writer_open(json, "args", '[');
		for (uint32_t n = 0; n < rule.args_count; n++)
			writer_text(json, NULL, scope_args(&loaded->scope, index, n));
		writer_close(json, ']');
	}
	if (rule.conditions & CONDITION_SESSION_TERMINAL)
		writer_text(json, "when", "session-terminal");
	writer_open(json, "spellings", '[');
	for (uint32_t n = 0; n < rule.spelling_count; n++)
		writer_text(json, NULL, scope_spelling(&loaded->scope, index, n));
	writer_close(json, ']');
	writer_open(json, "except", '[');
	for (uint32_t n = 0; n < rule.except_count; n++)
		writer_text(json, NULL, scope_except(&loaded->scope, index, n));
	writer_close(json, ']');
	writer_close(json, '}');
}

static void print_json(const struct loaded *loaded)
{
	struct writer json = {.stream = stdout};

	writer_open(&json, NULL, '{');
	json_about(loaded, &json);
	writer_open(&json, "rules", '[');
	for (uint32_t i = 0; i < scope_rule_count(&loaded->scope); i++)
		json_rule(loaded, i, &json);
	writer_close(&json, ']');
	writer_close(&json, '}');
}

static int show_file(struct show *show, int argc, char **argv)
{
	struct loaded *loaded = &show->loaded;

	if (!show->load.manifest && argc == 1) {
		show->load.manifest = argv[0];
	} else if (argc) {
		output_error("show: one file at a time; \"%s\" is one too many", argv[argc - 1]);
		return STATUS_USAGE;
	}
	if (load_any(&show->load, false, loaded))
		return STATUS_USAGE;
	if (show->canonical && loaded->is_image) {
		output_error("%s: an image does not hold its canonical text; ask the manifest",
			     show->load.manifest);
		return STATUS_USAGE;
	}
	if (show->canonical) {
		fwrite(loaded->canonical, 1, loaded->canonical_len, stdout);
		return STATUS_OK;
	}
	if (show->load.json) {
		print_json(loaded);
		return STATUS_OK;
	}
	print_about(loaded);
	putchar('\n');
	for (uint32_t i = 0; i < scope_rule_count(&loaded->scope); i++)
		print_rule(loaded, i);
	return STATUS_OK;
}

int show_command(int argc, char **argv)
{
	struct show show = {0};
	const struct flag flags[] = {
	    LOAD_FLAGS(&show.load),
	    LOAD_FLAGS_RESOLVE(&show.load),
	    {"canonical", 0, FLAG_SWITCH, &show.canonical, NULL},
	    {"json", 0, FLAG_SWITCH, &show.load.json, NULL},
	};
	int first = flags_parse(argc, argv, flags, sizeof(flags) / sizeof(flags[0]), false, usage);
	int status;

	if (first < 0)
		status = first == FLAGS_HELP ? STATUS_OK : STATUS_USAGE;
	else
		status = show_file(&show, argc - first, argv + first);
	load_free(&show.loaded);
	load_flags_free(&show.load);
	return status;
}
