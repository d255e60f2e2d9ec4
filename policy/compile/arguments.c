// SPDX-License-Identifier: Apache-2.0
/*
 * Words of arguments, read once for patterns and once for the plain arguments of a query. The
 * spelling that comes out is canonical: what means the same is the same text, so that the digest
 * does not depend on how a blank was quoted.
 */
#include "policy/compile/arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/limits.h"
#include "policy/compile/text.h"
#include "policy/compile/variables.h"

/* Cuts the next word out of *at, which ends behind it: quotes taken off, `\x` kept as it is. Its
 * length, -ENOENT when no word is left, or -EINVAL with *why. */
static long next_word(const char **at, char *out, const char **why)
{
	const char *p = *at;
	bool quoted = false;
	long len = 0;

	p += strspn(p, " ");
	if (!*p)
		return -ENOENT;
	for (; *p && (quoted || *p != ' '); p++) {
		if (*p == '"') {
			quoted = !quoted;
			continue;
		}
		if (*p == '\\' && !p[1]) {
			*why = "a `\\` with nothing behind it";
			return -EINVAL;
		}
		if (*p == '\\')
			out[len++] = *p++;
		out[len++] = *p;
	}
	if (quoted) {
		*why = "a double quote that is not closed";
		return -EINVAL;
	}
	out[len] = '\0';
	*at = p;
	return len;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       strchr("/._=:,@%+", c) != NULL;
}

/* One word, canonical. A `\` before what means nothing by itself is dropped. */
static int put_word(struct text *out, const char *word, const char **why)
{
	if (!*word)
		text_string(out, "\"\"");
	for (const char *p = word; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			*why = "a variable's value has a control character";
			return -EINVAL;
		}
		if (*p == '\\' && p[1]) {
			p++;
			if (!is_plain(*p))
				text_byte(out, '\\');
		} else if (*p == ' ' || *p == '"') {
			text_byte(out, '\\');
		}
		text_byte(out, *p);
	}
	return 0;
}

static int put_words(struct text *out, const char *text, char *word,
		     const struct compile_options *options, struct variable_fault *fault,
		     const char **why)
{
	bool first = true;
	long len;

	while ((len = next_word(&text, word, why)) >= 0) {
		char *expanded = NULL;
		int error = variables_expand(options, word, QUOTE_PATTERN, &expanded, fault);

		if (error == -EINVAL)
			*why = fault->message;
		if (!error && !first)
			text_byte(out, ' ');
		first = false;
		if (!error)
			error = put_word(out, expanded, why);
		free(expanded);
		if (error)
			return error;
	}
	return len == -ENOENT ? 0 : (int)len;
}

int arguments_pattern(const char *text, const struct compile_options *options, char **out,
		      struct variable_fault *fault, const char **why)
{
	struct text pattern = {0};
	char *word = malloc(strlen(text) + 1);
	int error = word ? put_words(&pattern, text, word, options, fault, why) : -ENOMEM;

	free(word);
	if (!error && pattern.len > LIMIT_ARGS_TEXT) {
		*why = "longer than 4096 bytes";
		error = -EINVAL;
	}
	if (error) {
		text_free(&pattern);
		return error;
	}
	*out = text_take(&pattern);
	return *out ? 0 : -ENOMEM;
}

char *arguments_literal(const char *argument)
{
	char *out = malloc(2 * strlen(argument) + 3), *at = out;

	if (!out)
		return NULL;
	if (!*argument)
		return strcpy(out, "\"\"");
	for (const char *p = argument; *p; p++) {
		if (strchr("*?[\\ \"", *p))
			*at++ = '\\';
		*at++ = *p;
	}
	*at = '\0';
	return out;
}

long arguments_word(const char **text, char *out, size_t size, const char **why)
{
	long got, kept = 0;

	if (strlen(*text) >= size) {
		*why = "the arguments are too long";
		return -EINVAL;
	}
	got = next_word(text, out, why);
	for (long i = 0; i < got; i++) {
		if (out[i] == '\\')
			i++;
		out[kept++] = out[i];
	}
	if (got >= 0)
		out[kept] = '\0';
	return got < 0 ? got : kept;
}

int arguments_block(const char *text, char *out, size_t size, size_t *len, const char **why)
{
	size_t used = 0;
	long got;

	while ((got = arguments_word(&text, out + used, size - used, why)) >= 0)
		used += (size_t)got + 1;
	*len = used;
	return got == -ENOENT ? 0 : (int)got;
}
