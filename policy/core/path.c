/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as text: cleanness, lexical joining, containment, patterns. Relies on nothing but bytes. */
#include "policy/core/path.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "policy/core/glob.h"
#include "policy/core/word.h"

/* Whether a component may begin at i: it is not empty, "." or "..". */
static bool component_begins(const char *path, size_t len, size_t i)
{
	if (i >= len || path[i] == '/')
		return false;
	if (path[i] != '.')
		return true;
	if (i + 1 >= len || path[i + 1] == '/')
		return false;
	return path[i + 1] != '.' || (i + 2 < len && path[i + 2] != '/');
}

/*
 * Eight bytes from i on: none is NUL, and what follows a slash begins a component. Only a second
 * slash and a dot need a look. *slash: the high bit of its first byte when the byte before i was a
 * slash; then the same for the byte behind these.
 */
static bool word_is_clean(const char *path, size_t len, size_t i, uint64_t word, uint64_t *slash)
{
	uint64_t slashes = word_zeros(word ^ WORD_OF('/'));
	uint64_t look = (slashes << 8 | *slash) & (slashes | word_zeros(word ^ WORD_OF('.')));

	if (word_zeros(word))
		return false;
	*slash = slashes >> 56;
	for (; look; look &= look - 1) {
		if (!component_begins(path, len, i + (size_t)__builtin_ctzll(look) / 8))
			return false;
	}
	return true;
}

bool path_is_clean(const char *path, size_t len)
{
	uint64_t slash = 0;

	if (len == 0 || len >= PATH_TEXT_MAX || path[0] != '/')
		return false;
	if (len == 1)
		return true;
	/* Every decision begins here, so eight bytes are looked at together. */
	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = i + 8 <= len ? word_read(path + i) : word_rest(path, i, len);
		if (!word_is_clean(path, len, i, word, &slash))
			return false;
	}
	return path[len - 1] != '/';
}

/* Takes the last component off out; "/" stays. */
static size_t parent_len(const char *out, size_t len)
{
	while (len > 1 && out[len - 1] != '/')
		len--;
	return len > 1 ? len - 1 : 1;
}

long path_join(const char *base, size_t base_len, const char *path, size_t path_len, char *out,
	       size_t size)
{
	size_t len = 1;

	if (path_len == 0)
		return -ENOENT;
	for (size_t i = 0; i < path_len; i++) {
		if (path[i] == '\0')
			return -EINVAL;
	}
	if (size > PATH_TEXT_MAX)
		size = PATH_TEXT_MAX;
	if (size < 2)
		return -ENAMETOOLONG;
	if (path[0] == '/') {
		out[0] = '/';
	} else {
		if (!path_is_clean(base, base_len))
			return -EINVAL;
		if (base_len >= size)
			return -ENAMETOOLONG;
		memcpy(out, base, base_len);
		len = base_len;
	}
	for (size_t i = 0; i < path_len;) {
		size_t end = i;
		while (end < path_len && path[end] != '/')
			end++;
		size_t n = end - i;
		if (n == 2 && path[i] == '.' && path[i + 1] == '.') {
			len = parent_len(out, len);
		} else if (n > 0 && !(n == 1 && path[i] == '.')) {
			size_t slash = len > 1;
			if (n >= size - len - slash)
				return -ENAMETOOLONG;
			if (slash)
				out[len] = '/';
			memcpy(out + len + slash, path + i, n);
			len += slash + n;
		}
		i = end + 1;
	}
	out[len] = '\0';
	return (long)len;
}

bool path_within(const char *path, size_t len, const char *root, size_t root_len)
{
	if (root_len == 1)
		return true;
	return len >= root_len && memcmp(path, root, root_len) == 0 &&
	       (len == root_len || path[root_len] == '/');
}

bool path_matches(const char *pattern, size_t pattern_len, const char *path, size_t path_len)
{
	if (pattern_len == 0 || pattern[0] != '/' || path_len == 0 || path[0] != '/')
		return false;
	return glob_tail(pattern + 1, pattern_len - 1, path + 1, path_len - 1);
}

bool path_is_pattern(const char *pattern, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (pattern[i] == '\\')
			i++;
		else if (pattern[i] == '*' || pattern[i] == '?' || pattern[i] == '[')
			return true;
	}
	return false;
}
