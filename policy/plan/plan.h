/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: a scope and the probed kernel turned into plain data. Landlock rules for the wall and
 * the hull, a filter table for seccomp, a lane for each rule. No system calls in this folder: it
 * sees the file system only through struct plan_view, so tests give it a made-up one.
 *
 *   wall ⊆ scope ⊆ hull
 */
#ifndef REMIT_PLAN_PLAN_H
#define REMIT_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/core/decide.h"
#include "policy/core/scope.h"
#include "policy/plan/features.h"

enum view_kind { VIEW_ABSENT, VIEW_FILE, VIEW_FOLDER, VIEW_LINK, VIEW_OTHER };

/* How the plan sees the file system. list() calls back once a name (no "." or ".."); a non-zero
 * return of the callback stops it and is returned. */
struct plan_view {
	enum view_kind (*kind)(void *context,
			       const char *path); /* of the path itself, links not followed */
	int (*list)(void *context, const char *folder, int (*each)(void *arg, const char *name),
		    void *arg);
	void *context;
	/* The SHA-256 of a file's content now; NULL, or false: not known. */
	bool (*sha256)(void *context, const char *path, uint8_t out[32]);
};

struct path_access {
	char *path;	 /* owned; exists, no symbolic link in it */
	uint64_t access; /* LANDLOCK_ACCESS_FS_*, linux/landlock.h */
	uint32_t rule;	 /* the rule it comes from; RULE_NONE for what the broker needs itself */
	size_t up;	 /* the nearest of the domain's paths above it; PATH_NONE */
};
#define PATH_NONE SIZE_MAX

struct port_access {
	uint16_t port;
	uint64_t access; /* LANDLOCK_ACCESS_NET_* */
};

/* One Landlock domain. handled_* == 0 means that kind is not restricted by it. */
struct domain {
	uint64_t handled_fs, handled_net, scoped;
	struct path_access *paths;
	size_t path_count;
	struct port_access *ports;
	size_t port_count;
};

/* What the filter does with a call. */
enum filter_action {
	FILTER_ALLOW,
	FILTER_NOTIFY,
	FILTER_ERRNO,
};

/* How a syscall is classified (the design's words); the clauses say what that means in BPF. */
enum filter_class { CLASS_ALLOW, CLASS_PATH, CLASS_OBJECT, CLASS_ARGS, CLASS_PID, CLASS_ERRNO };

enum compare { COMPARE_EQ, COMPARE_MASKED_EQ };

struct filter_compare {
	uint8_t arg; /* 0..5 */
	enum compare op;
	uint64_t mask, value; /* mask only for MASKED_EQ */
};

/* A clause applies when all its compares hold. */
#define CLAUSE_COMPARES 3
struct filter_clause {
	enum filter_action action;
	int error; /* positive errno, FILTER_ERRNO only */
	uint8_t compare_count;
	struct filter_compare compare[CLAUSE_COMPARES];
};

struct filter_row {
	int nr;		  /* x86-64 number */
	const char *name; /* as in the man page */
	enum filter_class class;
	const char *why; /* a few words */
	uint8_t clause_count;
	const struct filter_clause *clause; /* the first that applies decides; the last one always
					       applies. In plan.clauses */
};

/* What became of one rule. */
struct plan_line {
	uint32_t rule;
	enum lane lane;
	char *why; /* owned; e.g. "literal path, nothing denied beneath: 1 Landlock rule" */
	size_t landlock_rules;
};

/*
 * The calls that may go to the kernel also without the tag, so that programs without the shim meet
 * Landlock and nothing else. Only where no refusal needs a record (audit.record none) and the wall
 * is all of the scope for them. Names are the gate's in any case: the name of a granted folder
 * itself is in the scope and never in the wall.
 */
enum native {
	NATIVE_READ,  /* open() that only reads */
	NATIVE_WRITE, /* open() that writes, empties or makes; creat(), truncate() */
	NATIVE_EXEC,
	NATIVE_COUNT,
};

struct native_class {
	bool on;
	uint32_t rule;	 /* the first that keeps it at the gate; RULE_NONE: none does */
	const char *why; /* static; NULL: no rule, the session is not of the kind */
};

const char *native_name(enum native native); /* "read", "write", "exec" */

struct plan {
	struct domain wall, hull;
	/* Sorted by number; one without a row is the gate's, which says ENOSYS. */
	struct filter_row *filter;
	size_t filter_count;
	struct filter_clause *clauses; /* what the rows point into */
	struct plan_line *lines;
	size_t line_count;
	char **losses; /* what this kernel does not enforce, one sentence each: launch only with
			  --allow-degraded; owned */
	size_t loss_count;
	const char *impossible; /* static: the loss without which there is no session, not even
				   with --allow-degraded; NULL: it can start */
	bool fast_lane;		/* false for audit.record strict */
	bool records_none;	/* audit.record none */
	struct native_class native[NATIVE_COUNT];
	bool gated_sends; /* sendmsg and addressed sendto go through the gate; else no datagram
			     socket exists in the session */
	bool gated_forks; /* limits.processes: process creation is counted at the gate */
};

struct plan_options {
	/* What the broker needs beyond the scope: read-only and read-write paths that exist, e.g.
	 * "/proc", the private tmp, the state folder. */
	const char *const *broker_read, *const *broker_write;
	size_t broker_read_count, broker_write_count;
	const char *const *interpreters; /* ELF interpreters of this machine (ld.so): EXECUTE in the
					    wall when any exec is granted */
	size_t interpreter_count;
	bool gate_around;   /* the session is inside another, whose filter it cannot widen */
	size_t carve_limit; /* most Landlock rules that one carve may make; 0: the default, 4096 */
};

/* 0 or -ENOMEM. *out is owned by the caller: plan_free(). */
int plan_build(const struct scope *scope, const struct features *features,
	       const struct plan_view *view, const struct plan_options *options, struct plan *out);
void plan_free(struct plan *plan); /* NULL is fine; leaves it zeroed */

/* True when some call may go to the kernel without tag or gate. */
bool plan_is_native(const struct plan *plan);

/* What the filter does with a call of this kernel's own architecture: the meaning that the BPF must
 * have. A number without a row is notified, upon which the gate answers ENOSYS. The answer is
 * static or the plan's. */
const struct filter_clause *plan_filter_clause(const struct plan *plan, int nr,
					       const uint64_t args[6]);

/* True when Landlock's wall of this plan covers `rights` (enum right: READ, WRITE, EXEC) on path
 * (real, clean): the gate may then answer CONTINUE. Signal-safe, O(components). */
bool plan_in_wall(const struct plan *plan, const char *path, size_t len, uint32_t rights);

/* The same, counting only the rules of the wall (by index in wall.paths) that `holds` says yes to:
 * rules hang on inodes, and a path that was replaced since is in the wall no more. NULL: all. */
bool plan_in_wall_now(const struct plan *plan, const char *path, size_t len, uint32_t rights,
		      bool (*holds)(void *context, size_t index), void *context);

/* For people and goldens; one line a rule, row or path. */
void plan_print(const struct plan *plan, const struct scope *scope, FILE *stream);
void plan_print_json(const struct plan *plan, const struct scope *scope, FILE *stream);
void plan_print_filter(const struct plan *plan, FILE *stream);

#endif
