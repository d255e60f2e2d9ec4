/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file as a tree of nodes that know where they stand. Scalars are text, whatever YAML would
 * make of them: `yes`, `1e3` and `0o17` mean what is written.
 *
 * Refused here, for every file: more than LIMIT_FILE_BYTES, invalid UTF-8, tabs, control
 * characters, characters that end a line for YAML but not for an editor (or turn the direction of
 * text), anchors, aliases, tags, merge keys, a second document, nesting past LIMIT_DEPTH.
 */
#ifndef REMIT_COMPILE_YAML_H
#define REMIT_COMPILE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/compile/diagnostics.h"

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	unsigned int line, column, width; /* from 1, in characters; width of the first line */
	bool quoted; /* a scalar in quotes or a block: never empty by accident */
	char *text;  /* scalar; ends with NUL and may hold others */
	size_t len;
	struct node **items; /* list: the items; map: key, value, key, value … */
	size_t count;	     /* of items; even for a map */
};

struct document {
	const char *name; /* for messages; the caller's, as is the text */
	const char *text;
	size_t len;
	struct node *root;
};

/* 0, -EINVAL with one diagnostic, or -ENOMEM. On success *out is to be freed with document_free().
 */
int document_read(const char *name, const char *text, size_t len, struct document *out,
		  struct diagnostics *diagnostics);
void document_free(struct document *document); /* the tree only; leaves it zeroed */

/* The line of the file, malloc'ed, or NULL. */
char *document_line(const struct document *document, unsigned int line);

/* A plain scalar that YAML reads as null: nothing, ~, null. */
bool node_is_null(const struct node *node);

const char *node_kind_name(const struct node *node); /* "a list", "a mapping", … */

#endif
