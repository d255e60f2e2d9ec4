/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/prepare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/utsname.h>
#include <sys/syscall.h>

#include "policy/compile/diagnostics.h"
#include "shim/common/protocol.h"
#include "tools/output.h"
#include "tools/sight.h"

/* What the gate itself reads beyond the scope: its callers' memory, files and status. */
static const char *const broker_read[] = {"/proc"};

static void wrong_feature(const char *word)
{
	const char *names[32] = {"landlock", "yama"};
	size_t count = 2;
	char text[64];

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(word, ","), word);
	for (size_t i = 0; i < feature_table_size && count < 32; i++)
		names[count++] = feature_table[i].name;
	const char *near = diagnostics_near(text, names, count);

	if (near)
		output_error("--without: no feature %s; did you mean %s?", text, near);
	else
		output_error("--without: no feature %s; `remit doctor` lists them", text);
}

int prepare_without(void *target, const char *list)
{
	struct without *without = target;
	struct features none = {0};
	const char *wrong;

	if (features_without(&none, list, &wrong)) {
		wrong_feature(wrong);
		return -EINVAL;
	}
	if (without->count == sizeof(without->lists) / sizeof(without->lists[0])) {
		output_error("--without: more than %zu of them", without->count);
		return -E2BIG;
	}
	without->lists[without->count++] = list;
	return 0;
}

/* Within a session the gate is there already, and trying to make another fails: it says itself what
 * it works with. prctl(3) would cut the answer to an int. */
static bool inner_features(struct features *out)
{
	long bits = syscall(SYS_prctl, REMIT_HYPERCALL, HYPERCALL_NEST_FEATURES, 0, 0, 0);
	struct utsname name;

	if (bits < 0)
		return false;
	*out = (struct features){
	    .landlock_abi = (int)(bits & NEST_FEATURE_ABI),
	    .yama = (int)(bits >> NEST_FEATURE_YAMA_SHIFT) - 1,
	};
	for (size_t i = 0; i < feature_table_size; i++) {
		bool *there = (bool *)((char *)out + feature_table[i].offset);

		*there = bits >> (NEST_FEATURE_TABLE_SHIFT + i) & 1;
	}
	if (uname(&name) == 0)
		snprintf(out->release, sizeof(out->release), "%.64s", name.release);
	return true;
}

int prepare_start(struct prepared *out)
{
	int error = 0;

	*out = (struct prepared){.started = true};
	out->inner = inner_features(&out->features);
	if (!out->inner)
		error = kernel_probe_start(&out->probe);
	if (error)
		output_error("cannot find out what this kernel enforces: %s", strerror(-error));
	return error;
}

static int build_plan(const struct loaded *loaded, const char *private, struct prepared *out)
{
	const char *const broker_write[] = {private};
	struct plan_options options = {
	    .broker_read = broker_read,
	    .broker_read_count = sizeof(broker_read) / sizeof(broker_read[0]),
	    .broker_write = broker_write,
	    .broker_write_count = private ? 1 : 0,
	    .interpreters = (const char *const *)out->interpreters,
	    .interpreter_count = out->interpreter_count,
	    .gate_around = out->inner,
	};
	const struct sight sight = {
	    .siblings = loaded->options.siblings,
	    .tmp = private ? NULL : loaded->tmp,
	};
	const struct plan_view view = sight_view(&sight);

	return plan_build(&loaded->scope, &out->features, &view, &options, &out->plan);
}

int prepare(const struct loaded *loaded, const struct without *without, const char *private,
	    struct prepared *out)
{
	int error = out->started ? 0 : prepare_start(out);

	if (error)
		return error;
	if (!out->inner)
		kernel_probe_finish(&out->probe, &out->features);
	for (size_t i = 0; i < without->count; i++) {
		const char *wrong;

		features_without(&out->features, without->lists[i], &wrong);
	}
	error = place_interpreters(&out->interpreters, &out->interpreter_count);
	if (!error)
		error = build_plan(loaded, private, out);
	kernel_probe_drop(&out->probe);
	if (error)
		output_error("cannot plan the session: %s", strerror(-error));
	return error;
}

void prepare_free(struct prepared *prepared)
{
	for (size_t i = 0; i < prepared->interpreter_count; i++)
		free(prepared->interpreters[i]);
	free(prepared->interpreters);
	kernel_probe_drop(&prepared->probe);
	plan_free(&prepared->plan);
	*prepared = (struct prepared){0};
}
