/* SPDX-License-Identifier: Apache-2.0 */
/* What writer and readers of the image must compute alike. */
#include "policy/core/image.h"

#include <string.h>

#include "policy/core/hash.h"

/* Any constant does; it keeps the roots' names apart. */
#define ROOT_SEED UINT64_C(0x72656d697400)

uint32_t image_record_size(enum image_section_kind kind)
{
	static const uint32_t size[IMAGE_SECTION_COUNT] = {
	    [IMAGE_ABOUT] = sizeof(struct image_about),
	    [IMAGE_RULES] = sizeof(struct image_rule),
	    [IMAGE_STRINGS] = 1,
	    [IMAGE_TEXTS] = sizeof(struct image_text),
	    [IMAGE_PORTS] = sizeof(struct image_port_range),
	    [IMAGE_NODES] = sizeof(struct image_node),
	    [IMAGE_NODE_SLOTS] = sizeof(struct image_slot),
	    [IMAGE_EFFECTS] = sizeof(struct image_effect),
	    [IMAGE_MATCHERS] = sizeof(struct image_matcher),
	    [IMAGE_LEVELS] = sizeof(struct image_level),
	    [IMAGE_NETWORKS] = sizeof(struct image_network),
	    [IMAGE_NETWORK_SLOTS] = sizeof(struct image_slot),
	    [IMAGE_INTERVALS] = sizeof(struct image_interval),
	};

	return size[kind];
}

uint64_t image_root_hash(enum image_root root)
{
	return hash_bytes("", 0, ROOT_SEED + (uint64_t)root);
}

uint64_t image_node_hash(uint64_t parent, const char *name, size_t len)
{
	return hash_bytes(name, len, parent);
}

uint64_t image_network_hash(unsigned int family, unsigned int prefix, const uint8_t ip[16])
{
	return hash_bytes(ip, 16, (uint64_t)family << 8 | prefix);
}

void image_mask(uint8_t ip[16], unsigned int prefix)
{
	uint64_t word[2];

	memcpy(word, ip, sizeof(word));
	for (unsigned int i = 0; i < 2; i++)
		word[i] &= image_mask_word(i, prefix);
	memcpy(ip, word, sizeof(word));
}

void image_body_hash(const uint8_t *image, size_t size, uint8_t out[16])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical,
				 XXH3_128bits(image + IMAGE_HASHED_FROM, size - IMAGE_HASHED_FROM));
	memcpy(out, canonical.digest, 16);
}
