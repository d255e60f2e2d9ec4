/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who holds what. A gate that cannot read its callers' memory still holds: by refusing. Where no
 * session can start, the table says what is not there to start with: nothing holds anything.
 */
#include "policy/plan/layers.h"

#include <string.h>

#include "policy/plan/access.h"

static const char refuses[] = "the gate cannot read arguments and refuses all";

static struct layer_line files(const struct features *f, const struct plan *plan)
{
	const char *native = plan->native[NATIVE_WRITE].on ? "opens by the wall alone"
			     : plan->native[NATIVE_READ].on
				 ? "opens that only read by the wall alone"
				 : NULL;
	return (struct layer_line){
	    .name = "files",
	    .what = "reading, writing and making files",
	    .layers = LAYER_WALL | LAYER_GATE,
	    .note = f->landlock_abi < ACCESS_ABI_BOUNDS ? "every call through the gate"
		    : features_blind(f)			? "only what the wall grants"
							: native,
	};
}

static struct layer_line truncating(const struct features *f)
{
	bool wall = f->landlock_abi >= 3;

	return (struct layer_line){
	    .name = "truncate",
	    .what = "truncating files",
	    .layers = wall ? LAYER_WALL | LAYER_GATE : LAYER_GATE,
	    .usual = LAYER_WALL | LAYER_GATE,
	    .note = wall ? NULL : "every call through the gate",
	};
}

static struct layer_line moving(const struct features *f)
{
	return (struct layer_line){
	    .name = "move",
	    .what = "moving and linking files between folders",
	    .layers = LAYER_WALL | LAYER_GATE,
	    .note = f->landlock_abi < 2 ? "refused altogether" : NULL,
	};
}

static struct layer_line attributes(const struct features *f)
{
	return (struct layer_line){
	    .name = "attributes",
	    .what = "mode, owner, times, attributes of files",
	    .layers = LAYER_GATE,
	    .note = features_blind(f) ? refuses : NULL,
	};
}

static struct layer_line programs(const struct features *f, const struct plan *plan)
{
	bool native = plan->native[NATIVE_EXEC].on;
	return (struct layer_line){
	    .name = "programs",
	    .what = "starting programs",
	    .layers = features_blind(f) || native ? LAYER_WALL : LAYER_WALL | LAYER_GATE,
	    .usual = native ? LAYER_WALL : LAYER_WALL | LAYER_GATE,
	    .note = features_blind(f) ? "the gate cannot read arguments: the wall alone"
		    : native	      ? "nothing of it needs the gate"
				      : NULL,
	};
}

static struct layer_line tcp(const struct features *f)
{
	bool wall = f->landlock_abi >= 4;

	return (struct layer_line){
	    .name = "tcp",
	    .what = "TCP connections and listening",
	    .layers = wall ? LAYER_WALL | LAYER_GATE : LAYER_GATE,
	    .usual = LAYER_WALL | LAYER_GATE,
	    .note = features_blind(f) ? refuses
		    : wall	      ? NULL
				      : "the gate alone",
	};
}

static struct layer_line datagrams(const struct features *f)
{
	return (struct layer_line){
	    .name = "datagrams",
	    .what = "UDP, unix sockets by path",
	    .layers = LAYER_GATE,
	    .note = features_blind(f) ? refuses
		    : !f->unshare_fs  ? "no unix socket can be bound to a path"
				      : NULL,
	};
}

static struct layer_line abstract(const struct features *f)
{
	bool wall = f->landlock_abi >= 6;

	return (struct layer_line){
	    .name = "abstract",
	    .what = "abstract unix sockets",
	    .layers = wall ? LAYER_WALL | LAYER_GATE : LAYER_GATE,
	    .usual = LAYER_WALL | LAYER_GATE,
	    .note = wall ? NULL : "the gate alone",
	};
}

static struct layer_line signals(const struct plan *plan)
{
	bool wall = (plan->wall.scoped & SCOPE_SIGNAL) != 0;

	return (struct layer_line){
	    .name = "signals",
	    .what = "signals to other processes",
	    .layers = wall ? LAYER_WALL : LAYER_GATE,
	    .usual = LAYER_WALL,
	    .note = wall ? NULL : "the gate looks whether the process is of the session",
	};
}

static struct layer_line devices(const struct features *f)
{
	bool wall = f->landlock_abi >= 5;

	return (struct layer_line){
	    .name = "devices",
	    .what = "commands to devices (ioctl)",
	    .layers = wall ? LAYER_WALL | LAYER_FILTER : LAYER_FILTER,
	    .usual = LAYER_WALL | LAYER_FILTER,
	    .note = wall ? NULL : "devices in granted folders outside /dev are not limited",
	};
}

static struct layer_line memory(const struct features *f)
{
	return (struct layer_line){
	    .name = "memfd",
	    .what = "programs in memory",
	    .layers = LAYER_GATE,
	    .note = f->memfd_noexec ? NULL : "memfd_create is refused altogether",
	};
}

void layers_build(const struct features *f, const struct plan *plan,
		  struct layer_line out[LAYER_LINES])
{
	const struct layer_line lines[] = {
	    files(f, plan),
	    truncating(f),
	    moving(f),
	    attributes(f),
	    programs(f, plan),
	    tcp(f),
	    datagrams(f),
	    abstract(f),
	    signals(plan),
	    /* Landlock has bounded tracing since its first version. */
	    {.name = "tracing", .what = "looking into other processes", .layers = LAYER_WALL},
	    devices(f),
	    memory(f),
	    {.name = "ipc", .what = "System V IPC, POSIX queues", .layers = LAYER_GATE},
	    {.name = "system",
	     .what = "namespaces, mounts, keys, io_uring",
	     .layers = LAYER_FILTER},
	};
	_Static_assert(sizeof(lines) / sizeof(*lines) == LAYER_LINES, "one line each");
	memcpy(out, lines, sizeof(lines));
	for (size_t i = 0; i < LAYER_LINES; i++) {
		if (!out[i].usual)
			out[i].usual = out[i].layers;
		if (plan->impossible) {
			out[i].layers = 0;
			out[i].note = "no session can start here";
		}
	}
}

const char *layers_text(unsigned int layers, char *buf)
{
	static const char *const names[] = {"wall", "gate", "filter"};
	char *end = buf;

	*end = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!(layers & (1U << i)))
			continue;
		if (end != buf)
			*end++ = '+';
		end = stpcpy(end, names[i]);
	}
	return layers ? buf : strcpy(buf, "nothing");
}
