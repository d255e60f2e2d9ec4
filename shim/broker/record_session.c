/* SPDX-License-Identifier: Apache-2.0 */
/* Lines about the session: how it begins, the sessions within it, how often rules were used, its
 * end. */
#include <string.h>
#include <unistd.h>

#include "policy/core/shown.h"
#include "policy/plan/broker_calls.h"
#include "policy/plan/layers.h"
#include "shim/broker/record_internal.h"
#include "shim/broker/usage.h"

#define ARGV_SHOWN 16
#define ARGV_BYTES 256

int records_inner(struct records *records, const struct record_inner *inner, const char *ending,
		  int status)
{
	struct json json;

	pthread_mutex_lock(&records->lock);
	record_line_open(records, &json, ending ? "inner_end" : "inner_begin");
	record_put_inner(&json, inner);
	if (ending) {
		json_string(&json, "ending", ending);
		json_number(&json, "status", status);
	}
	int error = record_line_close(records, &json);

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
	record_line_open(records, &json, "begin");
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
	int error = record_line_close(records, &json);

	pthread_mutex_unlock(&records->lock);
	return error;
}

int records_usage(struct records *records, const struct record_use *uses, size_t count, bool used)
{
	struct json json;

	pthread_mutex_lock(&records->lock);
	record_line_open(records, &json, "usage");
	json_array(&json, used ? "used" : "unused");
	for (size_t i = 0; i < count; i++) {
		json_object(&json, NULL);
		record_put_place(&json, &uses[i].rule);
		if (used) {
			json_number(&json, "broker", (int64_t)uses[i].broker);
			json_number(&json, "shim", (int64_t)uses[i].shim);
		}
		json_end(&json);
	}
	int error = record_line_close(records, &json);

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
	record_line_open(records, &json, "end");
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
	int error = record_line_close_last(records, &json);

	if (!error && records->regular)
		(void)!fdatasync(records->fd);
	pthread_mutex_unlock(&records->lock);
	return error;
}
