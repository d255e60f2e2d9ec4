/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns, component by component. A pattern is in the manifest's language (path.h); a tail is
 * what follows a pattern's literal prefix, without a slash in front. No recursion, no exponential
 * backtracking: time is bounded by pattern × text.
 */
#ifndef REMIT_CORE_GLOB_H
#define REMIT_CORE_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One component, or a whole name: `*`, `?`, `[a-z]`, `[!a]`, `\` quotes. A "[" that never closes is
 * itself. */
bool glob_component(const char *pattern, size_t pattern_len, const char *text, size_t len);

/* A tail against what follows the prefix in a clean path; true also when it matches only a folder
 * above. An empty tail matches everything. */
bool glob_tail(const char *tail, size_t tail_len, const char *rest, size_t len);

/*
 * Where a match stands after `rest` was read: bit n is set when the next component may be matched
 * by the n-th component of the tail, GLOB_COVERED when the tail has already matched, so that
 * everything beneath is covered. 0: nothing at or beneath `rest` can match. False when the tail has
 * too many components to say.
 */
#define GLOB_COMPONENTS 63
#define GLOB_COVERED (UINT64_C(1) << GLOB_COMPONENTS)
bool glob_states(const char *tail, size_t tail_len, const char *rest, size_t len, uint64_t *states);

/* Length of the literal prefix of an absolute pattern: whole components without wildcard; 0 when
 * the first has one. The tail begins one byte later (at `pattern_len` when all is literal). */
size_t glob_prefix(const char *pattern, size_t pattern_len);

/* Takes the quoting `\` out of a text without wildcards. Returns the length; out may be text. */
size_t glob_unquote(const char *text, size_t len, char *out);

#endif
