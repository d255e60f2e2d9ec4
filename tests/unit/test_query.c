// SPDX-License-Identifier: Apache-2.0
/* The query language: what each form means, and paths as the gate would resolve them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/compile/query.h"

static struct parsed_query parsed;
static const char *why;

static void path_is(const char *line, bool follow, enum verb verb, const char *path)
{
	ck_assert_msg(query_parse(line, "/w", follow, &parsed, &why) == 0, "%s: %s", line, why);
	ck_assert_int_eq(parsed.query.verb, verb);
	ck_assert_int_eq(parsed.query.object, OBJECT_PATH);
	ck_assert_str_eq(parsed.query.text, path);
	ck_assert_uint_eq(parsed.query.len, strlen(path));
}

START_TEST(paths)
{
	path_is("read /a/b", false, VERB_READ, "/a/b");
	path_is("read   /a//b/./c/../d/", false, VERB_READ, "/a/b/d");
	path_is("write x", false, VERB_WRITE, "/w/x");
	path_is("write .", false, VERB_WRITE, "/w");
	path_is("write ../../..", false, VERB_WRITE, "/");
	path_is("read /a b  c", false, VERB_READ, "/a b  c");
	path_is("read \"/a b\"", false, VERB_READ, "/a b");
	path_is("exec /bin/ls -l /x", false, VERB_EXEC, "/bin/ls");
	path_is("exec \"/opt/a b\" -l", false, VERB_EXEC, "/opt/a b");
	path_is("exec /opt/a\\ b\\\"c -l", false, VERB_EXEC, "/opt/a b\"c");
	path_is("exec \"/opt/a\"b", false, VERB_EXEC, "/opt/ab");
	path_is("read /opt/a\\ b", false, VERB_READ, "/opt/a\\ b");
	path_is("connect unix:/run/x", false, VERB_CONNECT, "/run/x");
	path_is("listen unix:x.sock", false, VERB_LISTEN, "/w/x.sock");
	path_is("read /proc/self/maps", true, VERB_READ, "/proc/self/maps");
	path_is("read /proc/self/cwd/x", true, VERB_READ, "/proc/self/cwd/x");
	path_is("read /proc/thread-self/fd/0", true, VERB_READ, "/proc/thread-self/fd/0");
	path_is("read /proc/self/root/etc/passwd", true, VERB_READ, "/etc/passwd");
	path_is("read /proc/thread-self/root", true, VERB_READ, "/");
	path_is("read /proc/self/rooted", true, VERB_READ, "/proc/self/rooted");
	path_is("read /dev/stdin", true, VERB_READ, "/dev/stdin");
	path_is("read /dev/fd/3", true, VERB_READ, "/dev/fd/3");
	path_is("read /", true, VERB_READ, "/");
	path_is("read /..", true, VERB_READ, "/");
}
END_TEST

START_TEST(others)
{
	ck_assert_int_eq(query_parse("connect 10.1.2.3:443", "/w", false, &parsed, &why), 0);
	ck_assert_int_eq(parsed.query.object, OBJECT_ADDRESS);
	ck_assert_int_eq(parsed.query.address.protocol, PROTOCOL_TCP);
	ck_assert_int_eq(parsed.query.address.family, FAMILY_IP4);
	ck_assert_uint_eq(parsed.query.address.port, 443);
	ck_assert_int_eq(query_parse("connect udp:[fd00::1]:53", "/w", false, &parsed, &why), 0);
	ck_assert_int_eq(parsed.query.address.protocol, PROTOCOL_UDP);
	ck_assert_int_eq(parsed.query.address.family, FAMILY_IP6);
	ck_assert_int_eq(query_parse("connect [::ffff:1.2.3.4]:53", "/w", false, &parsed, &why), 0);
	ck_assert_int_eq(parsed.query.address.family, FAMILY_IP4);
	ck_assert_int_eq(query_parse("connect unix:@name", "/w", false, &parsed, &why), 0);
	ck_assert_int_eq(parsed.query.object, OBJECT_ABSTRACT);
	ck_assert_str_eq(parsed.query.text, "name");
	ck_assert_int_eq(query_parse("env LC_ALL", "/w", false, &parsed, &why), 0);
	ck_assert_int_eq(parsed.query.object, OBJECT_NAME);
	ck_assert_str_eq(parsed.query.text, "LC_ALL");
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = {
	    "",
	    "read",
	    "read ",
	    "open /x",
	    "READ /x",
	    "read \"/x",
	    "read \"/x\" y",
	    "exec",
	    "exec \"\"",
	    "exec \"/x",
	    "exec /x\\",
	    "connect",
	    "connect 1.2.3.4",
	    "connect :80",
	    "connect 1.2.3.4:0",
	    "connect 1.2.3.4:65536",
	    "connect 127.1:80",
	    "connect example.com:80",
	    "connect fd00::1:80",
	    "connect [fd00::1]",
	    "connect [fd00::1:80",
	    "connect unix:",
	    "connect unix:@",
	    "env",
	    "env A=B",
	    "env A B",
	};
	char longest[8192] = "read /";

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(query_parse(bad[i], "/w", true, &parsed, &why) == -22, "%s", bad[i]);
	memset(longest + 6, 'a', sizeof(longest) - 7);
	ck_assert_int_eq(query_parse(longest, "/w", false, &parsed, &why), -22);
	ck_assert_int_eq(query_parse(longest, "/w", true, &parsed, &why), -22);
}
END_TEST

START_TEST(links)
{
	char folder[] = "/tmp/remit-query-XXXXXX", line[256], want[256];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	ck_assert_int_eq(mkdir("real", 0700), 0);
	ck_assert_int_eq(mkdir("real/sub", 0700), 0);
	ck_assert_int_eq(symlink("real/sub", "link"), 0);
	ck_assert_int_eq(symlink("loop", "loop"), 0);

	snprintf(line, sizeof(line), "read %s/link/new", folder);
	snprintf(want, sizeof(want), "%s/real/sub/new", folder);
	path_is(line, true, VERB_READ, want);
	/* The parent of where the link leads, not of where it lies. */
	snprintf(line, sizeof(line), "read %s/link/../x", folder);
	snprintf(want, sizeof(want), "%s/real/x", folder);
	path_is(line, true, VERB_READ, want);
	snprintf(want, sizeof(want), "%s/x", folder);
	path_is(line, false, VERB_READ, want);
	snprintf(line, sizeof(line), "read %s/loop", folder);
	ck_assert_int_eq(query_parse(line, "/w", true, &parsed, &why), -22);
	ck_assert_str_eq(why, "too many symbolic links");

	unlink("link");
	unlink("loop");
	rmdir("real/sub");
	rmdir("real");
	ck_assert_int_eq(chdir("/"), 0);
	rmdir(folder);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("query");
	TCase *tests = tcase_create("query");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, paths);
	tcase_add_test(tests, others);
	tcase_add_test(tests, refused);
	tcase_add_test(tests, links);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
