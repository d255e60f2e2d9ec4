// SPDX-License-Identifier: Apache-2.0
/*
 * A value is text and nothing else: it is not expanded again, and its wildcards do not count. An
 * empty value is an error where it is used, because "${X}/data" would silently become /data.
 */
#include "policy/compile/variables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/limits.h"
#include "policy/compile/text.h"
#include "policy/core/path.h"

struct builtin {
	const char *name;
	size_t offset;
	bool path;
};

static const struct builtin BUILTINS[] = {
    {"WORKSPACE", offsetof(struct compile_options, workspace), true},
    {"HOME", offsetof(struct compile_options, home), true},
    {"USER", offsetof(struct compile_options, user), false},
    {"UID", offsetof(struct compile_options, uid), false},
    {"TMP", offsetof(struct compile_options, tmp), true},
};
#define BUILTIN_COUNT (sizeof(BUILTINS) / sizeof(*BUILTINS))

static const char *builtin_value(const struct compile_options *options,
				 const struct builtin *builtin)
{
	const char *value;

	memcpy(&value, (const char *)options + builtin->offset, sizeof(value));
	return value;
}

static bool name_byte(char byte, bool first)
{
	return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '_' ||
	       (!first && byte >= '0' && byte <= '9');
}

static size_t name_length(const char *text)
{
	size_t len = 0;

	while (name_byte(text[len], len == 0))
		len++;
	return len;
}

static bool same(const char *name, const char *text, size_t len)
{
	return name && strlen(name) == len && !memcmp(name, text, len);
}

/* The value, or NULL; *known tells a built-in variable without value from an unknown name. */
static const char *lookup(const struct compile_options *options, const char *name, size_t len,
			  bool *known)
{
	*known = true;
	for (size_t i = 0; i < BUILTIN_COUNT; i++)
		if (same(BUILTINS[i].name, name, len))
			return builtin_value(options, &BUILTINS[i]);
	for (size_t i = 0; i < options->set_count; i++)
		if (same(options->set[i].name, name, len))
			return options->set[i].value;
	*known = false;
	return NULL;
}

static const char *near_variable(const struct compile_options *options, const char *name)
{
	const char *names[BUILTIN_COUNT + 64];
	size_t count = 0;

	for (size_t i = 0; i < BUILTIN_COUNT; i++)
		names[count++] = BUILTINS[i].name;
	for (size_t i = 0; i < options->set_count && i < 64; i++)
		names[count++] = options->set[i].name;
	return diagnostics_near(name, names, count);
}

static int fault_at(struct variable_fault *fault, size_t offset, size_t width, const char *message)
{
	fault->offset = offset;
	fault->width = width;
	fault->hint[0] = '\0';
	snprintf(fault->message, sizeof(fault->message), "%s", message);
	return -EINVAL;
}

static int unknown(const struct compile_options *options, const char *name, size_t len, bool known,
		   struct variable_fault *fault)
{
	char copy[64];
	const char *near;

	snprintf(copy, sizeof(copy), "%.*s", (int)(len < 60 ? len : 60), name);
	near = near_variable(options, copy);
	snprintf(fault->message, sizeof(fault->message),
		 known ? "variable ${%s} has no value here" : "unknown variable ${%s}", copy);
	if (known)
		fault->hint[0] = '\0';
	else if (near)
		snprintf(fault->hint, sizeof(fault->hint), "did you mean ${%s}?", near);
	else
		snprintf(fault->hint, sizeof(fault->hint), "give it a value with --set %s=…", copy);
	return -EINVAL;
}

static void append_value(struct text *stream, const char *value, enum value_quoting quoting)
{
	static const char *const special[] = {
	    [QUOTE_NOTHING] = "", [QUOTE_PATTERN] = "*?[\\", [QUOTE_WORD] = " \"\\"};

	for (; *value; value++) {
		if (strchr(special[quoting], *value))
			text_byte(stream, '\\');
		text_byte(stream, *value);
	}
}

/* One `$` at *at, which moves past what it stands for. */
static int expand_one(const struct compile_options *options, const char *text, const char **at,
		      enum value_quoting quoting, struct text *stream, struct variable_fault *fault)
{
	const char *dollar = *at;
	size_t offset = (size_t)(dollar - text), len;
	const char *value;
	bool known;

	if (dollar[1] == '$' && dollar[2] == '{') {
		text_string(stream, "${");
		*at = dollar + 3;
		return 0;
	}
	if (dollar[1] != '{') {
		if (name_byte(dollar[1], true) || dollar[1] == '(') {
			fault_at(fault, offset, 1, "a variable is written ${NAME}");
			return -EINVAL;
		}
		text_byte(stream, '$');
		*at = dollar + 1;
		return 0;
	}
	len = name_length(dollar + 2);
	if (!len || dollar[2 + len] != '}')
		return fault_at(fault, offset, 2 + len, "a variable is written ${NAME}");
	value = lookup(options, dollar + 2, len, &known);
	if (!value || !*value) {
		fault->offset = offset;
		fault->width = len + 3;
		return unknown(options, dollar + 2, len, known, fault);
	}
	append_value(stream, value, quoting);
	*at = dollar + len + 3;
	return 0;
}

int variables_expand(const struct compile_options *options, const char *text,
		     enum value_quoting quoting, char **out, struct variable_fault *fault)
{
	struct text stream = {0};
	const char *at = text;
	int err = 0;

	/* Most texts have none. */
	text_add(&stream, text, strcspn(text, "$"));
	at += stream.len;
	if (stream.len > LIMIT_VALUE)
		err = fault_at(fault, 0, strlen(text), "the text is too long");
	while (!err && *at) {
		if (*at == '$')
			err = expand_one(options, text, &at, quoting, &stream, fault);
		else
			text_byte(&stream, *at++);
		if (!err && stream.len > LIMIT_VALUE)
			err = fault_at(fault, 0, strlen(text), "the text is too long");
	}
	if (err) {
		text_free(&stream);
		return err;
	}
	*out = text_take(&stream);
	return *out ? 0 : -ENOMEM;
}

static const char *set_fault(const struct compile_options *options, size_t index)
{
	const struct variable *set = &options->set[index];

	if (!set->name || !*set->name || name_length(set->name) != strlen(set->name))
		return "a variable's name is letters, digits and underscores";
	for (size_t i = 0; i < BUILTIN_COUNT; i++)
		if (!strcmp(BUILTINS[i].name, set->name))
			return "is built in and cannot be set";
	for (size_t i = 0; i < index; i++)
		if (!strcmp(options->set[i].name, set->name))
			return "is set twice";
	for (const char *at = set->value ? set->value : ""; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return "has a control character in its value";
	return NULL;
}

int variables_check(const struct compile_options *options, struct diagnostics *diagnostics)
{
	int err = 0;

	for (size_t i = 0; i < options->set_count; i++) {
		const char *fault = set_fault(options, i);

		if (fault)
			err = diagnostics_add(
			    diagnostics, SEVERITY_ERROR, NULL, 0, 0, 1, NULL, NULL, "--set %s: %s",
			    options->set[i].name ? options->set[i].name : "", fault);
	}
	for (size_t i = 0; i < BUILTIN_COUNT; i++) {
		const char *value = builtin_value(options, &BUILTINS[i]);

		if (BUILTINS[i].path && value && !path_is_clean(value, strlen(value)))
			err = diagnostics_add(diagnostics, SEVERITY_ERROR, NULL, 0, 0, 1, NULL,
					      NULL, "${%s} is no absolute path: %s",
					      BUILTINS[i].name, value);
	}
	return err;
}
