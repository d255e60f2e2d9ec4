/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LD_PRELOAD, put back wherever a program is started with an environment that lost it. Nothing of
 * the boundary depends on it: a program that starts without the shim is slower, not freer.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/core/path.h"
#include "shim/preload/environment.h"
#include "shim/preload/hook.h"
#include "shim/preload/state.h"
#include "shim/preload/banned.h"

#define PRELOAD "LD_PRELOAD="
#define PRELOAD_LENGTH (sizeof(PRELOAD) - 1)

/* The copy is built on the stack of whoever calls exec, which may be small. */
#define ENTRIES_MAX 4096
#define VALUE_MAX 4096

struct preload_entry {
	size_t entries;	   /* in the whole environment */
	size_t preloads;   /* entries that set LD_PRELOAD: the loader takes the last */
	const char *value; /* of the last one, or NULL */
};

static bool separates(char c)
{
	return c == ':' || c == ' ' || c == '\0';
}

static bool names_own(const char *value)
{
	const char *own = next_own_path();
	size_t length = strlen(own);

	while (*value) {
		if (strncmp(value, own, length) == 0 && separates(value[length]))
			return true;
		while (!separates(*value))
			value++;
		value += *value != '\0';
	}
	return false;
}

static struct preload_entry find_preload(char *const envp[])
{
	struct preload_entry found = {0};

	for (; envp && envp[found.entries]; found.entries++) {
		const char *entry = envp[found.entries];

		/* Most entries differ in the first two bytes. */
		if (entry[0] != 'L' || strncmp(entry, PRELOAD, PRELOAD_LENGTH) != 0)
			continue;
		found.preloads++;
		found.value = entry + PRELOAD_LENGTH;
	}
	return found;
}

static size_t text_size(const struct preload_entry *found)
{
	size_t size = PRELOAD_LENGTH + strlen(next_own_path()) + 1;

	return found->value && *found->value ? size + 1 + strlen(found->value) : size;
}

size_t environment_need(char *const envp[])
{
	struct preload_entry found;

	if (!state.session || next_own_path()[0] != '/')
		return 0;
	found = find_preload(envp);
	if (found.preloads == 1 && names_own(found.value))
		return 0;
	if (found.entries > ENTRIES_MAX || (found.value && strlen(found.value) > VALUE_MAX))
		return 0;
	return (found.entries + 2) * sizeof(char *) + text_size(&found);
}

/* The value with this library in it: first, unless it is named already. */
static void write_value(char *out, const char *value)
{
	size_t length = strlen(next_own_path());

	if (!value || !names_own(value)) {
		memcpy(out, next_own_path(), length);
		out += length;
		if (value && *value)
			*out++ = ':';
	}
	if (value)
		memcpy(out, value, strlen(value));
	out[value ? strlen(value) : 0] = '\0';
}

char **environment_fill(char *const envp[], void *buffer)
{
	struct preload_entry found = find_preload(envp);
	char **copy = buffer, *text = (char *)(copy + found.entries + 2);
	size_t count = 0;
	bool placed = false;

	memcpy(text, PRELOAD, PRELOAD_LENGTH);
	write_value(text + PRELOAD_LENGTH, found.value);
	for (size_t i = 0; i < found.entries; i++) {
		if (strncmp(envp[i], PRELOAD, PRELOAD_LENGTH) != 0) {
			copy[count++] = envp[i];
		} else if (!placed) {
			copy[count++] = text;
			placed = true;
		}
	}
	if (!placed)
		copy[count++] = text;
	copy[count] = NULL;
	return copy;
}

void environment_keep_own(void)
{
	struct preload_entry found;
	char value[PATH_TEXT_MAX + VALUE_MAX + 2];

	if (!environment_need(environ))
		return;
	found = find_preload(environ);
	write_value(value, found.value);
	setenv("LD_PRELOAD", value, 1);
}

const char *environment_get(const char *name)
{
	size_t length = strlen(name);

	for (char **entry = environ; entry && *entry; entry++) {
		if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
			return *entry + length + 1;
	}
	return NULL;
}
