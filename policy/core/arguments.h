/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arguments of a program: what follows argv[0], as one block in which a NUL ends each; an empty
 * block is a program without arguments. A pattern is a row of words with one blank between them,
 * each word a pattern of one argument (glob_component(): `*` also matches slashes and blanks), and
 * the word `**` any number of arguments, also none. In a word `\` quotes the next byte, blanks and
 * double quotes are always quoted, and the word `""` is the empty argument. An empty pattern
 * matches the empty block.
 */
#ifndef REMIT_CORE_ARGUMENTS_H
#define REMIT_CORE_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

/* No recursion, no exponential backtracking: time is bounded by pattern × block. False for a block
 * whose last byte is no NUL. */
bool arguments_match(const char *pattern, size_t pattern_len, const char *block, size_t len);

#endif
