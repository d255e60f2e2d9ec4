/* SPDX-License-Identifier: Apache-2.0 */
/* The sentence of a refusal: object, rule or its absence, remedy; and that no name can forge a
 * second line, a terminal escape or a longer buffer. */
#include <check.h>

#include "policy/core/explain.h"
#include "tests/unit/model_builder.h"

static struct builder sample(void)
{
	struct builder b = builder_new();
	struct model_rule *rule;

	builder_rule(&b, SECTION_FILES_WRITE, "/w");
	builder_rule(&b, SECTION_FILES_DENY, "/w/.env");
	rule = builder_rule(&b, SECTION_FILES_DENY, "/w/keys");
	free(rule->id);
	rule->id = strdup("private-keys");
	rule->reason = strdup("keys stay\nhere");
	rule = builder_rule(&b, SECTION_FILES_DENY_WRITE, "/w/m.yaml");
	rule->origin = ORIGIN_SESSION;
	free(rule->id);
	rule->id = strdup("manifest");
	free(rule->file);
	rule->file = NULL;
	rule = builder_rule(&b, SECTION_EXEC_ALLOW, "/usr/bin/curl");
	rule->conditions = CONDITION_SHA256;
	rule = builder_rule(&b, SECTION_FILES_READ, "/dev/pts");
	rule->conditions = CONDITION_SESSION_TERMINAL;
	builder_ip(&b, SECTION_NETWORK_DENY, "169.254.169.254", 32, 0, 65535);
	builder_open(&b);
	return b;
}

static const char *explained(const struct builder *b, const struct query *query)
{
	static char buf[EXPLAIN_MAX];
	struct decision decision = decide(&b->scope, query);

	ck_assert_int_eq(decision.verdict, VERDICT_REFUSED);
	size_t len = explain_refusal(&b->scope, query, &decision, buf, sizeof(buf));
	ck_assert_uint_eq(len, strlen(buf));
	return buf;
}

START_TEST(test_sentences)
{
	static const struct {
		enum verb verb;
		enum object_kind object;
		const char *text, *sentence;
	} cases[] = {
	    {VERB_READ, OBJECT_PATH, "/home/u/.ssh/id_ed25519",
	     "remit: refused read /home/u/.ssh/id_ed25519: no grant covers it (agent test-agent); "
	     "files.read: [\"/home/u/.ssh/id_ed25519\"] would grant it"},
	    {VERB_WRITE, OBJECT_PATH, "/etc/passwd",
	     "remit: refused write /etc/passwd: no grant covers it (agent test-agent); "
	     "files.write: [\"/etc/passwd\"] would grant it"},
	    {VERB_WRITE, OBJECT_PATH, "/w/.env",
	     "remit: refused write /w/.env: denied by files.deny[0] at manifest.yaml:2 (agent "
	     "test-agent); an `except` in that rule would lift it"},
	    {VERB_READ, OBJECT_PATH, "/w/keys/k",
	     "remit: refused read /w/keys/k: denied by files.deny private-keys at "
	     "manifest.yaml:3, \"keys stay\\x0ahere\" (agent test-agent); an `except` in that rule "
	     "would lift it"},
	    {VERB_WRITE, OBJECT_PATH, "/w/m.yaml",
	     "remit: refused write /w/m.yaml: denied by files.deny_write manifest (agent "
	     "test-agent); remit protects this itself, no manifest can grant it"},
	    {VERB_EXEC, OBJECT_PATH, "/usr/bin/ssh",
	     "remit: refused exec /usr/bin/ssh: no grant covers it (agent test-agent); "
	     "exec.allow: [\"/usr/bin/ssh\"] would grant it"},
	    {VERB_EXEC, OBJECT_PATH, "/usr/bin/curl",
	     "remit: refused exec /usr/bin/curl: exec.allow[0] at manifest.yaml:5 covers it only "
	     "with another content (sha256) (agent test-agent); the file's present sha256 in that "
	     "rule, or exec.allow: [\"/usr/bin/curl\"] would grant it"},
	    {VERB_READ, OBJECT_PATH, "/dev/pts/9",
	     "remit: refused read /dev/pts/9: files.read[0] at manifest.yaml:6 covers it only for "
	     "the session's own terminals (agent test-agent); files.read: [\"/dev/pts/9\"] would "
	     "grant it"},
	    {VERB_CONNECT, OBJECT_PATH, "/run/docker.sock",
	     "remit: refused connect unix:/run/docker.sock: no grant covers it (agent "
	     "test-agent); network.connect: [\"unix:/run/docker.sock\"] would grant it"},
	    {VERB_LISTEN, OBJECT_ABSTRACT, "bus",
	     "remit: refused listen unix:@bus: no grant covers it (agent test-agent); "
	     "network.listen: [\"unix:@bus\"] would grant it"},
	    {VERB_ENV, OBJECT_NAME, "AWS_SECRET",
	     "remit: refused env AWS_SECRET: no grant covers it (agent test-agent); env.pass: "
	     "[\"AWS_SECRET\"] would grant it"},
	    {VERB_READ, OBJECT_PATH, "/a\n\x1b[31m\x7f\xff\xc2\x9bx",
	     "remit: refused read /a\\x0a\\x1b[31m\\x7f\\xff\\xc2\\x9bx: no grant covers it (agent "
	     "test-agent); an entry that covers it in files.read would grant it"},
	    {VERB_READ, OBJECT_PATH, "/s*[x]\"\\",
	     "remit: refused read /s*[x]\"\\: no grant covers it (agent test-agent); files.read: "
	     "[\"/s\\\\*\\\\[x]\\\"\\\\\\\\\"] would grant it"},
	    {VERB_READ, OBJECT_PATH, "/proc/13941/task",
	     "remit: refused read /proc/13941/task: no grant covers it (agent test-agent); "
	     "files.read: [\"/proc/*/task\"] would grant it"},
	    {VERB_READ, OBJECT_PATH, "/${HOME}/$x",
	     "remit: refused read /${HOME}/$x: no grant covers it (agent test-agent); files.read: "
	     "[\"/[$]{HOME}/[$]x\"] would grant it"},
	    {VERB_READ, OBJECT_PATH,
	     "/stra\xc3\x9f"
	     "e/\xe2\x82\xac",
	     "remit: refused read /stra\xc3\x9f"
	     "e/\xe2\x82\xac: no grant covers it (agent test-agent); files.read: [\"/stra\xc3\x9f"
	     "e/\xe2\x82\xac\"] would grant it"},
	    {VERB_READ, OBJECT_PATH,
	     "/a\xe2\x80\xae" /* right-to-left override */
	     "b",
	     "remit: refused read /a\\xe2\\x80\\xaeb: no grant covers it (agent test-agent); an "
	     "entry that covers it in files.read would grant it"},
	    {VERB_READ, OBJECT_PATH, "not/clean",
	     "remit: refused read not/clean: no grant covers it (agent test-agent); no manifest "
	     "can grant a name that is not absolute and clean"},
	};
	struct builder b = sample();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct query query = {.verb = cases[i].verb,
				      .object = cases[i].object,
				      .text = cases[i].text,
				      .len = strlen(cases[i].text)};
		ck_assert_str_eq(explained(&b, &query), cases[i].sentence);
	}
	builder_free(&b);
}
END_TEST

START_TEST(test_addresses)
{
	struct builder b = sample();
	struct query query = {
	    .verb = VERB_CONNECT,
	    .object = OBJECT_ADDRESS,
	    .address = {
		.protocol = PROTOCOL_TCP, .family = FAMILY_IP4, .port = 80, .ip = {1, 2, 3, 4}}};

	ck_assert_str_eq(
	    explained(&b, &query),
	    "remit: refused connect 1.2.3.4:80: no grant covers it (agent test-agent); "
	    "network.connect: [\"1.2.3.4:80\"] would grant it");
	query.address.protocol = PROTOCOL_UDP;
	query.verb = VERB_LISTEN;
	ck_assert_str_eq(explained(&b, &query),
			 "remit: refused listen udp:1.2.3.4:80: no grant covers it (agent "
			 "test-agent); network.listen: [\"udp:1.2.3.4:80\"] would grant it");
	query.verb = VERB_CONNECT;
	query.address.protocol = PROTOCOL_TCP;
	memcpy(query.address.ip, "\xa9\xfe\xa9\xfe", 4);
	ck_assert_str_eq(explained(&b, &query),
			 "remit: refused connect 169.254.169.254:80: denied by network.deny[0] at "
			 "manifest.yaml:7 (agent test-agent); only narrowing or removing that rule "
			 "would lift it");
	builder_free(&b);
}
END_TEST

START_TEST(test_no_scope)
{
	struct scope none = {0};
	struct query query = {.verb = VERB_READ, .object = OBJECT_PATH, .text = "/a", .len = 2};
	struct decision decision = decide(&none, &query);
	char buf[EXPLAIN_MAX];

	explain_refusal(&none, &query, &decision, buf, sizeof(buf));
	ck_assert_str_eq(buf, "remit: refused read /a: there is no scope that could grant it");
}
END_TEST

/* A long name loses its middle, and the grant is not spelled out. */
START_TEST(test_long)
{
	struct builder b = sample();
	char path[PATH_TEXT_MAX];
	struct query query = {.verb = VERB_READ, .object = OBJECT_PATH, .text = path};

	for (unsigned char c = 1; c; c++) {
		memset(path, c, sizeof(path));
		path[0] = '/';
		memcpy(path + PATH_TEXT_MAX - 1 - 4, "/end", 4);
		query.len = PATH_TEXT_MAX - 1;
		if (c == '/')
			continue;
		const char *sentence = explained(&b, &query);
		ck_assert_uint_lt(strlen(sentence), 600);
		ck_assert_ptr_nonnull(strstr(sentence, "…"));
		ck_assert_ptr_nonnull(strstr(sentence, "/end: no grant covers it"));
		ck_assert_ptr_null(strchr(sentence, '\n'));
	}
	builder_free(&b);
}
END_TEST

/* Every size of buffer: ended, within bounds (exact allocations under the sanitizers). */
START_TEST(test_sizes)
{
	struct builder b = sample();
	struct query query = {
	    .verb = VERB_READ, .object = OBJECT_PATH, .text = "/w/keys/\x01\xc3\x9f", .len = 11};
	struct decision decision = decide(&b.scope, &query);

	for (size_t size = 0; size < 300; size++) {
		char *buf = malloc(size ? size : 1);
		size_t len = explain_refusal(&b.scope, &query, &decision, buf, size);
		ck_assert(size == 0 ? len == 0 : len < size && strlen(buf) == len);
		len = explain_object(&query, buf, size);
		ck_assert(size == 0 ? len == 0 : len < size && strlen(buf) == len);
		free(buf);
	}
	builder_free(&b);
}
END_TEST

/* Random bytes never give a control byte, and always whole UTF-8. */
START_TEST(test_random_names)
{
	srand(37);
	for (int round = 0; round < 4000; round++) {
		char text[700], shown[EXPLAIN_MAX];
		struct query query = {.verb = VERB_READ, .object = OBJECT_PATH, .text = text};

		query.len = (size_t)(rand() % 700);
		for (size_t i = 0; i < query.len; i++)
			text[i] = (char)(rand() % 4 ? 0x80 | rand() : rand());
		size_t len = explain_object(&query, shown, sizeof(shown));
		ck_assert_uint_eq(len, strlen(shown));
		ck_assert_uint_lt(len, 340);
		for (size_t i = 0; i < len; i++)
			ck_assert((unsigned char)shown[i] >= 0x20 && shown[i] != 0x7f);
		for (size_t i = 0; i < len;) {
			unsigned char c = (unsigned char)shown[i++];
			int more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
			ck_assert(c < 0x80 || c >= 0xc2);
			while (more--)
				ck_assert(((unsigned char)shown[i++] & 0xc0) == 0x80);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("explain");
	TCase *tests = tcase_create("explain");
	SRunner *runner;

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_sentences);
	tcase_add_test(tests, test_addresses);
	tcase_add_test(tests, test_no_scope);
	tcase_add_test(tests, test_long);
	tcase_add_test(tests, test_sizes);
	tcase_add_test(tests, test_random_names);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
