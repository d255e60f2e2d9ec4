/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as text: bytes between slashes. Nothing here looks at a file system. Signal-safe, no
 * allocation. */
#ifndef REMIT_CORE_PATH_H
#define REMIT_CORE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* Longest path that is ever decided, with its ending NUL (PATH_MAX, linux/limits.h); a longer one
 * is refused. */
#define PATH_TEXT_MAX 4096

/* Absolute, no "//", no "." or ".." component, no slash at the end (but "/" itself), no NUL within
 * len, len < PATH_TEXT_MAX. */
bool path_is_clean(const char *path, size_t len);

/*
 * Joins base (clean, absolute) and path, folding "//", "." and ".." lexically: right only where no
 * component is a symbolic link, which the caller must know or verify. An absolute path ignores
 * base. Returns the length written (ended by NUL), or -ENAMETOOLONG, -ENOENT for an empty path,
 * -EINVAL for a base that is not clean.
 */
long path_join(const char *base, size_t base_len, const char *path, size_t path_len, char *out,
	       size_t size);

/* True when path is `root` or lies beneath it; both clean. */
bool path_within(const char *path, size_t len, const char *root, size_t root_len);

/* Matches one pattern against one clean path: `*`, `?`, `[a-z]`, `[!a]` within a component, `**` as
 * a whole component spans any number of them (also none). A pattern that matches an ancestor of
 * path covers it. `\` quotes the next byte. Time is bounded by pattern × path (no exponential
 * backtracking). */
bool path_matches(const char *pattern, size_t pattern_len, const char *path, size_t path_len);

/* True when the pattern has an unquoted wildcard. */
bool path_is_pattern(const char *pattern, size_t len);

#endif
