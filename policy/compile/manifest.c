// SPDX-License-Identifier: Apache-2.0
/*
 * The manifest: its root keys, its tests, and the order of the stages. A model comes out whole or
 * not at all: any error in any file fails the reading, after as many mistakes as can be told at
 * once were collected.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/compile/model.h"
#include "policy/compile/query.h"
#include "policy/compile/reader.h"
#include "policy/compile/resolve.h"
#include "policy/compile/variables.h"

static int set_version(struct reader *reader, const struct key *key, const struct node *value,
		       void *target)
{
	(void)reader;
	(void)key;
	(void)value;
	(void)target;
	return 0;
}

/* Room for one more test; only the manifest's own are kept: what a profile denies, the manifest may
 * grant. */
static int add_test(struct reader *reader, const struct key *key, const struct node *item,
		    char *query)
{
	struct model *model = reader->all->model;
	struct model_test *test;

	if (reader->depth) {
		free(query);
		return 0;
	}
	if (model->test_count >= LIMIT_TESTS) {
		free(query);
		return reader_error(reader, item, NULL,
				    "more than " LIMIT_NUMBER(LIMIT_TESTS) " tests");
	}
	if (list_grow((void **)&model->tests, model->test_count, sizeof(*model->tests))) {
		free(query);
		return -ENOMEM;
	}
	test = &model->tests[model->test_count];
	*test = (struct model_test){key->allow, query, strdup(reader->document->name), item->line,
				    item->column};
	model->test_count++;
	return test->file ? 0 : -ENOMEM;
}

/* The tests of an included file are only looked at to be tests: that must not depend on what this
 * machine has values for. */
static struct compile_options test_options(const struct reader *reader)
{
	struct compile_options options = *reader->all->options;

	if (reader->depth) {
		options.workspace = "/workspace";
		options.home = "/home/user";
		options.user = "user";
		options.uid = "1000";
		options.tmp = "/tmp/private";
	}
	return options;
}

static int set_test(struct reader *reader, const struct key *key, const struct node *item,
		    size_t index, void *target)
{
	struct compile_options options = test_options(reader);
	const char *text = reader_text(reader, item, "a test"), *why;
	struct parsed_query parsed;
	char *query = NULL;
	int err;

	(void)index;
	(void)target;
	if (!text)
		return -EINVAL;
	err = reader_expand_with(reader, item, &options, query_quoting(text), &query);
	if (err)
		return err;
	if (query_parse(query, options.workspace ? options.workspace : "/", false, &parsed, &why)) {
		free(query);
		return reader_error(reader, item,
				    "like \"read /etc/hosts\" or \"connect 10.0.0.1:443\"",
				    "bad test: %s", why);
	}
	return add_test(reader, key, item, query);
}

static int set_tests_list(struct reader *reader, const struct key *key, const struct node *value,
			  void *target)
{
	return reader_list(reader, value, key->allow ? "tests.allow" : "tests.deny", set_test, key,
			   target);
}

static int set_tests(struct reader *reader, const struct key *key, const struct node *value,
		     void *target)
{
	static const struct key keys[] = {
	    {.name = "allow", .set = set_tests_list, .allow = true},
	    {.name = "deny", .set = set_tests_list},
	};

	(void)key;
	return reader_map(reader, value, "tests", keys, 2, target);
}

/* Of whatever version this is, say nothing else if it is not ours. */
static int check_version(struct reader *reader, const struct node *root)
{
	for (size_t i = 0; i + 1 < root->count; i += 2) {
		const struct node *name = root->items[i], *value = root->items[i + 1];

		if (name->kind != NODE_SCALAR || strcmp(name->text, "remit") != 0)
			continue;
		if (value->kind == NODE_SCALAR && !strcmp(value->text, "1"))
			return 0;
		return reader_error(reader, value, "this program reads version 1: `remit: 1`",
				    "unknown version of the manifest language");
	}
	return reader_error(reader, root, "begin the file with `remit: 1`",
			    "the version of the manifest language is missing");
}

int manifest_root(struct reader *reader)
{
	static const struct key keys[] = {
	    {.name = "remit", .set = set_version},
	    {.name = "agent", .set = agent_section},
	    {.name = "include", .set = include_list},
	    {.name = "files", .set = rules_files},
	    {.name = "exec", .set = rules_exec},
	    {.name = "network", .set = rules_network},
	    {.name = "env", .set = rules_env},
	    {.name = "capabilities", .set = agent_capabilities},
	    {.name = "limits", .set = agent_limits},
	    {.name = "audit", .set = agent_audit},
	    {.name = "tests", .set = set_tests},
	};
	const struct node *root = reader->document->root;
	int err;

	if (root->kind != NODE_MAP)
		return reader_error(reader, root, "a manifest begins with `remit: 1`",
				    "the manifest must be a mapping, not %s", node_kind_name(root));
	err = check_version(reader, root);
	if (err)
		return err;
	err = reader_map(reader, root, "the manifest", keys, sizeof(keys) / sizeof(*keys),
			 reader->all->model);
	if (err == -ENOMEM || reader->depth || reader->all->has_agent ||
	    reader->all->options->profile)
		return err;
	return reader_error(reader, root, "add agent: {id: my-agent, purpose: What it is for}",
			    "the manifest does not say who the agent is: agent is missing");
}

/* A profile that is read by itself gets a name that cannot be mistaken for an agent's. */
static int name_profile(struct model *model)
{
	if (!model->agent_id)
		model->agent_id = strdup("profile");
	if (!model->purpose)
		model->purpose = strdup("A profile read by itself");
	return model->agent_id && model->purpose ? 0 : -ENOMEM;
}

static int read_document(struct reading *all, const char *name, const char *text, size_t len)
{
	const char *slash = strrchr(name, '/');
	char *folder =
	    slash ? strndup(name, slash == name ? 1 : (size_t)(slash - name)) : strdup(".");
	struct document *document = &all->documents[0];
	struct reader reader = {.all = all,
				.document = document,
				.origin = ORIGIN_MANIFEST,
				.prefix = "",
				.folder = folder};
	int err = folder ? 0 : -ENOMEM;

	all->document_count = 1;
	if (!err)
		err = document_read(name, text, len, document, all->diagnostics);
	if (!err)
		err = manifest_root(&reader);
	if (!err)
		err = checks_run(all);
	if (!err && all->options->profile)
		err = name_profile(all->model);
	if (!err && all->options->resolve)
		err = resolve_model(all->model, all->options, all->diagnostics);
	free(folder);
	return err;
}

static void reading_end(struct reading *all)
{
	for (size_t i = 0; i < all->document_count; i++) {
		document_free(&all->documents[i]);
		free(all->texts[i]);
		free(all->names[i]);
	}
	free(all);
}

static struct reading *reading_begin(const struct compile_options *options, struct model *out,
				     struct diagnostics *diagnostics)
{
	struct reading *all = calloc(1, sizeof(*all));

	memset(out, 0, sizeof(*out));
	if (!all)
		return NULL;
	all->options = options;
	all->model = out;
	all->diagnostics = diagnostics;
	return all;
}

static int finish(struct reading *all, int err)
{
	if (err)
		model_free(all->model);
	reading_end(all);
	return err;
}

int manifest_read(const char *name, const char *text, size_t len,
		  const struct compile_options *options, struct model *out,
		  struct diagnostics *diagnostics)
{
	struct reading *all = reading_begin(options, out, diagnostics);
	int err;

	if (!all)
		return -ENOMEM;
	err = variables_check(options, diagnostics);
	if (!err)
		err = read_document(all, name, text, len);
	return finish(all, err);
}

int manifest_read_file(const char *path, const struct compile_options *options, struct model *out,
		       struct diagnostics *diagnostics)
{
	struct reading *all = reading_begin(options, out, diagnostics);
	char *text = NULL;
	size_t len = 0, seen;
	int err;

	if (!all)
		return -ENOMEM;
	err = variables_check(options, diagnostics);
	if (!err && source_read(all, path, true, &text, &len, &seen, &err) != SOURCE_READ &&
	    err != -ENOMEM)
		err = diagnostics_add(diagnostics, SEVERITY_ERROR, path, 0, 0, 1, NULL, NULL,
				      "cannot read the manifest: %s", source_why(err));
	if (!err)
		err = read_document(all, path, text, len);
	all->texts[0] = text;
	if (!all->document_count)
		free(text);
	return finish(all, err);
}
