/* SPDX-License-Identifier: Apache-2.0 */
/* See usage.h for what is counted where, and why. */
#include "shim/broker/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/core/decide.h"
#include "policy/core/shown.h"
#include "shim/broker/record.h"
#include "shim/common/protocol.h"
#include "shim/common/uapi.h"

/* Up to here all of the memory is there from the start, so that no shim ever meets a lack of it. */
#define FILLED_MAX 65536
/* The largest number that every reader of JSON keeps whole (RFC 8259, section 6). */
#define COUNT_MAX ((1ULL << 53) - 1)
/* What one rule may take in a line, beside id and file, each byte of which may be an escape. */
#define LINE_ROOM 49152
#define USE_ROOM 160
#define USES_MAX 64 /* rules in one line */
#define TEXT_ROOM 4096
#define LISTED_MAX 16384 /* rules in the log, of each kind; a summary tells how many there are */
#define SHOWN_MAX 32

struct usage {
	struct scope scope;
	uint32_t rules;
	int fd;
	bool shims;
	_Atomic uint64_t *gate; /* by rule */
	uint64_t *shim;		/* USAGE_UNKNOWN and the rules; as read */
};

/* The size can never change under a reader; what is in it can. */
static int shared_memory(uint64_t size)
{
	int fd = memfd_create("remit-usage", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) == 0 &&
	    (size > FILLED_MAX || fallocate(fd, 0, 0, (off_t)size) == 0) &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
	int error = -errno;

	close(fd);
	return error;
}

int usage_create(const struct scope *scope, bool no_exec, struct usage **out)
{
	struct usage *usage = calloc(1, sizeof(*usage));

	if (!usage)
		return -ENOMEM;
	usage->scope = *scope;
	usage->rules = scope_rule_count(scope);
	usage->fd = -1;
	usage->gate = calloc((size_t)usage->rules + 1, sizeof(*usage->gate));
	usage->shim = calloc((size_t)usage->rules + USAGE_UNKNOWN, sizeof(*usage->shim));
	int error = usage->gate && usage->shim ? 0 : -ENOMEM;

	if (!error && no_exec) {
		usage->fd = shared_memory(USAGE_SIZE(usage->rules));
		error = usage->fd < 0 ? usage->fd : 0;
	}
	if (error)
		usage_free(usage);
	else
		*out = usage;
	return error;
}

void usage_free(struct usage *usage)
{
	if (!usage)
		return;
	if (usage->fd >= 0)
		close(usage->fd);
	free(usage->gate);
	free(usage->shim);
	free(usage);
}

int usage_fd(const struct usage *usage)
{
	return usage->fd;
}

void usage_count(struct usage *usage, uint32_t rule)
{
	if (usage && rule < usage->rules)
		atomic_fetch_add_explicit(&usage->gate[rule], 1, memory_order_relaxed);
}

void usage_count_environment(struct usage *usage, char *const *from)
{
	for (; usage && from && *from; from++) {
		const char *end = strchr(*from, '=');
		struct query query = {.verb = VERB_ENV,
				      .object = OBJECT_NAME,
				      .text = *from,
				      .len = end ? (size_t)(end - *from) : 0};
		struct decision decision = decide(&usage->scope, &query);

		if (query.len && decision.verdict == VERDICT_ALLOWED)
			usage_count(usage, decision.rule);
	}
	for (uint32_t i = 0; usage && i < usage->rules; i++) {
		struct rule rule;

		scope_rule(&usage->scope, i, &rule);
		if (rule.section == SECTION_ENV_SET)
			usage_count(usage, i);
	}
}

static uint64_t bounded(uint64_t count)
{
	return count < COUNT_MAX ? count : COUNT_MAX;
}

static uint64_t by_gate(const struct usage *usage, uint32_t rule)
{
	return bounded(atomic_load_explicit(&usage->gate[rule], memory_order_relaxed));
}

static uint64_t by_shims(const struct usage *usage, uint32_t rule)
{
	return bounded(usage->shim[USAGE_UNKNOWN + rule]);
}

/* What a use of something implied (the end of a link, an interpreter) is a use of: the rule that
 * stands where it stands. */
static void fold(struct usage *usage, uint32_t implied, const struct rule *from)
{
	struct rule rule;

	for (uint32_t i = 0; i < usage->rules; i++) {
		scope_rule(&usage->scope, i, &rule);
		if (rule.section != from->section || rule.origin == ORIGIN_IMPLIED ||
		    rule.line != from->line || strcmp(rule.id, from->id) != 0 ||
		    strcmp(rule.file, from->file) != 0)
			continue;
		atomic_fetch_add(&usage->gate[i], by_gate(usage, implied));
		usage->shim[USAGE_UNKNOWN + i] =
		    bounded(by_shims(usage, i) + by_shims(usage, implied));
		return;
	}
}

/*
 * A grant that somebody wrote, and so may take away. A session's own rules are not the manifest's.
 */
static bool is_grant(const struct usage *usage, uint32_t index, struct rule *rule)
{
	scope_rule(&usage->scope, index, rule);
	return !rule->denial && (rule->origin == ORIGIN_MANIFEST || rule->origin == ORIGIN_PROFILE);
}

static bool is_used(const struct usage *usage, uint32_t rule)
{
	return by_gate(usage, rule) || by_shims(usage, rule);
}

void usage_read(struct usage *usage)
{
	char *to = (char *)usage->shim;
	size_t size = (size_t)USAGE_SIZE(usage->rules), done = 0;

	while (usage->fd >= 0 && done < size) {
		ssize_t n = pread(usage->fd, to + done, size - done, (off_t)done);

		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	usage->shims = done == size;
	if (!usage->shims)
		memset(usage->shim, 0, size);
	for (uint32_t i = 0; i < usage->rules; i++) {
		struct rule rule;

		scope_rule(&usage->scope, i, &rule);
		if (rule.origin == ORIGIN_IMPLIED && is_used(usage, i))
			fold(usage, i, &rule);
	}
}

void usage_totals(const struct usage *usage, struct usage_totals *out)
{
	struct rule rule;

	*out = (struct usage_totals){.shims = usage->shims};
	for (uint32_t i = 0; i < usage->rules; i++) {
		if (!is_grant(usage, i, &rule))
			continue;
		out->rules++;
		out->used += is_used(usage, i);
	}
	for (size_t verb = 0; verb < USAGE_UNKNOWN; verb++)
		out->unknown = bounded(out->unknown + bounded(usage->shim[verb]));
}

static size_t room_of(const char *text)
{
	size_t len = strlen(text);

	return 6 * (len < TEXT_ROOM ? len : TEXT_ROOM);
}

/* As many lines as the rules need: one holds what surely fits. */
static int record_kind(const struct usage *usage, struct records *records, bool used)
{
	struct record_use uses[USES_MAX];
	size_t count = 0, room = 0, listed = 0;
	struct rule rule;
	int error = 0;

	for (uint32_t i = 0; !error && i < usage->rules && listed < LISTED_MAX; i++) {
		if (!is_grant(usage, i, &rule) || is_used(usage, i) != used)
			continue;
		size_t more = USE_ROOM + room_of(rule.id) + room_of(rule.file);

		if (count == USES_MAX || (count && room + more > LINE_ROOM)) {
			error = records_usage(records, uses, count, used);
			count = room = 0;
		}
		uses[count++] = (struct record_use){
		    .rule = rule, .broker = by_gate(usage, i), .shim = by_shims(usage, i)};
		room += more;
		listed++;
	}
	return !error && count ? records_usage(records, uses, count, used) : error;
}

int usage_record(const struct usage *usage, struct records *records)
{
	int error = record_kind(usage, records, true);

	return error ? error : record_kind(usage, records, false);
}

/* The profiles are not the operator's to narrow, so their rules are counted and not named. */
static void print_kind(const struct usage *usage, bool used, FILE *stream)
{
	size_t shown = 0, more = 0, profiles = 0;
	char file[256], uses[24];
	struct rule rule;

	for (uint32_t i = 0; i < usage->rules; i++) {
		if (!is_grant(usage, i, &rule) || is_used(usage, i) != used)
			continue;
		if (rule.origin == ORIGIN_PROFILE) {
			profiles++;
			continue;
		}
		if (shown == SHOWN_MAX) {
			more++;
			continue;
		}
		shown++;
		shown_text(rule.file, strlen(rule.file), file, sizeof(file));
		uint64_t count = bounded(by_gate(usage, i) + by_shims(usage, i));

		snprintf(uses, sizeof(uses), "%llu", (unsigned long long)count);
		fprintf(stream, "  %10s  %s at %s:%u\n", used ? uses : "never", rule.id, file,
			rule.line);
	}
	if (more)
		fprintf(stream, "              and %zu more, in the log\n", more);
	if (profiles)
		fprintf(stream, "  %10s  %zu rule%s of the built-in profiles\n",
			used ? "used" : "never", profiles, profiles == 1 ? "" : "s");
}

void usage_print(const struct usage *usage, const char *agent, FILE *stream)
{
	struct usage_totals totals;

	usage_totals(usage, &totals);
	fprintf(stream,
		"remit: %llu of %llu grants were used (agent %s; as counted by the gate%s)\n",
		(unsigned long long)totals.used, (unsigned long long)totals.rules, agent,
		totals.shims ? " and told by the shims" : " alone");
	print_kind(usage, true, stream);
	print_kind(usage, false, stream);
	if (totals.unknown)
		fprintf(
		    stream,
		    "  %10llu  calls of the fast lane by names that no rule covers as written\n",
		    (unsigned long long)totals.unknown);
}
