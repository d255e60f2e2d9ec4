// SPDX-License-Identifier: Apache-2.0
/*
 * Which other program the kernel starts for a program: the `#!` line as fs/binfmt_script.c reads it
 * and PT_INTERP as fs/binfmt_elf.c does. The file is hostile: every offset and size is bounded.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/compile/resolve.h"

#define HEAD_SIZE INTERPRETER_ARGUMENT_MAX /* BINPRM_BUF_SIZE, linux/binfmts.h */
#define HEADERS_MAX 64
/* Program headers and the interpreter's name stand near the beginning: one read has all three. */
#define BLOCK_SIZE 4096

/* What follows the interpreter's name, blanks around it taken off: one argument, or none. */
static void script_argument(const char *at, const char *end, char out[INTERPRETER_ARGUMENT_MAX])
{
	const char *stop = memchr(at, '\n', (size_t)(end - at));

	end = stop ? stop : end;
	stop = memchr(at, '\0', (size_t)(end - at));
	end = stop ? stop : end;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	memcpy(out, at, (size_t)(end - at));
	out[end - at] = '\0';
}

/* The first word after `#!`; a line that does not end within the head is refused by the kernel
 * unless the word does. */
static int script_interpreter(const char *head, size_t len, char out[PATH_TEXT_MAX],
			      char argument[INTERPRETER_ARGUMENT_MAX])
{
	const char *end = head + len, *at = head + 2, *stop;

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	for (stop = at; stop < end && *stop && !strchr(" \t\n", *stop); stop++)
		;
	if (stop == at || (stop == end && len == HEAD_SIZE))
		return -ENOEXEC;
	memcpy(out, at, (size_t)(stop - at));
	out[stop - at] = '\0';
	script_argument(stop, end, argument);
	return 1;
}

/* The beginning of a file, as it was read. */
struct block {
	union {
		char bytes[BLOCK_SIZE];
		Elf64_Ehdr elf;
	};
	size_t len;
};

/* Part of the file, from the block where it lies in it. */
static bool read_part(int fd, const struct block *block, void *out, size_t size, uint64_t offset)
{
	if (offset <= block->len && size <= block->len - offset) {
		memcpy(out, block->bytes + offset, size);
		return true;
	}
	return offset <= INT64_MAX && pread(fd, out, size, (off_t)offset) == (ssize_t)size;
}

static int elf_interpreter(int fd, const struct block *block, char out[PATH_TEXT_MAX])
{
	const Elf64_Ehdr *header = &block->elf;
	Elf64_Phdr program[HEADERS_MAX];
	size_t count = header->e_phnum, bytes;

	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_phentsize != sizeof(*program))
		return -ENOEXEC;
	if (count > HEADERS_MAX)
		count = HEADERS_MAX;
	bytes = count * sizeof(*program);
	if (!read_part(fd, block, program, bytes, header->e_phoff))
		return -ENOEXEC;
	for (size_t i = 0; i < count; i++) {
		size_t size = program[i].p_filesz;

		if (program[i].p_type != PT_INTERP)
			continue;
		if (size < 2 || size > PATH_TEXT_MAX ||
		    !read_part(fd, block, out, size, program[i].p_offset) || out[size - 1] != '\0')
			return -ENOEXEC;
		return 0;
	}
	return -ENOENT;
}

static int read_head(int fd, char out[PATH_TEXT_MAX], char argument[INTERPRETER_ARGUMENT_MAX])
{
	struct block block;
	ssize_t len = pread(fd, block.bytes, sizeof(block.bytes), 0);

	if (len < 0)
		return -errno;
	block.len = (size_t)len;
	if (len >= 2 && !memcmp(block.bytes, "#!", 2))
		return script_interpreter(
		    block.bytes, block.len < HEAD_SIZE ? block.len : HEAD_SIZE, out, argument);
	if (block.len >= sizeof(block.elf) && !memcmp(block.bytes, ELFMAG, SELFMAG))
		return elf_interpreter(fd, &block, out);
	return -ENOENT;
}

int interpreter_of_script(const char *program, char out[PATH_TEXT_MAX],
			  char argument[INTERPRETER_ARGUMENT_MAX])
{
	int fd = open(program, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -ENOENT;
	else
		err = read_head(fd, out, argument);
	close(fd);
	/* The kernel takes a relative one from the caller's working folder: it cannot be granted
	 * ahead. */
	if (err >= 0 && out[0] != '/')
		err = -ENOENT;
	return err;
}

int interpreter_read(const char *program, char out[PATH_TEXT_MAX])
{
	char argument[INTERPRETER_ARGUMENT_MAX];
	int found = interpreter_of_script(program, out, argument);

	return found < 0 ? found : 0;
}
