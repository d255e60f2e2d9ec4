/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the image's writer: image.c (rules and the order of all), image_sections.c
 * (sections, strings, the whole), image_tree.c (paths and names), image_lanes.c (lanes of grants),
 * image_networks.c (addresses). Deterministic: nothing depends on addresses, time or the order in
 * which the model lists its rules.
 *
 * Errors stick: after the first one every function does nothing, and image_build() returns it.
 */
#ifndef REMIT_COMPILE_IMAGE_WRITER_H
#define REMIT_COMPILE_IMAGE_WRITER_H

#include "policy/compile/model.h"
#include "policy/core/image.h"

struct image_records {
	uint8_t *data;
	uint32_t count, width; /* width: of one record */
	size_t capacity;       /* in bytes */
};

struct image_writer {
	struct image_records section[IMAGE_SECTION_COUNT];
	const struct model_rule **rules; /* in canonical order */
	uint32_t rule_count;
	uint32_t *pool; /* open-addressed: offsets of interned strings */
	size_t pool_slots, pool_used;
	int error; /* 0 or negative errno */
};

/* `count` zeroed records at the end of a section; NULL after an error. Moves the section. */
void *writer_add(struct image_writer *writer, enum image_section_kind kind, size_t count);
static inline void *writer_at(const struct image_writer *writer, enum image_section_kind kind,
			      uint32_t index)
{
	return writer->section[kind].data + (size_t)index * writer->section[kind].width;
}

static inline uint32_t writer_count(const struct image_writer *writer, enum image_section_kind kind)
{
	return writer->section[kind].count;
}

/* Offset of a string in the pool, where each is kept once. */
uint32_t writer_string(struct image_writer *writer, const char *text, size_t len);
void writer_fail(struct image_writer *writer, int error);
/* The whole, malloc'ed. 0 or a negative errno. */
int writer_assemble(const struct image_writer *writer, const uint8_t digest[SCOPE_DIGEST_SIZE],
		    void **image, size_t *size);
void writer_free(struct image_writer *writer);

/* What a rule gives or refuses, with what follows from it: writing and executing need reading. */
uint32_t writer_rights(const struct model_rule *rule);

void writer_tree(struct image_writer *writer);
/* After writer_tree(). */
void writer_lanes(struct image_writer *writer);
void writer_networks(struct image_writer *writer);

#endif
