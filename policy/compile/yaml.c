// SPDX-License-Identifier: Apache-2.0
/* libyaml's events to a bounded tree. */
#include "policy/compile/yaml_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "policy/compile/limits.h"

struct builder {
	yaml_parser_t parser;
	struct document *document;
	struct diagnostics *diagnostics;
	size_t nodes;
};

static int syntax_error(struct builder *builder)
{
	const yaml_parser_t *parser = &builder->parser;
	unsigned int line = (unsigned int)parser->problem_mark.line + 1;
	unsigned int column = (unsigned int)parser->problem_mark.column + 1;
	char *source, *hint = NULL;

	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	source = document_line(builder->document, line);
	if (parser->context && parser->context_mark.line != parser->problem_mark.line &&
	    asprintf(&hint, "%s that begins in line %zu", parser->context,
		     parser->context_mark.line + 1) < 0)
		hint = NULL;
	/* The usual stumbling block: a brace opens a mapping within [ ]. */
	if (!hint && source && strstr(source, "${"))
		hint = strdup("a text with ${…} stands in quotes within [ ]");
	diagnostics_add(builder->diagnostics, SEVERITY_ERROR, builder->document->name, line, column,
			1, source, hint, "not valid YAML: %s",
			parser->problem ? parser->problem : "cannot be read");
	free(source);
	free(hint);
	return -EINVAL;
}

static int event_error(struct builder *builder, const yaml_event_t *event, const char *hint,
		       const char *message)
{
	return document_complain(builder->diagnostics, builder->document,
				 (unsigned int)event->start_mark.line + 1,
				 (unsigned int)event->start_mark.column + 1, hint, message);
}

static int refuse_decoration(struct builder *builder, const yaml_event_t *event,
			     const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		return event_error(builder, event, "write the value out where it is used",
				   "anchors and aliases are not part of the manifest language");
	if (tag)
		return event_error(builder, event, "leave the tag out",
				   "tags are not part of the manifest language");
	return 0;
}

static int decoration(struct builder *builder, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return refuse_decoration(builder, event, event->data.alias.anchor, NULL);
	case YAML_SCALAR_EVENT:
		return refuse_decoration(builder, event, event->data.scalar.anchor,
					 event->data.scalar.tag);
	case YAML_SEQUENCE_START_EVENT:
		return refuse_decoration(builder, event, event->data.sequence_start.anchor,
					 event->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return refuse_decoration(builder, event, event->data.mapping_start.anchor,
					 event->data.mapping_start.tag);
	default:
		return 0;
	}
}

static int next_event(struct builder *builder, yaml_event_t *event)
{
	int err;

	if (!yaml_parser_parse(&builder->parser, event))
		return syntax_error(builder);
	err = decoration(builder, event);
	if (err)
		yaml_event_delete(event);
	return err;
}

static int node_new(struct builder *builder, const yaml_event_t *event, struct node **out)
{
	struct node *node;

	if (++builder->nodes > LIMIT_NODES)
		return event_error(
		    builder, event, "split it into files that it includes",
		    "too many values in one file (more than " LIMIT_NUMBER(LIMIT_NODES) ")");
	node = calloc(1, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->line = (unsigned int)event->start_mark.line + 1;
	node->column = (unsigned int)event->start_mark.column + 1;
	node->width = 1;
	if (event->end_mark.line == event->start_mark.line &&
	    event->end_mark.column > event->start_mark.column)
		node->width = (unsigned int)(event->end_mark.column - event->start_mark.column);
	*out = node;
	return 0;
}

static int build(struct builder *builder, const yaml_event_t *event, unsigned int depth,
		 struct node **out);

/* The items of a list or mapping up to its end. */
static int build_items(struct builder *builder, struct node *node, unsigned int depth)
{
	yaml_event_type_t end =
	    node->kind == NODE_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;

	for (;;) {
		struct node *child = NULL;
		yaml_event_t event;
		int err = next_event(builder, &event);

		if (err)
			return err;
		if (event.type == end) {
			yaml_event_delete(&event);
			return 0;
		}
		err = build(builder, &event, depth, &child);
		yaml_event_delete(&event);
		if (!err)
			err = node_append(node, child);
		if (err) {
			node_free(child);
			return err;
		}
	}
}

static int build_scalar(const yaml_event_t *event, struct node *node)
{
	node->kind = NODE_SCALAR;
	node->len = event->data.scalar.length;
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->text = malloc(node->len + 1);
	if (!node->text)
		return -ENOMEM;
	memcpy(node->text, event->data.scalar.value, node->len);
	node->text[node->len] = '\0';
	return 0;
}

static int build(struct builder *builder, const yaml_event_t *event, unsigned int depth,
		 struct node **out)
{
	struct node *node = NULL;
	int err = node_new(builder, event, &node);

	if (err)
		return err;
	if (event->type == YAML_SCALAR_EVENT) {
		err = build_scalar(event, node);
	} else {
		node->kind = event->type == YAML_MAPPING_START_EVENT ? NODE_MAP : NODE_LIST;
		if (depth >= LIMIT_DEPTH)
			err = event_error(builder, event, NULL,
					  "lists and mappings nested more than " LIMIT_NUMBER(
					      LIMIT_DEPTH) " deep");
		else
			err = build_items(builder, node, depth + 1);
	}
	if (err)
		node_free(node);
	else
		*out = node;
	return err;
}

/* Reads events until one of the wanted type; the only others that may come before it are the
 * stream's own. */
static int build_document(struct builder *builder)
{
	yaml_event_t event;
	bool open = true;
	int err = 0;

	while (open && !err) {
		err = next_event(builder, &event);
		if (err)
			return err;
		switch (event.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			break;
		case YAML_STREAM_END_EVENT:
			open = false;
			break;
		case YAML_DOCUMENT_START_EVENT:
			if (builder->document->root)
				err = event_error(builder, &event, NULL,
						  "a second document: a manifest is one");
			break;
		default:
			err = build(builder, &event, 0, &builder->document->root);
		}
		yaml_event_delete(&event);
	}
	if (!err && !builder->document->root)
		err = document_complain(builder->diagnostics, builder->document, 1, 1,
					"a manifest begins with `remit: 1`", "the file is empty");
	return err;
}

int document_read(const char *name, const char *text, size_t len, struct document *out,
		  struct diagnostics *diagnostics)
{
	struct builder builder = {.document = out, .diagnostics = diagnostics};
	int err;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	*out = (struct document){.name = name, .text = text, .len = len};
	if (len > LIMIT_FILE_BYTES)
		return diagnostics_add(diagnostics, SEVERITY_ERROR, name, 0, 0, 1, NULL,
				       "split it into files that it includes",
				       "the file is larger than " LIMIT_FILE_NUMBER);
	err = document_check_bytes(out, diagnostics);
	if (err)
		return err;
	if (!yaml_parser_initialize(&builder.parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&builder.parser, (const unsigned char *)text, len);
	err = build_document(&builder);
	yaml_parser_delete(&builder.parser);
	if (err)
		document_free(out);
	return err;
}
