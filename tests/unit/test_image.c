/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile images: every truncation, every flipped byte, random damage, each once with the hash as
 * it was (must be refused) and once with the hash made right again (may open, and then every lookup
 * must stay within the image; the sanitizers watch).
 */
#include <check.h>
#include <errno.h>

#include "policy/core/explain.h"
#include "policy/core/image.h"
#include "tests/unit/model_builder.h"

static struct builder sample(void)
{
	struct builder b = builder_new();
	struct model_rule *rule;

	builder_rule(&b, SECTION_FILES_READ, "/usr");
	rule = builder_rule(&b, SECTION_FILES_WRITE, "/w/a");
	builder_spelling(rule, "/mnt/w/a");
	builder_except(builder_rule(&b, SECTION_FILES_DENY, "/w/**/.env"), "/w/a/ok");
	builder_rule(&b, SECTION_FILES_DENY, "/w/a/no");
	rule = builder_rule(&b, SECTION_EXEC_ALLOW, "/usr/bin/x");
	rule->conditions = CONDITION_SHA256;
	builder_ip(&b, SECTION_NETWORK_CONNECT, "10.0.0.0", 8, 80, 90);
	builder_ports(&b.model.rules[b.model.rule_count - 1], 443, 443);
	builder_ip(&b, SECTION_NETWORK_DENY, "*", 0, 85, 86);
	builder_ip(&b, SECTION_NETWORK_LISTEN, "udp:fd00::", 8, 53, 53);
	builder_unix(&b, SECTION_NETWORK_CONNECT, NETWORK_ABSTRACT, "bus");
	builder_rule(&b, SECTION_ENV_PASS, "LC_*");
	builder_rule(&b, SECTION_ENV_SET, "TZ")->value = strdup("UTC");
	builder_open(&b);
	return b;
}

/* Calls everything that reads an image. */
static void exercise(const struct scope *scope)
{
	static const char *const paths[] = {"/",	"/usr/bin/x", "/w/a/b/.env", "/w/a/ok/.env",
					    "/mnt/w/a", "/w/a/no/x",  "/w",	     "/nothing"};
	static const char *const ips[] = {"10.1.2.3", "fd00::1", "8.8.8.8"};
	static const char *const names[] = {"LC_ALL", "TZ", "bus", "HOME"};
	static const uint8_t sha256[32];
	struct scope_about about;
	char buf[EXPLAIN_MAX];
	uint16_t low, high;

	scope_about(scope, &about);
	ck_assert(strlen(about.agent_id) + strlen(about.purpose) + strlen(about.owner) <
		  scope->size);
	for (uint32_t i = 0; i <= scope_rule_count(scope) && i < 64; i++) {
		struct rule rule;
		scope_rule(scope, i, &rule);
		ck_assert(strlen(rule.id) + strlen(rule.reason) + strlen(rule.text) +
			      strlen(rule.value) + strlen(rule.file) <
			  5 * scope->size);
		for (uint32_t n = 0; n < rule.spelling_count; n++)
			ck_assert(strlen(scope_spelling(scope, i, n)) < scope->size);
		for (uint32_t n = 0; n < rule.except_count; n++)
			ck_assert(strlen(scope_except(scope, i, n)) < scope->size);
		for (uint32_t n = 0; n <= rule.port_range_count; n++)
			scope_port_range(scope, i, n, &low, &high);
		ck_assert_ptr_nonnull(rule_section_name(rule.section));
	}
	for (int verb = 0; verb < VERB_COUNT; verb++) {
		for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
			struct query query = {.verb = (enum verb)verb,
					      .object = OBJECT_PATH,
					      .text = paths[i],
					      .len = strlen(paths[i]),
					      .facts = {.sha256 = i & 1 ? sha256 : NULL}};
			struct decision decision = decide(scope, &query);
			explain_refusal(scope, &query, &decision, buf, sizeof(buf));
			decide_beneath(scope, query.text, query.len);
			decide_moves_safely(scope, query.text, query.len, "/w/a/b", 6);
			decide_moves_safely(scope, "/w/a/b", 6, query.text, query.len);
		}
		for (size_t i = 0; i < sizeof(ips) / sizeof(ips[0]); i++) {
			struct query query = {
			    .verb = (enum verb)verb,
			    .object = OBJECT_ADDRESS,
			    .address = {.protocol = i & 1 ? PROTOCOL_UDP : PROTOCOL_TCP,
					.port = (uint16_t)(80 + i)}};
			address_parse_ip(ips[i], strlen(ips[i]), &query.address);
			decide(scope, &query);
		}
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			struct query query = {.verb = (enum verb)verb,
					      .object = i & 1 ? OBJECT_NAME : OBJECT_ABSTRACT,
					      .text = names[i],
					      .len = strlen(names[i])};
			decide(scope, &query);
		}
	}
}

static void rehash(uint8_t *image, size_t size)
{
	if (size > IMAGE_HASHED_FROM)
		image_body_hash(image, size, ((struct image_header *)image)->body_hash);
}

START_TEST(test_sound)
{
	struct builder b = sample();

	exercise(&b.scope);
	builder_free(&b);
}
END_TEST

/* What was checked before reads the same, and nothing but header and sections is looked at. */
START_TEST(test_opened_again)
{
	struct builder b = sample();
	struct scope again;

	ck_assert_int_eq(scope_open_again(&again, b.image, b.size), 0);
	ck_assert_mem_eq(&again, &b.scope, sizeof(again));
	for (size_t size = 0; size < b.size; size++) {
		uint8_t *cut = malloc(size ? size : 1);

		memcpy(cut, b.image, size);
		ck_assert_int_lt(scope_open_again(&again, cut, size), 0);
		ck_assert_ptr_null(again.base);
		if (size >= sizeof(struct image_header)) {
			((struct image_header *)cut)->size = size;
			ck_assert_int_lt(scope_open_again(&again, cut, size), 0);
		}
		free(cut);
	}
	builder_free(&b);
}
END_TEST

/* Copies of the exact size, so that a read past the end is seen. */
START_TEST(test_truncated)
{
	struct builder b = sample();

	for (size_t size = 0; size < b.size; size++) {
		uint8_t *cut = malloc(size ? size : 1);
		struct scope scope;
		const char *why = NULL;

		memcpy(cut, b.image, size);
		ck_assert_int_eq(scope_open(&scope, cut, size, &why), -EBADMSG);
		ck_assert_ptr_nonnull(why);
		ck_assert_ptr_null(scope.base);
		if (size >= sizeof(struct image_header)) {
			((struct image_header *)cut)->size = size;
			rehash(cut, size);
			if (scope_open(&scope, cut, size, NULL) == 0)
				exercise(&scope);
		}
		free(cut);
	}
	builder_free(&b);
}
END_TEST

START_TEST(test_flipped)
{
	static const uint8_t flips[] = {0x01, 0x80, 0xff, 0x40, 0x02};
	struct builder b = sample();
	uint8_t *copy = malloc(b.size);
	size_t opened = 0, refused = 0;

	memcpy(copy, b.image, b.size);
	for (size_t i = 0; i < b.size; i++) {
		for (size_t f = 0; f < sizeof(flips); f++) {
			uint8_t *bytes = copy;
			struct scope scope;

			bytes[i] ^= flips[f];
			ck_assert_int_lt(scope_open(&scope, bytes, b.size, NULL), 0);
			rehash(bytes, b.size);
			if (scope_open(&scope, bytes, b.size, NULL) == 0) {
				exercise(&scope);
				opened++;
			} else {
				refused++;
			}
			memcpy(copy, b.image, b.size);
		}
	}
	/* Names and values may be anything; structure may not. */
	ck_assert_uint_gt(opened, 100);
	ck_assert_uint_gt(refused, 1000);
	free(copy);
	builder_free(&b);
}
END_TEST

/* Whole fields at once, where single bits seldom hit a limit. */
START_TEST(test_hostile_fields)
{
	static const uint32_t values[] = {0,	      1,	  2,	      3,	 7,
					  64,	      255,	  256,	      65535,	 0x7fffffff,
					  0x80000000, 0xfffffff8, 0xfffffffe, 0xffffffff};
	struct builder b = sample();
	uint8_t *copy = malloc(b.size);

	memcpy(copy, b.image, b.size);
	for (size_t i = 0; i + 4 <= b.size; i += 4) {
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
			struct scope scope;
			memcpy(copy + i, &values[v], 4);
			rehash(copy, b.size);
			if (scope_open(&scope, copy, b.size, NULL) == 0)
				exercise(&scope);
			memcpy(copy, b.image, b.size);
		}
	}
	free(copy);
	builder_free(&b);
}
END_TEST

START_TEST(test_random_damage)
{
	struct builder b = sample();
	uint8_t *copy = malloc(b.size);

	srand(31);
	for (int round = 0; round < 60000; round++) {
		struct scope scope;
		int hits = 1 + rand() % 6;

		memcpy(copy, b.image, b.size);
		for (int i = 0; i < hits; i++) {
			size_t from = (size_t)rand() % b.size, to = (size_t)rand() % b.size;
			size_t len = (size_t)(1 + rand() % 16);
			if (from + len <= b.size && to + len <= b.size)
				memmove(copy + to, copy + from, len);
			copy[(size_t)rand() % b.size] = (uint8_t)rand();
		}
		memcpy(copy, b.image, 16);
		rehash(copy, b.size);
		if (scope_open(&scope, copy, b.size, NULL) == 0)
			exercise(&scope);
	}
	free(copy);
	builder_free(&b);
}
END_TEST

START_TEST(test_header)
{
	struct builder b = sample();
	struct image_header *header = b.image;
	struct scope scope;
	const char *why = NULL;

	ck_assert_int_eq(scope_open(&scope, NULL, 0, &why), -EBADMSG);
	ck_assert_int_eq(scope_open(&scope, b.image, b.size + 8, &why), -EBADMSG);
	header->version++;
	ck_assert_int_eq(scope_open(&scope, b.image, b.size, &why), -EPROTONOSUPPORT);
	header->version--;
	header->magic[0] ^= 1;
	ck_assert_int_eq(scope_open(&scope, b.image, b.size, &why), -EBADMSG);
	ck_assert_str_eq(why, "not a scope image");
	header->magic[0] ^= 1;
	ck_assert_int_eq(scope_open(&scope, b.image, b.size, NULL), 0);
	uint8_t *shifted = malloc(b.size + 1);
	memcpy(shifted + 1, b.image, b.size);
	ck_assert_int_eq(scope_open(&scope, shifted + 1, b.size, NULL), -EBADMSG);
	free(shifted);
	builder_free(&b);
}
END_TEST

/* A full hash table would make a lookup run for ever. */
START_TEST(test_full_table)
{
	struct builder b = sample();
	const struct scope *scope = &b.scope;
	struct image_slot *slots =
	    (struct image_slot *)((uint8_t *)b.image +
				  ((const uint8_t *)scope->section[IMAGE_NODE_SLOTS] -
				   scope->base));
	struct scope again;

	for (uint32_t i = 0; i < scope->count[IMAGE_NODE_SLOTS]; i++)
		slots[i].item = slots[i].item ? slots[i].item : 1;
	rehash(b.image, b.size);
	ck_assert_int_eq(scope_open(&again, b.image, b.size, NULL), -EBADMSG);
	builder_free(&b);
}
END_TEST

/* Overlapping intervals would let the search miss a denial. */
START_TEST(test_overlapping_ports)
{
	struct builder b = sample();
	const struct scope *scope = &b.scope;
	struct image_interval *intervals =
	    (struct image_interval *)((uint8_t *)b.image +
				      ((const uint8_t *)scope->section[IMAGE_INTERVALS] -
				       scope->base));
	struct scope again;
	bool found = false;

	for (uint32_t i = 0; i < scope->count[IMAGE_NETWORKS] && !found; i++) {
		const struct image_network *network = image_record(scope, IMAGE_NETWORKS, i);
		if (network->intervals.count < 2)
			continue;
		intervals[network->intervals.first].high =
		    intervals[network->intervals.first + 1].low;
		found = true;
	}
	ck_assert(found);
	rehash(b.image, b.size);
	ck_assert_int_eq(scope_open(&again, b.image, b.size, NULL), -EBADMSG);
	builder_free(&b);
}
END_TEST

/* Records that are named again and again cost as often; shared spellings are no compiler's. */
START_TEST(test_shared_costs)
{
	struct builder b = sample();
	const struct scope *scope = &b.scope;
	uint8_t *image = (uint8_t *)b.image;
	struct image_node *nodes =
	    (struct image_node *)(image +
				  ((const uint8_t *)scope->section[IMAGE_NODES] - scope->base));
	struct image_rule *rules =
	    (struct image_rule *)(image +
				  ((const uint8_t *)scope->section[IMAGE_RULES] - scope->base));
	uint64_t cost = 0;

	while (!scope_costs_within(scope, cost))
		ck_assert_uint_lt(cost++, 1000);
	ck_assert_uint_gt(cost, strlen("**/.env") + strlen("/w/a/ok"));
	for (uint32_t i = 0; i < scope->count[IMAGE_NODES]; i++)
		nodes[i].matchers = (struct image_range){0, scope->count[IMAGE_MATCHERS]};
	ck_assert(!scope_costs_within(scope, cost * (scope->count[IMAGE_NODES] - 1)));
	ck_assert(scope_costs_within(scope, cost * (scope->count[IMAGE_NODES] + 1)));
	for (uint32_t i = 0; i < scope->count[IMAGE_RULES]; i++)
		rules[i].spellings = (struct image_range){0, scope->count[IMAGE_TEXTS]};
	ck_assert(!scope_costs_within(scope, UINT64_MAX));
	builder_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image");
	TCase *tests = tcase_create("image");
	SRunner *runner;

	tcase_set_timeout(tests, 300);
	tcase_add_test(tests, test_sound);
	tcase_add_test(tests, test_opened_again);
	tcase_add_test(tests, test_truncated);
	tcase_add_test(tests, test_flipped);
	tcase_add_test(tests, test_hostile_fields);
	tcase_add_test(tests, test_random_damage);
	tcase_add_test(tests, test_header);
	tcase_add_test(tests, test_full_table);
	tcase_add_test(tests, test_overlapping_ports);
	tcase_add_test(tests, test_shared_costs);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
