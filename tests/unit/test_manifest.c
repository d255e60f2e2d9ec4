// SPDX-License-Identifier: Apache-2.0
/* What a good manifest becomes: the model's fields, marks, includes; and the tree of this machine:
 * links, interpreters, and that nothing an agent may write widens a later session. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/compile/model.h"
#include "policy/core/decide.h"

#define HEAD "remit: 1\nagent: {id: a, purpose: b}\n"

static char folder[64];
static struct model model;
static struct diagnostics diagnostics;

static int read_text(const char *text, bool resolve)
{
	struct compile_options options = {.workspace = folder[0] ? folder : "/w",
					  .home = "/home/u",
					  .user = "u",
					  .uid = "1000",
					  .tmp = "/tmp/remit-x",
					  .profile_dir = "policy/profiles",
					  .resolve = resolve};
	int err = manifest_read("m.yaml", text, strlen(text), &options, &model, &diagnostics);

	if (err)
		diagnostics_print(&diagnostics, stderr, false);
	return err;
}

static void forget(void)
{
	model_free(&model);
	diagnostics_free(&diagnostics);
}

static bool list_has(const struct string_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i], text))
			return true;
	return false;
}

/* Some rule of the section that names path, by its text or a spelling. */
static const struct model_rule *find(enum rule_section section, const char *path)
{
	for (size_t i = 0; i < model.rule_count; i++) {
		const struct model_rule *rule = &model.rules[i];

		if (rule->section == section &&
		    (!strcmp(rule->text, path) || list_has(&rule->spellings, path)))
			return rule;
	}
	return NULL;
}

/* "folder/name", in one of a few buffers. */
static const char *in(const char *name)
{
	static char buffers[8][256];
	static unsigned int next;
	char *out = buffers[next++ % 8];

	snprintf(out, 256, "%s/%s", folder, name);
	return out;
}

static void make(const char *name, const char *text)
{
	FILE *stream = fopen(in(name), "w");

	ck_assert_ptr_nonnull(stream);
	fputs(text, stream);
	fclose(stream);
	ck_assert_int_eq(chmod(in(name), 0755), 0);
}

static void begin(void)
{
	strcpy(folder, "/tmp/remit-manifest-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(mkdir(in("ours"), 0755), 0);
	ck_assert_int_eq(mkdir(in("theirs"), 0755), 0);
	ck_assert_int_eq(mkdir(in("far"), 0755), 0);
	make("ours/tool", "#! /bin/sh -e\n");
	make("ours/env", "#!/usr/bin/env python3\n");
	make("ours/second", "x");
	make("theirs/tool", "#!/usr/bin/ssh\n");
	ck_assert_int_eq(symlink("/etc", in("theirs/link")), 0);
	ck_assert_int_eq(symlink("../far", in("ours/link")), 0);
	ck_assert_int_eq(symlink("far", in("named")), 0);
}

static void end(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf -- '%s'", folder);
	ck_assert_int_eq(system(command), 0);
	folder[0] = '\0';
}

START_TEST(whole)
{
	static const char text[] =
	    "remit: 1\n"
	    "agent: {id: invoice-bot, purpose: Reconcile it, owner: finance,"
	    " expires: 2027-03-31T00:00:00Z}\n"
	    "files:\n"
	    "  read: [/srv/invoices]\n"
	    "  write: [\"${WORKSPACE}\", \"${TMP}\"]\n"
	    "  deny: [\"${WORKSPACE}/**/.env\", {path: \"${HOME}\", quiet: true,"
	    " except: [\"${HOME}/.config\"], id: home, reason: private}]\n"
	    "exec: {allow: [{path: /usr/bin/curl, sha256: "
	    "\"abababababababababababababababababababababababababababababababab\"}]}\n"
	    "network:\n"
	    "  connect: [\"127.0.0.1:8080\", \"[fd00::]/8:443\", \"*.example.org:443,8443\","
	    " \"unix:/run/x.sock\", \"unix:@abs\", \"udp:9.9.9.9:53\"]\n"
	    "env: {pass: [PATH, \"LC_*\"], set: {TZ: UTC}}\n"
	    "capabilities: [net_bind_service]\n"
	    "limits: {processes: 64, open_files: 1024, memory: 2GiB, cpu_time: 10m, wall_time: 1h,"
	    " file_size: 1GiB}\n"
	    "audit: {record: strict, max_size: 16MiB}\n"
	    "tests: {allow: [\"write ${WORKSPACE}/out.csv\"], deny: [exec /usr/bin/ssh]}\n";
	const struct model_rule *rule;

	ck_assert_int_eq(read_text(text, false), 0);
	ck_assert_str_eq(model.agent_id, "invoice-bot");
	ck_assert_str_eq(model.purpose, "Reconcile it");
	ck_assert_str_eq(model.owner, "finance");
	ck_assert_int_eq(model.expires, 1806451200);
	ck_assert_int_eq(model.record, RECORD_STRICT);
	ck_assert_uint_eq(model.log_bytes, 16 << 20);
	ck_assert_uint_eq(model.capabilities, 1u << 10);
	ck_assert_uint_eq(model.processes, 64);
	ck_assert_uint_eq(model.memory_bytes, 2ull << 30);
	ck_assert_uint_eq(model.cpu_seconds, 600);
	ck_assert_uint_eq(model.wall_seconds, 3600);
	ck_assert_uint_eq(model.rule_count, 15);
	ck_assert_uint_eq(model.test_count, 2);
	ck_assert_str_eq(model.tests[0].query, "write /w/out.csv");
	rule = find(SECTION_FILES_WRITE, "/w");
	ck_assert_uint_eq(rule->rights, RIGHT_READ | RIGHT_WRITE);
	ck_assert_uint_eq(rule->line, 5);
	ck_assert_uint_eq(rule->column, 11);
	ck_assert_str_eq(rule->id, "files.write[0]");
	ck_assert(find(SECTION_FILES_DENY, "/w/**/.env")->pattern);
	rule = find(SECTION_FILES_DENY, "/home/u");
	ck_assert(rule->denial && rule->quiet && list_has(&rule->excepts, "/home/u/.config"));
	ck_assert_str_eq(rule->id, "home");
	ck_assert_str_eq(rule->reason, "private");
	rule = find(SECTION_EXEC_ALLOW, "/usr/bin/curl");
	ck_assert_uint_eq(rule->conditions, CONDITION_SHA256);
	ck_assert_uint_eq(rule->sha256[31], 0xab);
	rule = find(SECTION_NETWORK_CONNECT, "tcp:[fd00::]/8:443");
	ck_assert_uint_eq(rule->prefix, 8);
	ck_assert_int_eq(find(SECTION_NETWORK_CONNECT, "tcp:*.example.org:443,8443")->network,
			 NETWORK_HOST);
	ck_assert_int_eq(find(SECTION_NETWORK_CONNECT, "abs")->network, NETWORK_ABSTRACT);
	ck_assert_int_eq(find(SECTION_NETWORK_CONNECT, "udp:9.9.9.9:53")->protocol, PROTOCOL_UDP);
	ck_assert_str_eq(find(SECTION_ENV_SET, "TZ")->value, "UTC");
	forget();
}
END_TEST

START_TEST(profile_marks)
{
	ck_assert_int_eq(read_text(HEAD "include: [base]\nlimits: {memory: 2GiB}\n", false), 0);
	ck_assert_str_eq(model.rules[0].id, "base:files.read[0]");
	ck_assert_int_eq(model.rules[0].origin, ORIGIN_PROFILE);
	ck_assert_str_eq(model.rules[0].file, "profiles/base.yaml");
	forget();
}
END_TEST

/* A user without a name or a home, in a folder whose name has a line end. */
START_TEST(profiles_on_odd_machines)
{
	struct compile_options options = {
	    .workspace = "/w\nx", .uid = "7", .tmp = "/t\n", .profile_dir = "policy/profiles"};
	const char *text = HEAD "include: [base, shell]\n";

	ck_assert_int_eq(
	    manifest_read("m.yaml", text, strlen(text), &options, &model, &diagnostics), 0);
	forget();
}
END_TEST

START_TEST(links_of_the_operator)
{
	char text[1024];

	begin();
	snprintf(text, sizeof(text),
		 HEAD
		 "files: {read: [%s/ours/link, \"%s/ours/link/*.txt\"], deny: [%s/ours/link]}\n",
		 folder, folder, folder);
	ck_assert_int_eq(read_text(text, true), 0);
	ck_assert_ptr_nonnull(find(SECTION_FILES_READ, in("far")));
	ck_assert_ptr_nonnull(find(SECTION_FILES_READ, in("far/*.txt")));
	ck_assert_ptr_nonnull(find(SECTION_FILES_DENY, in("far")));
	ck_assert_ptr_null(find(SECTION_FILES_DENY_WRITE, in("ours/link")));
	forget();
	end();
}
END_TEST

static void digest_of(const char *text, bool resolve, uint8_t digest[SCOPE_DIGEST_SIZE])
{
	struct compile_options options = {.tmp = "/tmp/remit-x"};
	char *canonical = NULL;
	size_t len = 0;

	ck_assert_int_eq(read_text(text, resolve), 0);
	ck_assert_int_eq(canonical_text(&model, &options, &canonical, &len), 0);
	canonical_digest(canonical, len, digest);
	free(canonical);
	forget();
}

/* A digest names what the manifest says, whatever links the machine has. */
START_TEST(links_do_not_change_the_digest)
{
	uint8_t plain[SCOPE_DIGEST_SIZE], resolved[SCOPE_DIGEST_SIZE];
	char text[1024];

	begin();
	snprintf(text, sizeof(text),
		 HEAD "files: {read: [%s/ours/link],"
		      " deny: [{path: %s, except: [%s/ours/link/x, %s/named]}]}\n",
		 folder, folder, folder, folder);
	ck_assert_int_eq(read_text(text, true), 0);
	ck_assert(list_has(&find(SECTION_FILES_DENY, folder)->excepts, in("far/x")));
	forget();
	digest_of(text, false, plain);
	digest_of(text, true, resolved);
	ck_assert_mem_eq(plain, resolved, sizeof(plain));
	end();
}
END_TEST

/* What the agent may have left behind: a link in a place that it writes. */
START_TEST(links_of_the_agent)
{
	char text[1024];

	begin();
	snprintf(text, sizeof(text),
		 HEAD "files: {write: [%s/theirs, %s/theirs/link/x], read: [%s/theirs/link],\n"
		      "  deny: [%s/theirs/link/shadow,"
		      " {path: /etc, except: [%s/theirs/link/passwd]}]}\n",
		 folder, folder, folder, folder, folder);
	ck_assert_int_eq(read_text(text, true), 0);
	ck_assert_ptr_null(find(SECTION_FILES_READ, "/etc"));
	ck_assert_ptr_null(find(SECTION_FILES_WRITE, "/etc/x"));
	/* A denial is followed anywhere, its exception is not. */
	ck_assert_ptr_nonnull(find(SECTION_FILES_DENY, "/etc/shadow"));
	ck_assert(!list_has(&find(SECTION_FILES_DENY, "/etc")->excepts, "/etc/passwd"));
	forget();
	/* Protected by the manifest itself, the link is the operator's again. */
	snprintf(text, sizeof(text),
		 HEAD "files: {write: [%s/theirs], deny_write: [%s/theirs/link],"
		      " read: [%s/theirs/link]}\n",
		 folder, folder, folder);
	ck_assert_int_eq(read_text(text, true), 0);
	ck_assert_ptr_nonnull(find(SECTION_FILES_READ, "/etc"));
	forget();
	end();
}
END_TEST

/* The link that a write grant names is followed, so the agent must not turn it elsewhere. */
START_TEST(link_that_is_granted)
{
	const struct model_rule *rule;
	char text[1024];

	begin();
	snprintf(text, sizeof(text), HEAD "files: {write: [%s/named]}\n", folder);
	ck_assert_int_eq(read_text(text, true), 0);
	ck_assert_ptr_nonnull(find(SECTION_FILES_WRITE, in("far")));
	rule = find(SECTION_FILES_DENY_WRITE, in("named"));
	ck_assert_ptr_nonnull(rule);
	ck_assert_int_eq(rule->origin, ORIGIN_IMPLIED);
	ck_assert(list_has(&rule->excepts, in("named/*")));
	forget();
	end();
}
END_TEST

START_TEST(interpreters)
{
	char text[1024];

	begin();
	snprintf(text, sizeof(text), HEAD "exec: {allow: [%s/ours/tool, \"%s/ours/e*\"]}\n", folder,
		 folder);
	ck_assert_int_eq(read_text(text, true), 0);
	ck_assert_int_eq(find(SECTION_EXEC_ALLOW, "/bin/sh")->origin, ORIGIN_IMPLIED);
	ck_assert_ptr_nonnull(find(SECTION_EXEC_ALLOW, "/usr/bin/env"));
	ck_assert_ptr_null(find(SECTION_EXEC_ALLOW, "/usr/bin/python3"));
	/* The loader of sh. */
	ck_assert_ptr_nonnull(find(SECTION_EXEC_ALLOW, "/lib64/ld-linux-x86-64.so.2"));
	forget();
	/* A folder is searched too. */
	snprintf(text, sizeof(text), HEAD "exec: {allow: [%s/ours]}\n", folder);
	ck_assert_int_eq(read_text(text, true), 0);
	ck_assert_ptr_nonnull(find(SECTION_EXEC_ALLOW, "/usr/bin/env"));
	forget();
	end();
}
END_TEST

START_TEST(interpreter_that_the_agent_chose)
{
	char text[1024];

	begin();
	snprintf(text, sizeof(text), HEAD "exec: {allow: [%s/theirs/tool]}\n", folder);
	ck_assert_int_eq(read_text(text, true), 0);
	ck_assert_ptr_nonnull(find(SECTION_EXEC_ALLOW, "/usr/bin/ssh"));
	forget();
	snprintf(text, sizeof(text),
		 HEAD "files: {write: [%s/theirs]}\nexec: {allow: [%s/theirs/tool]}\n", folder,
		 folder);
	ck_assert_int_eq(read_text(text, true), 0);
	ck_assert_ptr_null(find(SECTION_EXEC_ALLOW, "/usr/bin/ssh"));
	ck_assert_uint_eq(diagnostics.warnings, 1);
	forget();
	end();
}
END_TEST

/* Not told where what the link leads to is granted by another rule, or is no program. */
START_TEST(links_that_are_missed)
{
	static const char *const others[] = {"", ", /usr/bin/e*", ", /usr/bin"};
	char text[1024];

	begin();
	ck_assert_int_eq(symlink("/usr/bin/env", in("theirs/to-env")), 0);
	ck_assert_int_eq(symlink("/etc/passwd", in("theirs/to-no-program")), 0);
	ck_assert_int_eq(symlink("/nowhere/x", in("theirs/to-nothing")), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		snprintf(text, sizeof(text),
			 HEAD "files: {write: [%s/theirs]}\nexec: {allow: [\"%s/theirs/to-*\"%s]}\n",
			 folder, folder, others[i]);
		ck_assert_int_eq(read_text(text, true), 0);
		ck_assert_uint_eq(diagnostics.warnings, i == 0);
		forget();
	}
	end();
}
END_TEST

/* Told once a rule, and not of an interpreter that some rule grants, before or after. */
START_TEST(interpreters_that_are_missed)
{
	static const char *const names[] = {"made/one", "made/two", "made/three"};
	char text[1024];

	begin();
	ck_assert_int_eq(mkdir(in("made"), 0755), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		make(names[i], "#!/usr/bin/ssh\n");
	snprintf(text, sizeof(text), HEAD "files: {write: [%s/made]}\nexec: {allow: [%s/made]}\n",
		 folder, folder);
	ck_assert_int_eq(read_text(text, true), 0);
	ck_assert_uint_eq(diagnostics.warnings, 1);
	ck_assert_ptr_nonnull(
	    strstr(diagnostics.items[0].message, "name /usr/bin/ssh (and 2 more so)"));
	forget();
	snprintf(text, sizeof(text),
		 HEAD "files: {write: [%s/made]}\nexec: {allow: [%s/made, /usr/bin/ssh]}\n", folder,
		 folder);
	ck_assert_int_eq(read_text(text, true), 0);
	ck_assert_uint_eq(diagnostics.warnings, 0);
	forget();
	end();
}
END_TEST

/* The links between a granted place and a program: the operator's are followed, and what they lead
 * to is granted; the agent's are told of, whether a name or a pattern goes through them. */
START_TEST(links_to_programs)
{
	static const char *const through[] = {"theirs/way/tool", "theirs/way/t*"};
	char text[1024];

	begin();
	make("far/tool", "#!/usr/bin/ssh\n");
	make("far/plain", "#!/usr/bin/git\n");
	ck_assert_int_eq(chmod(in("far/plain"), 0644), 0);
	ck_assert_int_eq(symlink("../far/tool", in("ours/alias")), 0);
	ck_assert_int_eq(symlink("../far/plain", in("ours/plain")), 0);
	ck_assert_int_eq(symlink("../far", in("theirs/way")), 0);
	snprintf(text, sizeof(text), HEAD "exec: {allow: [%s/ours]}\n", folder);
	ck_assert_int_eq(read_text(text, true), 0);
	ck_assert_ptr_nonnull(find(SECTION_EXEC_ALLOW, in("far/tool")));
	ck_assert_ptr_nonnull(find(SECTION_EXEC_ALLOW, "/usr/bin/ssh"));
	ck_assert_ptr_null(find(SECTION_EXEC_ALLOW, in("far/plain")));
	ck_assert_ptr_null(find(SECTION_EXEC_ALLOW, "/usr/bin/git"));
	ck_assert_uint_eq(diagnostics.warnings, 0);
	forget();
	for (size_t i = 0; i < 2; i++) {
		snprintf(text, sizeof(text),
			 HEAD "files: {write: [%s/theirs]}\nexec: {allow: [\"%s\"]}\n", folder,
			 in(through[i]));
		ck_assert_int_eq(read_text(text, true), 0);
		ck_assert_ptr_null(find(SECTION_EXEC_ALLOW, in("far/tool")));
		ck_assert_ptr_null(find(SECTION_EXEC_ALLOW, "/usr/bin/ssh"));
		ck_assert_uint_eq(diagnostics.warnings, 1);
		forget();
	}
	end();
}
END_TEST

/* Several patterns search one folder: each finds its own, and nothing of another begins like it. */
START_TEST(patterns_of_one_folder)
{
	static const struct {
		const char *file, *line, *interpreter;
		bool found;
	} programs[] = {
	    {"ours/pyt3.1", "#!/usr/bin/ssh\n", "/usr/bin/ssh", true},
	    {"ours/pyt3.12", "#!/usr/bin/git\n", "/usr/bin/git", true},
	    {"ours/pyt", "#!/usr/bin/awk\n", "/usr/bin/awk", false},
	    {"ours/pyx3.1", "#!/usr/bin/sed\n", "/usr/bin/sed", false},
	    {"ours/deep/in/tool", "#!/usr/bin/who\n", "/usr/bin/who", true},
	    {"ours/deep/tool", "#!/usr/bin/env\n", "/usr/bin/env", false},
	};
	char text[1024];

	begin();
	ck_assert_int_eq(mkdir(in("ours/deep"), 0700), 0);
	ck_assert_int_eq(mkdir(in("ours/deep/in"), 0700), 0);
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		make(programs[i].file, programs[i].line);
	snprintf(text, sizeof(text),
		 HEAD "exec: {allow: [\"%s/ours/pyt3.[0-9]\", \"%s/ours/pyt3.[0-9][0-9]\","
		      " \"%s/ours/deep/*/tool\"]}\n",
		 folder, folder, folder);
	ck_assert_int_eq(read_text(text, true), 0);
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		ck_assert_int_eq(find(SECTION_EXEC_ALLOW, programs[i].interpreter) != NULL,
				 programs[i].found);
	forget();
	end();
}
END_TEST

START_TEST(what_stays)
{
	ck_assert_int_eq(read_text(HEAD "files: {read: [/proc/self, /proc/thread-self/fd, /dev/fd,"
					" /dev/stdin, /proc/1/root/etc, /absent/x]}\n",
				   true),
			 0);
	for (size_t i = 0; i < model.rule_count; i++)
		ck_assert_uint_eq(model.rules[i].spellings.count, 0);
	ck_assert_uint_eq(model.rule_count, 6);
	forget();
}
END_TEST

/* None is said, not meant by silence: whatever file records more counts, in any order. */
START_TEST(the_file_that_records_most_counts)
{
	static const struct {
		const char *outer, *inner;
		enum record_mode mode;
	} cases[] = {
	    {"", "", RECORD_DENIALS},
	    {"audit: {record: none}\n", "", RECORD_NONE},
	    {"", "audit: {record: none}\n", RECORD_NONE},
	    {"audit: {record: none}\n", "audit: {record: denials}\n", RECORD_DENIALS},
	    {"audit: {record: denials}\n", "audit: {record: none}\n", RECORD_DENIALS},
	    {"audit: {record: strict}\n", "audit: {record: none}\n", RECORD_STRICT},
	    {"audit: {record: none}\n", "audit: {record: all}\n", RECORD_ALL},
	};
	struct compile_options options = {.workspace = "/w", .profile_dir = "policy/profiles"};
	char text[512];

	begin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(text, sizeof(text), HEAD "include: [./b.yaml]\n%s", cases[i].outer);
		make("a.yaml", text);
		snprintf(text, sizeof(text), "remit: 1\n%s", cases[i].inner);
		make("b.yaml", text);
		ck_assert_int_eq(manifest_read_file(in("a.yaml"), &options, &model, &diagnostics),
				 0);
		ck_assert_int_eq(model.record, cases[i].mode);
		forget();
	}
	end();
}
END_TEST

START_TEST(files_are_named)
{
	struct compile_options options = {.workspace = "/w", .profile_dir = "policy/profiles"};
	char *first = NULL;

	begin();
	make("a.yaml", HEAD "include: [./b.yaml, ./c.yaml]\nlimits: {memory: 2GiB}\n");
	make("b.yaml", "remit: 1\ninclude: [./c.yaml]\nlimits: {memory: 1GiB}\n");
	make("c.yaml", "remit: 1\nfiles: {read: [/c]}\nlimits: {memory: 3GiB}\n"
		       "audit: {record: all}\ntests: {allow: [read /c]}\n");
	ck_assert_int_eq(manifest_read_file(in("a.yaml"), &options, &model, &diagnostics), 0);
	ck_assert_uint_eq(model.files.count, 3);
	first = realpath(in("a.yaml"), NULL);
	ck_assert_str_eq(model.files.items[0], first);
	ck_assert_uint_eq(model.rule_count, 1);
	ck_assert_str_eq(model.rules[0].id, "c:files.read[0]");
	ck_assert_uint_eq(model.memory_bytes, 1u << 30);
	ck_assert_int_eq(model.record, RECORD_ALL);
	ck_assert_uint_eq(model.test_count, 0);
	free(first);
	forget();
	end();
}
END_TEST

START_TEST(bad_settings)
{
	static const struct variable bad[] = {{"HOME", "/x"}, {"a-b", "x"}, {"A", "x"}, {"A", "y"}};
	struct compile_options options = {.workspace = "relative", .set = bad, .set_count = 4};

	ck_assert_int_eq(manifest_read("m", HEAD, strlen(HEAD), &options, &model, &diagnostics),
			 -22);
	ck_assert_uint_eq(diagnostics.errors, 4);
	forget();
	ck_assert_int_eq(manifest_read_file("/dev/zero", &options, &model, &diagnostics), -22);
	forget();
}
END_TEST

START_TEST(rules_of_the_session)
{
	ck_assert_int_eq(read_text(HEAD, false), 0);
	ck_assert_int_eq(model_add_path(&model, SECTION_FILES_DENY_WRITE, ORIGIN_SESSION,
					"session.log", "/var/log/x"),
			 0);
	ck_assert(model.rules[0].denial);
	ck_assert_uint_eq(model.rules[0].rights, RIGHT_WRITE);
	forget();
}
END_TEST

START_TEST(near_words)
{
	static const char *const words[] = {"read", "write", "deny", "deny_write"};

	ck_assert_str_eq(diagnostics_near("raed", words, 4), "read");
	ck_assert_str_eq(diagnostics_near("wirte", words, 4), "write");
	ck_assert_str_eq(diagnostics_near("deny-write", words, 4), "deny_write");
	ck_assert_ptr_null(diagnostics_near("frobnicate", words, 4));
	ck_assert_ptr_null(diagnostics_near("", words, 4));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("manifest");
	TCase *tests = tcase_create("manifest");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, whole);
	tcase_add_test(tests, profile_marks);
	tcase_add_test(tests, profiles_on_odd_machines);
	tcase_add_test(tests, links_of_the_operator);
	tcase_add_test(tests, links_do_not_change_the_digest);
	tcase_add_test(tests, links_of_the_agent);
	tcase_add_test(tests, link_that_is_granted);
	tcase_add_test(tests, interpreters);
	tcase_add_test(tests, interpreter_that_the_agent_chose);
	tcase_add_test(tests, links_that_are_missed);
	tcase_add_test(tests, interpreters_that_are_missed);
	tcase_add_test(tests, links_to_programs);
	tcase_add_test(tests, patterns_of_one_folder);
	tcase_add_test(tests, what_stays);
	tcase_add_test(tests, the_file_that_records_most_counts);
	tcase_add_test(tests, files_are_named);
	tcase_add_test(tests, bad_settings);
	tcase_add_test(tests, rules_of_the_session);
	tcase_add_test(tests, near_words);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
