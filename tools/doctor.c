/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `remit doctor`: what this kernel, this container and this installation let remit enforce, what is
 * missing, and what mends it. Probes only; a manifest narrows the last part to what it needs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "policy/core/path.h"
#include "policy/plan/broker_calls.h"
#include "policy/plan/layers.h"
#include "shim/common/protocol.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/load.h"
#include "tools/output.h"
#include "tools/prepare.h"
#include "tools/proc_mount.h"

static const char usage[] =
    "Usage: remit doctor [-m FILE] [--without LIST] [--json]\n"
    "Says what this kernel, container and installation let remit enforce, what is missing, and "
    "what\n"
    "to do about it; with a manifest, also what of it cannot be enforced.\n\n" LOAD_USAGE
	PREPARE_USAGE "      --json            as JSON\n"
    "Exit status: 0 everything is enforced, 1 something is missing, 2 usage or manifest error.\n";

/* A scope that uses every layer, to learn what the plan would lack. */
static const char everything[] =
    "remit: 1\n"
    "agent: {id: doctor, purpose: Use every layer once}\n"
    "files: {read: [/], write: [\"${TMP}\"]}\n"
    "exec: {allow: [/bin]}\n"
    "network: {connect: [\"127.0.0.1:9\", \"udp:127.0.0.1:9\"], listen: [\"127.0.0.1:9\"]}\n"
    "limits: {processes: 8}\n";

enum health { HEALTH_GOOD, HEALTH_LESS, HEALTH_BAD };

struct doctor {
	struct load_flags load;
	struct without without;
	struct loaded loaded;
	struct prepared prepared;
	struct writer json;
	bool hidden; /* processes cannot be counted here */
	bool bad;
};

static void finding(struct doctor *doctor, enum health health, const char *what, const char *remedy,
		    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* One line: how it is, what it is, and when it is not well what mends it. */
static void finding(struct doctor *doctor, enum health health, const char *what, const char *remedy,
		    const char *format, ...)
{
	static const char *const words[] = {"ok", "less", "MISSING"};
	static const enum colour colours[] = {COLOUR_GOOD, COLOUR_WARN, COLOUR_BAD};
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	doctor->bad |= health == HEALTH_BAD;
	if (doctor->load.json) {
		writer_open(&doctor->json, NULL, '{');
		writer_text(&doctor->json, "what", what);
		writer_text(&doctor->json, "state",
			    health == HEALTH_BAD ? "missing" : words[health]);
		writer_text(&doctor->json, "found", text);
		if (health != HEALTH_GOOD)
			writer_text(&doctor->json, "remedy", remedy);
		writer_close(&doctor->json, '}');
		return;
	}
	output_coloured(stdout, colours[health], words[health]);
	printf("%*s%-22s ", (int)(9 - strlen(words[health])), "", what);
	output_text(stdout, text);
	putchar('\n');
	if (health != HEALTH_GOOD)
		printf("         -> %s\n", remedy);
}

/* What the security modules of this boot are; "" when that cannot be read. */
static void read_modules(char *buf, size_t size)
{
	int fd = open("/sys/kernel/security/lsm", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, buf, size - 1);

	buf[len > 0 ? len : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

static bool in_container(void)
{
	return !access("/.dockerenv", F_OK) || !access("/run/.containerenv", F_OK) ||
	       getenv("KUBERNETES_SERVICE_HOST");
}

static void examine_landlock(struct doctor *doctor)
{
	int abi = doctor->prepared.features.landlock_abi;
	char modules[256];

	if (abi >= 6) {
		finding(doctor, HEALTH_GOOD, "landlock", "", "ABI %d; 6 is needed", abi);
		return;
	}
	if (abi > 0) {
		finding(doctor, HEALTH_BAD, "landlock", "a kernel of 6.12 or newer has ABI 6",
			"ABI %d; 6 is needed for signals and abstract sockets", abi);
		return;
	}
	read_modules(modules, sizeof(modules));
	if (strstr(modules, "landlock"))
		finding(doctor, HEALTH_BAD, "landlock",
			"let the container's seccomp profile pass landlock_create_ruleset, "
			"landlock_add_rule, landlock_restrict_self",
			"the kernel has it, and something refuses its system calls");
	else
		finding(doctor, HEALTH_BAD, "landlock",
			"boot a kernel of 6.12 or newer with landlock in CONFIG_LSM or lsm=",
			"not in this kernel%s%s%s", *modules ? " (lsm: " : "", modules,
			*modules ? ")" : "");
}

/* What mends the lack of one feature. */
static const char *remedy_for(const struct feature *feature, bool container)
{
	if (!strcmp(feature->name, "proc"))
		return "mount proc on /proc";
	if (!strcmp(feature->name, "pidfd-getfd") && container)
		return "docker run --cap-add SYS_PTRACE, or a seccomp profile that allows "
		       "pidfd_getfd";
	if (!strcmp(feature->name, "process-vm") || !strcmp(feature->name, "proc-mem"))
		return container ? "a container whose seccomp profile allows it"
				 : "sysctl kernel.yama.ptrace_scope=1";
	return container ? "a newer kernel, or a container whose seccomp profile allows it"
			 : "a newer kernel";
}

static void examine_features(struct doctor *doctor)
{
	static const enum health without[] = {
	    [NEED_SPEED] = HEALTH_LESS, [NEED_WORK] = HEALTH_BAD, [NEED_START] = HEALTH_BAD};
	const struct features *f = &doctor->prepared.features;
	bool container = in_container();

	for (size_t i = 0; i < feature_table_size; i++) {
		const struct feature *feature = &feature_table[i];
		bool there = feature_there(f, feature);
		const char *blank = *feature->since ? " (" : "";

		finding(doctor, there ? HEALTH_GOOD : without[feature->need], feature->name,
			remedy_for(feature, container), "%s%s%s%s", feature->use, blank,
			feature->since, *blank ? ")" : "");
	}
}

static void examine_yama(struct doctor *doctor)
{
	int yama = doctor->prepared.features.yama;

	if (yama > 1)
		finding(doctor, HEALTH_BAD, "yama", "sysctl kernel.yama.ptrace_scope=1",
			"ptrace_scope %d keeps the gate from its callers' memory", yama);
	else if (yama >= 0)
		finding(doctor, HEALTH_GOOD, "yama", "", "ptrace_scope %d", yama);
}

/* Within a session the gate counts, and may see more. */
static void examine_proc_mount(struct doctor *doctor)
{
	if (!doctor->prepared.plan.gated_forks || doctor->prepared.inner)
		return;
	doctor->hidden = proc_mount_hides();
	if (doctor->hidden)
		finding(doctor, HEALTH_BAD, "hidepid",
			"mount /proc without hidepid, or with gid= of a group that runs remit",
			"/proc hides processes that may not be traced: limits.processes cannot "
			"count them");
	else
		finding(doctor, HEALTH_GOOD, "hidepid", "",
			"/proc shows all processes of a session");
}

static void examine_kernel(struct doctor *doctor)
{
	finding(doctor, HEALTH_GOOD, "kernel", "", "%s%s", doctor->prepared.features.release,
		in_container() ? ", in a container" : "");
	examine_landlock(doctor);
	examine_features(doctor);
	examine_yama(doctor);
	examine_proc_mount(doctor);
}

static const char *layer_state(const struct layer_line *line)
{
	return !line->layers		     ? "nothing"
	       : line->layers != line->usual ? "less"
	       : line->note		     ? "limited"
					     : "full";
}

static void print_layers_json(struct doctor *doctor, const struct layer_line *lines)
{
	static const char *const names[] = {"wall", "gate", "filter"};

	writer_open(&doctor->json, "layers", '[');
	for (size_t i = 0; i < LAYER_LINES; i++) {
		writer_open(&doctor->json, NULL, '{');
		writer_text(&doctor->json, "name", lines[i].name);
		writer_text(&doctor->json, "what", lines[i].what);
		writer_open(&doctor->json, "held_by", '[');
		for (size_t bit = 0; bit < sizeof(names) / sizeof(names[0]); bit++)
			if (lines[i].layers & (1U << bit))
				writer_text(&doctor->json, NULL, names[bit]);
		writer_close(&doctor->json, ']');
		writer_text(&doctor->json, "state", layer_state(&lines[i]));
		if (lines[i].note)
			writer_text(&doctor->json, "note", lines[i].note);
		writer_close(&doctor->json, '}');
	}
	writer_close(&doctor->json, ']');
}

/* What is held by which layer: the table that a session's first record repeats. */
static void print_layers(struct doctor *doctor)
{
	struct layer_line lines[LAYER_LINES];
	char text[LAYER_TEXT_MAX];

	layers_build(&doctor->prepared.features, &doctor->prepared.plan, lines);
	if (doctor->load.json) {
		print_layers_json(doctor, lines);
		return;
	}
	puts("\nHeld by (wall: Landlock; gate: each call decided; filter: refused by seccomp)");
	for (size_t i = 0; i < LAYER_LINES; i++) {
		printf("  %-12s %s", layers_text(lines[i].layers, text), lines[i].what);
		if (lines[i].note)
			printf(": %s", lines[i].note);
		putchar('\n');
	}
}

static void examine_installation(struct doctor *doctor)
{
	char *shim = place_shim(), *state = place_state(&doctor->loaded.operator);
	char base[PATH_TEXT_MAX];
	int error = state ? place_make_folder(state) : -ENOENT;

	finding(doctor, shim ? HEALTH_GOOD : HEALTH_BAD, "shim",
		"make install, or run with --no-shim (slower, the same boundary)", "%s",
		shim ? shim : "libremit.so is neither beside the command nor in " REMIT_LIBDIR);
	finding(
	    doctor, HEALTH_GOOD, "gate", "",
	    "confines itself: its hull, %zu system calls, what the manifest keeps of capabilities",
	    broker_call_count);
	snprintf(base, sizeof(base), "%s/base.yaml", doctor->loaded.profiles);
	finding(doctor, access(base, R_OK) ? HEALTH_BAD : HEALTH_GOOD, "profiles",
		"make install, or name their folder with --profiles", "%s",
		doctor->loaded.profiles);
	if (!error && access(state, W_OK))
		error = -errno;
	finding(doctor, error ? HEALTH_BAD : HEALTH_GOOD, "folder of logs",
		"name a place with XDG_STATE_HOME or --audit", "%s%s%s", state ? state : "none",
		error ? ": " : "", error ? strerror(-error) : "");
	if (prctl(REMIT_HYPERCALL, HYPERCALL_FLAGS, 0, 0, 0) >= 0)
		finding(doctor, HEALTH_GOOD, "session", "",
			"this is inside one: `run` starts a session within it, held by both");
	free(shim);
	free(state);
}

static int load_everything(struct doctor *doctor)
{
	struct loaded *loaded = &doctor->loaded;
	struct diagnostics diagnostics = {0};
	int error;

	doctor->load.manifest = "the doctor's own manifest";
	error = load_options(&doctor->load, NULL, loaded);
	if (error)
		return error;
	error = manifest_read(doctor->load.manifest, everything, sizeof(everything) - 1,
			      &loaded->options, &loaded->model, &diagnostics);
	diagnostics_print(&diagnostics, stderr, output_colour(stderr));
	diagnostics_free(&diagnostics);
	return error ? error : load_scope(loaded);
}

static void conclude(struct doctor *doctor)
{
	const struct plan *plan = &doctor->prepared.plan;

	for (size_t i = 0; i < plan->loss_count; i++)
		finding(doctor, HEALTH_BAD, "enforcement",
			plan->impossible ? "no session can start without it"
					 : "run with --allow-degraded to start without it",
			"%s", plan->losses[i]);
	if (doctor->loaded.about.has_hosts)
		finding(doctor, HEALTH_BAD, "network", "name the addresses",
			"the manifest names hosts, which no machine enforces yet: `run` refuses it");
	if (doctor->load.json)
		writer_close(&doctor->json, ']');
	print_layers(doctor);
	if (doctor->load.json) {
		writer_bool(&doctor->json, "complete", !doctor->bad);
		writer_close(&doctor->json, '}');
		return;
	}
	puts(plan->impossible ? "\nNothing can be enforced here: no session can start."
	     : plan->loss_count || doctor->hidden
		 ? "\nNot all of a manifest is enforced here: `remit run` will not "
		   "start without --allow-degraded."
	     : doctor->loaded.about.has_hosts ? "\n`remit run` will not start with this manifest."
	     : doctor->bad ? "\nThe kernel enforces all of it; the installation is not complete."
			   : "\nEverything that remit promises is enforced here.");
}

static int examine(struct doctor *doctor)
{
	int error = doctor->load.manifest ? load_any(&doctor->load, true, &doctor->loaded)
					  : load_everything(doctor);

	if (error || prepare(&doctor->loaded, &doctor->without, NULL, &doctor->prepared))
		return STATUS_USAGE;
	doctor->json = (struct writer){.stream = stdout};
	if (doctor->load.json) {
		writer_open(&doctor->json, NULL, '{');
		writer_open(&doctor->json, "findings", '[');
	}
	examine_kernel(doctor);
	examine_installation(doctor);
	conclude(doctor);
	return doctor->bad ? STATUS_NO : STATUS_OK;
}

int doctor_command(int argc, char **argv)
{
	struct doctor doctor = {0};
	const struct flag flags[] = {
	    LOAD_FLAGS(&doctor.load),
	    PREPARE_FLAGS(&doctor.without),
	    {"json", 0, FLAG_SWITCH, &doctor.load.json, NULL},
	};
	int first = flags_parse(argc, argv, flags, sizeof(flags) / sizeof(flags[0]), false, usage);
	int status;

	if (first < 0) {
		status = first == FLAGS_HELP ? STATUS_OK : STATUS_USAGE;
	} else if (first < argc) {
		output_error("doctor: takes no \"%s\"; a manifest is named with -m", argv[first]);
		status = STATUS_USAGE;
	} else {
		status = examine(&doctor);
	}
	prepare_free(&doctor.prepared);
	load_free(&doctor.loaded);
	load_flags_free(&doctor.load);
	return status;
}
