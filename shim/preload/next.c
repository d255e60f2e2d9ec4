/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the next definition of each hooked name, by reading the symbol tables of the objects that
 * the loader put after this one. dlsym() would do, but it is not in libc before glibc 2.34, and it
 * allocates when it fails.
 *
 * Libc itself is remembered, and looked into for a name when somebody wants it: most programs use
 * few of the hooks, and a program like true none. That needs no lock, so it may be at any time.
 *
 * Relies on: dl_iterate_phdr() visiting objects in load order, which is the order of the global
 * scope at start; DT_GNU_HASH or DT_HASH in each. It binds the default version of a name, as
 * dlsym() does: a program linked before glibc 2.15 gets today's posix_spawn(), which does not hand
 * scripts without "#!" to the shell.
 */
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#include "policy/core/path.h"
#include "shim/preload/hook.h"
#include "shim/preload/banned.h"

struct object {
	uintptr_t base;
	const Elf64_Sym *symbols;
	const char *strings;
	const uint32_t *gnu_hash, *sysv_hash;
	const uint16_t *versions; /* NULL: no versions */
	const char *soname;	  /* NULL: none */
};

static char next_path[PATH_TEXT_MAX];
static struct object next_libc;
static bool next_bound;

const char *next_own_path(void)
{
	return next_path;
}

bool next_is_glibc(void)
{
	return next_libc.soname && strcmp(next_libc.soname, "libc.so.6") == 0;
}

/* glibc relocates the pointers in the dynamic section, musl and read-only sections do not. */
static const void *object_pointer(const struct object *object, Elf64_Addr value)
{
	return (const void *)(value < object->base ? object->base + value : value);
}

static bool object_read(const struct dl_phdr_info *info, struct object *out)
{
	const Elf64_Dyn *dynamic = NULL;
	Elf64_Xword soname = 0;

	memset(out, 0, sizeof(*out));
	out->base = info->dlpi_addr;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			dynamic = (const Elf64_Dyn *)(out->base + info->dlpi_phdr[i].p_vaddr);
	}
	for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
		const void *pointer = object_pointer(out, dynamic->d_un.d_ptr);

		switch (dynamic->d_tag) {
		case DT_SYMTAB:
			out->symbols = pointer;
			break;
		case DT_STRTAB:
			out->strings = pointer;
			break;
		case DT_GNU_HASH:
			out->gnu_hash = pointer;
			break;
		case DT_HASH:
			out->sysv_hash = pointer;
			break;
		case DT_VERSYM:
			out->versions = pointer;
			break;
		case DT_SONAME:
			soname = dynamic->d_un.d_val + 1;
			break;
		}
	}
	if (!out->symbols || !out->strings)
		return false;
	if (soname)
		out->soname = out->strings + soname - 1;
	return true;
}

/* A defined function under its default version. */
static bool object_defines(const struct object *object, uint32_t index, const char *name)
{
	const Elf64_Sym *symbol = &object->symbols[index];
	unsigned int type = ELF64_ST_TYPE(symbol->st_info);

	if (symbol->st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_NOTYPE))
		return false;
	if (object->versions && (object->versions[index] & 0x8000))
		return false;
	return strcmp(object->strings + symbol->st_name, name) == 0;
}

/* The layout is described in glibc's dl-lookup.c and in https://flapenguin.me/elf-dt-gnu-hash. */
static void *object_find_gnu(const struct object *object, const char *name, uint32_t hash)
{
	const uint32_t *table = object->gnu_hash;
	uint32_t bucket_count = table[0], first = table[1], bloom_count = table[2];
	const uint64_t *bloom = (const void *)(table + 4);
	const uint32_t *buckets = (const void *)(bloom + bloom_count);
	const uint32_t *chain = buckets + bucket_count;
	uint64_t word = bloom[(hash / 64) % bloom_count];

	if (!(word >> (hash % 64) & 1) || !(word >> ((hash >> table[3]) % 64) & 1))
		return NULL;
	for (uint32_t i = buckets[hash % bucket_count]; i >= first; i++) {
		if ((chain[i - first] | 1) == (hash | 1) && object_defines(object, i, name))
			return (void *)(object->base + object->symbols[i].st_value);
		if (chain[i - first] & 1)
			break;
	}
	return NULL;
}

static void *object_find_sysv(const struct object *object, const char *name)
{
	uint32_t count = object->sysv_hash[1];

	for (uint32_t i = 1; i < count; i++) {
		if (object_defines(object, i, name))
			return (void *)(object->base + object->symbols[i].st_value);
	}
	return NULL;
}

static void *object_find(const struct object *object, const char *name)
{
	uint32_t hash = 5381;

	if (!object->gnu_hash)
		return object->sysv_hash ? object_find_sysv(object, name) : NULL;
	for (const char *c = name; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	return object_find_gnu(object, name, hash);
}

static bool named(const struct object *object, const char *const *prefixes)
{
	for (; object->soname && *prefixes; prefixes++) {
		if (strncmp(object->soname, *prefixes, strlen(*prefixes)) == 0)
			return true;
	}
	return false;
}

/* "libc.so.6" of glibc, "libc.so" or "libc.musl-x86_64.so.1" of musl. */
static bool is_libc(const struct object *object)
{
	return named(object, (const char *const[]){"libc.", NULL});
}

/* What glibc kept apart until 2.34; each of its names that we hook is in libc.so.6 as well. */
static bool is_libc_part(const struct object *object)
{
	return named(object, (const char *const[]){"libpthread.", "librt.", "libdl.", "ld-", NULL});
}

static bool holds_self(const struct dl_phdr_info *info)
{
	uintptr_t here = (uintptr_t)next_path;

	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const Elf64_Phdr *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && here >= start && here - start < segment->p_memsz)
			return true;
	}
	return false;
}

static bool visit_self(const struct dl_phdr_info *info)
{
	if (!holds_self(info))
		return false;
	if (info->dlpi_name && strlen(info->dlpi_name) < sizeof(next_path))
		memcpy(next_path, info->dlpi_name, strlen(info->dlpi_name) + 1);
	return true;
}

static int next_visit(struct dl_phdr_info *info, size_t size, void *data)
{
	bool *found_self = data;
	struct object object;

	(void)size;
	if (!*found_self) {
		*found_self = visit_self(info);
		return 0;
	}
	if (!object_read(info, &object) || is_libc_part(&object))
		return 0;
	if (is_libc(&object)) {
		next_libc = object;
		return 1;
	}
	for (struct hook *hook = hooks_begin; hook < hooks_end; hook++) {
		if (hook->next)
			continue;
		hook->next = object_find(&object, hook->name);
		hook->foreign = hook->next != NULL;
	}
	return 0;
}

void next_bind(void)
{
	bool found_self = false;

	if (next_bound)
		return;
	next_bound = true;
	dl_iterate_phdr(next_visit, &found_self);
}

void *hook_next(struct hook *hook)
{
	if (hook->next)
		return hook->next;
	next_bind();
	if (!hook->next && next_libc.symbols)
		hook->next = object_find(&next_libc, hook->name);
	return hook->next;
}
