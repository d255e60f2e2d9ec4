// SPDX-License-Identifier: Apache-2.0
/*
 * libyaml's events to a bounded tree. The bytes are checked before libyaml sees them, so that what
 * a reviewer's editor shows is what is parsed: YAML 1.1 ends a line at U+0085, U+2028 and U+2029
 * and at a lone CR, where most editors do not, and a comment could hide a rule behind one.
 */
#include "policy/compile/yaml.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "policy/compile/limits.h"
#include "policy/core/word.h"

struct builder {
	yaml_parser_t parser;
	struct document *document;
	struct diagnostics *diagnostics;
	size_t nodes;
};

static void node_free(struct node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->count; i++)
		node_free(node->items[i]);
	free(node->items);
	free(node->text);
	free(node);
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

static int complain(struct diagnostics *diagnostics, const struct document *document,
		    unsigned int line, unsigned int column, const char *hint, const char *message)
{
	char *source = document_line(document, line);
	int err = diagnostics_add(diagnostics, SEVERITY_ERROR, document->name, line, column, 1,
				  source, hint, "%s", message);

	free(source);
	return err;
}

/* The code point at text and its length; length 0 when it is not UTF-8. */
static uint32_t decode(const unsigned char *text, size_t left, size_t *len)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t code = text[0];
	size_t want = code < 0x80 ? 1 : code >= 0xf0 ? 4 : code >= 0xe0 ? 3 : 2;

	*len = 0;
	if (want > left || (code >= 0x80 && code < 0xc2) || code > 0xf4)
		return 0;
	if (want > 1)
		code &= 0xffu >> (want + 1);
	for (size_t i = 1; i < want; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < least[want] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*len = want;
	return code;
}

/* What is wrong with a character of a manifest, or NULL. */
static const char *character_fault(uint32_t code, bool lone_return, const char **hint)
{
	*hint = NULL;
	if (code == '\t') {
		*hint = "indent and separate with spaces; within double quotes write \\t";
		return "a tab";
	}
	if (code == '\n' || (code == '\r' && !lone_return))
		return NULL;
	if (code == '\r')
		return "a carriage return that ends no line";
	if (code == 0)
		return "a NUL byte";
	if (code < 0x20 || code == 0x7f || (code >= 0x80 && code < 0xa0))
		return "a control character";
	if (code == 0x2028 || code == 0x2029)
		return "a line separator that editors do not show as one (U+2028, U+2029)";
	if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069))
		return "a character that turns the direction of text: what is read is not what is "
		       "meant";
	if (code == 0xfeff)
		return "a byte order mark within the file";
	return NULL;
}

/* How many of the bytes, by eights, are plain ASCII that people see. */
static size_t plain_bytes(const char *text, size_t left)
{
	const uint64_t high = WORD_OF(0x80);
	size_t len = 0;

	for (; left - len >= 8; len += 8) {
		uint64_t word = word_read(text + len);
		/* Of ASCII, what lies below the blank has none of the bits of 0x60. */
		uint64_t low = word_zeros(word & WORD_OF(0x60));
		if ((word & high) || low || word_zeros(word ^ WORD_OF(0x7f)))
			break;
	}
	return len;
}

/* Before libyaml: every byte is one that people see. */
static int check_bytes(const struct document *document, struct diagnostics *diagnostics)
{
	const unsigned char *text = (const unsigned char *)document->text;
	unsigned int line = 1, column = 1;
	size_t len;

	for (size_t i = 0; i < document->len; i += len, column++) {
		size_t plain = plain_bytes(document->text + i, document->len - i);

		i += plain;
		column += (unsigned int)plain;
		if (i == document->len)
			break;
		uint32_t code = decode(text + i, document->len - i, &len);
		bool lone = i + 1 >= document->len || text[i + 1] != '\n';
		const char *hint = NULL, *fault;

		fault = len ? character_fault(code, lone, &hint) : "not valid UTF-8";
		if (fault)
			return complain(diagnostics, document, line, column, hint, fault);
		if (code == '\n') {
			line++;
			column = 0;
		}
	}
	return 0;
}

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
	return complain(builder->diagnostics, builder->document,
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

static int node_append(struct node *parent, struct node *child)
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

static int node_new(struct builder *builder, const yaml_event_t *event, struct node **out)
{
	struct node *node;

	if (++builder->nodes > LIMIT_NODES)
		return event_error(builder, event, "split it into files that it includes",
				   "too many values in one file (more than 200000)");
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
					  "lists and mappings nested more than 8 deep");
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
		err = complain(builder->diagnostics, builder->document, 1, 1,
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
				       "the file is larger than 1 MiB");
	err = check_bytes(out, diagnostics);
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
