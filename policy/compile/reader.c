// SPDX-License-Identifier: Apache-2.0
/*
 * The walk over mappings and lists by key tables, and complaints that point at the very characters.
 */
#include "policy/compile/reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/variables.h"

/* More keys than any table has, so that a mapping is refused before its keys are compared. */
#define KEYS_MAX 32

struct mark {
	unsigned int column, width;
};

/* Where `offset` bytes into a scalar's text stand in the file: exact when the text stands there as
 * it is, else the whole scalar. */
static struct mark mark_within(const struct node *node, const char *line, size_t offset,
			       size_t width)
{
	struct mark whole = {node->column, node->width};
	size_t column = node->column - 1 + (node->quoted ? 1 : 0), at = 0, shown = 0;

	if (!width || node->kind != NODE_SCALAR || !line)
		return whole;
	while (line[at] && column--) {
		at++;
		while ((line[at] & 0xc0) == 0x80)
			at++;
	}
	if (strncmp(line + at, node->text, offset + width) != 0)
		return whole;
	for (size_t i = 0; i < offset; i++)
		shown += (node->text[i] & 0xc0) != 0x80;
	return (struct mark){node->column + (node->quoted ? 1 : 0) + (unsigned int)shown,
			     (unsigned int)width};
}

static int report(struct reader *reader, enum severity severity, const struct node *node,
		  size_t offset, size_t width, const char *hint, const char *format,
		  va_list arguments)
{
	char *source = document_line(reader->document, node->line), *message = NULL;
	struct mark mark = mark_within(node, source, offset, width);

	if (vasprintf(&message, format, arguments) < 0)
		message = NULL;
	diagnostics_add(reader->all->diagnostics, severity, reader->document->name, node->line,
			mark.column, mark.width, source, hint, "%s",
			message ? message : "out of memory");
	free(message);
	free(source);
	return -EINVAL;
}

int reader_error(struct reader *reader, const struct node *node, const char *hint,
		 const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(reader, SEVERITY_ERROR, node, 0, 0, hint, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

int reader_error_at(struct reader *reader, const struct node *node, size_t offset, size_t width,
		    const char *hint, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(reader, SEVERITY_ERROR, node, offset, width, hint, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

void reader_warn(struct reader *reader, const struct node *node, const char *hint,
		 const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(reader, SEVERITY_WARNING, node, 0, 0, hint, format, arguments);
	va_end(arguments);
}

char *reader_near(const char *word, const char *const *candidates, size_t count)
{
	const char *near = diagnostics_near(word, candidates, count);
	char *hint = NULL;

	if (near && asprintf(&hint, "did you mean \"%s\"?", near) < 0)
		hint = NULL;
	return hint;
}

static int unknown_key(struct reader *reader, const struct node *name, const char *what,
		       const struct key *keys, size_t count)
{
	const char *names[KEYS_MAX];
	char *hint;

	if (!strcmp(name->text, "<<"))
		return reader_error(reader, name, "write the keys out where they are used",
				    "merge keys are not part of the manifest language");
	for (size_t i = 0; i < count; i++)
		names[i] = keys[i].name;
	hint = reader_near(name->text, names, count);
	reader_error(reader, name, hint, "unknown key \"%.60s\" in %s", name->text, what);
	free(hint);
	return -EINVAL;
}

static const struct key *key_find(const struct key *keys, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

int reader_map(struct reader *reader, const struct node *node, const char *what,
	       const struct key *keys, size_t count, void *target)
{
	const struct node *first[KEYS_MAX] = {0};
	int worst = 0;

	if (node->kind != NODE_MAP)
		return reader_error(reader, node, NULL, "%s must be a mapping, not %s", what,
				    node_kind_name(node));
	for (size_t i = 0; i + 1 < node->count && worst != -ENOMEM; i += 2) {
		const struct node *name = node->items[i], *value = node->items[i + 1];
		const struct key *key;
		int err;

		if (name->kind != NODE_SCALAR || strlen(name->text) != name->len) {
			worst = reader_error(reader, name, NULL, "a key in %s must be a plain word",
					     what);
			continue;
		}
		key = key_find(keys, count, name->text);
		if (!key)
			err = unknown_key(reader, name, what, keys, count);
		else if (first[key - keys])
			err =
			    reader_error(reader, name, NULL,
					 "duplicate key \"%s\" in %s: it stands in line %u already",
					 key->name, what, first[key - keys]->line);
		else
			err = key->set(reader, key, value, target);
		if (key && !first[key - keys])
			first[key - keys] = name;
		worst = reader_worst(worst, err);
	}
	return worst;
}

int reader_list(struct reader *reader, const struct node *node, const char *what,
		int (*each)(struct reader *reader, const struct key *key, const struct node *item,
			    size_t index, void *target),
		const struct key *key, void *target)
{
	int worst = 0;

	if (node->kind != NODE_LIST)
		return reader_error(reader, node,
				    node_is_null(node) ? "an empty list is written []"
						       : "a list is written [a, b]",
				    "%s must be a list, not %s", what, node_kind_name(node));
	for (size_t i = 0; i < node->count && worst != -ENOMEM; i++) {
		int err = node_is_null(node->items[i])
			      ? reader_error(reader, node->items[i], "leave it out, or quote it",
					     "an empty item in %s", what)
			      : each(reader, key, node->items[i], i, target);

		worst = reader_worst(worst, err);
	}
	return worst;
}

const char *reader_text(struct reader *reader, const struct node *node, const char *what)
{
	if (node->kind != NODE_SCALAR || node_is_null(node)) {
		reader_error(reader, node, NULL, "%s must be a text, not %s", what,
			     node_kind_name(node));
		return NULL;
	}
	for (size_t i = 0; i < node->len; i++) {
		unsigned char byte = (unsigned char)node->text[i];

		if (byte < 0x20 || byte == 0x7f) {
			reader_error(reader, node, NULL, "%s has a control character (0x%02x)",
				     what, byte);
			return NULL;
		}
	}
	if (!node->len) {
		reader_error(reader, node, NULL, "%s is empty", what);
		return NULL;
	}
	return node->text;
}

int reader_expand(struct reader *reader, const struct node *node, const char *what,
		  enum value_quoting quoting, char **out)
{
	const char *text = reader_text(reader, node, what);

	return text ? reader_expand_with(reader, node, reader->all->options, quoting, out)
		    : -EINVAL;
}

int reader_expand_with(struct reader *reader, const struct node *node,
		       const struct compile_options *options, enum value_quoting quoting,
		       char **out)
{
	struct variable_fault fault;
	char *expanded = NULL;
	int err = variables_expand(options, node->text, quoting, &expanded, &fault);

	if (err == -EINVAL)
		return reader_error_at(reader, node, fault.offset, fault.width,
				       *fault.hint ? fault.hint : NULL, "%s", fault.message);
	if (err)
		return err;
	for (const char *at = expanded; *at; at++) {
		if ((unsigned char)*at >= 0x20 && *at != 0x7f)
			continue;
		reader_error(reader, node, NULL,
			     "a variable's value has a control character (0x%02x)",
			     (unsigned int)(unsigned char)*at);
		free(expanded);
		return -EINVAL;
	}
	*out = expanded;
	return 0;
}
