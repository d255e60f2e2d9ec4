/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guarantees: never more than the kernel itself would take; what cannot be read whole is an error,
 * never a shorter list. Relies on memory.c for the caller's memory before the start, and on the
 * caller being stopped under our trace after it.
 */
#include "shim/broker/exec_args.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096
/* 3/4 of _STK_LIM (8 MiB): bprm_stack_limits() in fs/exec.c, strings and pointers together. */
#define ARGS_MAX (6U * 1024 * 1024)
#define POINTERS 512

static int make_room(struct exec_args *args, size_t more)
{
	size_t room = args->room ? args->room : 1024;

	while (room - args->len < more)
		room *= 2;
	if (room > 2 * (size_t)ARGS_MAX)
		return -E2BIG;
	if (room == args->room)
		return 0;
	char *grown = realloc(args->block, room);

	if (!grown)
		return -ENOMEM;
	args->block = grown;
	args->room = room;
	return 0;
}

static int add_string(struct exec_args *args, uint64_t address)
{
	for (size_t more = 256;; more = args->room - args->len + 1) {
		int error = make_room(args, more);

		if (error)
			return error;
		long len = memory_read_string(args->request, address, args->block + args->len,
					      args->room - args->len);

		if (len == -ENAMETOOLONG && args->room - args->len < ARGS_MAX)
			continue;
		if (len < 0)
			return len == -ENAMETOOLONG ? -E2BIG : (int)len;
		args->len += (size_t)len + 1;
		return 0;
	}
}

/* As many pointers as lie in one page, so that what follows the last of them need not be there. */
static int read_pointers(struct exec_args *args, uint64_t address, uint64_t *out, size_t *count)
{
	size_t bytes = PAGE - address % PAGE;

	bytes = bytes < sizeof(*out) ? sizeof(*out) : bytes / sizeof(*out) * sizeof(*out);
	*count = bytes / sizeof(*out);
	return memory_read(args->request, address, out, bytes);
}

static int read_vector(struct exec_args *args)
{
	uint64_t pointers[POINTERS], address = args->vector;
	bool first = true;

	if (address == 0)
		return 0;
	for (size_t total = 0; total * sizeof(*pointers) + args->len < ARGS_MAX;) {
		size_t count;
		int error = read_pointers(args, address, pointers, &count);

		for (size_t i = 0; i < count && !error; i++) {
			if (pointers[i] == 0)
				return 0;
			if (!first)
				error = add_string(args, pointers[i]);
			first = false;
		}
		if (error)
			return error;
		address += count * sizeof(*pointers);
		total += count;
	}
	return -E2BIG;
}

/* What the kernel laid out for the new program. argv[0] is there always, since 5.18 also where the
 * caller gave none. */
static int read_started(struct exec_args *args)
{
	char path[32];
	ssize_t n;
	int error = 0;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)args->request->tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	do {
		error = make_room(args, 65536);
		n = error ? -1 : read(fd, args->block + args->len, args->room - args->len);
		if (!error && n < 0)
			error = -errno;
		args->len += n > 0 ? (size_t)n : 0;
		if (args->len > ARGS_MAX)
			error = -E2BIG;
	} while (n > 0 && !error);
	close(fd);
	if (!error && (args->len == 0 || args->block[args->len - 1] != '\0'))
		error = -EIO;
	if (error)
		return error;
	size_t zeroth = strlen(args->block) + 1;

	args->len -= zeroth;
	memmove(args->block, args->block + zeroth, args->len);
	return 0;
}

static int read_all(struct exec_args *args)
{
	int error = make_room(args, 1);

	if (!error)
		error = args->started ? read_started(args) : read_vector(args);
	if (error) {
		free(args->block);
		args->block = NULL;
		args->len = args->room = 0;
	}
	return error;
}

int exec_args_get(struct exec_args *args, const char **block, size_t *len)
{
	int error = args->block ? 0 : read_all(args);

	if (error)
		return error;
	if (args->before_len == 0) {
		*block = args->block;
		*len = args->len;
		return 0;
	}
	char *joined = realloc(args->joined, args->before_len + args->len + 1);

	if (!joined)
		return -ENOMEM;
	memcpy(joined, args->before, args->before_len);
	memcpy(joined + args->before_len, args->block, args->len);
	args->joined = joined;
	*block = joined;
	*len = args->before_len + args->len;
	return 0;
}

int exec_args_before(struct exec_args *args, const char *word)
{
	size_t len = strlen(word) + 1;
	char *grown = realloc(args->before, args->before_len + len);

	if (!grown)
		return -ENOMEM;
	memmove(grown + len, grown, args->before_len);
	memcpy(grown, word, len);
	args->before = grown;
	args->before_len += len;
	return 0;
}

int exec_args_copy(struct exec_args *args, const char *block, size_t len)
{
	int error = make_room(args, len + 1);

	if (error)
		return error;
	memcpy(args->block, block, len);
	args->len = len;
	return 0;
}

void exec_args_free(struct exec_args *args)
{
	free(args->block);
	free(args->before);
	free(args->joined);
	*args = (struct exec_args){0};
}
