/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of calls that are judged by a path or an object, or that all sessions treat alike. */
#include <fcntl.h>

#include "policy/plan/filter_rows.h"
#include "shim/common/protocol.h"

#define NR_TRUNCATE 76
#define NR_CREAT 85
#define NR_OPENAT 257

static void allow(struct row_writer *w)
{
	w->class = CLASS_ALLOW;
	add(w, FILTER_ALLOW, 0);
}

static void tag_or_notify(struct row_writer *w, bool tag)
{
	w->class = CLASS_PATH;
	if (tag)
		when_equal(add(w, FILTER_ALLOW, 0), TAG_ARG, REMIT_TAG);
	add(w, FILTER_NOTIFY, 0);
}

/* Landlock alone, but for who asks for the gate: a shim whose tagged call was refused, for the
 * explanation. */
static void native(struct row_writer *w)
{
	w->class = CLASS_PATH;
	when_equal(add(w, FILTER_NOTIFY, 0), TAG_ARG, REMIT_TAG_GATE);
	add(w, FILTER_ALLOW, 0);
}

static void path(struct row_writer *w)
{
	bool writes = w->from->nr == NR_TRUNCATE || w->from->nr == NR_CREAT;
	if (writes && w->terms->native_write)
		native(w);
	else
		tag_or_notify(w, w->terms->fast_lane);
}

/*
 * With O_PATH the kernel drops every other flag but the harmless three (build_open_how(),
 * fs/open.c). Access mode 3 opens for commands to devices alone: neither for reading nor for
 * writing, so Landlock asks for no right and the wall holds nothing. open() has no fast lane: the
 * shim calls openat() instead, and the program stays short.
 */
static void open_family(struct row_writer *w)
{
	const uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC;
	bool tag = w->terms->fast_lane && w->from->nr == NR_OPENAT;
	when(add(w, FILTER_ALLOW, 0), w->from->value, O_PATH, O_PATH);
	if (tag || w->terms->native_read)
		when(add(w, FILTER_NOTIFY, 0), w->from->value, O_ACCMODE, O_ACCMODE);
	if (w->terms->native_read && w->terms->native_write) {
		native(w);
		return;
	}
	if (w->terms->native_read) {
		struct filter_clause *asks = add(w, FILTER_NOTIFY, 0);
		when(asks, w->from->value, writing, 0);
		when_equal(asks, TAG_ARG, REMIT_TAG_GATE);
		when(add(w, FILTER_ALLOW, 0), w->from->value, writing, 0);
	}
	tag_or_notify(w, tag);
}

static void exec(struct row_writer *w)
{
	if (w->terms->native_exec)
		native(w);
	else
		tag_or_notify(w, w->terms->exec_fast_lane);
}

static void object(struct row_writer *w)
{
	w->class = CLASS_OBJECT;
	add(w, FILTER_NOTIFY, 0);
}

static void error(struct row_writer *w)
{
	w->class = CLASS_ERRNO;
	add(w, FILTER_ERRNO, w->from->value);
}

static void never_call(struct row_writer *w)
{
	w->class = CLASS_OBJECT;
	never(w);
}

row_function *const filter_path_rows[TREAT_COUNT] = {
    [TREAT_ALLOW] = allow, [TREAT_PATH] = path,	    [TREAT_OPEN] = open_family,
    [TREAT_EXEC] = exec,   [TREAT_OBJECT] = object, [TREAT_NEVER] = never_call,
    [TREAT_ERRNO] = error,
};
