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

void writer_fail(struct image_writer *writer, int error)
{
	if (!writer->error)
		writer->error = error;
}

void *writer_add(struct image_writer *writer, enum image_section_kind kind, size_t count)
{
	struct image_records *records = &writer->section[kind];
	size_t width = records->width;

	if (writer->error)
		return NULL;
	if (count > IMAGE_RECORDS_MAX - records->count) {
		writer_fail(writer, -E2BIG);
		return NULL;
	}
	size_t used = records->count * width, need = used + count * width;
	if (need > records->capacity || !records->data) {
		size_t capacity = records->capacity * 2 > need ? records->capacity * 2 : need + 64;
		uint8_t *data = realloc(records->data, capacity);
		if (!data) {
			writer_fail(writer, -ENOMEM);
			return NULL;
		}
		records->data = data;
		records->capacity = capacity;
	}
	memset(records->data + used, 0, count * width);
	records->count += (uint32_t)count;
	return records->data + used;
}

static uint64_t pool_hash(const char *text, size_t len)
{
	return hash_bytes(text, len, 0);
}

/* Twice the slots; the strings stay where they are. */
static bool pool_grow(struct image_writer *writer)
{
	size_t slots = writer->pool_slots ? writer->pool_slots * 2 : 1024;
	uint32_t *pool = calloc(slots, sizeof(*pool));

	if (!pool) {
		writer_fail(writer, -ENOMEM);
		return false;
	}
	for (size_t i = 0; i < writer->pool_slots; i++) {
		if (!writer->pool[i])
			continue;
		const char *text = writer_at(writer, IMAGE_STRINGS, writer->pool[i]);
		size_t at = pool_hash(text, strlen(text)) & (slots - 1);
		while (pool[at])
			at = (at + 1) & (slots - 1);
		pool[at] = writer->pool[i];
	}
	free(writer->pool);
	writer->pool = pool;
	writer->pool_slots = slots;
	return true;
}

uint32_t writer_string(struct image_writer *writer, const char *text, size_t len)
{
	if (writer->error || len == 0)
		return 0; /* the pool begins with an empty string */
	if ((writer->pool_used + 1) * 2 > writer->pool_slots && !pool_grow(writer))
		return 0;
	size_t mask = writer->pool_slots - 1, at = pool_hash(text, len) & mask;
	for (; writer->pool[at]; at = (at + 1) & mask) {
		const char *found = writer_at(writer, IMAGE_STRINGS, writer->pool[at]);
		if (strncmp(found, text, len) == 0 && found[len] == '\0')
			return writer->pool[at];
	}
	uint32_t offset = writer_count(writer, IMAGE_STRINGS);
	char *copy = writer_add(writer, IMAGE_STRINGS, len + 1);
	if (!copy)
		return 0;
	memcpy(copy, text, len);
	writer->pool[at] = offset;
	writer->pool_used++;
	return offset;
}

static uint32_t put_string(struct image_writer *writer, const char *text)
{
	return text ? writer_string(writer, text, strlen(text)) : 0;
}

bool writer_is_network(const struct model_rule *rule)
{
	return rule->section == SECTION_NETWORK_CONNECT ||
	       rule->section == SECTION_NETWORK_LISTEN || rule->section == SECTION_NETWORK_DENY;
}

uint32_t writer_rights(const struct model_rule *rule)
{
	static const uint32_t usual[SECTION_COUNT] = {
	    [SECTION_FILES_READ] = RIGHT_READ,
	    [SECTION_FILES_WRITE] = RIGHT_READ | RIGHT_WRITE,
	    [SECTION_FILES_DENY] = RIGHT_READ | RIGHT_WRITE,
	    [SECTION_FILES_DENY_WRITE] = RIGHT_WRITE,
	    [SECTION_EXEC_ALLOW] = RIGHT_READ | RIGHT_EXEC,
	    [SECTION_EXEC_DENY] = RIGHT_EXEC,
	    [SECTION_NETWORK_CONNECT] = RIGHT_CONNECT,
	    [SECTION_NETWORK_LISTEN] = RIGHT_LISTEN,
	    [SECTION_NETWORK_DENY] = RIGHT_CONNECT | RIGHT_LISTEN,
	};
	uint32_t rights = rule->rights ? rule->rights : usual[rule->section];

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
	bool path = !writer_is_network(rule) || rule->network == NETWORK_UNIX;
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
		if (!writer_is_network(rule))
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

static size_t aligned(size_t size)
{
	return (size + IMAGE_ALIGN - 1) / IMAGE_ALIGN * IMAGE_ALIGN;
}

static size_t section_size(const struct image_writer *writer, enum image_section_kind kind)
{
	return (size_t)writer_count(writer, kind) * image_record_size(kind);
}

/* Header, table, sections; each section begins aligned. */
static int assemble(const struct image_writer *writer, const uint8_t digest[SCOPE_DIGEST_SIZE],
		    void **image, size_t *size)
{
	size_t at =
	    sizeof(struct image_header) + IMAGE_SECTION_COUNT * sizeof(struct image_section);
	size_t total = at;

	for (unsigned int i = 0; i < IMAGE_SECTION_COUNT; i++)
		total += aligned(section_size(writer, i));
	uint8_t *bytes = calloc(1, total);
	if (!bytes)
		return -ENOMEM;
	struct image_header *header = (struct image_header *)bytes;
	*header = (struct image_header){.version = IMAGE_VERSION,
					.header_size = sizeof(*header),
					.size = total,
					.section_count = IMAGE_SECTION_COUNT};
	memcpy(header->magic, IMAGE_MAGIC, sizeof(header->magic));
	memcpy(header->digest, digest, SCOPE_DIGEST_SIZE);
	struct image_section *table = (struct image_section *)(header + 1);
	for (unsigned int i = 0; i < IMAGE_SECTION_COUNT; i++) {
		table[i] =
		    (struct image_section){at, writer_count(writer, i), image_record_size(i)};
		if (section_size(writer, i))
			memcpy(bytes + at, writer->section[i].data, section_size(writer, i));
		at += aligned(section_size(writer, i));
	}
	image_body_hash(bytes, total, header->body_hash);
	*image = bytes;
	*size = total;
	return 0;
}

static void writer_free(struct image_writer *writer)
{
	for (unsigned int i = 0; i < IMAGE_SECTION_COUNT; i++)
		free(writer->section[i].data);
	free(writer->rules);
	free(writer->pool);
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
	r = writer.error ? writer.error : assemble(&writer, digest, &bytes, &len);
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
