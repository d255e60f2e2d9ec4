/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan on made-up trees: what is in the wall and what is not, that wall ⊆ scope ⊆ hull, and
 * that no order of rules or names changes it.
 */
#include <check.h>
#include <stdlib.h>

#include "policy/plan/access.h"
#include "tests/unit/planned.h"

static uint64_t access_on(const struct domain *domain, const char *path)
{
	for (size_t i = 0; i < domain->path_count; i++) {
		if (!strcmp(domain->paths[i].path, path))
			return domain->paths[i].access;
	}
	return 0;
}

static uint64_t hull_access(const struct planned *p, const char *path)
{
	uint64_t access = 0;
	for (size_t i = 0; i < p->plan.hull.path_count; i++) {
		const char *root = p->plan.hull.paths[i].path;
		if (path_within(path, strlen(path), root, strlen(root)))
			access |= p->plan.hull.paths[i].access;
	}
	return access;
}

static enum lane lane_of(const struct planned *p, enum rule_section section)
{
	struct rule rule;
	for (size_t i = 0; i < p->plan.line_count; i++) {
		scope_rule(&p->b.scope, p->plan.lines[i].rule, &rule);
		if (rule.section == section)
			return p->plan.lines[i].lane;
	}
	return LANE_REFUSED;
}

START_TEST(literal_grant_is_one_rule)
{
	struct planned p = start();
	builder_rule(&p.b, SECTION_FILES_WRITE, "/w");
	builder_rule(&p.b, SECTION_FILES_READ, "/etc/hosts");
	plan(&p);
	ck_assert_uint_eq(p.plan.wall.path_count, 2);
	ck_assert(in_wall(&p, "/w", RIGHT_READ | RIGHT_WRITE));
	ck_assert(in_wall(&p, "/w/not/yet", RIGHT_WRITE));
	ck_assert(!in_wall(&p, "/w/not/yet", RIGHT_EXEC));
	ck_assert(!in_wall(&p, "/w2", RIGHT_READ));
	ck_assert(!in_wall(&p, "/", RIGHT_READ));
	ck_assert(in_wall(&p, "/etc/hosts", RIGHT_READ));
	ck_assert(!in_wall(&p, "/etc/hosts", RIGHT_WRITE));
	ck_assert(!in_wall(&p, "/etc/hosts", 0));
	ck_assert(!in_wall(&p, "/etc/hosts", RIGHT_CONNECT));
	ck_assert_uint_eq(access_on(&p.plan.wall, "/etc/hosts") & ~ACCESS_OF_FILES, 0);
	ck_assert_int_eq(lane_of(&p, SECTION_FILES_WRITE), LANE_WALL);
	done(&p);
}
END_TEST

START_TEST(denial_is_carved_out)
{
	struct planned p = start();
	builder_rule(&p.b, SECTION_FILES_READ, "/home/u");
	builder_rule(&p.b, SECTION_FILES_DENY, "/home/u/.ssh");
	plan(&p);
	ck_assert(in_wall(&p, "/home/u/notes", RIGHT_READ));
	ck_assert(in_wall(&p, "/home/u/work/a/x", RIGHT_READ));
	ck_assert(!in_wall(&p, "/home/u", RIGHT_READ));
	ck_assert(!in_wall(&p, "/home/u/.ssh", RIGHT_READ));
	ck_assert(!in_wall(&p, "/home/u/.ssh/id", RIGHT_READ));
	ck_assert(!in_wall(&p, "/home/u/new", RIGHT_READ));
	ck_assert_int_eq(lane_of(&p, SECTION_FILES_READ), LANE_CARVE);
	ck_assert_int_eq(lane_of(&p, SECTION_FILES_DENY), LANE_REFUSED);
	done(&p);
}
END_TEST

START_TEST(deny_write_leaves_reads_whole)
{
	struct planned p = start();
	builder_rule(&p.b, SECTION_FILES_WRITE, "/w");
	builder_rule(&p.b, SECTION_FILES_DENY_WRITE, "/w/.git/hooks");
	plan(&p);
	ck_assert(in_wall(&p, "/w/.git/hooks/pre", RIGHT_READ));
	ck_assert(!in_wall(&p, "/w/.git/hooks/pre", RIGHT_WRITE));
	ck_assert(!in_wall(&p, "/w/.git", RIGHT_WRITE));
	ck_assert(!in_wall(&p, "/w/new", RIGHT_WRITE));
	ck_assert(in_wall(&p, "/w/src/new", RIGHT_WRITE));
	ck_assert(in_wall(&p, "/w/.git/config", RIGHT_WRITE));
	done(&p);
}
END_TEST

/* A denied name that does not exist yet: nothing on the way to it may be made natively. */
START_TEST(absent_denial_keeps_its_folders_out)
{
	struct planned p = start();
	builder_rule(&p.b, SECTION_FILES_WRITE, "/w");
	builder_rule(&p.b, SECTION_FILES_DENY, "/w/later/secret");
	plan(&p);
	ck_assert(!in_wall(&p, "/w", RIGHT_WRITE));
	ck_assert(!in_wall(&p, "/w/later", RIGHT_WRITE));
	ck_assert(!in_wall(&p, "/w/later/secret", RIGHT_READ));
	ck_assert(in_wall(&p, "/w/src/x", RIGHT_WRITE));
	done(&p);
}
END_TEST

START_TEST(wildcard_denials)
{
	struct planned p = start();
	builder_rule(&p.b, SECTION_FILES_WRITE, "/w");
	builder_rule(&p.b, SECTION_FILES_DENY, "/w/*.key");
	plan(&p);
	ck_assert(!in_wall(&p, "/w/one.key", RIGHT_READ));
	ck_assert(!in_wall(&p, "/w", RIGHT_WRITE));
	ck_assert(in_wall(&p, "/w/src/deep/x.key", RIGHT_WRITE));
	done(&p);

	p = start();
	builder_rule(&p.b, SECTION_FILES_WRITE, "/w");
	builder_rule(&p.b, SECTION_FILES_WRITE, "/srv/in");
	builder_rule(&p.b, SECTION_FILES_DENY, "/w/**/*.key");
	plan(&p);
	ck_assert(!in_wall(&p, "/w/src/main.c", RIGHT_READ));
	ck_assert(!in_wall(&p, "/w/src/deep/x.key", RIGHT_READ));
	ck_assert(in_wall(&p, "/srv/in/one", RIGHT_WRITE));
	done(&p);
}
END_TEST

START_TEST(exception_of_a_denial)
{
	struct planned p = start();
	builder_rule(&p.b, SECTION_FILES_WRITE, "/home");
	struct model_rule *deny = builder_rule(&p.b, SECTION_FILES_DENY, "/home/u");
	builder_except(deny, "/home/u/work");
	builder_rule(&p.b, SECTION_FILES_DENY, "/home/u/work/.env");
	plan(&p);
	ck_assert(in_wall(&p, "/home/u/work/a/x", RIGHT_WRITE));
	ck_assert(in_wall(&p, "/home/u/work/b", RIGHT_WRITE));
	ck_assert(!in_wall(&p, "/home/u/work/.env", RIGHT_READ));
	ck_assert(!in_wall(&p, "/home/u/notes", RIGHT_READ));
	ck_assert(!in_wall(&p, "/home/u/work", RIGHT_WRITE));
	done(&p);
}
END_TEST

START_TEST(proc_conditions_patterns_and_links_are_the_gates)
{
	struct planned p = start();
	builder_rule(&p.b, SECTION_FILES_READ, "/proc/self");
	builder_rule(&p.b, SECTION_FILES_READ, "/proc/1/environ");
	builder_rule(&p.b, SECTION_FILES_READ, "/srv/link");
	builder_rule(&p.b, SECTION_FILES_READ, "/srv/link/x");
	builder_rule(&p.b, SECTION_FILES_READ, "/w/*.c");
	builder_rule(&p.b, SECTION_FILES_WRITE, "/dev/pts")->conditions =
	    CONDITION_SESSION_TERMINAL;
	plan(&p);
	ck_assert_uint_eq(p.plan.wall.path_count, 0);
	ck_assert(hull_access(&p, "/proc/1") & ACCESS_READ_FILE);
	ck_assert(hull_access(&p, "/dev/pts/0") & ACCESS_IOCTL_DEV);
	ck_assert(hull_access(&p, "/w/main.c") & ACCESS_READ_FILE);
	done(&p);

	p = start();
	builder_rule(&p.b, SECTION_FILES_READ, "/proc");
	plan(&p);
	ck_assert(in_wall(&p, "/proc/1/environ", RIGHT_READ));
	done(&p);

	p = start();
	builder_rule(&p.b, SECTION_FILES_READ, "/proc");
	builder_rule(&p.b, SECTION_FILES_DENY, "/proc/1");
	plan(&p);
	ck_assert_uint_eq(p.plan.wall.path_count, 0);
	done(&p);
}
END_TEST

START_TEST(programs)
{
	struct planned p = start();
	builder_rule(&p.b, SECTION_EXEC_ALLOW, "/usr/bin/git");
	builder_rule(&p.b, SECTION_EXEC_ALLOW, "/usr/bin/python3*");
	builder_rule(&p.b, SECTION_FILES_WRITE, "/w");
	plan(&p);
	ck_assert(in_wall(&p, "/usr/bin/git", RIGHT_EXEC));
	ck_assert(in_wall(&p, "/usr/bin/python3.11", RIGHT_EXEC));
	ck_assert(in_wall(&p, "/lib64/ld.so", RIGHT_EXEC));
	ck_assert(!in_wall(&p, "/usr/bin/ssh", RIGHT_EXEC));
	ck_assert(!in_wall(&p, "/usr/bin/ssh", RIGHT_READ));
	ck_assert_uint_eq(access_on(&p.plan.wall, "/usr/bin/python3"), 0);
	ck_assert(!in_wall(&p, "/w/readme", RIGHT_EXEC));
	done(&p);

	p = start();
	builder_rule(&p.b, SECTION_EXEC_ALLOW, "/usr/bin");
	builder_rule(&p.b, SECTION_EXEC_DENY, "/usr/bin/ssh");
	plan(&p);
	ck_assert(in_wall(&p, "/usr/bin/git", RIGHT_EXEC));
	ck_assert(!in_wall(&p, "/usr/bin/ssh", RIGHT_EXEC));
	ck_assert(in_wall(&p, "/usr/bin/ssh", RIGHT_READ));
	done(&p);
}
END_TEST

/* A socket must not natively get a name under which the scope lets it be used. */
START_TEST(granted_sockets_do_not_move)
{
	const uint64_t moves = ACCESS_MAKE_SOCK | ACCESS_MAKE_DIR | ACCESS_MAKE_SYM | ACCESS_REFER;
	struct planned p = start();
	builder_rule(&p.b, SECTION_FILES_WRITE, "/w");
	builder_rule(&p.b, SECTION_FILES_WRITE, "/srv/in");
	builder_unix(&p.b, SECTION_NETWORK_CONNECT, NETWORK_UNIX, "/w/run/x.sock");
	plan(&p);
	ck_assert_uint_eq(access_on(&p.plan.wall, "/w") & moves, 0);
	ck_assert(access_on(&p.plan.wall, "/w") & ACCESS_MAKE_REG);
	ck_assert_uint_eq(access_on(&p.plan.wall, "/srv/in") & moves, moves);
	ck_assert(in_wall(&p, "/w/x", RIGHT_READ));
	ck_assert(!in_wall(&p, "/w/x", RIGHT_WRITE));
	done(&p);
}
END_TEST

START_TEST(carve_is_bounded)
{
	struct planned p = start();
	builder_rule(&p.b, SECTION_FILES_READ, "/home/u");
	builder_rule(&p.b, SECTION_FILES_DENY, "/home/u/.ssh");
	plan_with(&p, &fixture_features, 1);
	ck_assert_uint_le(p.plan.wall.path_count, 1);
	done(&p);
}
END_TEST

START_TEST(hull_holds_what_may_come)
{
	struct planned p = start();
	builder_rule(&p.b, SECTION_FILES_WRITE, "/srv/in/later/out");
	builder_rule(&p.b, SECTION_FILES_READ, "/nowhere/at/all");
	builder_rule(&p.b, SECTION_FILES_WRITE, "/w");
	builder_rule(&p.b, SECTION_FILES_DENY, "/w/src");
	builder_rule(&p.b, SECTION_EXEC_ALLOW, "/usr/bin/git");
	builder_ip(&p.b, SECTION_NETWORK_CONNECT, "10.0.0.0", 8, 80, 81);
	builder_ip(&p.b, SECTION_NETWORK_LISTEN, "127.0.0.1", 32, 8000, 8000);
	plan(&p);
	ck_assert(hull_access(&p, "/srv/in") & ACCESS_MAKE_DIR);
	ck_assert(hull_access(&p, "/w/src") & ACCESS_WRITE_FILE);
	ck_assert(hull_access(&p, "/usr/bin/git") & ACCESS_EXECUTE);
	ck_assert_uint_eq(hull_access(&p, "/etc/shadow"), 0);
	ck_assert_uint_eq(p.plan.hull.scoped, SCOPE_SIGNAL);
	ck_assert_uint_eq(p.plan.hull.port_count, 4); /* 0 to bind, 80, 81, 8000 */
	ck_assert_uint_eq(p.plan.wall.port_count, 0);
	for (size_t i = 0; i < p.plan.wall.path_count; i++) {
		const struct path_access *path = &p.plan.wall.paths[i];
		ck_assert_uint_eq(path->access & ~hull_access(&p, path->path), 0);
	}
	done(&p);

	p = start();
	builder_ip(&p.b, SECTION_NETWORK_CONNECT, "*", 0, 0, 65535);
	plan(&p);
	ck_assert_uint_eq(p.plan.hull.handled_net, ACCESS_BIND_TCP);
	ck_assert_uint_eq(p.plan.wall.handled_net, ACCESS_BIND_TCP | ACCESS_CONNECT_TCP);
	done(&p);
}
END_TEST

START_TEST(weaker_kernels)
{
	struct features features = fixture_features;
	for (int abi = 7; abi >= 0; abi--) {
		struct planned p = start();
		builder_rule(&p.b, SECTION_FILES_WRITE, "/w");
		builder_rule(&p.b, SECTION_EXEC_ALLOW, "/usr/bin/git");
		features.landlock_abi = abi;
		plan_with(&p, &features, 0);
		ck_assert_uint_eq(p.plan.wall.handled_fs, access_handled_fs(abi));
		ck_assert_int_eq(p.plan.loss_count > 0, abi < 6);
		ck_assert_int_eq(p.plan.fast_lane, abi >= 3);
		ck_assert_int_eq(in_wall(&p, "/w", RIGHT_READ), abi >= 3);
		ck_assert_int_eq(in_wall(&p, "/usr/bin/git", RIGHT_EXEC), abi >= 1);
		ck_assert(!in_wall(&p, "/w", RIGHT_EXEC));
		for (size_t i = 0; i < p.plan.wall.path_count; i++)
			ck_assert_uint_eq(p.plan.wall.paths[i].access & ~p.plan.wall.handled_fs, 0);
		done(&p);
	}
}
END_TEST

START_TEST(strict_and_limits_change_the_filter)
{
	const uint64_t none[6] = {0};
	struct planned p = start();
	p.b.model.record = RECORD_STRICT;
	p.b.model.processes = 4;
	plan(&p);
	ck_assert(!p.plan.fast_lane && p.plan.gated_forks && !p.plan.gated_sends);
	ck_assert_int_eq(plan_filter_clause(&p.plan, 57, none)->action, FILTER_NOTIFY);
	done(&p);

	p = start();
	builder_ip(&p.b, SECTION_NETWORK_CONNECT, "udp:9.9.9.9", 32, 53, 53);
	plan(&p);
	ck_assert(p.plan.fast_lane && !p.plan.gated_forks && p.plan.gated_sends);
	done(&p);
}
END_TEST

/* wall ⊆ scope: whatever path of the tree, or made beside it, is in the wall is also allowed. */
static void check_inside(const struct planned *p, const char *path)
{
	static const enum verb verbs[] = {VERB_READ, VERB_WRITE, VERB_EXEC};
	static const uint32_t rights[] = {RIGHT_READ, RIGHT_WRITE, RIGHT_EXEC};
	for (size_t i = 0; i < 3; i++) {
		if (!in_wall(p, path, rights[i]))
			continue;
		struct decision decision = builder_decide(&p->b, verbs[i], path);
		ck_assert_msg(decision.verdict == VERDICT_ALLOWED, "%s %s is in the wall only",
			      verb_name(verbs[i]), path);
	}
}

START_TEST(random_walls_stay_inside)
{
	static const char *const tree[] = {
	    "/a/a/a/a", "/a/a/b/", "/a/b/c", "/a/c/a", "/a/c/b", "/b/a/b/c", "/b/b",
	    "/b/c/a/",	"/c/a",	   "/c/b/a", "/c/b/b", "/c/c/c", "/d",	     NULL,
	};
	static const enum rule_section sections[] = {
	    SECTION_FILES_READ, SECTION_FILES_WRITE,	  SECTION_EXEC_ALLOW,
	    SECTION_FILES_DENY, SECTION_FILES_DENY_WRITE, SECTION_EXEC_DENY,
	};
	unsigned int seed = (unsigned int)_i;
	struct planned p = start();
	char path[64];
	p.tree = tree;
	for (unsigned int n = 0; n < 7; n++) {
		enum rule_section section = sections[(unsigned int)rand_r(&seed) % 6];
		struct model_rule *rule =
		    builder_rule(&p.b, section, random_path(&seed, rand_r(&seed) % 2));
		if (rule->denial && rand_r(&seed) % 2)
			builder_except(rule, random_path(&seed, false));
	}
	plan(&p);
	for (unsigned int code = 0; code < PLANNED_PATHS; code++) {
		planned_path(code, path);
		check_inside(&p, path);
	}
	done(&p);
}
END_TEST

START_TEST(hull_says_nothing_twice)
{
	static const char *const tree[] = {"/dev/shm/file", "/srv/in/one", "/srv/in/two", NULL};
	struct planned p = start();
	p.tree = tree;
	builder_rule(&p.b, SECTION_FILES_READ, "/srv/in/one");
	builder_rule(&p.b, SECTION_FILES_READ, "/srv/in/two");
	builder_rule(&p.b, SECTION_FILES_READ, "/dev/shm/file");
	plan(&p);
	ck_assert_uint_eq(access_on(&p.plan.wall, "/srv/in/one"), ACCESS_READ_FILE);
	ck_assert_uint_eq(access_on(&p.plan.wall, "/dev/shm/file"), ACCESS_READ_FILE);
	ck_assert_uint_eq(access_on(&p.plan.hull, "/srv/in"), ACCESS_READ_FILE);
	ck_assert_uint_eq(access_on(&p.plan.hull, "/srv/in/one"), 0);
	ck_assert_uint_eq(access_on(&p.plan.hull, "/dev/shm/file"), 0);
	done(&p);
}
END_TEST

START_TEST(single_files_are_bounded)
{
	enum { FILES = 600, BOUND = 512 };
	static char name[FILES + 1][24];
	static const char *tree[FILES + 3];
	struct planned p = start();
	p.tree = tree;
	for (int i = 0; i < FILES; i++) {
		snprintf(name[i], sizeof(name[i]), "/srv/in/%03d", i);
		tree[i] = name[i];
		builder_rule(&p.b, i % 2 ? SECTION_FILES_READ : SECTION_FILES_WRITE, name[i]);
	}
	tree[FILES] = "/usr/bin/git";
	tree[FILES + 1] = "/w/";
	builder_rule(&p.b, SECTION_EXEC_ALLOW, "/usr/bin/git");
	builder_rule(&p.b, SECTION_FILES_WRITE, "/w");
	plan(&p);
	size_t files = 0;
	for (int i = 0; i < FILES; i++)
		files += in_wall(&p, name[i], RIGHT_READ);
	ck_assert_uint_eq(files, BOUND);
	ck_assert(in_wall(&p, "/usr/bin/git", RIGHT_EXEC));
	ck_assert(in_wall(&p, "/w/new", RIGHT_WRITE));
	/* What the wall does not hold the gate must be able to open. */
	ck_assert(hull_access(&p, name[FILES - 1]) & ACCESS_READ_FILE);
	size_t gated = 0;
	for (size_t i = 0; i < p.plan.line_count; i++)
		gated += p.plan.lines[i].lane == LANE_GATE;
	ck_assert_uint_eq(gated, FILES - BOUND);
	done(&p);
}
END_TEST

static char *dump(const struct planned *p)
{
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);
	plan_print(&p->plan, &p->b.scope, stream);
	plan_print_json(&p->plan, &p->b.scope, stream);
	fclose(stream);
	return text;
}

START_TEST(order_of_names_does_not_matter)
{
	static const char *turned[sizeof(default_tree) / sizeof(*default_tree)];
	char *text[2];
	size_t count = sizeof(default_tree) / sizeof(*default_tree) - 1;
	for (size_t i = 0; i < count; i++)
		turned[i] = default_tree[count - 1 - i];
	for (int i = 0; i < 2; i++) {
		struct planned p = start();
		p.tree = i ? turned : default_tree;
		builder_rule(&p.b, SECTION_FILES_WRITE, "/");
		builder_rule(&p.b, SECTION_FILES_DENY, "/home/u/.ssh");
		builder_rule(&p.b, SECTION_FILES_DENY_WRITE, "/w/.git/hooks");
		plan(&p);
		text[i] = dump(&p);
		done(&p);
	}
	ck_assert_str_eq(text[0], text[1]);
	free(text[0]);
	free(text[1]);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("plan");
	Suite *suite = suite_create("plan");
	tcase_add_test(cases, literal_grant_is_one_rule);
	tcase_add_test(cases, denial_is_carved_out);
	tcase_add_test(cases, deny_write_leaves_reads_whole);
	tcase_add_test(cases, absent_denial_keeps_its_folders_out);
	tcase_add_test(cases, wildcard_denials);
	tcase_add_test(cases, exception_of_a_denial);
	tcase_add_test(cases, proc_conditions_patterns_and_links_are_the_gates);
	tcase_add_test(cases, programs);
	tcase_add_test(cases, granted_sockets_do_not_move);
	tcase_add_test(cases, carve_is_bounded);
	tcase_add_test(cases, hull_holds_what_may_come);
	tcase_add_test(cases, hull_says_nothing_twice);
	tcase_add_test(cases, single_files_are_bounded);
	tcase_add_test(cases, weaker_kernels);
	tcase_add_test(cases, strict_and_limits_change_the_filter);
	tcase_add_test(cases, order_of_names_does_not_matter);
	tcase_add_loop_test(cases, random_walls_stay_inside, 0, 500);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
