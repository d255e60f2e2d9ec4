/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of an image while they grow, its strings, each kept once, and the whole at last. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/image_writer.h"
#include "policy/core/hash.h"

void writer_fail(struct image_writer *writer, int error)
{
	if (!writer->error)
		writer->error = error;
}

void *writer_add(struct image_writer *writer, enum image_section_kind kind, size_t count)
{
	struct image_records *records = &writer->section[kind];
	size_t width = records->width;

	if (writer->error)
		return NULL;
	if (count > IMAGE_RECORDS_MAX - records->count) {
		writer_fail(writer, -E2BIG);
		return NULL;
	}
	size_t used = records->count * width, need = used + count * width;
	if (need > records->capacity || !records->data) {
		size_t capacity = records->capacity * 2 > need ? records->capacity * 2 : need + 64;
		uint8_t *data = realloc(records->data, capacity);
		if (!data) {
			writer_fail(writer, -ENOMEM);
			return NULL;
		}
		records->data = data;
		records->capacity = capacity;
	}
	memset(records->data + used, 0, count * width);
	records->count += (uint32_t)count;
	return records->data + used;
}

static uint64_t pool_hash(const char *text, size_t len)
{
	return hash_bytes(text, len, 0);
}

/* Twice the slots; the strings stay where they are. */
static bool pool_grow(struct image_writer *writer)
{
	size_t slots = writer->pool_slots ? writer->pool_slots * 2 : 1024;
	uint32_t *pool = calloc(slots, sizeof(*pool));

	if (!pool) {
		writer_fail(writer, -ENOMEM);
		return false;
	}
	for (size_t i = 0; i < writer->pool_slots; i++) {
		if (!writer->pool[i])
			continue;
		const char *text = writer_at(writer, IMAGE_STRINGS, writer->pool[i]);
		size_t at = pool_hash(text, strlen(text)) & (slots - 1);
		while (pool[at])
			at = (at + 1) & (slots - 1);
		pool[at] = writer->pool[i];
	}
	free(writer->pool);
	writer->pool = pool;
	writer->pool_slots = slots;
	return true;
}

uint32_t writer_string(struct image_writer *writer, const char *text, size_t len)
{
	if (writer->error || len == 0)
		return 0; /* the pool begins with an empty string */
	if ((writer->pool_used + 1) * 2 > writer->pool_slots && !pool_grow(writer))
		return 0;
	size_t mask = writer->pool_slots - 1, at = pool_hash(text, len) & mask;
	for (; writer->pool[at]; at = (at + 1) & mask) {
		const char *found = writer_at(writer, IMAGE_STRINGS, writer->pool[at]);
		if (strncmp(found, text, len) == 0 && found[len] == '\0')
			return writer->pool[at];
	}
	uint32_t offset = writer_count(writer, IMAGE_STRINGS);
	char *copy = writer_add(writer, IMAGE_STRINGS, len + 1);
	if (!copy)
		return 0;
	memcpy(copy, text, len);
	writer->pool[at] = offset;
	writer->pool_used++;
	return offset;
}

static size_t aligned(size_t size)
{
	return (size + IMAGE_ALIGN - 1) / IMAGE_ALIGN * IMAGE_ALIGN;
}

static size_t section_size(const struct image_writer *writer, enum image_section_kind kind)
{
	return (size_t)writer_count(writer, kind) * image_record_size(kind);
}

/* Header, table, sections; each section begins aligned. */
int writer_assemble(const struct image_writer *writer, const uint8_t digest[SCOPE_DIGEST_SIZE],
		    void **image, size_t *size)
{
	size_t at =
	    sizeof(struct image_header) + IMAGE_SECTION_COUNT * sizeof(struct image_section);
	size_t total = at;

	for (unsigned int i = 0; i < IMAGE_SECTION_COUNT; i++)
		total += aligned(section_size(writer, i));
	uint8_t *bytes = calloc(1, total);
	if (!bytes)
		return -ENOMEM;
	struct image_header *header = (struct image_header *)bytes;
	*header = (struct image_header){.version = IMAGE_VERSION,
					.header_size = sizeof(*header),
					.size = total,
					.section_count = IMAGE_SECTION_COUNT};
	memcpy(header->magic, IMAGE_MAGIC, sizeof(header->magic));
	memcpy(header->digest, digest, SCOPE_DIGEST_SIZE);
	struct image_section *table = (struct image_section *)(header + 1);
	for (unsigned int i = 0; i < IMAGE_SECTION_COUNT; i++) {
		table[i] =
		    (struct image_section){at, writer_count(writer, i), image_record_size(i)};
		if (section_size(writer, i))
			memcpy(bytes + at, writer->section[i].data, section_size(writer, i));
		at += aligned(section_size(writer, i));
	}
	image_body_hash(bytes, total, header->body_hash);
	*image = bytes;
	*size = total;
	return 0;
}

void writer_free(struct image_writer *writer)
{
	for (unsigned int i = 0; i < IMAGE_SECTION_COUNT; i++)
		free(writer->section[i].data);
	free(writer->rules);
	free(writer->pool);
}
