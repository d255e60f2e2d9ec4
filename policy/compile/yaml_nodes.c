/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node tree of a document, whoever builds it: how it grows and ends, what a node is called in
 * messages, and the line of the file that a complaint shows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/yaml_internal.h"

void node_free(struct node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->count; i++)
		node_free(node->items[i]);
	free(node->items);
	free(node->text);
	free(node);
}

int node_append(struct node *parent, struct node *child)
{
	/* Grown at powers of two: the count alone says when the room is used up. */
	if (!(parent->count & (parent->count - 1))) {
		size_t room = parent->count ? parent->count * 2 : 1;
		struct node **items = reallocarray(parent->items, room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		parent->items = items;
	}
	parent->items[parent->count++] = child;
	return 0;
}

void document_free(struct document *document)
{
	node_free(document->root);
	memset(document, 0, sizeof(*document));
}

char *document_line(const struct document *document, unsigned int line)
{
	const char *at = document->text, *end = document->text + document->len, *stop;

	for (; line > 1 && at < end; line--) {
		at = memchr(at, '\n', (size_t)(end - at));
		if (!at)
			return NULL;
		at++;
	}
	if (line != 1 || at >= end)
		return NULL;
	stop = memchr(at, '\n', (size_t)(end - at));
	if (!stop)
		stop = end;
	if (stop > at && stop[-1] == '\r')
		stop--;
	return strndup(at, (size_t)(stop - at));
}

bool node_is_null(const struct node *node)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

	if (node->kind != NODE_SCALAR || node->quoted)
		return false;
	for (size_t i = 0; i < sizeof(nulls) / sizeof(*nulls); i++)
		if (!strcmp(node->text, nulls[i]))
			return true;
	return false;
}

const char *node_kind_name(const struct node *node)
{
	if (node->kind == NODE_LIST)
		return "a list";
	if (node->kind == NODE_MAP)
		return "a mapping";
	return node_is_null(node) ? "nothing" : "a text";
}

int document_complain(struct diagnostics *diagnostics, const struct document *document,
		      unsigned int line, unsigned int column, const char *hint, const char *message)
{
	char *source = document_line(document, line);
	int err = diagnostics_add(diagnostics, SEVERITY_ERROR, document->name, line, column, 1,
				  source, hint, "%s", message);

	free(source);
	return err;
}
