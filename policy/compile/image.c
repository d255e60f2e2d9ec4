/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Model to image bytes: the rules in canonical order, their strings, and the whole put together.
 * The layout is policy/core/image.h. What is written is opened again before it is handed out: an
 * image that scope_open() refuses never leaves this file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/canonical.h"
#include "policy/compile/image_writer.h"
#include "policy/core/decide.h"
#include "policy/core/hash.h"

static uint32_t put_string(struct image_writer *writer, const char *text)
{
	return text ? writer_string(writer, text, strlen(text)) : 0;
}

uint32_t writer_rights(const struct model_rule *rule)
{
	bool denial;
	uint32_t rights = rule->rights ? rule->rights : model_section_rights(rule->section, &denial);

	if (!rule->denial && (rights & (RIGHT_WRITE | RIGHT_EXEC)))
		rights |= RIGHT_READ;
	return rights & RIGHT_ALL;
}

/* A model that contradicts itself must not become an image that grants. */
static bool rule_is_sound(const struct model_rule *rule)
{
	if ((unsigned int)rule->section >= SECTION_COUNT || !rule->text)
		return false;
	bool denial = rule->section == SECTION_FILES_DENY ||
		      rule->section == SECTION_FILES_DENY_WRITE ||
		      rule->section == SECTION_EXEC_DENY || rule->section == SECTION_NETWORK_DENY;
	bool path = !rule_is_network(rule->section) || rule->network == NETWORK_UNIX;
	if (rule->section == SECTION_ENV_PASS || rule->section == SECTION_ENV_SET)
		path = false;
	bool exec = rule->section == SECTION_EXEC_ALLOW || rule->section == SECTION_EXEC_DENY;
	if (rule->denial != denial || (denial && (rule->conditions & ~CONDITION_ARGS)))
		return false;
	if ((rule->conditions & CONDITION_ARGS) && (!exec || rule->args.count == 0))
		return false;
	return rule->excepts.count == 0 || (denial && path);
}

struct sortable {
	const struct model_rule *rule;
	char *line;
};

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/* By meaning first; where a rule stands only tells apart rules that mean the same. */
static int compare_rules(const void *a, const void *b)
{
	const struct sortable *x = a, *y = b;
	int r;

	if (x->rule->section != y->rule->section)
		return x->rule->section < y->rule->section ? -1 : 1;
	if ((r = strcmp(x->line, y->line)) != 0)
		return r;
	if (x->rule->rights != y->rule->rights)
		return x->rule->rights < y->rule->rights ? -1 : 1;
	if (x->rule->origin != y->rule->origin)
		return x->rule->origin < y->rule->origin ? -1 : 1;
	if ((r = compare_text(x->rule->file, y->rule->file)) != 0)
		return r;
	if (x->rule->line != y->rule->line)
		return x->rule->line < y->rule->line ? -1 : 1;
	if (x->rule->column != y->rule->column)
		return x->rule->column < y->rule->column ? -1 : 1;
	if ((r = compare_text(x->rule->id, y->rule->id)) != 0)
		return r;
	return compare_text(x->rule->reason, y->rule->reason);
}

static void sort_rules(struct image_writer *writer, const struct model *model)
{
	struct sortable *order = calloc(model->rule_count + 1, sizeof(*order));

	writer->rules = calloc(model->rule_count + 1, sizeof(*writer->rules));
	if (!order || !writer->rules)
		writer_fail(writer, -ENOMEM);
	if (model->rule_count > IMAGE_RECORDS_MAX)
		writer_fail(writer, -E2BIG);
	for (size_t i = 0; i < model->rule_count && !writer->error; i++) {
		order[i].rule = &model->rules[i];
		if (!rule_is_sound(order[i].rule))
			writer_fail(writer, -EINVAL);
		else if (!(order[i].line = canonical_rule(order[i].rule, NULL)))
			writer_fail(writer, -ENOMEM);
	}
	if (!writer->error) {
		qsort(order, model->rule_count, sizeof(*order), compare_rules);
		for (size_t i = 0; i < model->rule_count; i++)
			writer->rules[i] = order[i].rule;
		writer->rule_count = (uint32_t)model->rule_count;
	}
	for (size_t i = 0; order && i < model->rule_count; i++)
		free(order[i].line);
	free(order);
}

static struct image_range put_texts(struct image_writer *writer, const struct string_list *list)
{
	struct image_range range = {writer_count(writer, IMAGE_TEXTS), 0};
	const char **items = NULL;
	size_t count = 0;

	if (!list->count)
		return range;
	if (canonical_strings(list, &items, &count) < 0)
		writer_fail(writer, -ENOMEM);
	for (size_t i = 0; i < count; i++) {
		uint32_t offset = put_string(writer, items[i]);
		struct image_text *text = writer_add(writer, IMAGE_TEXTS, 1);
		if (!text)
			break;
		text->offset = offset;
		text->len = (uint32_t)strlen(items[i]);
		range.count++;
	}
	free(items);
	return range;
}

static struct image_range put_ports(struct image_writer *writer, const struct model_rule *rule)
{
	struct image_range range = {writer_count(writer, IMAGE_PORTS), 0};
	struct image_port_range *ports = writer_add(writer, IMAGE_PORTS, rule->port_count);

	for (size_t i = 0; ports && i < rule->port_count; i++) {
		ports[i].low = rule->ports[i].low;
		ports[i].high = rule->ports[i].high;
		range.count++;
	}
	return range;
}

static void put_rule(struct image_writer *writer, const struct model_rule *rule)
{
	struct image_rule record = {
	    .id = put_string(writer, rule->id),
	    .reason = put_string(writer, rule->reason),
	    .text = put_string(writer, rule->text),
	    .value = put_string(writer, rule->value),
	    .file = put_string(writer, rule->file),
	    .line = rule->line,
	    .rights = writer_rights(rule),
	    .conditions = rule->conditions,
	    .section = (uint8_t)rule->section,
	    .origin = (uint8_t)rule->origin,
	    .flags = (uint8_t)((rule->denial ? RULE_DENIAL : 0) | (rule->quiet ? RULE_QUIET : 0) |
			       (rule->pattern ? RULE_PATTERN : 0)),
	    .network = (uint8_t)rule->network,
	    .protocol = rule->protocol,
	    .family = rule->family,
	    .prefix = rule->prefix,
	    .spellings = put_texts(writer, &rule->spellings),
	    .excepts = put_texts(writer, &rule->excepts),
	    .args = put_texts(writer, &rule->args),
	    .ports = put_ports(writer, rule),
	};

	memcpy(record.ip, rule->ip, sizeof(record.ip));
	if (rule->conditions & CONDITION_SHA256)
		memcpy(record.sha256, rule->sha256, sizeof(record.sha256));
	struct image_rule *out = writer_add(writer, IMAGE_RULES, 1);
	if (out)
		*out = record;
}

static uint32_t about_flags(const struct model *model)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < model->rule_count; i++) {
		const struct model_rule *rule = &model->rules[i];
		if ((rule->section == SECTION_EXEC_ALLOW || rule->section == SECTION_EXEC_DENY) &&
		    rule->conditions)
			flags |= ABOUT_EXEC_CONDITIONS;
		if (!rule_is_network(rule->section))
			continue;
		if (rule->network == NETWORK_HOST)
			flags |= ABOUT_HOSTS;
		if (!rule->denial &&
		    (rule->protocol == PROTOCOL_UDP || rule->network == NETWORK_UNIX ||
		     rule->network == NETWORK_ABSTRACT))
			flags |= ABOUT_DATAGRAMS;
	}
	return flags;
}

/* Rounded up: what is set at all stays set. */
static uint32_t log_kib(uint64_t bytes)
{
	uint64_t kib = bytes / 1024 + (bytes % 1024 != 0);

	return kib < UINT32_MAX ? (uint32_t)kib : UINT32_MAX;
}

static void put_about(struct image_writer *writer, const struct model *model)
{
	struct image_about record = {
	    .agent_id = put_string(writer, model->agent_id),
	    .purpose = put_string(writer, model->purpose),
	    .owner = put_string(writer, model->owner),
	    .record = (uint32_t)model->record,
	    .expires = model->expires,
	    .capabilities = model->capabilities,
	    .processes = model->processes,
	    .open_files = model->open_files,
	    .memory_bytes = model->memory_bytes,
	    .cpu_seconds = model->cpu_seconds,
	    .wall_seconds = model->wall_seconds,
	    .file_bytes = model->file_bytes,
	    .log_kib = log_kib(model->log_bytes),
	    .flags = about_flags(model),
	};
	struct image_about *out = writer_add(writer, IMAGE_ABOUT, 1);

	if (out)
		*out = record;
}

int image_build(const struct model *model, const uint8_t digest[SCOPE_DIGEST_SIZE], void **image,
		size_t *size)
{
	struct image_writer writer = {0};
	struct scope scope;
	void *bytes = NULL;
	size_t len = 0;
	int r;

	for (unsigned int i = 0; i < IMAGE_SECTION_COUNT; i++)
		writer.section[i].width = image_record_size(i);
	writer_add(&writer, IMAGE_STRINGS, 1);
	sort_rules(&writer, model);
	put_about(&writer, model);
	for (uint32_t i = 0; i < writer.rule_count; i++)
		put_rule(&writer, writer.rules[i]);
	writer_tree(&writer);
	writer_lanes(&writer);
	writer_networks(&writer);
	r = writer.error ? writer.error : writer_assemble(&writer, digest, &bytes, &len);
	writer_free(&writer);
	if (r < 0)
		return r;
	r = scope_open(&scope, bytes, len, NULL);
	if (r < 0) {
		free(bytes);
		return r;
	}
	*image = bytes;
	*size = len;
	return 0;
}
