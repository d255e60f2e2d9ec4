/* SPDX-License-Identifier: Apache-2.0 */
/* Where a model lets the agent write, found by folders, against every rule asked in turn. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/writes.h"
#include "policy/core/decide.h"
#include "policy/core/path.h"

#define RULES 12

static const char *const names[] = {"a", "b", "ab", "a*", "**", "b?"};

static void random_path(char out[128], bool pattern)
{
	int depth = rand() % 4;

	strcpy(out, depth ? "" : "/");
	for (int i = 0; i < depth; i++) {
		strcat(out, "/");
		strcat(out, names[rand() % (pattern ? 6 : 3)]);
	}
}

static bool covers(const struct model_rule *rule, const char *text, const char *path, bool itself)
{
	size_t len = strlen(path);

	if (rule->pattern)
		return path_matches(text, strlen(text), path, len);
	return path_within(path, len, text, strlen(text)) && (itself || strcmp(text, path) != 0);
}

static bool rule_covers(const struct model_rule *rule, const char *path, bool itself)
{
	bool is = covers(rule, rule->text, path, itself);

	for (size_t i = 0; i < rule->spellings.count; i++)
		is = is || covers(rule, rule->spellings.items[i], path, itself);
	return is;
}

static bool naive(const struct model *model, const char *path, bool itself)
{
	bool granted = false;

	for (size_t i = 0; i < model->rule_count; i++) {
		const struct model_rule *rule = &model->rules[i];
		if (rule->section > SECTION_FILES_DENY_WRITE || !(rule->rights & RIGHT_WRITE))
			continue;
		if (!rule->denial)
			granted = granted || rule_covers(rule, path, itself);
		else if (!rule->excepts.count && rule_covers(rule, path, true))
			return false;
	}
	return granted;
}

static void fill(struct model_rule *rules, char texts[RULES][2][128], char *spellings[RULES])
{
	static char except[] = "/a/x", *excepts[] = {except};
	static const enum rule_section sections[] = {SECTION_FILES_READ, SECTION_FILES_WRITE,
						     SECTION_FILES_WRITE, SECTION_FILES_DENY,
						     SECTION_FILES_DENY_WRITE, SECTION_EXEC_ALLOW};

	for (int i = 0; i < RULES; i++) {
		struct model_rule *rule = &rules[i];
		rule->section = sections[rand() % 6];
		rule->denial = rule->section == SECTION_FILES_DENY ||
			       rule->section == SECTION_FILES_DENY_WRITE;
		rule->rights = rule->section == SECTION_FILES_READ || rule->section == SECTION_EXEC_ALLOW
				   ? RIGHT_READ
				   : RIGHT_WRITE;
		rule->pattern = rand() % 4 == 0;
		random_path(texts[i][0], rule->pattern);
		random_path(texts[i][1], rule->pattern);
		rule->text = texts[i][0];
		spellings[i] = texts[i][1];
		rule->spellings = (struct string_list){&spellings[i], (size_t)(rand() % 2)};
		if (rule->denial && rand() % 3 == 0)
			rule->excepts = (struct string_list){excepts, 1};
	}
}

START_TEST(as_every_rule_says)
{
	struct model_rule rules[RULES] = {0};
	char texts[RULES][2][128], *spellings[RULES], path[128];
	struct model model = {.rules = rules, .rule_count = RULES};
	struct writes writes;

	srand((unsigned int)_i);
	fill(rules, texts, spellings);
	ck_assert_int_eq(writes_read(&writes, &model), 0);
	for (int i = 0; i < 50; i++) {
		random_path(path, false);
		for (int itself = 0; itself < 2; itself++)
			ck_assert_int_eq(writes_allowed(&writes, path, itself),
					 naive(&model, path, itself));
	}
	writes_free(&writes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("writes");
	TCase *cases = tcase_create("writes");

	tcase_add_loop_test(cases, as_every_rule_says, 0, 300);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
