/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of a scope image: written by policy/compile/image*.c, checked by scope_check.c, read
 * by the rest of this folder. Nobody else in the program includes this file; tests do, to break one.
 *
 * Little-endian, fixed-width, offsets instead of pointers, so the bytes may be mapped anywhere
 * (aligned to 8). After the header comes a table of sections; each says where it lies, how many
 * records it has and how wide a record is, so that records can grow at their end. Everything from
 * IMAGE_HASHED_FROM to the end is under the XXH3-128 of the header; the digest of the canonical
 * scope lies within.
 *
 * Paths: one open-addressed table of nodes. A node is a literal prefix of some rule; its hash is
 * the XXH3 of its last component, seeded by the hash of its parent. Three roots, so that the same
 * table also holds variable names and abstract socket names. A node's effects are the
 * unconditional literal rules that end on it, folded to one grant and one denial for each right;
 * its matchers are all other rules whose literal prefix it is: patterns, denials with exceptions,
 * rules with conditions.
 *
 * Addresses: a level is one (protocol, family, prefix length) with its own hash table of networks;
 * a network has sorted, disjoint port intervals. "*" is stored as prefix length 0 of both families.
 */
#ifndef REMIT_CORE_IMAGE_H
#define REMIT_CORE_IMAGE_H

#include <stdint.h>

#include "policy/core/scope.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the image is little-endian and read in place"
#endif

#define IMAGE_MAGIC "REMIT\x1a\n"
#define IMAGE_VERSION 2
#define IMAGE_ALIGN 8
#define IMAGE_NONE UINT32_MAX
/* No section may hold more records, nor the string pool more bytes. */
#define IMAGE_RECORDS_MAX (1U << 28)

enum image_section_kind {
	IMAGE_ABOUT,	     /* one struct image_about */
	IMAGE_RULES,	     /* struct image_rule, in canonical order */
	IMAGE_STRINGS,	     /* bytes; begins and ends with NUL */
	IMAGE_TEXTS,	     /* struct image_text: spellings, exceptions and arguments of rules */
	IMAGE_PORTS,	     /* struct image_port_range: a network rule's ports as written */
	IMAGE_NODES,	     /* struct image_node; the first ROOT_COUNT are the roots */
	IMAGE_NODE_SLOTS,    /* struct image_slot, a power of two, at least one empty */
	IMAGE_EFFECTS,	     /* struct image_effect */
	IMAGE_MATCHERS,	     /* struct image_matcher, those of one node together */
	IMAGE_LEVELS,	     /* struct image_level, longest prefix first within a family */
	IMAGE_NETWORKS,	     /* struct image_network */
	IMAGE_NETWORK_SLOTS, /* struct image_slot, one table for each level */
	IMAGE_INTERVALS,     /* struct image_interval */
	IMAGE_SECTION_COUNT,
};

struct image_header {
	uint8_t magic[8];
	uint32_t version;
	uint32_t header_size;  /* the section table begins here */
	uint8_t body_hash[16]; /* XXH3-128, canonical form, of the bytes that follow it */
	uint64_t size;
	uint32_t section_count;
	uint32_t reserved;
	uint8_t digest[SCOPE_DIGEST_SIZE];
};
#define IMAGE_HASHED_FROM 32

struct image_section {
	uint64_t offset;
	uint32_t count;
	uint32_t stride;
};

struct image_range {
	uint32_t first, count;
};

enum image_about_flag {
	ABOUT_HOSTS = 1 << 0,
	ABOUT_DATAGRAMS = 1 << 1,
	ABOUT_EXEC_CONDITIONS = 1 << 2,
};

/* {TCP, UDP} × {IPv4, IPv6} */
#define IMAGE_FAMILIES 4
static inline unsigned int image_family(unsigned int protocol, unsigned int family)
{
	return (protocol == PROTOCOL_UDP ? 2U : 0U) + (family == FAMILY_IP6 ? 1U : 0U);
}

struct image_about {
	uint32_t agent_id, purpose, owner; /* strings */
	uint32_t record;
	int64_t expires;
	uint64_t capabilities;
	uint64_t processes, open_files, memory_bytes, cpu_seconds, wall_seconds, file_bytes;
	uint32_t flags;
	uint32_t log_kib; /* audit.max_size; 0: no bound */
	struct image_range levels[IMAGE_FAMILIES]; /* by image_family() */
};

enum image_rule_flag {
	RULE_DENIAL = 1 << 0,
	RULE_QUIET = 1 << 1,
	RULE_PATTERN = 1 << 2,
};

struct image_rule {
	uint32_t id, reason, text, value, file; /* strings */
	uint32_t line;
	uint32_t rights, conditions;
	uint8_t section, origin, flags, network;
	uint8_t protocol, family, prefix, reserved;
	uint8_t ip[16];
	uint8_t sha256[32];
	struct image_range spellings, excepts; /* texts */
	struct image_range ports;
	struct image_range args; /* texts: patterns of arguments, when conditions has CONDITION_ARGS */
};

struct image_text {
	uint32_t offset, len; /* a NUL follows */
};

struct image_port_range {
	uint16_t low, high;
	uint32_t reserved;
};

enum image_root {
	ROOT_PATH,     /* "/" */
	ROOT_ENV,      /* one node a variable name; its right is RIGHT_READ */
	ROOT_ABSTRACT, /* one node a name */
	ROOT_COUNT,
};

struct image_node {
	uint64_t hash;
	uint32_t parent; /* lower than the node's own number; a root's is IMAGE_NONE */
	uint32_t name, name_len;
	uint32_t effect; /* or IMAGE_NONE */
	struct image_range matchers;
	uint8_t beneath_grants, beneath_denials; /* rights that nodes strictly beneath touch */
	uint8_t reserved[6];
};

/* Empty: item 0. The tag is the upper half of the hash, so that most misses touch nothing else. */
struct image_slot {
	uint32_t tag;
	uint32_t item; /* number of the node or network, plus one */
};

#define RIGHT_COUNT 5
#define RIGHT_ALL ((1U << RIGHT_COUNT) - 1)

struct image_effect {
	uint32_t grant[RIGHT_COUNT], denial[RIGHT_COUNT]; /* lowest rule for each right, or NONE */
	uint8_t lane[RIGHT_COUNT];			  /* of the grant */
	uint8_t reserved[3];
};

struct image_matcher {
	uint32_t rule;
	uint32_t tail, tail_len; /* pattern for what follows the node; empty: the node itself */
	uint32_t conditions;
	struct image_range excepts; /* texts */
	uint8_t rights, denial;
	uint8_t reserved[6];
};

struct image_level {
	uint8_t protocol, family, prefix, reserved;
	uint32_t slot, slot_count; /* a power of two, at least one empty */
	uint32_t reserved2;
};

struct image_network {
	uint8_t ip[16]; /* masked */
	struct image_range intervals;
};

enum image_direction { DIRECTION_CONNECT, DIRECTION_LISTEN, DIRECTION_COUNT };

struct image_interval {
	uint16_t low, high;
	uint32_t grant[DIRECTION_COUNT], denial[DIRECTION_COUNT]; /* rules, or IMAGE_NONE */
	uint32_t reserved;
};

/* Width of the records of a section as this version writes them. */
uint32_t image_record_size(enum image_section_kind kind);

/* The hash of a root; of a node from its parent's; of a network within its level. */
uint64_t image_root_hash(enum image_root root);
uint64_t image_node_hash(uint64_t parent, const char *name, size_t len);
uint64_t image_network_hash(unsigned int family, unsigned int prefix, const uint8_t ip[16]);
void image_mask(uint8_t ip[16], unsigned int prefix);
/* The mask of an address's first or second eight bytes, as they are read in one. */
static inline uint64_t image_mask_word(unsigned int word, unsigned int prefix)
{
	unsigned int bits = prefix > 64 * word ? prefix - 64 * word : 0;

	if (bits == 0)
		return 0;
	return bits >= 64 ? ~UINT64_C(0) : __builtin_bswap64(~UINT64_C(0) << (64 - bits));
}

/* Of the bytes from IMAGE_HASHED_FROM on. */
void image_body_hash(const uint8_t *image, size_t size, uint8_t out[16]);

static inline const void *image_record(const struct scope *scope, enum image_section_kind kind,
				       uint32_t index)
{
	return (const uint8_t *)scope->section[kind] + (size_t)index * scope->stride[kind];
}

static inline const char *image_string(const struct scope *scope, uint32_t offset)
{
	return (const char *)scope->section[IMAGE_STRINGS] + offset;
}

/* 0 or -EBADMSG with *why set: every reference of the sections is in bounds. scope_check.c. */
int image_check_records(const struct scope *scope, const char **why);

#endif
