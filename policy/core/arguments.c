/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words against arguments, by the method of glob.c: on a mismatch go back to the latest `**` only
 * and let it take one more. What stands between two of them has a fixed number of words, so an
 * earlier one never needs another try.
 */
#include "policy/core/arguments.h"

#include <string.h>

#include "policy/core/glob.h"

/* The end of the word that begins at p: an unquoted blank, or the pattern's end. */
static const char *word_end(const char *p, const char *end)
{
	for (; p < end && *p != ' '; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
	}
	return p;
}

static bool is_word(const char *p, const char *end, const char *word)
{
	return end - p == 2 && memcmp(p, word, 2) == 0;
}

static bool word_matches(const char *p, const char *end, const char *argument, size_t len)
{
	if (is_word(p, end, "\"\""))
		return len == 0;
	return glob_component(p, (size_t)(end - p), argument, len);
}

bool arguments_match(const char *pattern, size_t pattern_len, const char *block, size_t len)
{
	const char *p = pattern, *pend = pattern + pattern_len;
	const char *t = block, *tend = block + len;
	const char *deep = NULL, *mark = NULL;

	if (len > 0 && block[len - 1] != '\0')
		return false;
	/* p at pend means that no word is left; a pattern never ends with a blank. */
	while (p < pend || t < tend) {
		const char *pe = word_end(p, pend);

		if (p < pend && is_word(p, pe, "**")) {
			deep = p = pe < pend ? pe + 1 : pend;
			mark = t;
			continue;
		}
		size_t argument = t < tend ? strlen(t) : 0;

		if (p < pend && t < tend && word_matches(p, pe, t, argument)) {
			p = pe < pend ? pe + 1 : pend;
			t += argument + 1;
		} else if (deep && mark < tend) {
			p = deep;
			t = mark += strlen(mark) + 1;
		} else {
			return false;
		}
	}
	return true;
}
