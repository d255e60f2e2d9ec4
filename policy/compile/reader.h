/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that read a manifest share: where they are, where the result goes, how to
 * complain, and the key table that every mapping of the language is read by. Private to this
 * folder.
 *
 * A setter returns 0, -EINVAL once it has complained (the reader goes on, to report more than one
 * mistake), or -ENOMEM (the reader stops).
 */
#ifndef REMIT_COMPILE_READER_H
#define REMIT_COMPILE_READER_H

#include <errno.h>
#include <sys/types.h>

#include "policy/compile/limits.h"
#include "policy/compile/model.h"
#include "policy/compile/variables.h"
#include "policy/compile/yaml.h"

struct seen_file {
	dev_t device;
	ino_t inode;
	bool open; /* still being read: to meet it again is a cycle */
};

/* What all files of one manifest share. */
struct reading {
	const struct compile_options *options;
	struct model *model;
	struct diagnostics *diagnostics;
	struct seen_file seen[LIMIT_FILES];
	size_t seen_count;
	struct document documents[LIMIT_FILES]; /* kept to the end, for the lines in messages */
	char *texts[LIMIT_FILES], *names[LIMIT_FILES]; /* owned; NULL for the caller's */
	size_t document_count;
	bool has_agent;
};

/* One file. */
struct reader {
	struct reading *all;
	const struct document *document;
	enum rule_origin origin;
	const char *prefix; /* of default ids: "", "base:", … */
	const char *folder; /* that ./x.yaml is relative to */
	unsigned int depth; /* 0: the manifest itself */
};

struct key {
	const char *name;
	int (*set)(struct reader *reader, const struct key *key, const struct node *value,
		   void *target);
	size_t offset;		   /* into the target, for the plain setters */
	enum rule_section section; /* for lists of rules */
	bool allow;		   /* for lists of tests */
};

/* Reads a mapping by its table: unknown keys (with a near match), duplicates and merge keys are
 * errors. `what` names the mapping in messages: "files". */
int reader_map(struct reader *reader, const struct node *node, const char *what,
	       const struct key *keys, size_t count, void *target);

/* Calls each() for every item of a list; NULL items and what is no list are errors. */
int reader_list(struct reader *reader, const struct node *node, const char *what,
		int (*each)(struct reader *reader, const struct key *key, const struct node *item,
			    size_t index, void *target),
		const struct key *key, void *target);

/* The scalar's text if it is one: not empty, no NUL, no control characters; NULL after a complaint.
 */
const char *reader_text(struct reader *reader, const struct node *node, const char *what);

/* The same with ${…} replaced; malloc'ed. */
int reader_expand(struct reader *reader, const struct node *node, const char *what,
		  enum value_quoting quoting, char **out);
/* Of a scalar that reader_text() has taken, with values of the caller's. */
int reader_expand_with(struct reader *reader, const struct node *node,
		       const struct compile_options *options, enum value_quoting quoting,
		       char **out);

/* Complains about a node, or about `width` characters from `offset` bytes into its text (0: all).
 * Returns -EINVAL. */
int reader_error(struct reader *reader, const struct node *node, const char *hint,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));
int reader_error_at(struct reader *reader, const struct node *node, size_t offset, size_t width,
		    const char *hint, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
void reader_warn(struct reader *reader, const struct node *node, const char *hint,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* `did you mean "x"?`, malloc'ed, or NULL. */
char *reader_near(const char *word, const char *const *candidates, size_t count);

/* Keeps the first error but lets -ENOMEM win. */
static inline int reader_worst(int a, int b)
{
	return a == -ENOMEM || !b ? a : b;
}

/* manifest.c: one file's root mapping. */
int manifest_root(struct reader *reader);

/* include.c: the `include:` list. */
int include_list(struct reader *reader, const struct key *key, const struct node *value,
		 void *target);

enum source_result { SOURCE_READ, SOURCE_SEEN, SOURCE_CYCLE, SOURCE_FAILED };

/* source.c: one file, bounded, into *text (malloc'ed), entered among the seen ones and the model's
 * files; a file that was read already is not read again. SOURCE_FAILED comes with *err: -ENOENT and
 * kin, -EFBIG, -EMLINK (too many files), -ENODEV (no regular file), -ENOMEM. */
enum source_result source_read(struct reading *all, const char *path, bool pipes, char **text,
			       size_t *len, size_t *seen, int *err);
const char *source_why(int err); /* in plain words */

/* rules.c: setters of the four sections that hold rules. */
int rules_files(struct reader *reader, const struct key *key, const struct node *value,
		void *target);
int rules_exec(struct reader *reader, const struct key *key, const struct node *value,
	       void *target);
int rules_network(struct reader *reader, const struct key *key, const struct node *value,
		  void *target);
int rules_env(struct reader *reader, const struct key *key, const struct node *value, void *target);

/* agent.c: who the agent is, and what holds for the whole session. */
int agent_section(struct reader *reader, const struct key *key, const struct node *value,
		  void *target);
int agent_limits(struct reader *reader, const struct key *key, const struct node *value,
		 void *target);
int agent_capabilities(struct reader *reader, const struct key *key, const struct node *value,
		       void *target);
int agent_audit(struct reader *reader, const struct key *key, const struct node *value,
		void *target);

/* Grown at powers of two, so that the count alone says when the room is used up. */
int list_grow(void **items, size_t count, size_t size);
int string_list_add(struct string_list *list, const char *text);

/* A new rule of the model, zeroed, or NULL for want of memory or past LIMIT_RULES. */
struct model_rule *model_rule_new(struct model *model);
void model_rule_clear(struct model_rule *rule);

/* checks.c: what only all files together can show. */
int checks_run(struct reading *all);


#endif
