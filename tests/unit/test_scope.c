/* SPDX-License-Identifier: Apache-2.0 */
/* What goes into an image comes out again; equal meanings give equal digests and bytes, different
 * meanings give different digests; models that contradict themselves become no image. */
#include <check.h>
#include <errno.h>

#include "tests/unit/model_builder.h"

START_TEST(test_about)
{
	struct builder b = builder_new();
	struct scope_about about;

	b.model.owner = strdup("finance");
	b.model.expires = 1806451200;
	b.model.record = RECORD_STRICT;
	b.model.capabilities = 1U << 10;
	b.model.processes = 64;
	b.model.open_files = 1024;
	b.model.memory_bytes = UINT64_C(2) << 30;
	b.model.cpu_seconds = 600;
	b.model.wall_seconds = 3600;
	b.model.file_bytes = UINT64_C(1) << 30;
	scope_about(builder_open(&b), &about);
	ck_assert_str_eq(about.agent_id, "test-agent");
	ck_assert_str_eq(about.purpose, "testing");
	ck_assert_str_eq(about.owner, "finance");
	ck_assert_int_eq(about.expires, 1806451200);
	ck_assert_int_eq(about.record, RECORD_STRICT);
	ck_assert_uint_eq(about.capabilities, 1U << 10);
	ck_assert_uint_eq(about.processes, 64);
	ck_assert_uint_eq(about.open_files, 1024);
	ck_assert_uint_eq(about.memory_bytes, UINT64_C(2) << 30);
	ck_assert_uint_eq(about.cpu_seconds, 600);
	ck_assert_uint_eq(about.wall_seconds, 3600);
	ck_assert_uint_eq(about.file_bytes, UINT64_C(1) << 30);
	ck_assert(!about.has_hosts && !about.has_datagrams && !about.has_exec_conditions);
	builder_free(&b);
}
END_TEST

START_TEST(test_flags)
{
	struct builder b = builder_new();
	struct scope_about about;

	builder_ip(&b, SECTION_NETWORK_DENY, "udp:1.2.3.4", 32, 1, 1);
	builder_unix(&b, SECTION_NETWORK_DENY, NETWORK_UNIX, "/run/x");
	scope_about(builder_open(&b), &about);
	ck_assert(!about.has_datagrams);
	builder_ip(&b, SECTION_NETWORK_CONNECT, "udp:1.2.3.4", 32, 1, 1);
	scope_about(builder_open(&b), &about);
	ck_assert(about.has_datagrams && !about.has_hosts);
	builder_ports(builder_unix(&b, SECTION_NETWORK_CONNECT, NETWORK_HOST, "example.com"), 1, 1);
	builder_rule(&b, SECTION_EXEC_ALLOW, "/bin/x")->conditions = 1;
	scope_about(builder_open(&b), &about);
	ck_assert(about.has_hosts && about.has_exec_conditions);
	builder_free(&b);
	b = builder_new();
	builder_unix(&b, SECTION_NETWORK_LISTEN, NETWORK_ABSTRACT, "x");
	scope_about(builder_open(&b), &about);
	ck_assert(about.has_datagrams);
	builder_free(&b);
}
END_TEST

START_TEST(test_rules)
{
	struct builder b = builder_new();
	struct rule rule;
	uint16_t low, high;

	struct model_rule *in = builder_rule(&b, SECTION_FILES_DENY, "/h");
	in->reason = strdup("private");
	in->quiet = true;
	builder_except(in, "/h/b");
	builder_except(in, "/h/a");
	in = builder_ip(&b, SECTION_NETWORK_CONNECT, "10.0.0.0", 8, 80, 80);
	builder_ports(in, 8000, 8010);
	in = builder_rule(&b, SECTION_ENV_SET, "TZ");
	in->value = strdup("UTC");
	in->origin = ORIGIN_PROFILE;
	builder_open(&b);
	ck_assert_uint_eq(scope_rule_count(&b.scope), 3);
	scope_rule(&b.scope, 0, &rule);
	ck_assert_int_eq(rule.section, SECTION_FILES_DENY);
	ck_assert(rule.denial && rule.quiet && !rule.pattern);
	ck_assert_str_eq(rule.text, "/h");
	ck_assert_str_eq(rule.reason, "private");
	ck_assert_str_eq(rule.id, "files.deny[0]");
	ck_assert_str_eq(rule.file, "manifest.yaml");
	ck_assert_uint_eq(rule.line, 1);
	ck_assert_uint_eq(rule.rights, RIGHT_READ | RIGHT_WRITE);
	ck_assert_str_eq(scope_except(&b.scope, 0, 0), "/h/a");
	ck_assert_str_eq(scope_except(&b.scope, 0, 1), "/h/b");
	ck_assert_ptr_null(scope_except(&b.scope, 0, 2));
	scope_rule(&b.scope, 1, &rule);
	ck_assert_uint_eq(rule.prefix, 8);
	ck_assert(scope_port_range(&b.scope, 1, 1, &low, &high));
	ck_assert_uint_eq(low, 8000);
	ck_assert_uint_eq(high, 8010);
	ck_assert(!scope_port_range(&b.scope, 1, 2, &low, &high));
	scope_rule(&b.scope, 2, &rule);
	ck_assert_str_eq(rule.value, "UTC");
	ck_assert_int_eq(rule.origin, ORIGIN_PROFILE);
	scope_rule(&b.scope, 3, &rule);
	ck_assert_str_eq(rule.text, "");
	ck_assert_ptr_null(scope_spelling(&b.scope, 3, 0));
	ck_assert_str_eq(rule_section_name(SECTION_FILES_DENY_WRITE), "files.deny_write");
	ck_assert_str_eq(rule_section_name(SECTION_COUNT), "?");
	builder_free(&b);
}
END_TEST

/* Rights that follow from others are there even when the model forgot them. */
START_TEST(test_implied_rights)
{
	struct builder b = builder_new();

	builder_rule(&b, SECTION_FILES_WRITE, "/w")->rights = RIGHT_WRITE;
	builder_rule(&b, SECTION_EXEC_ALLOW, "/x")->rights = 0;
	builder_open(&b);
	ck_assert(builder_decide(&b, VERB_READ, "/w").verdict);
	ck_assert(builder_decide(&b, VERB_READ, "/x").verdict);
	ck_assert(builder_decide(&b, VERB_EXEC, "/x").verdict);
	builder_free(&b);
}
END_TEST

/* --- Equality --- */

enum { RULES = 12 };

/* The same manifest with its items in another order; lines and ids stay with the items. */
static struct builder shuffled(unsigned int seed)
{
	struct builder b = builder_new();
	int order[RULES];

	srand(seed);
	for (int i = 0; i < RULES; i++)
		order[i] = i;
	for (int i = RULES - 1; seed && i > 0; i--) {
		int k = rand() % (i + 1), old = order[i];
		order[i] = order[k];
		order[k] = old;
	}
	for (int i = 0; i < RULES; i++) {
		struct model_rule *rule;
		char id[16];
		switch (order[i]) {
		case 0:
			rule = builder_rule(&b, SECTION_FILES_READ, "/usr");
			break;
		case 1:
			rule = builder_rule(&b, SECTION_FILES_READ, "/etc");
			break;
		case 2:
			rule = builder_rule(&b, SECTION_FILES_WRITE, "/w");
			break;
		case 3:
			rule = builder_rule(&b, SECTION_FILES_DENY, "/w/**/.env");
			builder_except(rule, order[0] & 1 ? "/w/a" : "/w/b");
			builder_except(rule, order[0] & 1 ? "/w/b" : "/w/a");
			break;
		case 4:
			rule = builder_rule(&b, SECTION_FILES_DENY_WRITE, "/w/.git");
			break;
		case 5:
			rule = builder_rule(&b, SECTION_EXEC_ALLOW, "/usr/bin/*");
			break;
		case 6:
			rule = builder_ip(&b, SECTION_NETWORK_CONNECT, "10.0.0.0", 8, 80, 80);
			break;
		case 7:
			rule = builder_ip(&b, SECTION_NETWORK_CONNECT, "10.0.0.0", 8, 90, 95);
			break;
		case 8:
			rule = builder_ip(&b, SECTION_NETWORK_DENY, "*", 0, 92, 92);
			break;
		case 9:
			rule = builder_unix(&b, SECTION_NETWORK_LISTEN, NETWORK_UNIX, "/run/s");
			break;
		case 10:
			rule = builder_rule(&b, SECTION_ENV_PASS, "LC_*");
			break;
		default:
			rule = builder_rule(&b, SECTION_FILES_READ, "/usr");
			break;
		}
		snprintf(id, sizeof(id), "item-%d", order[i]);
		free(rule->id);
		rule->id = strdup(id);
		rule->line = (uint32_t)order[i] + 1;
	}
	builder_open(&b);
	return b;
}

START_TEST(test_any_order_same_bytes)
{
	struct builder a = shuffled(0);

	for (unsigned int seed = 1; seed < 40; seed++) {
		struct builder b = shuffled(seed);
		ck_assert_uint_eq(a.size, b.size);
		ck_assert_int_eq(memcmp(a.image, b.image, a.size), 0);
		builder_free(&b);
	}
	builder_free(&a);
}
END_TEST

static void digest_of(struct builder *b, uint8_t digest[SCOPE_DIGEST_SIZE])
{
	struct scope_about about;

	scope_about(builder_open(b), &about);
	memcpy(digest, about.digest, SCOPE_DIGEST_SIZE);
}

/* A small scope to vary. */
static struct builder base(void)
{
	struct builder b = builder_new();

	builder_rule(&b, SECTION_FILES_DENY, "/w/a");
	builder_ip(&b, SECTION_NETWORK_CONNECT, "10.0.0.0", 8, 80, 81);
	builder_rule(&b, SECTION_ENV_SET, "TZ")->value = strdup("UTC");
	return b;
}

static void same(struct builder *b, bool expected, const char *what)
{
	struct builder plain = base();
	uint8_t x[SCOPE_DIGEST_SIZE], y[SCOPE_DIGEST_SIZE];

	digest_of(&plain, x);
	digest_of(b, y);
	ck_assert_msg((memcmp(x, y, sizeof(x)) == 0) == expected, "%s", what);
	builder_free(&plain);
	builder_free(b);
}

START_TEST(test_same_digest)
{
	struct builder b = base();

	b.model.rules[0].line = 99;
	b.model.rules[0].reason = strdup("why");
	same(&b, true, "line and reason");
	b = base();
	builder_rule(&b, SECTION_FILES_READ, "/manifest.yaml")->origin = ORIGIN_IMPLIED;
	builder_rule(&b, SECTION_FILES_DENY_WRITE, "/manifest.yaml")->origin = ORIGIN_SESSION;
	same(&b, true, "implied and session rules");
	b = base();
	builder_rule(&b, SECTION_FILES_DENY, "/w/a")->origin = ORIGIN_PROFILE;
	same(&b, true, "a rule said twice");
	b = base();
	builder_spelling(&b.model.rules[0], "/mnt/w/a");
	same(&b, true, "links of this machine");
	b = base();
	b.model.rules[1].ip[3] = 7;
	same(&b, true, "bits beyond the prefix");
	b = base();
	b.model.rules[1].ports[0].high = 80;
	builder_ports(&b.model.rules[1], 81, 81);
	same(&b, true, "ports in two pieces");
}
END_TEST

START_TEST(test_other_digest)
{
	struct builder b = base();

	builder_except(&b.model.rules[0], "/w/a/b");
	same(&b, false, "exception");
	b = base();
	b.model.rules[0].quiet = true;
	same(&b, false, "quiet");
	b = base();
	b.model.rules[1].prefix = 9;
	same(&b, false, "prefix");
	b = base();
	b.model.rules[1].protocol = PROTOCOL_UDP;
	same(&b, false, "protocol");
	b = base();
	b.model.rules[1].ports[0].high = 82;
	same(&b, false, "port");
	b = base();
	b.model.rules[2].value[0] = 'X';
	same(&b, false, "value");
	b = base();
	b.model.processes = 1;
	same(&b, false, "limit");
	b = base();
	b.model.record = RECORD_ALL;
	same(&b, false, "record");
	b = base();
	b.model.capabilities = 2;
	same(&b, false, "capability");
	b = base();
	b.model.agent_id[0] = 'T';
	same(&b, false, "agent");
	b = base();
	builder_rule(&b, SECTION_FILES_READ, "/x\"\nfiles.write \"/y");
	struct builder c = base();
	builder_rule(&c, SECTION_FILES_READ, "/x");
	builder_rule(&c, SECTION_FILES_WRITE, "/y");
	uint8_t x[SCOPE_DIGEST_SIZE], y[SCOPE_DIGEST_SIZE];
	digest_of(&b, x);
	digest_of(&c, y);
	ck_assert_msg(memcmp(x, y, sizeof(x)) != 0, "a name that poses as a line");
	builder_free(&b);
	builder_free(&c);
	b = base();
	builder_rule(&b, SECTION_FILES_READ, "/a*");
	c = base();
	builder_rule(&c, SECTION_FILES_READ, "/a*")->pattern = false;
	digest_of(&b, x);
	digest_of(&c, y);
	ck_assert_msg(memcmp(x, y, sizeof(x)) != 0, "pattern and name");
	builder_free(&b);
	builder_free(&c);
}
END_TEST

START_TEST(test_tmp_is_symbolic)
{
	struct builder a = builder_new(), b = builder_new();
	uint8_t x[SCOPE_DIGEST_SIZE], y[SCOPE_DIGEST_SIZE];
	char *text;
	size_t len;

	builder_rule(&a, SECTION_FILES_WRITE, "/tmp/remit-abc");
	builder_rule(&a, SECTION_FILES_DENY, "/tmp/remit-abc/x");
	builder_rule(&a, SECTION_FILES_READ, "/tmp/remit-abcd");
	a.options.tmp = "/tmp/remit-abc";
	builder_rule(&b, SECTION_FILES_WRITE, "/tmp/remit-xyz");
	builder_rule(&b, SECTION_FILES_DENY, "/tmp/remit-xyz/x");
	builder_rule(&b, SECTION_FILES_READ, "/tmp/remit-abcd");
	b.options.tmp = "/tmp/remit-xyz";
	digest_of(&a, x);
	digest_of(&b, y);
	ck_assert_int_eq(memcmp(x, y, sizeof(x)), 0);
	ck_assert_int_eq(canonical_text(&a.model, &a.options, &text, &len), 0);
	ck_assert_str_eq(text, "remit 1\nagent.id \"test-agent\"\nagent.purpose \"testing\"\n"
			       "audit.record denials\nfiles.read \"/tmp/remit-abcd\"\n"
			       "files.write \"${TMP}\"\nfiles.deny \"${TMP}/x\"\n");
	ck_assert_uint_eq(len, strlen(text));
	free(text);
	builder_free(&a);
	builder_free(&b);
}
END_TEST

START_TEST(test_digest_is_blake2b_256)
{
	/* BLAKE2b-256 of the empty string, as b2sum -l 256 prints it. */
	static const uint8_t empty[SCOPE_DIGEST_SIZE] = {
	    0x0e, 0x57, 0x51, 0xc0, 0x26, 0xe5, 0x43, 0xb2, 0xe8, 0xab, 0x2e,
	    0xb0, 0x60, 0x99, 0xda, 0xa1, 0xd1, 0xe5, 0xdf, 0x47, 0x77, 0x8f,
	    0x77, 0x87, 0xfa, 0xab, 0x45, 0xcd, 0xf1, 0x2f, 0xe3, 0xa8};
	uint8_t digest[SCOPE_DIGEST_SIZE];

	canonical_digest("", 0, digest);
	ck_assert_int_eq(memcmp(digest, empty, sizeof(empty)), 0);
}
END_TEST

/* --- Models that must not become an image --- */

static void refused(struct builder *b, int error, const char *what)
{
	int r = builder_build(b);

	ck_assert_msg(r == error, "%s: %d", what, r);
	ck_assert_ptr_null(b->image);
	builder_free(b);
}

START_TEST(test_unsound_models)
{
	struct builder b = base();
	char path[PATH_TEXT_MAX + 8];

	b.model.rules[0].denial = false;
	refused(&b, -EINVAL, "a denial that says it grants");
	b = base();
	builder_except(builder_rule(&b, SECTION_FILES_READ, "/x"), "/x/y");
	refused(&b, -EINVAL, "a grant with an exception");
	b = base();
	b.model.rules[0].conditions = CONDITION_SHA256;
	refused(&b, -EINVAL, "a denial with a condition");
	b = base();
	b.model.rules[1].port_count = 0;
	refused(&b, -EINVAL, "an address without ports");
	b = base();
	b.model.rules[1].prefix = 33;
	refused(&b, -EINVAL, "a prefix that is too long");
	b = base();
	builder_rule(&b, SECTION_FILES_DENY, "relative");
	refused(&b, -EINVAL, "a relative path");
	b = base();
	builder_rule(&b, SECTION_FILES_DENY, "/a/../b");
	refused(&b, -EINVAL, "a path that is not clean");
	b = base();
	builder_rule(&b, SECTION_FILES_DENY, "/a/../b*");
	refused(&b, -EINVAL, "a pattern whose prefix is not clean");
	b = base();
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	builder_rule(&b, SECTION_FILES_DENY, path);
	refused(&b, -E2BIG, "a path that is too long");
	b = base();
	builder_rule(&b, SECTION_ENV_PASS, "");
	refused(&b, -EINVAL, "a variable without a name");
}
END_TEST

START_TEST(test_empty_manifest)
{
	struct builder b = builder_new();

	builder_open(&b);
	ck_assert_uint_eq(scope_rule_count(&b.scope), 0);
	ck_assert(!builder_decide(&b, VERB_READ, "/").verdict);
	ck_assert(!builder_decide_ip(&b, VERB_CONNECT, "127.0.0.1", 80).verdict);
	ck_assert(!builder_decide_name(&b, VERB_ENV, OBJECT_NAME, "PATH").verdict);
	builder_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scope");
	TCase *tests = tcase_create("scope");
	SRunner *runner;

	tcase_add_test(tests, test_about);
	tcase_add_test(tests, test_flags);
	tcase_add_test(tests, test_rules);
	tcase_add_test(tests, test_implied_rights);
	tcase_add_test(tests, test_any_order_same_bytes);
	tcase_add_test(tests, test_same_digest);
	tcase_add_test(tests, test_other_digest);
	tcase_add_test(tests, test_tmp_is_symbolic);
	tcase_add_test(tests, test_digest_is_blake2b_256);
	tcase_add_test(tests, test_unsound_models);
	tcase_add_test(tests, test_empty_manifest);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
