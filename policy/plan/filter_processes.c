/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of calls that name a process, or make one. */
#include <linux/ptrace.h>
#include <sched.h>

#include "policy/plan/filter_rows.h"
#include "shim/common/protocol.h"

#define SIGN32 0x80000000ULL
#define NR_KILL 62

/* A process is named by a positive number; groups and everybody are Landlock's to sort out, process
 * by process. With the tag the kernel is tried first, as for files: kill() is never interrupted,
 * and a call that waits for the gate is. */
static void kill_family(struct row_writer *w)
{
	w->class = CLASS_PID;
	if (w->terms->scoped_signals && w->from->nr == NR_KILL) {
		when(add(w, FILTER_ALLOW, 0), 0, SIGN32, SIGN32);
		if (w->terms->fast_lane)
			when_equal(add(w, FILTER_ALLOW, 0), TAG_ARG, REMIT_TAG);
	}
	add(w, FILTER_NOTIFY, 0);
}

/* Programs signal their own threads by these all the time. */
static void signal_family(struct row_writer *w)
{
	bool native = w->terms->scoped_signals && w->terms->fast_lane;
	w->class = CLASS_PID;
	add(w, native ? FILTER_ALLOW : FILTER_NOTIFY, 0);
}

static void trace(struct row_writer *w)
{
	w->class = CLASS_PID;
	add(w, FILTER_NOTIFY, 0);
}

static void ptrace_call(struct row_writer *w)
{
	w->class = CLASS_PID;
	/* The bits that tell these two from all other requests that there are; what is notified
	 * needlessly goes on. */
	if (w->terms->traced) {
		when(add(w, FILTER_NOTIFY, 0), 0, 0x401f, PTRACE_ATTACH);
		when(add(w, FILTER_NOTIFY, 0), 0, 0x401f, PTRACE_SEIZE & 0x401f);
		add(w, FILTER_ALLOW, 0);
	} else {
		never(w);
	}
}

static void other(struct row_writer *w)
{
	w->class = CLASS_PID;
	when_equal(add(w, FILTER_ALLOW, 0), w->from->value, 0);
	add(w, FILTER_NOTIFY, 0);
}

static void self_or_notify(struct row_writer *w, uint64_t which)
{
	w->class = CLASS_PID;
	struct filter_clause *self = add(w, FILTER_ALLOW, 0);
	when_equal(self, 0, which);
	when_equal(self, 1, 0);
	add(w, FILTER_NOTIFY, 0);
}

static void set_priority(struct row_writer *w)
{
	self_or_notify(w, 0 /* PRIO_PROCESS, linux/resource.h */);
}

static void io_priority(struct row_writer *w)
{
	self_or_notify(w, 1 /* IOPRIO_WHO_PROCESS, linux/ioprio.h */);
}

static const uint32_t namespaces[] = {
    CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
    CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET,
};

static void refuse_namespaces(struct row_writer *w)
{
	w->class = CLASS_ARGS;
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++)
		when(never(w), 0, namespaces[i], namespaces[i]);
}

/* Here bit 7 is part of the exit signal, not CLONE_NEWTIME. */
static void clone_call(struct row_writer *w)
{
	refuse_namespaces(w);
	if (w->terms->gated_forks) {
		when(add(w, FILTER_ALLOW, 0), 0, CLONE_THREAD, CLONE_THREAD);
		add(w, FILTER_NOTIFY, 0);
	} else {
		add(w, FILTER_ALLOW, 0);
	}
}

static void fork_call(struct row_writer *w)
{
	w->class = w->terms->gated_forks ? CLASS_OBJECT : CLASS_ALLOW;
	add(w, w->terms->gated_forks ? FILTER_NOTIFY : FILTER_ALLOW, 0);
}

static void unshare_call(struct row_writer *w)
{
	refuse_namespaces(w);
	when(never(w), 0, 0x80 /* CLONE_NEWTIME, linux/sched.h */, 0x80);
	add(w, FILTER_ALLOW, 0);
}

row_function *const filter_process_rows[TREAT_COUNT] = {
    [TREAT_KILL] = kill_family,
    [TREAT_SIGNAL] = signal_family,
    [TREAT_PTRACE] = ptrace_call,
    [TREAT_TRACE] = trace,
    [TREAT_OTHER] = other,
    [TREAT_CLONE] = clone_call,
    [TREAT_FORK] = fork_call,
    [TREAT_UNSHARE] = unshare_call,
    [TREAT_SETPRIORITY] = set_priority,
    [TREAT_IOPRIO] = io_priority,
};
