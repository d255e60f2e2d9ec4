// SPDX-License-Identifier: Apache-2.0
/*
 * A manifest of any bytes: it is refused with at least one error, or its model goes all the way to
 * an image that opens. Build with clang -fsanitize=fuzzer,address,undefined; corpus/manifest holds
 * the seeds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/compile/model.h"
#include "policy/compile/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct variable VARIABLES[] = {{"PORT", "8080"}, {"STAR", "/s*[r"}};

static void require(int truth)
{
	if (!truth)
		abort();
}

static void print_all(const struct diagnostics *diagnostics)
{
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	require(stream != NULL);
	diagnostics_print(diagnostics, stream, true);
	diagnostics_print_json(diagnostics, stream);
	fclose(stream);
	free(text);
}

static void ask_tests(const struct model *model, const struct scope *scope)
{
	for (size_t i = 0; i < model->test_count; i++) {
		struct parsed_query parsed;
		const char *why;

		require(query_parse(model->tests[i].query, "/w", false, &parsed, &why) == 0);
		decide(scope, &parsed.query);
	}
}

static void build(const struct model *model, const struct compile_options *options)
{
	uint8_t digest[SCOPE_DIGEST_SIZE];
	void *image = NULL;
	struct scope scope;
	size_t len, size;
	char *text;
	int err;

	require(canonical_text(model, options, &text, &len) == 0);
	canonical_digest(text, len, digest);
	free(text);
	err = image_build(model, digest, &image, &size);
	/* A limit of the format is the one good reason to stop here. */
	require(err == 0 || err == -7);
	if (err)
		return;
	require(scope_open(&scope, image, size, NULL) == 0);
	ask_tests(model, &scope);
	free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct compile_options options = {
	    .workspace = "/w",
	    .home = "/home/[u]",
	    .user = "u",
	    .uid = "1000",
	    .tmp = "/tmp/remit",
	    .set = VARIABLES,
	    .set_count = 2,
	};
	struct diagnostics diagnostics = {0};
	struct model model;
	int err =
	    manifest_read("fuzz.yaml", (const char *)data, size, &options, &model, &diagnostics);

	require((err == 0) == (diagnostics.errors == 0));
	print_all(&diagnostics);
	if (!err)
		build(&model, &options);
	model_free(&model);
	diagnostics_free(&diagnostics);
	return 0;
}
