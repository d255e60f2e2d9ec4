/* SPDX-License-Identifier: Apache-2.0 */
/* Which ELF interpreters this machine starts programs with: those of programs that the operator's
 * system vouches for, and the usual places. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/compile/resolve.h"
#include "tools/place.h"

#define FOUND_MAX 16

/* /bin/sh: a distribution whose loader lies elsewhere (NixOS, Guix) has it patched in there. */
static const char *const programs[] = {"/proc/self/exe", "/bin/sh"};

/* The glibc and musl loaders' names in their ABI documents: x86-64 psABI, musl's dynlink. */
static const char *const usual[] = {
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-x86-64.so.2",
    "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    "/lib/ld-musl-x86_64.so.1",
};

/* Adds the real path of `path` unless it is listed or no file. */
static int add(char **list, size_t *count, const char *path)
{
	char *real = place_real(path);
	struct stat status;

	if (!real)
		return errno == ENOMEM ? -ENOMEM : 0;
	if (stat(real, &status) || !S_ISREG(status.st_mode) || *count == FOUND_MAX) {
		free(real);
		return 0;
	}
	for (size_t i = 0; i < *count; i++) {
		if (!strcmp(list[i], real)) {
			free(real);
			return 0;
		}
	}
	list[(*count)++] = real;
	return 0;
}

int place_interpreters(char ***out, size_t *count)
{
	char **list = calloc(FOUND_MAX, sizeof(*list));
	char path[PATH_TEXT_MAX];
	int error = 0;

	*out = list;
	*count = 0;
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; !error && i < sizeof(programs) / sizeof(programs[0]); i++)
		if (!interpreter_read(programs[i], path))
			error = add(list, count, path);
	for (size_t i = 0; !error && i < sizeof(usual) / sizeof(usual[0]); i++)
		error = add(list, count, usual[i]);
	return error;
}
