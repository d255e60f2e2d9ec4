/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of rules, from what a manifest says to the one spelling that the model holds:
 *
 *   .  ./x        the workspace, the workspace's x
 *   /a//b/./c/    /a/b/c
 *   /a/b\*c       a literal whose name has a star; the text is /a/b*c, no pattern
 *   /a/[**]/b/[**]  (without the brackets) a pattern; the last ** goes, since what lies beneath a
 *                 match is covered anyway: /a/[**] is the literal /a
 *
 * A literal's text is the plain path; a pattern's keeps `\` where a byte would be a wildcard.
 */
#ifndef REMIT_COMPILE_PATHS_H
#define REMIT_COMPILE_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/core/path.h"

struct path_fault {
	const char *message; /* static */
	const char *hint;    /* static, or NULL */
};

/* 0 with out (NUL-ended) and *ret_pattern, or -EINVAL with the fault. workspace may be NULL. */
int paths_rule(const char *text, const char *workspace, char out[PATH_TEXT_MAX], bool *ret_pattern,
	       struct path_fault *fault);

/* Writes literal so that it stands for itself within a pattern. Returns the length, or 0 when it
 * does not fit. */
size_t paths_quote(const char *literal, char out[PATH_TEXT_MAX]);

#endif
