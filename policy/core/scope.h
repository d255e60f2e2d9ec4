/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scope image: what a manifest compiles to, and how to read it. Layout in image.h, beside this
 * file.
 *
 * scope_open() checks everything once (bounds, counts, hash, string ends, references between
 * records), so that lookups need not. A hostile image is an error, never a crash. Nothing here
 * allocates or makes system calls.
 */
#ifndef REMIT_CORE_SCOPE_H
#define REMIT_CORE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/core/address.h"

#define RULE_NONE UINT32_MAX
#define SCOPE_DIGEST_SIZE 32 /* BLAKE2b-256 of the canonical scope */

enum right {
	RIGHT_READ = 1 << 0,
	RIGHT_WRITE = 1 << 1, /* a grant of write always comes with RIGHT_READ; a denial of it
				 (deny_write) need not */
	RIGHT_EXEC = 1 << 2,  /* a grant of exec always comes with RIGHT_READ, a denial of reading
				 with a denial of exec: the kernel reads what it executes */
	RIGHT_CONNECT = 1 << 3, /* unix sockets by path */
	RIGHT_LISTEN = 1 << 4,
};

/* Which list of the manifest a rule stands in; names by rule_section_name(). */
enum rule_section {
	SECTION_FILES_READ,
	SECTION_FILES_WRITE,
	SECTION_FILES_DENY,
	SECTION_FILES_DENY_WRITE,
	SECTION_EXEC_ALLOW,
	SECTION_EXEC_DENY,
	SECTION_NETWORK_CONNECT,
	SECTION_NETWORK_LISTEN,
	SECTION_NETWORK_DENY,
	SECTION_ENV_PASS,
	SECTION_ENV_SET,
	SECTION_COUNT,
};

/* Where a rule comes from. Session rules protect remit itself (manifest, shim, log); they are not
 * part of the digest. */
enum rule_origin {
	ORIGIN_MANIFEST,
	ORIGIN_PROFILE, /* an included built-in profile */
	ORIGIN_IMPLIED, /* follows from another rule, e.g. the interpreter of a granted script */
	ORIGIN_SESSION,
};

enum network_kind {
	NETWORK_IP,   /* ip/prefix and ports */
	NETWORK_ANY,  /* "*" : any address of either family, with ports */
	NETWORK_HOST, /* host name or "*.suffix" pattern; accepted, never matched, refused at launch
		       */
	NETWORK_UNIX, /* path in text */
	NETWORK_ABSTRACT, /* name in text (after the "@") */
};

/* One rule as `show` prints it and the plan reads it. Strings live as long as the mapping and end
 * with NUL. */
struct rule {
	enum rule_section section;
	enum rule_origin origin;
	bool denial;
	bool quiet;
	bool pattern;	     /* text has wildcards */
	uint32_t rights;     /* enum right; files, exec and unix rules */
	uint32_t conditions; /* enum condition */
	const char *id;	     /* the item's id, else "files.read[2]" */
	const char *reason;  /* "" when none was given */
	const char
	    *text; /* canonical: path, pattern, "tcp:10.0.0.0/8:80,8000-8010", variable name */
	const char *value; /* env.set: the value; else "" */
	const char *file;  /* manifest or profile it stands in; line counts from 1 */
	uint32_t line;
	uint32_t spelling_count; /* further spellings after symbolic links; see scope_spelling() */
	uint32_t except_count;	 /* see scope_except() */
	uint32_t args_count;	 /* patterns of arguments; see scope_args() */
	uint8_t sha256[32];	 /* when conditions has CONDITION_SHA256 */
	/* network rules */
	enum network_kind network;
	uint8_t protocol, family, prefix; /* prefix length in bits */
	uint8_t ip[16];
	uint32_t port_range_count; /* see scope_port_range() */
};

/* RECORD_NONE: single refusals are counted and not written. */
enum record_mode { RECORD_DENIALS, RECORD_ALL, RECORD_STRICT, RECORD_NONE };

struct scope_about {
	const char *agent_id, *purpose, *owner; /* owner "" when absent */
	int64_t expires;			/* seconds since the epoch; 0: never */
	enum record_mode record;
	uint64_t capabilities; /* bit n: root keeps capability n of linux/capability.h */
	/* limits; 0: none was set */
	uint64_t processes, open_files, memory_bytes, cpu_seconds, wall_seconds, file_bytes;
	uint64_t log_bytes; /* of one session's audit log; 0: no bound was set */
	bool has_hosts; /* some rule names a host: refuse to launch */
	bool has_datagrams; /* some rule grants udp or a unix socket: sends have addresses */
	bool has_exec_conditions; /* some grant or denial of exec has a condition */
	uint8_t digest[SCOPE_DIGEST_SIZE];
	uint8_t body_hash[16]; /* XXH3-128 of the body */
};

/* A validated view of an image that the caller keeps mapped and unchanged. Treat as opaque; a plain
 * value, nothing to free. */
struct scope {
	const uint8_t *base;
	size_t size;
	const void *section[16];
	uint32_t count[16];
	uint32_t stride[16];
};

/* 0, or -EBADMSG (not an image, damaged, hostile) or -EPROTONOSUPPORT (a newer version). *why, when
 * not NULL, gets a static text. */
int scope_open(struct scope *out, const void *image, size_t size, const char **why);
/* For bytes that scope_open() has been through before, in a process that is trusted, and that cannot
 * have changed since (a sealed memfd): reads the header and the table of sections alone, however
 * large the image is. */
int scope_open_again(struct scope *out, const void *image, size_t size);
/* For an opened scope of somebody who may want it slow: true when its patterns, exceptions and
 * argument patterns have no more than so many bytes together, each counted as often as names may
 * lead to it, and no spellings are shared. */
bool scope_costs_within(const struct scope *scope, uint64_t bytes);

void scope_about(const struct scope *scope, struct scope_about *out);
uint32_t scope_rule_count(const struct scope *scope);
/* index < scope_rule_count(); an index out of range gives an empty rule. Rules are in canonical
 * order: the same meaning gives the same order. */
void scope_rule(const struct scope *scope, uint32_t index, struct rule *out);
const char *scope_spelling(const struct scope *scope, uint32_t rule,
			   uint32_t n); /* n < spelling_count, else NULL */
const char *scope_except(const struct scope *scope, uint32_t rule, uint32_t n);
const char *scope_args(const struct scope *scope, uint32_t rule, uint32_t n);
bool scope_port_range(const struct scope *scope, uint32_t rule, uint32_t n, uint16_t *low,
		      uint16_t *high);

const char *rule_section_name(enum rule_section section); /* "files.read", "exec.allow", … */

#endif
