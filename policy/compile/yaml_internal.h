/* SPDX-License-Identifier: Apache-2.0 */
/* Between yaml.c and yaml_bytes.c. */
#ifndef REMIT_COMPILE_YAML_INTERNAL_H
#define REMIT_COMPILE_YAML_INTERNAL_H

#include "policy/compile/yaml.h"

/* Adds an error at a place of the document; what diagnostics_add() returns. */
int document_complain(struct diagnostics *diagnostics, const struct document *document,
		      unsigned int line, unsigned int column, const char *hint,
		      const char *message);
/* Before libyaml: every byte is one that people see. 0, or as above. */
int document_check_bytes(const struct document *document, struct diagnostics *diagnostics);

#endif
