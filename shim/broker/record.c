/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: see record.h for what it promises. Lines are built by json.c in one fixed buffer,
 * under one lock that also gives out `seq`, so that the order in the file is the order of the
 * numbers.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/core/hash.h"
#include "policy/core/shown.h"
#include "policy/plan/broker_calls.h"
#include "policy/plan/layers.h"
#include "shim/broker/json.h"
#include "shim/broker/record.h"
#include "shim/broker/usage.h"

#define LINE_MAX_BYTES 98304 /* holds an object and an exe of escapes only, and both in hex */
#define SEEN_BITS 12	     /* explanations remembered: 4096, the oldest of a bucket goes */
#define SEEN_WAYS 4
#define TOP_MAX 256 /* different refusals that the summary can count */
#define TOP_SHOWN 10
#define TOP_TEXT 160
#define ARGV_SHOWN 16
#define ARGV_BYTES 256

struct top {
	uint64_t hash, count;
	char text[TOP_TEXT];
};

struct records {
	int fd;
	bool regular;
	char session[64];
	char agent[80];
	char digest[2 * SCOPE_DIGEST_SIZE + 1];
	enum record_mode mode;
	pthread_mutex_t lock;
	uint64_t seq;
	atomic_ullong allowed; /* counted without the lock */
	struct record_totals totals;
	atomic_bool broken;
	uint64_t seen[1 << SEEN_BITS];
	uint8_t seen_next[(1 << SEEN_BITS) / SEEN_WAYS];
	struct top top[TOP_MAX];
	size_t top_count;
	uint64_t top_missed;
	char line[LINE_MAX_BYTES];
};

int records_open(int fd, const char *session_id, const struct scope *scope, struct records **out)
{
	struct records *records = calloc(1, sizeof(*records));
	struct scope_about about;
	struct stat st;

	if (!records) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	scope_about(scope, &about);
	records->fd = fd;
	records->regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	records->mode = about.record;
	snprintf(records->session, sizeof(records->session), "%s", session_id);
	snprintf(records->agent, sizeof(records->agent), "%s", about.agent_id);
	for (size_t i = 0; i < SCOPE_DIGEST_SIZE; i++)
		snprintf(records->digest + 2 * i, 3, "%02x", about.digest[i]);
	pthread_mutex_init(&records->lock, NULL);
	*out = records;
	return 0;
}

void records_resume(struct records *records, uint64_t seq)
{
	records->seq = seq;
}

void records_name(const struct records *records, struct record_inner *out)
{
	snprintf(out->session, sizeof(out->session), "%.*s", (int)sizeof(out->session) - 1,
		 records->session);
	memcpy(out->agent, records->agent, sizeof(out->agent));
	memcpy(out->scope, records->digest, sizeof(out->scope));
}

void records_close(struct records *records)
{
	if (!records)
		return;
	if (records->fd >= 0)
		close(records->fd);
	pthread_mutex_destroy(&records->lock);
	free(records);
}

bool records_broken(const struct records *records)
{
	return atomic_load(&records->broken);
}

void records_totals(struct records *records, struct record_totals *out)
{
	pthread_mutex_lock(&records->lock);
	*out = records->totals;
	out->allowed = atomic_load(&records->allowed);
	pthread_mutex_unlock(&records->lock);
}

/* The fields that every line opens with. Under lock. */
static void line_open(struct records *records, struct json *json, const char *event)
{
	struct timespec now;
	struct tm tm;
	char text[64];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);

	snprintf(text + n, sizeof(text) - n, ".%09ldZ", now.tv_nsec);
	json_open(json, records->line, sizeof(records->line));
	json_string(json, "time", text);
	if (event)
		json_string(json, "event", event);
	json_string(json, "session", records->session);
	json_string(json, "agent", records->agent);
	json_string(json, "scope", records->digest);
	json_number(json, "seq", (int64_t)records->seq);
}

/* Puts a line out whole. A short write cannot be taken back: a regular file is cut to where it was,
 * and the log counts as broken either way. Under lock. */
static int line_close(struct records *records, struct json *json)
{
	long len = json_close(json);

	if (atomic_load(&records->broken))
		return -EIO;
	if (len < 0)
		goto broken;
	if (records->fd < 0)
		return 0;
	ssize_t n;

	do
		n = write(records->fd, records->line, (size_t)len);
	while (n < 0 && errno == EINTR);
	if (n == len) {
		records->seq++;
		records->totals.written++;
		return 0;
	}
	if (n > 0 && records->regular) {
		struct stat st;

		if (fstat(records->fd, &st) == 0 && st.st_size >= n)
			(void)!ftruncate(records->fd, st.st_size - n);
	}
broken:
	atomic_store(&records->broken, true);
	return -EIO;
}

/* Under lock. */
static void count_refusal(struct records *records, const struct record *record)
{
	char text[TOP_TEXT];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s ", record->op);

	if (n >= sizeof(text))
		n = sizeof(text) - 1;
	shown_text(record->object, record->object_len, text + n, sizeof(text) - n);
	uint64_t hash = hash_bytes(record->object, record->object_len,
				   hash_bytes(record->op, strlen(record->op), 0));

	for (size_t i = 0; i < records->top_count; i++) {
		if (records->top[i].hash == hash) {
			records->top[i].count++;
			return;
		}
	}
	if (records->top_count == TOP_MAX) {
		records->top_missed++;
		return;
	}
	struct top *top = &records->top[records->top_count++];

	top->hash = hash;
	top->count = 1;
	memcpy(top->text, text, sizeof(text));
}

static void write_place(struct json *json, const struct rule *rule)
{
	json_string(json, "id", rule->id);
	json_string(json, "file", rule->file);
	json_number(json, "line", rule->line);
}

static void write_rule(struct json *json, const struct record *record)
{
	if (record->rule) {
		json_object(json, "rule");
		write_place(json, record->rule);
		json_end(json);
	} else {
		json_null(json, "rule");
	}
	if (record->why)
		json_string(json, "why", record->why);
	if (record->by)
		json_string(json, "by", record->by);
}

static void write_inner(struct json *json, const struct record_inner *inner)
{
	json_object(json, "inner");
	json_string(json, "session", inner->session);
	json_string(json, "agent", inner->agent);
	json_string(json, "scope", inner->scope);
	json_end(json);
}

int records_write(struct records *records, const struct record *record)
{
	bool allowed = record->verdict == VERDICT_ALLOWED;
	struct json json;

	if (allowed) {
		atomic_fetch_add_explicit(&records->allowed, 1, memory_order_relaxed);
		if (records->mode == RECORD_DENIALS || records->mode == RECORD_NONE)
			return atomic_load(&records->broken) ? -EIO : 0;
	}
	pthread_mutex_lock(&records->lock);
	if (!allowed) {
		records->totals.refused++;
		if (record->quiet)
			records->totals.quiet++;
		else
			count_refusal(records, record);
	}
	if (records->mode == RECORD_NONE) {
		pthread_mutex_unlock(&records->lock);
		return atomic_load(&records->broken) ? -EIO : 0;
	}
	line_open(records, &json, NULL);
	json_number(&json, "pid", record->pid);
	if (record->exe)
		json_bytes(&json, "exe", record->exe, strlen(record->exe));
	else
		json_null(&json, "exe");
	json_string(&json, "op", record->op);
	json_bytes(&json, "object", record->object, record->object_len);
	json_string(&json, "verdict", allowed ? "allowed" : "refused");
	write_rule(&json, record);
	json_string(&json, "lane", record->lane ? record->lane : lane_name(LANE_GATE));
	json_string(&json, "source", record->source == SOURCE_SHIM ? "shim" : "broker");
	json_number(&json, "errno", record->error);
	if (record->inner)
		write_inner(&json, record->inner);
	int error = line_close(records, &json);

	pthread_mutex_unlock(&records->lock);
	return error;
}

int records_inner(struct records *records, const struct record_inner *inner, const char *ending,
		  int status)
{
	struct json json;

	pthread_mutex_lock(&records->lock);
	line_open(records, &json, ending ? "inner_end" : "inner_begin");
	write_inner(&json, inner);
	if (ending) {
		json_string(&json, "ending", ending);
		json_number(&json, "status", status);
	}
	int error = line_close(records, &json);

	pthread_mutex_unlock(&records->lock);
	return error;
}

static void write_plan(struct json *json, const struct plan *plan)
{
	size_t lanes[LANE_WALL + 1] = {0};

	for (size_t i = 0; i < plan->line_count; i++) {
		if (plan->lines[i].lane <= LANE_WALL)
			lanes[plan->lines[i].lane]++;
	}
	json_object(json, "plan");
	for (enum lane lane = LANE_GATE; lane <= LANE_WALL; lane++)
		json_number(json, lane_name(lane), (int64_t)lanes[lane]);
	json_number(json, "wall_paths", (int64_t)plan->wall.path_count);
	json_number(json, "filter_rows", (int64_t)plan->filter_count);
	json_bool(json, "fast_lane", plan->fast_lane);
	json_array(json, "native");
	for (enum native native = 0; native < NATIVE_COUNT; native++) {
		if (plan->native[native].on)
			json_string(json, NULL, native_name(native));
	}
	json_end(json);
	json_bool(json, "gated_sends", plan->gated_sends);
	json_bool(json, "gated_forks", plan->gated_forks);
	json_array(json, "losses");
	for (size_t i = 0; i < plan->loss_count; i++)
		json_string(json, NULL, plan->losses[i]);
	json_end(json);
	json_end(json);
}

/* What `remit doctor` says of this place, as it is for this very session. */
static void write_layers(struct json *json, const struct features *features,
			 const struct plan *plan)
{
	struct layer_line lines[LAYER_LINES];
	char text[LAYER_TEXT_MAX];

	layers_build(features, plan, lines);
	json_object(json, "held_by");
	for (size_t i = 0; i < LAYER_LINES; i++)
		json_string(json, lines[i].name, layers_text(lines[i].layers, text));
	json_end(json);
	json_array(json, "without");
	for (size_t i = 0; i < feature_table_size; i++) {
		if (!feature_there(features, &feature_table[i]))
			json_string(json, NULL, feature_table[i].name);
	}
	json_end(json);
}

/* The arguments of which some are no UTF-8, as bytes. */
static void write_argv_hex(struct json *json, char *const argv[])
{
	bool utf8 = true;

	for (size_t i = 0; argv && argv[i] && i < ARGV_SHOWN; i++)
		utf8 = utf8 && shown_is_utf8(argv[i], strnlen(argv[i], ARGV_BYTES));
	if (utf8)
		return;
	json_array(json, "argv_hex");
	for (size_t i = 0; i < ARGV_SHOWN && argv[i]; i++)
		json_hex(json, NULL, argv[i], strnlen(argv[i], ARGV_BYTES));
	json_end(json);
}

int records_begin(struct records *records, const struct plan *plan, const struct features *features,
		  char *const argv[])
{
	static const char *const modes[] = {"denials", "all", "strict", "none"};
	struct json json;

	pthread_mutex_lock(&records->lock);
	line_open(records, &json, "begin");
	json_number(&json, "pid", getpid());
	json_string(&json, "version", REMIT_VERSION);
	json_string(&json, "record", modes[records->mode]);
	json_string(&json, "kernel", features->release);
	json_number(&json, "landlock_abi", features->landlock_abi);
	if (features->yama >= 0)
		json_number(&json, "yama", features->yama);
	write_layers(&json, features, plan);
	write_plan(&json, plan);
	/* So many system calls are open to the broker itself; all others are EPERM to it. */
	json_number(&json, "broker_calls", (int64_t)broker_call_count);
	json_array(&json, "argv");
	for (size_t i = 0; argv && argv[i] && i < ARGV_SHOWN; i++)
		json_bytes(&json, NULL, argv[i], strnlen(argv[i], ARGV_BYTES));
	json_end(&json);
	write_argv_hex(&json, argv);
	int error = line_close(records, &json);

	pthread_mutex_unlock(&records->lock);
	return error;
}

int records_usage(struct records *records, const struct record_use *uses, size_t count, bool used)
{
	struct json json;

	pthread_mutex_lock(&records->lock);
	line_open(records, &json, "usage");
	json_array(&json, used ? "used" : "unused");
	for (size_t i = 0; i < count; i++) {
		json_object(&json, NULL);
		write_place(&json, &uses[i].rule);
		if (used) {
			json_number(&json, "broker", (int64_t)uses[i].broker);
			json_number(&json, "shim", (int64_t)uses[i].shim);
		}
		json_end(&json);
	}
	int error = line_close(records, &json);

	pthread_mutex_unlock(&records->lock);
	return error;
}

static void write_usage(struct json *json, const struct usage_totals *usage)
{
	json_object(json, "usage");
	json_number(json, "grants", (int64_t)usage->rules);
	json_number(json, "used", (int64_t)usage->used);
	json_array(json, "source");
	json_string(json, NULL, "broker");
	if (usage->shims)
		json_string(json, NULL, "shim");
	json_end(json);
	if (usage->shims)
		json_number(json, "shim_unknown", (int64_t)usage->unknown);
	json_end(json);
}

int records_end(struct records *records, const struct record_totals *extra, int status,
		const char *ending)
{
	struct json json;

	pthread_mutex_lock(&records->lock);
	line_open(records, &json, "end");
	json_string(&json, "ending", ending);
	json_number(&json, "status", status);
	json_number(&json, "allowed", (int64_t)atomic_load(&records->allowed));
	json_number(&json, "refused", (int64_t)records->totals.refused);
	json_number(&json, "quiet", (int64_t)records->totals.quiet);
	json_number(&json, "written", (int64_t)records->totals.written);
	if (extra) {
		json_number(&json, "processes", (int64_t)extra->processes);
		json_number(&json, "unshimmed", (int64_t)extra->unshimmed);
		if (extra->usage)
			write_usage(&json, extra->usage);
	}
	int error = line_close(records, &json);

	if (!error && records->regular)
		(void)!fdatasync(records->fd);
	pthread_mutex_unlock(&records->lock);
	return error;
}

bool records_first_time(struct records *records, pid_t pid, enum verb verb, const char *object,
			size_t len)
{
	uint64_t key = hash_bytes(object, len, (uint64_t)(uint32_t)pid << 8 | (uint64_t)verb);
	size_t bucket = (key >> 8) & ((1u << SEEN_BITS) / SEEN_WAYS - 1);
	uint64_t *ways = records->seen + bucket * SEEN_WAYS;

	key |= 1; /* zero is an empty place */
	pthread_mutex_lock(&records->lock);
	bool first = true;

	for (size_t i = 0; i < SEEN_WAYS; i++)
		first = first && ways[i] != key;
	if (first)
		ways[records->seen_next[bucket]++ % SEEN_WAYS] = key;
	pthread_mutex_unlock(&records->lock);
	return first;
}

static int by_count(const void *a, const void *b)
{
	const struct top *left = a, *right = b;

	if (left->count != right->count)
		return left->count < right->count ? 1 : -1;
	return strcmp(left->text, right->text);
}

void records_summary(struct records *records, FILE *stream)
{
	pthread_mutex_lock(&records->lock);
	uint64_t shown = records->totals.refused - records->totals.quiet;

	if (shown != 0) {
		qsort(records->top, records->top_count, sizeof(*records->top), by_count);
		fprintf(stream, "remit: %llu refused (agent %s)\n", (unsigned long long)shown,
			records->agent);
		for (size_t i = 0; i < records->top_count && i < TOP_SHOWN; i++)
			fprintf(stream, "  %6llu  %s\n", (unsigned long long)records->top[i].count,
				records->top[i].text);
		if (records->top_count > TOP_SHOWN)
			fprintf(stream, "          and %s%zu more\n",
				records->top_missed ? "at least " : "",
				records->top_count - TOP_SHOWN);
	}
	pthread_mutex_unlock(&records->lock);
}
