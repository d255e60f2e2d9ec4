/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: what is wrong with a manifest, where, and what would mend it. Parsers fill it; only
 * tools print it.
 *
 *   manifest.yaml:7:3: error: unknown key "raed" in files
 *       raed: [/srv]
 *       ^~~~
 *   did you mean "read"?
 */
#ifndef REMIT_COMPILE_DIAGNOSTICS_H
#define REMIT_COMPILE_DIAGNOSTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define DIAGNOSTICS_MAX 20 /* more are counted, not kept */

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct diagnostic {
	enum severity severity;
	char *file;		   /* owned; NULL when it concerns no file */
	unsigned int line, column; /* from 1; 0: unknown */
	unsigned int width;	   /* bytes to underline, at least 1 */
	char *source;		   /* owned; the line itself, or NULL */
	char *message;		   /* owned; plain words, no newline */
	char *hint;		   /* owned; what would mend it, or NULL */
};

struct diagnostics {
	struct diagnostic items[DIAGNOSTICS_MAX];
	size_t count;  /* kept */
	size_t errors; /* all, also those not kept */
	size_t warnings;
};

void diagnostics_free(
    struct diagnostics *diagnostics); /* leaves it empty and usable; NULL is fine */

/* Adds one; file/source are copied and may be NULL. Always returns -EINVAL, so that a setter can
 * `return diagnostics_add(…)`. */
int diagnostics_add(struct diagnostics *diagnostics, enum severity severity, const char *file,
		    unsigned int line, unsigned int column, unsigned int width, const char *source,
		    const char *hint, const char *format, ...)
    __attribute__((format(printf, 9, 10)));

/* For people; colour when asked. And for machines: a JSON array of
 * {severity,file,line,column,message,hint}. */
void diagnostics_print(const struct diagnostics *diagnostics, FILE *stream, bool colour);
void diagnostics_print_json(const struct diagnostics *diagnostics, FILE *stream);

/* The candidate nearest to word by edit distance, or NULL when none is near enough to suggest. */
const char *diagnostics_near(const char *word, const char *const *candidates, size_t count);

#endif
