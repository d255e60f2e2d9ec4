/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: see record.h for what it promises. Lines are built by json.c in one fixed buffer,
 * under one lock that also gives out `seq`, so that the order in the file is the order of the
 * numbers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shim/broker/record_internal.h"

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
	records->max_bytes = about.log_bytes;
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
	return atomic_load(&records->broken) || atomic_load(&records->full);
}

bool records_full(const struct records *records)
{
	return atomic_load(&records->full);
}

void records_totals(struct records *records, struct record_totals *out)
{
	pthread_mutex_lock(&records->lock);
	*out = records->totals;
	out->allowed = atomic_load(&records->allowed);
	pthread_mutex_unlock(&records->lock);
}

void record_line_open(struct records *records, struct json *json, const char *event)
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
 * and the log counts as broken either way. */
static int put_line(struct records *records, long len)
{
	ssize_t n;

	if (atomic_load(&records->broken))
		return -EIO;
	if (len < 0)
		goto broken;
	if (records->fd < 0)
		return 0;
	do
		n = write(records->fd, records->line, (size_t)len);
	while (n < 0 && errno == EINTR);
	if (n == len) {
		records->seq++;
		records->bytes += (uint64_t)n;
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

static bool fits(const struct records *records, long len)
{
	return !records->max_bytes || len < 0 ||
	       (uint64_t)len <= records->max_bytes - records->bytes;
}

/* The line that was to be written is lost, and what it was about is refused. */
static void close_full(struct records *records)
{
	struct json json;

	atomic_store(&records->full, true);
	record_line_open(records, &json, "full");
	json_number(&json, "max_size", (int64_t)records->max_bytes);
	put_line(records, json_close(&json));
}

int record_line_close(struct records *records, struct json *json)
{
	long len = json_close(json);

	if (atomic_load(&records->full))
		return -EIO;
	if (fits(records, len))
		return put_line(records, len);
	close_full(records);
	return -EIO;
}

int record_line_close_last(struct records *records, struct json *json)
{
	return put_line(records, json_close(json));
}

void record_put_place(struct json *json, const struct rule *rule)
{
	json_string(json, "id", rule->id);
	json_string(json, "file", rule->file);
	json_number(json, "line", rule->line);
}

void record_put_inner(struct json *json, const struct record_inner *inner)
{
	json_object(json, "inner");
	json_string(json, "session", inner->session);
	json_string(json, "agent", inner->agent);
	json_string(json, "scope", inner->scope);
	json_end(json);
}

static void write_rule(struct json *json, const struct record *record)
{
	if (record->rule) {
		json_object(json, "rule");
		record_put_place(json, record->rule);
		json_end(json);
	} else {
		json_null(json, "rule");
	}
	if (record->why)
		json_string(json, "why", record->why);
	if (record->by)
		json_string(json, "by", record->by);
}

int records_write(struct records *records, const struct record *record)
{
	bool allowed = record->verdict == VERDICT_ALLOWED;
	struct json json;

	if (allowed) {
		atomic_fetch_add_explicit(&records->allowed, 1, memory_order_relaxed);
		if (records->mode == RECORD_DENIALS || records->mode == RECORD_NONE)
			return records_broken(records) ? -EIO : 0;
	}
	pthread_mutex_lock(&records->lock);
	if (!allowed) {
		records->totals.refused++;
		if (record->quiet)
			records->totals.quiet++;
		else
			record_count_refusal(records, record);
	}
	if (records->mode == RECORD_NONE) {
		pthread_mutex_unlock(&records->lock);
		return records_broken(records) ? -EIO : 0;
	}
	record_line_open(records, &json, NULL);
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
		record_put_inner(&json, record->inner);
	int error = record_line_close(records, &json);

	pthread_mutex_unlock(&records->lock);
	return error;
}
