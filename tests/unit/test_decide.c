/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision: tables for what people rely on. Random scopes are in test_decide_random.c.
 */
#include <check.h>
#include <errno.h>

#include "tests/unit/model_builder.h"

struct expect {
	enum verb verb;
	const char *path;
	enum verdict verdict;
	const char *rule; /* id, or NULL for none */
	enum lane lane;
};

static const char *decided_by(const struct builder *b, const struct decision *decision)
{
	struct rule rule;

	if (decision->rule == RULE_NONE)
		return "none";
	scope_rule(&b->scope, decision->rule, &rule);
	return rule.id;
}

static void expect_all(const struct builder *b, const struct expect *expects, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct expect *e = &expects[i];
		struct decision d = builder_decide(b, e->verb, e->path);
		ck_assert_msg(d.verdict == e->verdict, "%s %s: verdict %d", verb_name(e->verb),
			      e->path, d.verdict);
		ck_assert_str_eq(decided_by(b, &d), e->rule ? e->rule : "none");
		ck_assert_msg(d.lane == e->lane, "%s %s: %s", verb_name(e->verb), e->path,
			      lane_name(d.lane));
		ck_assert_int_eq(d.error, e->verdict == VERDICT_ALLOWED ? 0 : EACCES);
	}
}

START_TEST(test_paths)
{
	static const struct expect expects[] = {
	    {VERB_READ, "/usr/lib/x", VERDICT_ALLOWED, "files.read[0]", LANE_WALL},
	    {VERB_READ, "/usr", VERDICT_ALLOWED, "files.read[0]", LANE_WALL},
	    {VERB_WRITE, "/usr/lib/x", VERDICT_REFUSED, NULL, LANE_REFUSED},
	    {VERB_READ, "/usrx", VERDICT_REFUSED, NULL, LANE_REFUSED},
	    {VERB_READ, "/", VERDICT_REFUSED, NULL, LANE_REFUSED},
	    {VERB_WRITE, "/w/a", VERDICT_ALLOWED, "files.write[0]", LANE_GATE},
	    {VERB_READ, "/w/a", VERDICT_ALLOWED, "files.write[0]", LANE_GATE},
	    {VERB_READ, "/w/deep/.env", VERDICT_REFUSED, "files.deny[0]", LANE_REFUSED},
	    {VERB_READ, "/w/.env/x", VERDICT_REFUSED, "files.deny[0]", LANE_REFUSED},
	    {VERB_WRITE, "/c/x", VERDICT_ALLOWED, "files.write[1]", LANE_CARVE},
	    {VERB_READ, "/c/x", VERDICT_ALLOWED, "files.write[1]", LANE_CARVE},
	    {VERB_WRITE, "/c/secret/x", VERDICT_REFUSED, "files.deny[1]", LANE_REFUSED},
	    {VERB_WRITE, "/c/secret/open/x", VERDICT_ALLOWED, "files.write[1]", LANE_CARVE},
	    {VERB_READ, "/h/x", VERDICT_ALLOWED, "files.write[2]", LANE_WALL},
	    {VERB_WRITE, "/h/hooks/x", VERDICT_REFUSED, "files.deny_write[0]", LANE_REFUSED},
	    {VERB_WRITE, "/h/x", VERDICT_ALLOWED, "files.write[2]", LANE_CARVE},
	    {VERB_READ, "/h/hooks/x", VERDICT_ALLOWED, "files.write[2]", LANE_WALL},
	    {VERB_EXEC, "/usr/bin/git", VERDICT_ALLOWED, "exec.allow[0]", LANE_WALL},
	    {VERB_EXEC, "/usr/bin/python3.11", VERDICT_ALLOWED, "exec.allow[1]", LANE_GATE},
	    {VERB_EXEC, "/usr/bin/ssh", VERDICT_REFUSED, NULL, LANE_REFUSED},
	    {VERB_EXEC, "/w/x", VERDICT_REFUSED, NULL, LANE_REFUSED},
	    {VERB_READ, "/opt/git", VERDICT_ALLOWED, "exec.allow[2]", LANE_WALL},
	    {VERB_READ, "/proc/self/status", VERDICT_ALLOWED, "files.read[1]", LANE_GATE},
	    {VERB_CONNECT, "/run/pg.sock", VERDICT_ALLOWED, "network.connect[0]", LANE_GATE},
	    {VERB_LISTEN, "/run/pg.sock", VERDICT_REFUSED, NULL, LANE_REFUSED},
	    {VERB_READ, "/run/pg.sock", VERDICT_REFUSED, NULL, LANE_REFUSED},
	    {VERB_READ, "relative", VERDICT_REFUSED, NULL, LANE_REFUSED},
	    {VERB_READ, "/usr/../w", VERDICT_REFUSED, NULL, LANE_REFUSED},
	    {VERB_READ, "/usr/", VERDICT_REFUSED, NULL, LANE_REFUSED},
	    {VERB_READ, "", VERDICT_REFUSED, NULL, LANE_REFUSED},
	    {VERB_ENV, "/usr", VERDICT_REFUSED, NULL, LANE_REFUSED},
	    {VERB_COUNT, "/usr", VERDICT_REFUSED, NULL, LANE_REFUSED},
	};
	struct builder b = builder_new();

	builder_rule(&b, SECTION_FILES_READ, "/usr");
	builder_rule(&b, SECTION_FILES_READ, "/proc/self");
	builder_rule(&b, SECTION_FILES_WRITE, "/w");
	builder_rule(&b, SECTION_FILES_WRITE, "/c");
	builder_rule(&b, SECTION_FILES_WRITE, "/h");
	builder_rule(&b, SECTION_FILES_DENY, "/w/**/.env");
	builder_except(builder_rule(&b, SECTION_FILES_DENY, "/c/secret"), "/c/secret/open");
	builder_rule(&b, SECTION_FILES_DENY_WRITE, "/h/hooks");
	builder_rule(&b, SECTION_EXEC_ALLOW, "/usr/bin/git");
	builder_rule(&b, SECTION_EXEC_ALLOW, "/usr/bin/python3*");
	builder_rule(&b, SECTION_EXEC_ALLOW, "/opt/git");
	builder_unix(&b, SECTION_NETWORK_CONNECT, NETWORK_UNIX, "/run/pg.sock");
	builder_open(&b);
	expect_all(&b, expects, sizeof(expects) / sizeof(expects[0]));
	builder_free(&b);
}
END_TEST

START_TEST(test_deepest_then_lowest)
{
	static const struct expect expects[] = {
	    {VERB_READ, "/a/b/c", VERDICT_ALLOWED, "files.read[0]", LANE_WALL},
	    {VERB_READ, "/a/x", VERDICT_ALLOWED, "files.read[1]", LANE_CARVE},
	    {VERB_READ, "/a/d/e/f", VERDICT_REFUSED, "files.deny[1]", LANE_REFUSED},
	    {VERB_READ, "/a/d/x", VERDICT_REFUSED, "files.deny[0]", LANE_REFUSED},
	    /* read sorts before write: the lower of two on one node */
	    {VERB_READ, "/same/x", VERDICT_ALLOWED, "files.read[2]", LANE_WALL},
	    {VERB_WRITE, "/same/x", VERDICT_ALLOWED, "files.write[0]", LANE_WALL},
	};
	struct builder b = builder_new();

	builder_rule(&b, SECTION_FILES_READ, "/a/b");
	builder_rule(&b, SECTION_FILES_READ, "/a");
	builder_rule(&b, SECTION_FILES_DENY, "/a/d");
	builder_rule(&b, SECTION_FILES_DENY, "/a/d/e");
	builder_rule(&b, SECTION_FILES_WRITE, "/same");
	builder_rule(&b, SECTION_FILES_READ, "/same");
	builder_open(&b);
	expect_all(&b, expects, sizeof(expects) / sizeof(expects[0]));
	builder_free(&b);
}
END_TEST

START_TEST(test_names_that_look_like_patterns)
{
	struct builder b = builder_new();
	struct model_rule *rule = builder_rule(&b, SECTION_FILES_READ, "/a*b");

	rule->pattern = false; /* a file whose name has a star */
	rule = builder_rule(&b, SECTION_FILES_READ, "/q\\*/[xy]");
	ck_assert(rule->pattern);
	builder_open(&b);
	ck_assert_int_eq(builder_decide(&b, VERB_READ, "/a*b").verdict, VERDICT_ALLOWED);
	ck_assert_int_eq(builder_decide(&b, VERB_READ, "/axb").verdict, VERDICT_REFUSED);
	ck_assert_int_eq(builder_decide(&b, VERB_READ, "/q*/x").verdict, VERDICT_ALLOWED);
	ck_assert_int_eq(builder_decide(&b, VERB_READ, "/q\\*/x").verdict, VERDICT_REFUSED);
	builder_free(&b);
}
END_TEST

START_TEST(test_spellings)
{
	struct builder b = builder_new();
	struct model_rule *rule = builder_rule(&b, SECTION_FILES_READ, "/bin");

	builder_spelling(rule, "/usr/bin");
	rule = builder_rule(&b, SECTION_FILES_DENY, "/bin/**/key");
	builder_spelling(rule, "/usr/bin/**/key");
	builder_open(&b);
	ck_assert_int_eq(builder_decide(&b, VERB_READ, "/usr/bin/ls").verdict, VERDICT_ALLOWED);
	ck_assert_int_eq(builder_decide(&b, VERB_READ, "/usr/bin/x/key").verdict, VERDICT_REFUSED);
	ck_assert_str_eq(scope_spelling(&b.scope, 0, 0), "/usr/bin");
	ck_assert_ptr_null(scope_spelling(&b.scope, 0, 1));
	builder_free(&b);
}
END_TEST

START_TEST(test_conditions)
{
	static const uint8_t right[32] = {1, 2, 3}, wrong[32] = {3, 2, 1};
	struct builder b = builder_new();
	struct model_rule *rule = builder_rule(&b, SECTION_EXEC_ALLOW, "/usr/bin/curl");

	rule->conditions = CONDITION_SHA256;
	memcpy(rule->sha256, right, sizeof(right));
	rule = builder_rule(&b, SECTION_FILES_WRITE, "/dev/pts");
	rule->conditions = CONDITION_SESSION_TERMINAL;
	builder_open(&b);
	struct query query = {
	    .verb = VERB_EXEC, .object = OBJECT_PATH, .text = "/usr/bin/curl", .len = 13};
	struct decision d = decide(&b.scope, &query);
	ck_assert_int_eq(d.verdict, VERDICT_REFUSED);
	ck_assert_uint_eq(d.conditions, CONDITION_SHA256);
	query.facts.sha256 = right;
	d = decide(&b.scope, &query);
	ck_assert_int_eq(d.verdict, VERDICT_ALLOWED);
	ck_assert_int_eq(d.lane, LANE_GATE);
	query.facts.sha256 = wrong;
	d = decide(&b.scope, &query);
	ck_assert_int_eq(d.verdict, VERDICT_REFUSED);
	ck_assert_uint_eq(d.conditions, 0);
	d = builder_decide(&b, VERB_WRITE, "/dev/pts/3");
	ck_assert_uint_eq(d.conditions, CONDITION_SESSION_TERMINAL);
	query = (struct query){.verb = VERB_WRITE,
			       .object = OBJECT_PATH,
			       .text = "/dev/pts/3",
			       .len = 10,
			       .facts = {.session_terminal = true}};
	ck_assert_int_eq(decide(&b.scope, &query).verdict, VERDICT_ALLOWED);
	builder_rule(&b, SECTION_FILES_DENY, "/dev/pts/3");
	builder_open(&b);
	d = decide(&b.scope, &query);
	ck_assert_int_eq(d.verdict, VERDICT_REFUSED);
	query.facts.session_terminal = false;
	ck_assert_uint_eq(decide(&b.scope, &query).conditions, 0);
	builder_free(&b);
}
END_TEST

START_TEST(test_quiet)
{
	struct builder b = builder_new();

	builder_unix(&b, SECTION_NETWORK_DENY, NETWORK_UNIX, "/run/nscd/socket")->quiet = true;
	builder_open(&b);
	struct decision d = builder_decide(&b, VERB_CONNECT, "/run/nscd/socket");
	ck_assert_int_eq(d.verdict, VERDICT_REFUSED);
	ck_assert(d.quiet);
	ck_assert(!builder_decide(&b, VERB_CONNECT, "/run/other").quiet);
	builder_free(&b);
}
END_TEST

static enum verdict ip(const struct builder *b, enum verb verb, const char *text, uint16_t port)
{
	return builder_decide_ip(b, verb, text, port).verdict;
}

START_TEST(test_addresses)
{
	struct builder b = builder_new();

	builder_ip(&b, SECTION_NETWORK_CONNECT, "10.20.0.0", 16, 5432, 5432);
	builder_ip(&b, SECTION_NETWORK_CONNECT, "10.20.1.2", 32, 22, 22);
	builder_ip(&b, SECTION_NETWORK_CONNECT, "fd00::", 8, 443, 443);
	builder_ip(&b, SECTION_NETWORK_CONNECT, "udp:9.9.9.9", 32, 53, 53);
	builder_ip(&b, SECTION_NETWORK_CONNECT, "*", 0, 8000, 8010);
	builder_ip(&b, SECTION_NETWORK_LISTEN, "127.0.0.1", 32, 8000, 8010);
	builder_ip(&b, SECTION_NETWORK_DENY, "10.20.9.0", 24, 0, 65535);
	builder_ip(&b, SECTION_NETWORK_DENY, "*", 0, 8005, 8006);
	builder_open(&b);
	ck_assert(ip(&b, VERB_CONNECT, "10.20.1.2", 5432));
	ck_assert(ip(&b, VERB_CONNECT, "10.20.1.2", 22));
	ck_assert(!ip(&b, VERB_CONNECT, "10.20.1.3", 22));
	ck_assert(!ip(&b, VERB_CONNECT, "10.21.1.2", 5432));
	ck_assert(!ip(&b, VERB_CONNECT, "10.20.9.2", 5432));
	ck_assert(!ip(&b, VERB_LISTEN, "10.20.1.2", 5432));
	ck_assert(ip(&b, VERB_CONNECT, "fdff::1", 443));
	ck_assert(!ip(&b, VERB_CONNECT, "fe80::1", 443));
	ck_assert(ip(&b, VERB_CONNECT, "udp:9.9.9.9", 53));
	ck_assert(!ip(&b, VERB_CONNECT, "9.9.9.9", 53));
	ck_assert(!ip(&b, VERB_CONNECT, "udp:10.20.1.2", 5432));
	ck_assert(ip(&b, VERB_CONNECT, "8.8.8.8", 8000));
	ck_assert(ip(&b, VERB_CONNECT, "2001::1", 8010));
	ck_assert(!ip(&b, VERB_CONNECT, "2001::1", 8011));
	ck_assert(!ip(&b, VERB_CONNECT, "8.8.8.8", 8005));
	ck_assert(ip(&b, VERB_LISTEN, "127.0.0.1", 8000));
	ck_assert(!ip(&b, VERB_LISTEN, "127.0.0.1", 8006));
	ck_assert(!ip(&b, VERB_LISTEN, "0.0.0.0", 8000));
	struct decision d = builder_decide_ip(&b, VERB_CONNECT, "10.20.9.9", 8005);
	ck_assert_str_eq(decided_by(&b, &d), "network.deny[0]");
	/* A denied IPv4 network by its other names, and no network beside it. */
	ck_assert(!ip(&b, VERB_CONNECT, "64:ff9b::10.20.9.9", 8001));
	ck_assert(!ip(&b, VERB_CONNECT, "2002:a14:9ff::1", 8001));
	ck_assert(ip(&b, VERB_CONNECT, "64:ff9b::10.20.8.9", 8001));
	ck_assert(ip(&b, VERB_CONNECT, "64:ff9b:1::10.20.9.9", 8001));
	ck_assert(ip(&b, VERB_CONNECT, "2002:a14:8ff::1", 8001));
	/* What is granted is granted by its own name alone. */
	ck_assert(!ip(&b, VERB_CONNECT, "64:ff9b::10.20.1.2", 22));
	d = builder_decide_ip(&b, VERB_CONNECT, "64:ff9b::10.20.9.9", 8001);
	ck_assert_str_eq(decided_by(&b, &d), "network.deny[0]");
	/* Whoever forgets to turn a mapped address gets the same answer. */
	struct query mapped = {.verb = VERB_CONNECT,
			       .object = OBJECT_ADDRESS,
			       .address = {.protocol = PROTOCOL_TCP,
					   .family = FAMILY_IP6,
					   .port = 5432,
					   .ip = {[10] = 0xff, [11] = 0xff, 10, 20, 9, 1}}};
	ck_assert(!decide(&b.scope, &mapped).verdict);
	mapped.address.ip[14] = 8;
	ck_assert(decide(&b.scope, &mapped).verdict);
	mapped.address.family = 9;
	ck_assert(!decide(&b.scope, &mapped).verdict);
	mapped.verb = VERB_READ;
	ck_assert(!decide(&b.scope, &mapped).verdict);
	builder_free(&b);
}
END_TEST

START_TEST(test_names)
{
	struct builder b = builder_new();

	builder_rule(&b, SECTION_ENV_PASS, "HOME");
	builder_rule(&b, SECTION_ENV_PASS, "LC_*");
	builder_rule(&b, SECTION_ENV_SET, "TZ")->value = strdup("UTC");
	builder_unix(&b, SECTION_NETWORK_CONNECT, NETWORK_ABSTRACT, "/tmp/.X11-unix/X0");
	builder_open(&b);
	static const struct {
		const char *name;
		bool allowed;
	} names[] = {{"HOME", true}, {"HOMEX", false}, {"LC_ALL", true},
		     {"LC_", true},  {"LC", false},    {"TZ", true},
		     {"A=B", false}, {"", false},      {"LC_=", false}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(
		    builder_decide_name(&b, VERB_ENV, OBJECT_NAME, names[i].name).verdict ==
			(enum verdict)names[i].allowed,
		    "%s", names[i].name);
	const char *x = "/tmp/.X11-unix/X0";
	ck_assert(builder_decide_name(&b, VERB_CONNECT, OBJECT_ABSTRACT, x).verdict);
	ck_assert(!builder_decide_name(&b, VERB_LISTEN, OBJECT_ABSTRACT, x).verdict);
	ck_assert(!builder_decide_name(&b, VERB_CONNECT, OBJECT_PATH, x).verdict);
	ck_assert(!builder_decide_name(&b, VERB_CONNECT, OBJECT_ABSTRACT, "HOME").verdict);
	struct query nul = {.verb = VERB_CONNECT,
			    .object = OBJECT_ABSTRACT,
			    .text = "/tmp/.X11-unix/X0",
			    .len = 18};
	ck_assert(!decide(&b.scope, &nul).verdict);
	builder_free(&b);
}
END_TEST

START_TEST(test_beneath)
{
	struct builder b = builder_new();

	builder_rule(&b, SECTION_FILES_WRITE, "/w");
	builder_rule(&b, SECTION_FILES_WRITE, "/x/y/z");
	builder_rule(&b, SECTION_FILES_DENY, "/w/**/.env");
	builder_rule(&b, SECTION_FILES_DENY, "/x/y/z/secret");
	builder_open(&b);
	static const struct {
		const char *path;
		uint32_t beneath;
	} cases[] = {
	    {"/w", BENEATH_DENIAL | BENEATH_SUFFIX_ONLY},
	    {"/w/a/b", BENEATH_DENIAL | BENEATH_SUFFIX_ONLY},
	    {"/", BENEATH_DENIAL | BENEATH_GRANT},
	    {"/x", BENEATH_DENIAL | BENEATH_GRANT},
	    {"/x/y/z", BENEATH_DENIAL},
	    {"/x/y/z/other", 0},
	    {"/x/y/z/secret", 0},
	    {"/elsewhere", 0},
	    {"not clean", BENEATH_DENIAL | BENEATH_GRANT},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(decide_beneath(&b.scope, cases[i].path, strlen(cases[i].path)) ==
				  cases[i].beneath,
			      "%s", cases[i].path);
	builder_free(&b);
}
END_TEST

START_TEST(test_pinned_beneath)
{
	struct builder b = builder_new();

	builder_rule(&b, SECTION_FILES_WRITE, "/w");
	builder_rule(&b, SECTION_FILES_DENY_WRITE, "/w/.git/hooks");
	builder_rule(&b, SECTION_FILES_DENY_WRITE, "/w/*/lock");
	builder_rule(&b, SECTION_EXEC_DENY, "/w/bin/tool");
	builder_rule(&b, SECTION_FILES_DENY_WRITE, "/w/deep/er/**/.env");
	builder_rule(&b, SECTION_FILES_DENY_WRITE, "/w/**/keys/own");
	builder_except(builder_rule(&b, SECTION_FILES_DENY_WRITE, "/w/a/*/c"), "/w/a/b");
	builder_open(&b);
	static const struct {
		const char *path;
		uint32_t rights;
	} cases[] = {
	    {"/w", RIGHT_WRITE | RIGHT_EXEC},
	    {"/w/.git", RIGHT_WRITE},
	    {"/w/.git/hooks", 0},
	    {"/w/any", RIGHT_WRITE},
	    {"/w/any/name", 0},
	    {"/w/any/lock", RIGHT_WRITE}, /* denied itself */
	    {"/w/bin", RIGHT_WRITE | RIGHT_EXEC},
	    {"/w/deep/er", RIGHT_WRITE},
	    {"/w/deep/er/link", 0},
	    {"/w/deep/er/l/i/n/k", 0},
	    {"/w/deep/keys", RIGHT_WRITE},
	    {"/w/deep/keys/other", 0},
	    {"/w/a/x", RIGHT_WRITE},
	    {"/w/a/b", 0},
	    {"/elsewhere", 0},
	    {"not clean", UINT32_MAX},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(
		    decide_pinned_beneath(&b.scope, cases[i].path, strlen(cases[i].path)) ==
			cases[i].rights,
		    "%s: %#x", cases[i].path,
		    decide_pinned_beneath(&b.scope, cases[i].path, strlen(cases[i].path)));
	builder_free(&b);
}
END_TEST

START_TEST(test_moves)
{
	struct builder b = builder_new();

	builder_rule(&b, SECTION_FILES_WRITE, "/home/u/work");
	builder_rule(&b, SECTION_FILES_WRITE, "/pub");
	builder_rule(&b, SECTION_FILES_READ, "/pub/in/deep");
	builder_rule(&b, SECTION_EXEC_ALLOW, "/pub/bin");
	builder_rule(&b, SECTION_FILES_DENY, "/home/u/work/**/.env");
	builder_rule(&b, SECTION_FILES_DENY, "/home/u/work/**/k/y");
	builder_rule(&b, SECTION_FILES_DENY_WRITE, "/home/u/work/.git/hooks");
	builder_except(builder_rule(&b, SECTION_FILES_DENY, "/home/u"), "/home/u/work");
	builder_open(&b);
	static const struct {
		const char *from, *to;
		bool safe;
	} cases[] = {
	    {"/home/u/work/a", "/home/u/work/b", true},
	    {"/home/u/work/a", "/home/u/work/c/d", true},
	    {"/home/u/work/a", "/pub/a", false},	    /* .env is lost */
	    {"/home/u/work/.git", "/home/u/work/g", false}, /* hooks become writable */
	    {"/home/u/work/.git/x", "/home/u/work/x", true},
	    {"/home/u/work/k", "/home/u/work/l", false}, /* k/y is lost */
	    {"/pub/a", "/home/u/work/a", true},
	    {"/pub/a", "/pub/bin/a", false}, /* exec is won */
	    {"/pub/bin/a", "/pub/a", true},
	    {"/pub/a", "/pub/in", true}, /* read was granted anyway */
	    {"/home/u/x", "/pub/x", false},
	    {"/elsewhere", "/home/u/work/x", false},
	    {"/home/u/work/.env", "/pub/x", false},
	    {"bad", "/pub/x", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(decide_moves_safely(&b.scope, cases[i].from, strlen(cases[i].from),
						  cases[i].to,
						  strlen(cases[i].to)) == cases[i].safe,
			      "%s to %s", cases[i].from, cases[i].to);
	builder_free(&b);
}
END_TEST

START_TEST(test_many_rules)
{
	struct builder b = builder_new();
	char path[64];

	for (unsigned int i = 0; i < 20000; i++) {
		snprintf(path, sizeof(path), "/data/%u/project-%u/src", i % 100, i);
		builder_rule(&b, i % 7 ? SECTION_FILES_READ : SECTION_FILES_WRITE, path);
		snprintf(path, sizeof(path), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		builder_ip(&b, SECTION_NETWORK_CONNECT, path, 32, (uint16_t)i, (uint16_t)i);
	}
	builder_open(&b);
	for (unsigned int i = 0; i < 20000; i++) {
		snprintf(path, sizeof(path), "/data/%u/project-%u/src/x", i % 100, i);
		ck_assert(builder_decide(&b, VERB_READ, path).verdict);
		ck_assert(!builder_decide(&b, VERB_WRITE, path).verdict == (i % 7 != 0));
		snprintf(path, sizeof(path), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		ck_assert(ip(&b, VERB_CONNECT, path, (uint16_t)i));
		ck_assert(!ip(&b, VERB_CONNECT, path, (uint16_t)(i + 1)));
	}
	ck_assert(!builder_decide(&b, VERB_READ, "/data/1/project-2/src").verdict);
	builder_free(&b);
}
END_TEST

START_TEST(test_no_scope)
{
	struct scope none = {0};
	struct query query = {.object = OBJECT_ADDRESS, .verb = VERB_CONNECT};

	ck_assert_int_eq(decide(&none, &query).verdict, VERDICT_REFUSED);
	ck_assert_int_eq(decide_path(&none, VERB_READ, "/", 1).verdict, VERDICT_REFUSED);
	ck_assert(!decide_moves_safely(&none, "/a", 2, "/b", 2));
	ck_assert_uint_eq(decide_beneath(&none, "/a", 2), BENEATH_GRANT | BENEATH_DENIAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("decide");
	TCase *tests = tcase_create("decide");
	SRunner *runner;

	tcase_set_timeout(tests, 300);
	tcase_add_test(tests, test_paths);
	tcase_add_test(tests, test_deepest_then_lowest);
	tcase_add_test(tests, test_names_that_look_like_patterns);
	tcase_add_test(tests, test_spellings);
	tcase_add_test(tests, test_conditions);
	tcase_add_test(tests, test_quiet);
	tcase_add_test(tests, test_addresses);
	tcase_add_test(tests, test_names);
	tcase_add_test(tests, test_beneath);
	tcase_add_test(tests, test_pinned_beneath);
	tcase_add_test(tests, test_moves);
	tcase_add_test(tests, test_many_rules);
	tcase_add_test(tests, test_no_scope);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
