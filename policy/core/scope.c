/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening an image (header, hash, sections; the records in scope_check.c) and reading back the
 * rules and what the manifest says about its agent.
 */
#include "policy/core/scope.h"

#include <errno.h>
#include <string.h>

#include "policy/core/image.h"

static int bad(const char **why, const char *text)
{
	if (why)
		*why = text;
	return -EBADMSG;
}

static int check_header(const struct image_header *header, size_t size, const char **why)
{
	if (memcmp(header->magic, IMAGE_MAGIC, sizeof(header->magic)) != 0)
		return bad(why, "not a scope image");
	if (header->version != IMAGE_VERSION) {
		if (why)
			*why = "a scope image of another version";
		return -EPROTONOSUPPORT;
	}
	if (header->size != size)
		return bad(why, "the image is cut or has bytes after its end");
	if (header->header_size < sizeof(*header) || header->header_size % IMAGE_ALIGN ||
	    header->header_size > size)
		return bad(why, "header size out of range");
	if (header->section_count < IMAGE_SECTION_COUNT || header->section_count > 64 ||
	    header->section_count * sizeof(struct image_section) > size - header->header_size)
		return bad(why, "section table out of range");
	return 0;
}

static bool section_fits(const struct image_section *section, enum image_section_kind kind,
			 size_t size)
{
	uint32_t width = image_record_size(kind);

	if (section->offset % IMAGE_ALIGN || section->offset > size ||
	    section->count > IMAGE_RECORDS_MAX || section->stride < width || section->stride > 4096)
		return false;
	if (width == 1 ? section->stride != 1 : section->stride % 4 != 0)
		return false;
	/* Records with 64-bit fields must stay aligned. */
	if (width % 8 == 0 && section->stride % 8 != 0)
		return false;
	return (uint64_t)section->count * section->stride <= size - section->offset;
}

static int read_sections(struct scope *scope, const char **why)
{
	const struct image_header *header = (const struct image_header *)scope->base;

	for (unsigned int i = 0; i < IMAGE_SECTION_COUNT; i++) {
		const struct image_section *section =
		    (const struct image_section *)(scope->base + header->header_size) + i;
		if (!section_fits(section, i, scope->size))
			return bad(why, "a section lies out of range");
		scope->section[i] = scope->base + section->offset;
		scope->count[i] = section->count;
		scope->stride[i] = section->stride;
	}
	return 0;
}

static int open_image(struct scope *out, const void *image, size_t size, bool again,
		      const char **why)
{
	const struct image_header *header = image;
	struct scope scope = {.base = image, .size = size};
	uint8_t hash[16];
	int r;

	memset(out, 0, sizeof(*out));
	if (!image || size < sizeof(*header) || (uintptr_t)image % IMAGE_ALIGN)
		return bad(why, "too small for a scope image, or not aligned");
	r = check_header(header, size, why);
	if (r < 0)
		return r;
	if (!again) {
		image_body_hash(scope.base, size, hash);
		if (memcmp(hash, header->body_hash, sizeof(hash)) != 0)
			return bad(why, "the image is damaged: its hash differs");
	}
	r = read_sections(&scope, why);
	if (r == 0 && !again)
		r = image_check_records(&scope, why);
	if (r < 0)
		return r;
	*out = scope;
	return 0;
}

int scope_open(struct scope *out, const void *image, size_t size, const char **why)
{
	return open_image(out, image, size, false, why);
}

int scope_open_again(struct scope *out, const void *image, size_t size)
{
	return open_image(out, image, size, true, NULL);
}

void scope_about(const struct scope *scope, struct scope_about *out)
{
	const struct image_about *about = image_record(scope, IMAGE_ABOUT, 0);
	const struct image_header *header = (const struct image_header *)scope->base;

	*out = (struct scope_about){
	    .agent_id = image_string(scope, about->agent_id),
	    .purpose = image_string(scope, about->purpose),
	    .owner = image_string(scope, about->owner),
	    .expires = about->expires,
	    .record = (enum record_mode)about->record,
	    .capabilities = about->capabilities,
	    .processes = about->processes,
	    .open_files = about->open_files,
	    .memory_bytes = about->memory_bytes,
	    .cpu_seconds = about->cpu_seconds,
	    .wall_seconds = about->wall_seconds,
	    .file_bytes = about->file_bytes,
	    .log_bytes = (uint64_t)about->log_kib * 1024,
	    .has_hosts = about->flags & ABOUT_HOSTS,
	    .has_datagrams = about->flags & ABOUT_DATAGRAMS,
	    .has_exec_conditions = about->flags & ABOUT_EXEC_CONDITIONS,
	};
	memcpy(out->digest, header->digest, sizeof(out->digest));
	memcpy(out->body_hash, header->body_hash, sizeof(out->body_hash));
}

uint32_t scope_rule_count(const struct scope *scope)
{
	return scope->count[IMAGE_RULES];
}

static const struct image_rule *rule_at(const struct scope *scope, uint32_t index)
{
	return index < scope->count[IMAGE_RULES] ? image_record(scope, IMAGE_RULES, index) : NULL;
}

void scope_rule(const struct scope *scope, uint32_t index, struct rule *out)
{
	const struct image_rule *rule = rule_at(scope, index);

	*out = (struct rule){.id = "", .reason = "", .text = "", .value = "", .file = ""};
	if (!rule)
		return;
	out->section = (enum rule_section)rule->section;
	out->origin = (enum rule_origin)rule->origin;
	out->denial = rule->flags & RULE_DENIAL;
	out->quiet = rule->flags & RULE_QUIET;
	out->pattern = rule->flags & RULE_PATTERN;
	out->rights = rule->rights;
	out->conditions = rule->conditions;
	out->id = image_string(scope, rule->id);
	out->reason = image_string(scope, rule->reason);
	out->text = image_string(scope, rule->text);
	out->value = image_string(scope, rule->value);
	out->file = image_string(scope, rule->file);
	out->line = rule->line;
	out->spelling_count = rule->spellings.count;
	out->except_count = rule->excepts.count;
	out->args_count = rule->args.count;
	memcpy(out->sha256, rule->sha256, sizeof(out->sha256));
	out->network = (enum network_kind)rule->network;
	out->protocol = rule->protocol;
	out->family = rule->family;
	out->prefix = rule->prefix;
	memcpy(out->ip, rule->ip, sizeof(out->ip));
	out->port_range_count = rule->ports.count;
}

static const char *text_at(const struct scope *scope, struct image_range range, uint32_t n)
{
	if (n >= range.count)
		return NULL;
	const struct image_text *text = image_record(scope, IMAGE_TEXTS, range.first + n);
	return image_string(scope, text->offset);
}

const char *scope_spelling(const struct scope *scope, uint32_t rule, uint32_t n)
{
	const struct image_rule *found = rule_at(scope, rule);

	return found ? text_at(scope, found->spellings, n) : NULL;
}

const char *scope_except(const struct scope *scope, uint32_t rule, uint32_t n)
{
	const struct image_rule *found = rule_at(scope, rule);

	return found ? text_at(scope, found->excepts, n) : NULL;
}

const char *scope_args(const struct scope *scope, uint32_t rule, uint32_t n)
{
	const struct image_rule *found = rule_at(scope, rule);

	return found ? text_at(scope, found->args, n) : NULL;
}

bool scope_port_range(const struct scope *scope, uint32_t rule, uint32_t n, uint16_t *low,
		      uint16_t *high)
{
	const struct image_rule *found = rule_at(scope, rule);

	if (!found || n >= found->ports.count)
		return false;
	const struct image_port_range *range =
	    image_record(scope, IMAGE_PORTS, found->ports.first + n);
	*low = range->low;
	*high = range->high;
	return true;
}

const char *rule_section_name(enum rule_section section)
{
	static const char names[SECTION_COUNT][20] = {
	    [SECTION_FILES_READ] = "files.read",
	    [SECTION_FILES_WRITE] = "files.write",
	    [SECTION_FILES_DENY] = "files.deny",
	    [SECTION_FILES_DENY_WRITE] = "files.deny_write",
	    [SECTION_EXEC_ALLOW] = "exec.allow",
	    [SECTION_EXEC_DENY] = "exec.deny",
	    [SECTION_NETWORK_CONNECT] = "network.connect",
	    [SECTION_NETWORK_LISTEN] = "network.listen",
	    [SECTION_NETWORK_DENY] = "network.deny",
	    [SECTION_ENV_PASS] = "env.pass",
	    [SECTION_ENV_SET] = "env.set",
	};

	return (unsigned int)section < SECTION_COUNT ? names[section] : "?";
}
