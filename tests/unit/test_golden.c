/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the plans of tests/golden with their dumps; REMIT_REGENERATE=1 writes them anew. Runs in
 * the top folder, see tests/golden/README.md. */
#include <check.h>
#include <seccomp.h>
#include <stdlib.h>

#include "policy/compile/model.h"
#include "shim/kernel/kernel.h"
#include "tests/unit/plan_fixture.h"

#define FOLDER "tests/golden/"

enum dump { DUMP_PLAN = 1, DUMP_JSON = 2, DUMP_FILTER = 4, DUMP_BPF = 8 };

static const struct golden {
	const char *manifest, *name;
	int landlock_abi;
	unsigned int dumps;
} goldens[] = {
    {"minimal", "minimal", 7, DUMP_PLAN | DUMP_JSON | DUMP_FILTER | DUMP_BPF},
    {"carve", "carve", 7, DUMP_PLAN | DUMP_JSON},
    {"gap", "gap", 7, DUMP_PLAN},
    {"network", "network", 7, DUMP_PLAN | DUMP_FILTER},
    {"strict", "strict", 7, DUMP_PLAN | DUMP_FILTER},
    {"none", "none", 7, DUMP_PLAN | DUMP_JSON | DUMP_FILTER},
    {"none-kept", "none-kept", 7, DUMP_PLAN | DUMP_JSON | DUMP_FILTER},
    {"none", "none-abi2", 2, DUMP_PLAN},
    {"minimal", "minimal-abi2", 2, DUMP_PLAN},
    {"minimal", "minimal-abi0", 0, DUMP_PLAN | DUMP_FILTER},
};

static const char *tree[128];
static char tree_text[8192];

static void read_tree(void)
{
	size_t count = 0;
	FILE *stream = fopen(FOLDER "tree.txt", "re");
	ck_assert_msg(stream != NULL, "run this in the top folder");
	size_t len = fread(tree_text, 1, sizeof(tree_text) - 1, stream);
	fclose(stream);
	tree_text[len] = '\0';
	for (char *line = strtok(tree_text, "\n"); line; line = strtok(NULL, "\n")) {
		ck_assert_uint_lt(count, sizeof(tree) / sizeof(*tree) - 1);
		tree[count++] = line;
	}
}

static void *build_image(const char *manifest, size_t *size)
{
	const struct compile_options options = {
	    .workspace = "/w", .home = "/home/u", .user = "u", .uid = "1000", .tmp = "/tmp/s"};
	struct diagnostics diagnostics = {0};
	uint8_t digest[SCOPE_DIGEST_SIZE];
	struct model model = {0};
	char path[128], *text = NULL;
	void *image = NULL;
	size_t len = 0;
	snprintf(path, sizeof(path), FOLDER "%s.yaml", manifest);
	int ret = manifest_read_file(path, &options, &model, &diagnostics);
	if (ret < 0)
		diagnostics_print(&diagnostics, stderr, false);
	ck_assert_int_eq(ret, 0);
	ck_assert_int_eq(canonical_text(&model, &options, &text, &len), 0);
	canonical_digest(text, len, digest);
	ck_assert_int_eq(image_build(&model, digest, &image, size), 0);
	free(text);
	model_free(&model);
	diagnostics_free(&diagnostics);
	return image;
}

static void print_bpf(const struct plan *plan, FILE *stream)
{
	const struct scmp_version *version = seccomp_version();
	struct sock_filter *program = NULL;
	size_t count = 0;
	ck_assert_int_eq(kernel_filter_build(plan, &program, &count), 0);
	fprintf(stream, "libseccomp %u.%u.%u, %zu instructions\n", version->major, version->minor,
		version->micro, count);
	for (size_t i = 0; i < count; i++)
		fprintf(stream, "%04zu: %#06x %3u %3u %#010x\n", i, program[i].code, program[i].jt,
			program[i].jf, program[i].k);
	free(program);
}

static char *read_whole(const char *path)
{
	char *text = NULL;
	size_t room = 0;
	FILE *stream = fopen(path, "re");
	ck_assert_msg(stream != NULL, "%s is missing: see tests/golden/README.md", path);
	if (getdelim(&text, &room, '\0', stream) < 0)
		ck_abort_msg("%s is empty", path);
	fclose(stream);
	return text;
}

static void hold(const char *name, const char *suffix, const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), FOLDER "%s.%s", name, suffix);
	if (getenv("REMIT_REGENERATE")) {
		FILE *stream = fopen(path, "we");
		ck_assert(stream && fputs(text, stream) >= 0 && fclose(stream) == 0);
		return;
	}
	char *want = read_whole(path);
	if (!strcmp(suffix, "bpf") && strncmp(want, text, strcspn(want, ","))) {
		printf("%s: made by another libseccomp, not compared\n", path);
	} else if (strcmp(want, text)) {
		size_t line = 1;
		const char *a = want, *b = text;
		for (; *a && *a == *b; a++, b++)
			line += *a == '\n';
		ck_abort_msg("%s differs from line %zu on; REMIT_REGENERATE=1 writes it anew", path,
			     line);
	}
	free(want);
}

static void dump(const struct golden *golden, const struct plan *plan, const struct scope *scope)
{
	static const char *const suffixes[] = {"plan", "json", "filter", "bpf"};
	for (unsigned int i = 0; i < 4; i++) {
		char *text = NULL;
		size_t len = 0;
		if (!(golden->dumps & (1U << i)))
			continue;
		FILE *stream = open_memstream(&text, &len);
		ck_assert(stream != NULL);
		if (i == 0)
			plan_print(plan, scope, stream);
		else if (i == 1)
			plan_print_json(plan, scope, stream);
		else if (i == 2)
			plan_print_filter(plan, stream);
		else
			print_bpf(plan, stream);
		fclose(stream);
		hold(golden->name, suffixes[i], text);
		free(text);
	}
}

START_TEST(plan_is_as_written_down)
{
	static const char *const interpreters[] = {"/usr/lib/ld.so"};
	static const char *const reads[] = {"/proc"}, *const writes[] = {"/srv/out"};
	const struct plan_options options = {
	    .broker_read = reads,
	    .broker_read_count = 1,
	    .broker_write = writes,
	    .broker_write_count = 1,
	    .interpreters = interpreters,
	    .interpreter_count = 1,
	};
	const struct golden *golden = &goldens[_i];
	const char *const *paths = tree;
	struct features features = fixture_features;
	struct scope scope;
	struct plan plan;
	size_t size;
	read_tree();
	struct plan_view view = fixture_view(&paths);
	features.landlock_abi = golden->landlock_abi;
	void *image = build_image(golden->manifest, &size);
	ck_assert_int_eq(scope_open(&scope, image, size, NULL), 0);
	ck_assert_int_eq(plan_build(&scope, &features, &view, &options, &plan), 0);
	dump(golden, &plan, &scope);
	plan_free(&plan);
	free(image);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("golden");
	Suite *suite = suite_create("golden");
	tcase_add_loop_test(cases, plan_is_as_written_down, 0, sizeof(goldens) / sizeof(*goldens));
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
