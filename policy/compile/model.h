/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model: a manifest after parsing, includes, variables and resolution; what the image is made
 * from. Stages, in order:
 *
 *   yaml.c       bytes → node tree with marks
 *   manifest.c   nodes → model (key tables, typed setters)
 *   variables.c  ${…}
 *   include.c    profiles and ./relative.yaml, merged as a union
 *   spellings.c  symbolic links
 *   programs.c   interpreters
 *   canonical.c  order and text of the rules, digest
 *   image.c      model → image bytes
 *
 * The model owns all its strings (allocated with malloc; model_free() frees them).
 */
#ifndef REMIT_COMPILE_MODEL_H
#define REMIT_COMPILE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/compile/diagnostics.h"
#include "policy/core/scope.h"

struct port_range {
	uint16_t low, high; /* inclusive */
};

/* Strings of a growing list; both owned. */
struct string_list {
	char **items;
	size_t count;
};

struct model_rule {
	enum rule_section section;
	enum rule_origin origin;
	bool denial, quiet, pattern;
	uint32_t rights, conditions;
	char *id;     /* never NULL after parsing */
	char *reason; /* NULL when absent */
	char *text;   /* canonical spelling after variables; see struct rule */
	char *value;  /* env.set */
	char *file;
	uint32_t line, column;
	struct string_list
	    spellings; /* paths: further spellings through symbolic links, from spellings.c */
	struct string_list excepts; /* paths or patterns, with their resolved spellings appended */
	size_t excepts_resolved;    /* how many those at the end are: no part of the digest */
	struct string_list args; /* patterns of arguments (core/arguments.h), CONDITION_ARGS */
	uint8_t sha256[32];
	enum network_kind network;
	uint8_t protocol, family, prefix, ip[16];
	struct port_range *ports; /* sorted, disjoint */
	size_t port_count;
};

/* One line of `tests:`, e.g. "write ${WORKSPACE}/out.csv" after variables. */
struct model_test {
	bool allow;
	char *query;
	char *file;
	uint32_t line, column;
};

struct model {
	char *agent_id, *purpose, *owner;
	int64_t expires;
	enum record_mode record;
	unsigned int record_said; /* rank of what some file said of it; 0: none did */
	uint64_t capabilities;
	uint64_t processes, open_files, memory_bytes, cpu_seconds, wall_seconds, file_bytes;
	uint64_t log_bytes;
	struct model_rule *rules;
	size_t rule_count;
	struct model_test *tests;
	size_t test_count;
	struct string_list files; /* every file that was read, the manifest first: the launcher
				     protects them from writing */
	struct places *places; /* what resolve_model() has learned of the file system; else NULL */
};

/* The values of ${…}. Each is the caller's, absolute where it is a path; NULL leaves the variable
 * unknown. */
struct variable {
	const char *name, *value;
};

struct compile_options {
	const char *workspace; /* absolute, clean */
	const char *home, *user, *uid;
	const char *tmp; /* in the canonical text, and so in the digest, written as ${TMP} wherever
			    it is a prefix */
	const struct variable *set; /* --set NAME=value */
	size_t set_count;
	const char *profile_dir; /* where built-in profiles live */
	bool profile; /* a file made to be included is read by itself, to test it: it has no agent */
	bool resolve; /* follow symbolic links and find interpreters on this machine; off for
			 reproducible goldens */
	struct siblings *siblings; /* siblings.h; NULL: each name is looked at by itself. Within a
				      session always: its gate would refuse and report a listing */
};

/* Parses a manifest from a file, or from memory with `name` for messages and relative includes. 0,
 * -EINVAL with diagnostics filled, or -ENOMEM. */
int manifest_read_file(const char *path, const struct compile_options *options, struct model *out,
		       struct diagnostics *diagnostics);
int manifest_read(const char *name, const char *text, size_t len,
		  const struct compile_options *options, struct model *out,
		  struct diagnostics *diagnostics);

/* The rights that the items of a section grant or deny. */
uint32_t model_section_rights(enum rule_section section, bool *ret_denial);

static inline bool rule_is_network(enum rule_section section)
{
	return section == SECTION_NETWORK_CONNECT || section == SECTION_NETWORK_LISTEN ||
	       section == SECTION_NETWORK_DENY;
}

/* Adds a rule to a model that was read: session rules. `path` is absolute and clean; section says
 * grant or denial. 0 or -ENOMEM. */
int model_add_path(struct model *model, enum rule_section section, enum rule_origin origin,
		   const char *id, const char *path);

void model_free(struct model *model); /* leaves it zeroed; NULL is fine */

/* The canonical text that is digested and that `show` prints: one rule a line, sorted. *out is
 * malloc'ed. */
int canonical_text(const struct model *model, const struct compile_options *options, char **out,
		   size_t *len);
void canonical_digest(const char *text, size_t len, uint8_t digest[SCOPE_DIGEST_SIZE]);

/* The image bytes, malloc'ed; deterministic. digest as computed above. 0, -ENOMEM, or -E2BIG past a
 * limit of the format. */
int image_build(const struct model *model, const uint8_t digest[SCOPE_DIGEST_SIZE], void **image,
		size_t *size);

#endif
