/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The case files of a folder, for tests that loop over them: their names in order, and the whole
 * text of one. Everything is allocated and left to the end of the program; want of memory or of a
 * file fails the test.
 */
#ifndef REMIT_TESTS_CASE_FILES_H
#define REMIT_TESTS_CASE_FILES_H

#include <check.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASE_FILES_MAX 512

struct case_files {
	const char *folder, *suffix; /* "tests/table/bad", ".yaml" */
	char *names[CASE_FILES_MAX];
	int count;
};

static inline int case_files_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Fills names and count; 0 when the folder has fewer than `least`, having said so. */
static inline bool case_files_list(struct case_files *files, int least)
{
	DIR *stream = opendir(files->folder);
	struct dirent *entry;

	while (stream && files->count < CASE_FILES_MAX && (entry = readdir(stream))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (dot && !strcmp(dot, files->suffix))
			files->names[files->count++] = strdup(entry->d_name);
	}
	if (stream)
		closedir(stream);
	qsort(files->names, (size_t)files->count, sizeof(*files->names), case_files_compare);
	if (files->count < least)
		fprintf(stderr, "only %d cases found in %s\n", files->count, files->folder);
	return files->count >= least;
}

/* The path and the text of case n; a NUL follows the last byte of the text. */
static inline char *case_files_read(const struct case_files *files, int n, char path[512])
{
	snprintf(path, 512, "%s/%s", files->folder, files->names[n]);
	FILE *stream = fopen(path, "re");

	ck_assert_msg(stream && fseek(stream, 0, SEEK_END) == 0, "%s cannot be read", path);
	size_t size = (size_t)ftell(stream);
	char *text = calloc(1, size + 1);

	rewind(stream);
	ck_assert_msg(text && fread(text, 1, size, stream) == size, "%s cannot be read", path);
	fclose(stream);
	return text;
}

#endif
