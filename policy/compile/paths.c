// SPDX-License-Identifier: Apache-2.0
/*
 * Lexical only: `..` is refused rather than folded, because what it means depends on links. Every
 * pattern that is accepted here means the same to policy/core/glob.c and to a reader who knows
 * shells; what shells disagree about ([^a], [[:alpha:]], ** within a component) is refused.
 */
#include "policy/compile/paths.h"

#include <errno.h>
#include <string.h>

#include "policy/compile/limits.h"

/* Components from the first wildcard on; policy/core/glob.h follows no more than 63. */
#define TAIL_MAX 48

struct scan {
	char *out;
	size_t len;
	bool pattern;
	unsigned int tail, wildcards;
	struct path_fault *fault;
};

static int fail(struct path_fault *fault, const char *message, const char *hint)
{
	fault->message = message;
	fault->hint = hint;
	return -EINVAL;
}

static int put(struct scan *scan, char byte)
{
	if (scan->len + 1 >= PATH_TEXT_MAX)
		return fail(scan->fault, "the path is longer than 4095 bytes", NULL);
	scan->out[scan->len++] = byte;
	return 0;
}

static bool is_wild(char byte)
{
	return byte == '*' || byte == '?' || byte == '[';
}

/* The bytes up to the next that means something. */
static int put_plain(struct scan *scan, const char **at, const char *end)
{
	size_t len = 0;

	while (*at + len < end && !is_wild((*at)[len]) && (*at)[len] != '\\')
		len++;
	if (scan->len + len >= PATH_TEXT_MAX)
		return fail(scan->fault, "the path is longer than 4095 bytes", NULL);
	memcpy(scan->out + scan->len, *at, len);
	scan->len += len;
	*at += len;
	return 0;
}

/* The byte after the class that begins at p, or NULL with the fault. */
static const char *class_end(const char *p, const char *end, struct path_fault *fault)
{
	const char *first;

	p++;
	if (p < end && *p == '^') {
		fail(fault, "bad pattern: [^…] is not known", "the opposite of a class is [!…]");
		return NULL;
	}
	if (p < end && *p == '!')
		p++;
	for (first = p; p < end && *p != ']'; p++) {
		unsigned char low = (unsigned char)*p;

		if (low == '\\' || low == '[' || low >= 0x80) {
			fail(fault, "bad pattern: only plain ASCII characters may stand in […]",
			     NULL);
			return NULL;
		}
		if (p + 2 < end && p[1] == '-' && p[2] != ']') {
			if ((unsigned char)p[2] < low || p[2] == '\\' || p[2] == '[') {
				fail(fault, "bad pattern: a range in […] is the wrong way round",
				     NULL);
				return NULL;
			}
			p += 2;
		}
	}
	if (p >= end) {
		fail(fault, "bad pattern: [ without ]", "a plain [ is written \\[");
		return NULL;
	}
	if (p == first) {
		fail(fault, "bad pattern: an empty class", "a plain [ is written \\[");
		return NULL;
	}
	return p + 1;
}

static int put_wild(struct scan *scan, const char **at, const char *end)
{
	const char *stop = *at + 1;
	int err = 0;

	if (**at == '[')
		stop = class_end(*at, end, scan->fault);
	if (!stop)
		return -EINVAL;
	if (**at == '*' && scan->len && scan->out[scan->len - 1] == '*' &&
	    (scan->len < 2 || scan->out[scan->len - 2] != '\\'))
		return fail(scan->fault, "bad pattern: ** stands alone between slashes",
			    "write /**/ to span folders, or * within a name");
	for (; !err && *at < stop; (*at)++)
		err = put(scan, **at);
	return err;
}

static int put_component_bytes(struct scan *scan, const char *at, const char *end, bool *wild)
{
	int err = 0;

	while (!err && at < end) {
		if (is_wild(*at)) {
			*wild = true;
			err = put_wild(scan, &at, end);
			continue;
		}
		if (*at == '\\' && ++at == end)
			return fail(scan->fault, "bad pattern: \\ quotes nothing",
				    "a plain \\ is written \\\\");
		if (is_wild(*at) || *at == '\\')
			err = put(scan, '\\');
		if (!err)
			err = put(scan, *at++);
		if (!err)
			err = put_plain(scan, &at, end);
	}
	return err;
}

static int put_component(struct scan *scan, const char *at, const char *end)
{
	size_t len = (size_t)(end - at);
	bool deep = len == 2 && at[0] == '*' && at[1] == '*', wild = deep;
	int err;

	if (len == 2 && at[0] == '.' && at[1] == '.')
		return fail(scan->fault, "`..` is not allowed in a path",
			    "write the path that is meant");
	/* Two ** in a row span no more than one. */
	if (deep && scan->len >= 3 && !memcmp(scan->out + scan->len - 3, "/**", 3))
		return 0;
	err = put(scan, '/');
	if (!err && deep) {
		err = put(scan, '*');
		if (!err)
			err = put(scan, '*');
	} else if (!err) {
		err = put_component_bytes(scan, at, end, &wild);
	}
	if (err)
		return err;
	scan->pattern |= wild;
	scan->wildcards += wild;
	scan->tail += scan->pattern;
	if (scan->wildcards > LIMIT_WILDCARDS || scan->tail > TAIL_MAX)
		return fail(scan->fault, "bad pattern: too many components",
			    "at most 32 with wildcards, and 48 after the first wildcard");
	return 0;
}

static int put_path(struct scan *scan, const char *text)
{
	while (*text) {
		const char *end = strchrnul(text, '/');
		size_t len = (size_t)(end - text);

		if (len && !(len == 1 && *text == '.')) {
			int err = put_component(scan, text, end);

			if (err)
				return err;
		}
		text = *end ? end + 1 : end;
	}
	return 0;
}

/* Takes the trailing ** off, and the quoting where no wildcard is left. */
static void finish(struct scan *scan)
{
	char *out = scan->out;
	size_t to = 0;

	if (scan->len >= 3 && !memcmp(out + scan->len - 3, "/**", 3))
		scan->len -= 3;
	if (!scan->len)
		out[scan->len++] = '/';
	scan->pattern = path_is_pattern(out, scan->len);
	if (!scan->pattern) {
		for (size_t from = 0; from < scan->len; from++) {
			if (out[from] == '\\')
				from++;
			out[to++] = out[from];
		}
		scan->len = to;
	}
	out[scan->len] = '\0';
}

static const char *relative_hint(const char *text)
{
	if (text[0] == '~')
		return "write ${HOME} for the home folder";
	return "begin it with /, or with ./ for the workspace";
}

int paths_rule(const char *text, const char *workspace, char out[PATH_TEXT_MAX], bool *ret_pattern,
	       struct path_fault *fault)
{
	struct scan scan = {.out = out, .fault = fault};
	char quoted[PATH_TEXT_MAX];
	int err = 0;

	if (!*text)
		return fail(fault, "an empty path", NULL);
	if (text[0] == '.' && (text[1] == '\0' || text[1] == '/')) {
		if (!workspace)
			return fail(fault, "`.` means the workspace, and there is none here", NULL);
		if (!paths_quote(workspace, quoted))
			return fail(fault, "the path is longer than 4095 bytes", NULL);
		err = put_path(&scan, quoted);
		text++;
	} else if (text[0] != '/') {
		return fail(fault, "not an absolute path", relative_hint(text));
	}
	if (!err)
		err = put_path(&scan, text);
	if (err)
		return err;
	finish(&scan);
	*ret_pattern = scan.pattern;
	return 0;
}

size_t paths_quote(const char *literal, char out[PATH_TEXT_MAX])
{
	size_t len = 0;

	for (; *literal; literal++) {
		if (len + 3 > PATH_TEXT_MAX)
			return 0;
		if (is_wild(*literal) || *literal == '\\')
			out[len++] = '\\';
		out[len++] = *literal;
	}
	out[len] = '\0';
	return len;
}
