/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models by hand, for tests that must not depend on the YAML reader. Aborts when out of memory.
 *
 *   struct builder b = builder_new();
 *   builder_rule(&b, SECTION_FILES_WRITE, "/w");
 *   struct model_rule *r = builder_rule(&b, SECTION_FILES_DENY, "/w/ ** /.env"); // without blanks
 *   builder_except(r, "/w/ok");
 *   builder_ip(&b, SECTION_NETWORK_CONNECT, "udp:10.0.0.0", 8, 53, 53);
 *   builder_open(&b);            // b.scope, b.image, b.size
 *   builder_free(&b);
 *
 * A returned rule is valid until the next builder_rule() or builder_ip().
 */
#ifndef REMIT_TESTS_MODEL_BUILDER_H
#define REMIT_TESTS_MODEL_BUILDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/model.h"
#include "policy/core/decide.h"
#include "policy/core/path.h"

struct builder {
	struct model model;
	struct compile_options options;
	size_t capacity;
	unsigned int ordinal[SECTION_COUNT]; /* for ids: files.read[0], … */
	void *image;
	size_t size;
	struct scope scope;
};

static inline void *builder_check(void *pointer)
{
	if (!pointer) {
		fputs("model_builder: out of memory\n", stderr);
		abort();
	}
	return pointer;
}

static inline struct builder builder_new(void)
{
	struct builder b = {0};

	b.model.agent_id = (char *)builder_check(strdup("test-agent"));
	b.model.purpose = (char *)builder_check(strdup("testing"));
	return b;
}

static inline struct model_rule *builder_rule(struct builder *b, enum rule_section section,
					      const char *text)
{
	static const uint32_t rights[SECTION_COUNT] = {
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
	char id[64];

	if (b->model.rule_count == b->capacity) {
		b->capacity = b->capacity ? b->capacity * 2 : 16;
		b->model.rules = (struct model_rule *)builder_check(
		    realloc(b->model.rules, b->capacity * sizeof(*b->model.rules)));
	}
	snprintf(id, sizeof(id), "%s[%u]", rule_section_name(section), b->ordinal[section]++);
	struct model_rule *rule = &b->model.rules[b->model.rule_count++];
	*rule = (struct model_rule){
	    .section = section,
	    .denial = section == SECTION_FILES_DENY || section == SECTION_FILES_DENY_WRITE ||
		      section == SECTION_EXEC_DENY || section == SECTION_NETWORK_DENY,
	    .pattern = path_is_pattern(text, strlen(text)),
	    .rights = rights[section],
	    .id = (char *)builder_check(strdup(id)),
	    .text = (char *)builder_check(strdup(text)),
	    .file = (char *)builder_check(strdup("manifest.yaml")),
	    .line = (uint32_t)b->model.rule_count,
	    .column = 1,
	};
	return rule;
}

static inline void builder_push(struct string_list *list, const char *text)
{
	list->items =
	    (char **)builder_check(realloc(list->items, (list->count + 1) * sizeof(*list->items)));
	list->items[list->count++] = (char *)builder_check(strdup(text));
}

static inline void builder_except(struct model_rule *rule, const char *text)
{
	builder_push(&rule->excepts, text);
}

static inline void builder_spelling(struct model_rule *rule, const char *text)
{
	builder_push(&rule->spellings, text);
}

static inline void builder_ports(struct model_rule *rule, uint16_t low, uint16_t high)
{
	rule->ports = (struct port_range *)builder_check(
	    realloc(rule->ports, (rule->port_count + 1) * sizeof(*rule->ports)));
	rule->ports[rule->port_count++] = (struct port_range){low, high};
}

/* "10.0.0.0", "udp:fd00::" or "*"; prefix in bits, ports inclusive. */
static inline struct model_rule *builder_ip(struct builder *b, enum rule_section section,
					    const char *ip, uint8_t prefix, uint16_t low,
					    uint16_t high)
{
	struct model_rule *rule = builder_rule(b, section, ip);
	struct address address = {0};
	bool udp = strncmp(ip, "udp:", 4) == 0;

	ip += udp ? 4 : 0;
	rule->pattern = false;
	rule->protocol = udp ? PROTOCOL_UDP : PROTOCOL_TCP;
	if (strcmp(ip, "*") == 0) {
		rule->network = NETWORK_ANY;
	} else if (address_parse_ip(ip, strlen(ip), &address) < 0) {
		fprintf(stderr, "model_builder: bad address %s\n", ip);
		abort();
	} else {
		rule->network = NETWORK_IP;
		rule->family = address.family;
		rule->prefix = prefix;
		memcpy(rule->ip, address.ip, sizeof(rule->ip));
	}
	builder_ports(rule, low, high);
	return rule;
}

static inline struct model_rule *builder_unix(struct builder *b, enum rule_section section,
					      enum network_kind kind, const char *text)
{
	struct model_rule *rule = builder_rule(b, section, text);

	rule->network = kind;
	rule->protocol = PROTOCOL_UNIX;
	return rule;
}

/* What image_build() says. */
static inline int builder_build(struct builder *b)
{
	uint8_t digest[SCOPE_DIGEST_SIZE];
	char *text = NULL;
	size_t len = 0;
	int r = canonical_text(&b->model, &b->options, &text, &len);

	if (r < 0)
		return r;
	canonical_digest(text, len, digest);
	free(text);
	free(b->image);
	b->image = NULL;
	return image_build(&b->model, digest, &b->image, &b->size);
}

/* Builds and opens; aborts when that fails. */
static inline const struct scope *builder_open(struct builder *b)
{
	const char *why = "";
	int r = builder_build(b);

	if (r == 0)
		r = scope_open(&b->scope, b->image, b->size, &why);
	if (r < 0) {
		fprintf(stderr, "model_builder: no image: %d %s\n", r, why);
		abort();
	}
	return &b->scope;
}

static inline void builder_free(struct builder *b)
{
	model_free(&b->model);
	free(b->image);
}

/* The query "verb text" for a path. */
static inline struct decision builder_decide(const struct builder *b, enum verb verb,
					     const char *path)
{
	return decide_path(&b->scope, verb, path, strlen(path));
}

/* For "1.2.3.4" or "udp:::1". */
static inline struct decision builder_decide_ip(const struct builder *b, enum verb verb,
						const char *ip, uint16_t port)
{
	struct query query = {.verb = verb, .object = OBJECT_ADDRESS};
	bool udp = strncmp(ip, "udp:", 4) == 0;

	ip += udp ? 4 : 0;
	query.address.protocol = udp ? PROTOCOL_UDP : PROTOCOL_TCP;
	query.address.port = port;
	if (address_parse_ip(ip, strlen(ip), &query.address) < 0) {
		fprintf(stderr, "model_builder: bad address %s\n", ip);
		abort();
	}
	return decide(&b->scope, &query);
}

static inline struct decision builder_decide_name(const struct builder *b, enum verb verb,
						  enum object_kind kind, const char *name)
{
	struct query query = {.verb = verb, .object = kind, .text = name, .len = strlen(name)};

	return decide(&b->scope, &query);
}

#endif
