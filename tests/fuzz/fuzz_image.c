/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: an image from a hostile source, then questions to it. The input is the image; size
 * and hash are made right first, so that the fuzzer reaches what lies behind them. The last 64
 * bytes of the input are also the object that is asked for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/core/decide.h"
#include "policy/core/explain.h"
#include "policy/core/image.h"

#define TEXT_BYTES 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct scope *scope, struct query *query)
{
	char buf[EXPLAIN_MAX];

	for (int verb = 0; verb < VERB_COUNT; verb++) {
		query->verb = (enum verb)verb;
		struct decision decision = decide(scope, query);
		if (decision.verdict == VERDICT_ALLOWED &&
		    (decision.rule >= scope_rule_count(scope) || decision.error != 0))
			abort();
		size_t len = explain_refusal(scope, query, &decision, buf, sizeof(buf));
		if (len >= sizeof(buf) || buf[len] != '\0' || memchr(buf, '\n', len))
			abort();
	}
}

static void ask_text(const struct scope *scope, const char *text, size_t len)
{
	static const enum object_kind kinds[] = {OBJECT_PATH, OBJECT_ABSTRACT, OBJECT_NAME};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct query query = {.object = kinds[i], .text = text, .len = len};
		ask(scope, &query);
	}
	decide_beneath(scope, text, len);
	decide_moves_safely(scope, text, len, "/w/x", 4);
	decide_moves_safely(scope, "/w/x", 4, text, len);
}

static void ask_addresses(const struct scope *scope, const char *text, size_t len)
{
	struct query query = {.object = OBJECT_ADDRESS};

	for (unsigned int protocol = PROTOCOL_TCP; protocol <= PROTOCOL_UDP; protocol++) {
		for (unsigned int family = FAMILY_IP4; family <= FAMILY_IP6; family += 2) {
			query.address.protocol = (uint8_t)protocol;
			query.address.family = (uint8_t)family;
			if (len > 17)
				memcpy(&query.address.port, text + 16, 2);
			memcpy(query.address.ip, text, len < 16 ? len : 16);
			ask(scope, &query);
		}
	}
}

/* Reads every rule back. */
static void list(const struct scope *scope)
{
	struct scope_about about;
	uint16_t low, high;
	size_t total = 0;

	scope_about(scope, &about);
	total += strlen(about.agent_id) + strlen(about.purpose) + strlen(about.owner);
	for (uint32_t i = 0; i < scope_rule_count(scope) && i < 256; i++) {
		struct rule rule;
		scope_rule(scope, i, &rule);
		total += strlen(rule.id) + strlen(rule.text) + strlen(rule.value);
		total += strlen(rule.file) + strlen(rule.reason);
		for (uint32_t n = 0; n < rule.spelling_count && n < 256; n++)
			total += strlen(scope_spelling(scope, i, n));
		for (uint32_t n = 0; n < rule.except_count && n < 256; n++)
			total += strlen(scope_except(scope, i, n));
		for (uint32_t n = 0; n < rule.port_range_count && n < 256; n++)
			total += scope_port_range(scope, i, n, &low, &high);
	}
	if (total == SIZE_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *image = malloc(size ? size : 1);
	size_t text = size > TEXT_BYTES ? size - TEXT_BYTES : 0;
	struct scope scope;

	if (!image)
		return 0;
	memcpy(image, data, size);
	if (size >= sizeof(struct image_header)) {
		struct image_header *header = (struct image_header *)image;
		memcpy(header->magic, IMAGE_MAGIC, sizeof(header->magic));
		header->version = IMAGE_VERSION;
		header->size = size;
		image_body_hash(image, size, header->body_hash);
	}
	if (scope_open(&scope, image, size, NULL) == 0) {
		list(&scope);
		ask_text(&scope, (const char *)data + text, size - text);
		ask_text(&scope, "/w/a/.env", 9);
		ask_addresses(&scope, (const char *)data + text, size - text);
	} else if (scope.base) {
		abort();
	}
	free(image);
	return 0;
}
