/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns. Both levels (bytes in a component, components in a path) use the same method: on a
 * mismatch go back to the latest star only and let it take one more. What stands between two stars
 * has a fixed width, so an earlier star never needs another try.
 */
#include "policy/core/glob.h"

#include "policy/core/word.h"

/* Reads "[…]" at p (just after the bracket); false when it never closes. */
static bool class_matches(const char *p, const char *end, unsigned char c, const char **after,
			  bool *hit)
{
	bool negate = p < end && *p == '!', found = false, first = true;

	if (negate)
		p++;
	for (; p < end && (*p != ']' || first); first = false) {
		if (*p == '\\' && p + 1 < end)
			p++;
		unsigned char low = (unsigned char)*p++, high = low;
		if (p + 1 < end && *p == '-' && p[1] != ']') {
			p++;
			if (*p == '\\' && p + 1 < end)
				p++;
			high = (unsigned char)*p++;
		}
		found |= low <= c && c <= high;
	}
	if (p >= end)
		return false;
	*after = p + 1;
	*hit = found != negate;
	return true;
}

/* One byte against the pattern's next element, which is no star. */
static bool element_matches(const char *p, const char *end, unsigned char c, const char **after)
{
	bool hit;

	if (*p == '?') {
		*after = p + 1;
		return true;
	}
	if (*p == '[' && class_matches(p + 1, end, c, after, &hit))
		return hit;
	if (*p == '\\' && p + 1 < end)
		p++;
	*after = p + 1;
	return (unsigned char)*p == c;
}

bool glob_component(const char *pattern, size_t pattern_len, const char *text, size_t len)
{
	const char *p = pattern, *pend = pattern + pattern_len;
	const char *t = text, *tend = text + len;
	const char *star = NULL, *mark = NULL;

	while (t < tend) {
		const char *after;

		if (p < pend && *p == '*') {
			star = ++p;
			mark = t;
			if (star == pend)
				return true;
		} else if (p < pend && element_matches(p, pend, (unsigned char)*t, &after)) {
			p = after;
			t++;
		} else if (star) {
			p = star;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pend && *p == '*')
		p++;
	return p == pend;
}

static const char *component_end(const char *p, const char *end)
{
	while (p < end && *p != '/')
		p++;
	return p;
}

static bool is_deep(const char *p, const char *end)
{
	return end - p == 2 && p[0] == '*' && p[1] == '*';
}

/* The start of the component after the one that ends at p. */
static const char *component_next(const char *p, const char *end)
{
	return p < end ? p + 1 : end;
}

/* Most names differ from a pattern in their first byte. */
static bool begins_otherwise(const char *p, const char *pend, const char *t, const char *tend)
{
	return p < pend && t < tend && *p != *t && *p != '*' && *p != '?' && *p != '[' &&
	       *p != '\\';
}

bool glob_tail(const char *tail, size_t tail_len, const char *rest, size_t len)
{
	const char *p = tail, *pend = tail + tail_len;
	const char *t = rest, *tend = rest + len;
	const char *deep = NULL, *deep_end = NULL, *mark = NULL;
	const char *pe = component_end(p, pend);

	while (p < pend) {
		if (is_deep(p, pe)) {
			deep = p = component_next(pe, pend);
			deep_end = pe = component_end(p, pend);
			mark = t;
			continue;
		}
		if (t >= tend)
			return false;
		const char *te = rest + word_component_end(rest, (size_t)(t - rest), len);
		if (!begins_otherwise(p, pe, t, te) &&
		    glob_component(p, (size_t)(pe - p), t, (size_t)(te - t))) {
			p = component_next(pe, pend);
			pe = component_end(p, pend);
			t = component_next(te, tend);
		} else if (deep) {
			p = deep;
			pe = deep_end;
			/* Where the first component after the `**` failed, its end is known. */
			if (mark != t)
				te = component_end(mark, tend);
			t = mark = component_next(te, tend);
		} else {
			return false;
		}
	}
	return true;
}

/* Adds what `**` may skip, and marks the end of the tail as GLOB_COVERED. */
static uint64_t close_states(uint64_t states, uint64_t deep, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if ((states & deep) >> i & 1)
			states |= UINT64_C(1) << (i + 1);
	}
	/* Position `count` is the end; below GLOB_COMPONENTS it has a bit of its own to move. */
	if (count < GLOB_COMPONENTS && states >> count & 1)
		states = (states & ~(UINT64_C(1) << count)) | GLOB_COVERED;
	return states;
}

/* All states that one component of text leads to. */
static uint64_t step_states(uint64_t states, const char *tail, const char *end, const char *text,
			    size_t len)
{
	uint64_t next = states & GLOB_COVERED;
	unsigned int i = 0;

	for (const char *p = tail; p < end; i++) {
		const char *pe = component_end(p, end);
		if (states >> i & 1) {
			if (is_deep(p, pe))
				next |= UINT64_C(1) << i;
			else if (glob_component(p, (size_t)(pe - p), text, len))
				next |= UINT64_C(1) << (i + 1);
		}
		p = component_next(pe, end);
	}
	return next;
}

bool glob_states(const char *tail, size_t tail_len, const char *rest, size_t len, uint64_t *states)
{
	const char *end = tail + tail_len, *tend = rest + len;
	uint64_t deep = 0;
	unsigned int count = 0;

	for (const char *p = tail; p < end; count++) {
		const char *pe = component_end(p, end);
		if (count == GLOB_COMPONENTS)
			return false;
		if (is_deep(p, pe))
			deep |= UINT64_C(1) << count;
		p = component_next(pe, end);
	}
	*states = close_states(1, deep, count);
	for (const char *t = rest; t < tend && *states;) {
		const char *te = component_end(t, tend);
		*states =
		    close_states(step_states(*states, tail, end, t, (size_t)(te - t)), deep, count);
		t = component_next(te, tend);
	}
	return true;
}

static bool has_wildcard(const char *p, const char *end)
{
	for (; p < end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '*' || *p == '?' || *p == '[')
			return true;
	}
	return false;
}

size_t glob_prefix(const char *pattern, size_t pattern_len)
{
	const char *end = pattern + pattern_len;
	const char *prefix = pattern;

	while (prefix < end) {
		const char *pe = component_end(prefix + 1, end);
		if (has_wildcard(prefix + 1, pe))
			break;
		prefix = pe;
	}
	return (size_t)(prefix - pattern);
}

size_t glob_unquote(const char *text, size_t len, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\' && i + 1 < len && text[i + 1] != '/')
			i++;
		out[n++] = text[i];
	}
	return n;
}
