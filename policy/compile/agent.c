// SPDX-License-Identifier: Apache-2.0
/*
 * Who the agent is, and what holds for the whole session: limits, capabilities, the audit's mode.
 * An include may only tighten limits and the audit (the smaller limit, the stricter mode wins), so
 * the order of includes means nothing.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/compile/reader.h"
#include "policy/compile/values.h"

#define COUNT_MAX (4ull * 1024 * 1024) /* PID_MAX_LIMIT, linux/threads.h */

static char **text_field(struct model *model, const struct key *key)
{
	return (char **)(void *)((char *)model + key->offset);
}

static uint64_t *number_field(struct model *model, const struct key *key)
{
	return (uint64_t *)(void *)((char *)model + key->offset);
}

static int store_text(char **field, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static bool id_ok(const char *text)
{
	if (!islower((unsigned char)text[0]) && !isdigit((unsigned char)text[0]))
		return false;
	for (const char *at = text; *at; at++)
		if (!islower((unsigned char)*at) && !isdigit((unsigned char)*at) &&
		    !strchr("._-", *at))
			return false;
	return strlen(text) <= LIMIT_ID;
}

static int set_id(struct reader *reader, const struct key *key, const struct node *value,
		  void *target)
{
	const char *text = reader_text(reader, value, "agent.id");

	if (!text)
		return -EINVAL;
	if (!id_ok(text))
		return reader_error(reader, value,
				    "a-z, 0-9, dot, underscore and hyphen; it begins with a letter "
				    "or digit; at most 64",
				    "bad agent id \"%.80s\"", text);
	return store_text(text_field(target, key), text);
}

static int set_line(struct reader *reader, const struct key *key, const struct node *value,
		    void *target)
{
	char what[32];
	const char *text;

	snprintf(what, sizeof(what), "agent.%s", key->name);
	text = reader_text(reader, value, what);
	if (!text)
		return -EINVAL;
	if (strlen(text) > LIMIT_TEXT)
		return reader_error(reader, value, NULL,
				    "%s is longer than " LIMIT_NUMBER(LIMIT_TEXT) " bytes", what);
	return store_text(text_field(target, key), text);
}

static int set_expires(struct reader *reader, const struct key *key, const struct node *value,
		       void *target)
{
	const char *text = reader_text(reader, value, "agent.expires"), *why;
	struct model *model = target;

	(void)key;
	if (!text)
		return -EINVAL;
	if (value_time(text, &model->expires, &why))
		return reader_error(reader, value, NULL, "bad time \"%.60s\": %s", text, why);
	return 0;
}

static int agent_complete(struct reader *reader, const struct node *value,
			  const struct model *model)
{
	int err = 0;

	/* A key that is there but wrong has been complained about. */
	for (size_t i = 0; i + 1 < value->count; i += 2) {
		const struct node *name = value->items[i];

		if (name->kind == NODE_SCALAR && !strcmp(name->text, "id"))
			err |= 1;
		if (name->kind == NODE_SCALAR && !strcmp(name->text, "purpose"))
			err |= 2;
	}
	if (!(err & 1) && !model->agent_id)
		reader_error(reader, value, "like id: invoice-bot", "agent.id is missing");
	if (!(err & 2) && !model->purpose)
		reader_error(reader, value, "like purpose: Reconcile supplier invoices",
			     "agent.purpose is missing");
	return err == 3 ? 0 : -EINVAL;
}

int agent_section(struct reader *reader, const struct key *key, const struct node *value,
		  void *target)
{
	static const struct key keys[] = {
	    {.name = "id", .set = set_id, .offset = offsetof(struct model, agent_id)},
	    {.name = "purpose", .set = set_line, .offset = offsetof(struct model, purpose)},
	    {.name = "owner", .set = set_line, .offset = offsetof(struct model, owner)},
	    {.name = "expires", .set = set_expires},
	};
	int err;

	(void)key;
	if (reader->depth)
		return reader_error(reader, value,
				    "leave it to the manifest that includes this file",
				    "an included file may not say who the agent is");
	reader->all->has_agent = true;
	err = reader_map(reader, value, "agent", keys, sizeof(keys) / sizeof(*keys), target);
	if (value->kind == NODE_MAP && err != -ENOMEM)
		err = reader_worst(err, agent_complete(reader, value, target));
	return err;
}

struct limit_kind {
	const char *section, *what;
	int (*parse)(const char *text, uint64_t *out, const char **why);
};

/* The smallest that any file says. */
static int set_limit(struct reader *reader, const struct key *key, const struct node *value,
		     void *target, const struct limit_kind *kind)
{
	uint64_t *field = number_field(target, key), number;
	const char *text, *why;
	char what[32];

	snprintf(what, sizeof(what), "%s.%s", kind->section, key->name);
	text = reader_text(reader, value, what);
	if (!text)
		return -EINVAL;
	if (kind->parse(text, &number, &why))
		return reader_error(reader, value, NULL, "bad %s \"%.60s\": %s", kind->what, text,
				    why);
	if (!*field || number < *field)
		*field = number;
	return 0;
}

static int parse_count(const char *text, uint64_t *ret_count, const char **why)
{
	return value_count(text, COUNT_MAX, ret_count, why);
}

static int set_count(struct reader *reader, const struct key *key, const struct node *value,
		     void *target)
{
	static const struct limit_kind kind = {"limits", "number", parse_count};

	return set_limit(reader, key, value, target, &kind);
}

static int set_size(struct reader *reader, const struct key *key, const struct node *value,
		    void *target)
{
	static const struct limit_kind kind = {"limits", "size", value_size};

	return set_limit(reader, key, value, target, &kind);
}

static int set_duration(struct reader *reader, const struct key *key, const struct node *value,
			void *target)
{
	static const struct limit_kind kind = {"limits", "duration", value_duration};

	return set_limit(reader, key, value, target, &kind);
}

/* The first record of a session has to fit. */
static int parse_log_size(const char *text, uint64_t *out, const char **why)
{
	int err = value_size(text, out, why);

	if (err || *out >= LIMIT_LOG_LEAST)
		return err;
	*why = "a log needs 64KiB or more";
	return -EINVAL;
}

static int set_log_size(struct reader *reader, const struct key *key, const struct node *value,
			void *target)
{
	static const struct limit_kind kind = {"audit", "size", parse_log_size};

	return set_limit(reader, key, value, target, &kind);
}

int agent_limits(struct reader *reader, const struct key *key, const struct node *value,
		 void *target)
{
	static const struct key keys[] = {
	    {.name = "processes", .set = set_count, .offset = offsetof(struct model, processes)},
	    {.name = "open_files", .set = set_count, .offset = offsetof(struct model, open_files)},
	    {.name = "memory", .set = set_size, .offset = offsetof(struct model, memory_bytes)},
	    {.name = "cpu_time",
	     .set = set_duration,
	     .offset = offsetof(struct model, cpu_seconds)},
	    {.name = "wall_time",
	     .set = set_duration,
	     .offset = offsetof(struct model, wall_seconds)},
	    {.name = "file_size", .set = set_size, .offset = offsetof(struct model, file_bytes)},
	};

	(void)key;
	return reader_map(reader, value, "limits", keys, sizeof(keys) / sizeof(*keys), target);
}

struct capability {
	const char *name;
	unsigned int number; /* linux/capability.h */
};

/* README.md says why these and no others. */
static const struct capability CAPABILITIES[] = {
    {"chown", 0}, {"dac_override", 1},	    {"fowner", 3},    {"fsetid", 4},
    {"kill", 5},  {"net_bind_service", 10}, {"sys_nice", 23},
};
#define CAPABILITY_COUNT (sizeof(CAPABILITIES) / sizeof(*CAPABILITIES))

/* A name as people write it elsewhere, "CAP_CHOWN", brought to ours. */
static void capability_plain(const char *text, char *out, size_t size)
{
	size_t len = 0;

	if (!strncasecmp(text, "cap_", 4))
		text += 4;
	for (; text[len] && len + 1 < size; len++)
		out[len] = (char)tolower((unsigned char)text[len]);
	out[len] = '\0';
}

static int unknown_capability(struct reader *reader, const struct node *item, const char *text)
{
	const char *names[CAPABILITY_COUNT];
	char plain[32], *hint;

	for (size_t i = 0; i < CAPABILITY_COUNT; i++)
		names[i] = CAPABILITIES[i].name;
	capability_plain(text, plain, sizeof(plain));
	hint = reader_near(plain, names, CAPABILITY_COUNT);
	reader_error(reader, item,
		     hint ? hint
			  : "chown, dac_override, fowner, fsetid, kill, net_bind_service, sys_nice",
		     "\"%.40s\" is not a capability that an agent may keep", text);
	free(hint);
	return -EINVAL;
}

static int add_capability(struct reader *reader, const struct key *key, const struct node *item,
			  size_t index, void *target)
{
	const char *text = reader_text(reader, item, "an item in capabilities");
	struct model *model = target;

	(void)key;
	(void)index;
	if (!text)
		return -EINVAL;
	for (size_t i = 0; i < CAPABILITY_COUNT; i++) {
		if (strcmp(CAPABILITIES[i].name, text) != 0)
			continue;
		model->capabilities |= UINT64_C(1) << CAPABILITIES[i].number;
		return 0;
	}
	return unknown_capability(reader, item, text);
}

int agent_capabilities(struct reader *reader, const struct key *key, const struct node *value,
		       void *target)
{
	return reader_list(reader, value, "capabilities", add_capability, key, target);
}

/* Of several files that say something the one that records most counts. */
static int set_record(struct reader *reader, const struct key *key, const struct node *value,
		      void *target)
{
	static const char *const names[] = {"none", "denials", "all", "strict"};
	static const enum record_mode modes[] = {RECORD_NONE, RECORD_DENIALS, RECORD_ALL,
						 RECORD_STRICT};
	const char *text = reader_text(reader, value, "audit.record");
	struct model *model = target;
	char *hint;

	(void)key;
	if (!text)
		return -EINVAL;
	for (unsigned int i = 0; i < 4; i++) {
		if (strcmp(names[i], text) != 0)
			continue;
		if (i + 1 > model->record_said) {
			model->record = modes[i];
			model->record_said = i + 1;
		}
		return 0;
	}
	hint = reader_near(text, names, 4);
	reader_error(reader, value, hint,
		     "audit.record is none, denials, all or strict, not \"%.40s\"", text);
	free(hint);
	return -EINVAL;
}

int agent_audit(struct reader *reader, const struct key *key, const struct node *value,
		void *target)
{
	static const struct key keys[] = {
	    {.name = "record", .set = set_record},
	    {.name = "max_size", .set = set_log_size, .offset = offsetof(struct model, log_bytes)},
	};

	(void)key;
	return reader_map(reader, value, "audit", keys, sizeof(keys) / sizeof(*keys), target);
}
