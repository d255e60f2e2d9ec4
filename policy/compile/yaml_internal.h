/* SPDX-License-Identifier: Apache-2.0 */
/* Between yaml.c (events to nodes), yaml_nodes.c (the nodes) and yaml_bytes.c (the bytes). */
#ifndef REMIT_COMPILE_YAML_INTERNAL_H
#define REMIT_COMPILE_YAML_INTERNAL_H

#include "policy/compile/yaml.h"

void node_free(struct node *node); /* with all beneath it; NULL is nothing */
/* The child is the parent's from then on. 0, or -ENOMEM and it stays the caller's. */
int node_append(struct node *parent, struct node *child);

/* Adds an error at a place of the document; what diagnostics_add() returns. */
int document_complain(struct diagnostics *diagnostics, const struct document *document,
		      unsigned int line, unsigned int column, const char *hint,
		      const char *message);
/* Before libyaml: every byte is one that people see. 0, or as above. */
int document_check_bytes(const struct document *document, struct diagnostics *diagnostics);

#endif
