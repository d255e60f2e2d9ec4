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
#include "shim/common/protocol.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/load.h"
#include "tools/output.h"
#include "tools/prepare.h"

static const char usage[] =
    "Usage: remit doctor [-m FILE] [--json]\n"
    "Says what this kernel, container and installation let remit enforce, what is missing, and "
    "what\n"
    "to do about it; with a manifest, also what of it cannot be enforced.\n\n" LOAD_USAGE
    "      --json            as JSON\n"
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
	struct loaded loaded;
	struct prepared prepared;
	struct writer json;
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
		finding(doctor, HEALTH_GOOD, "Landlock", "", "ABI %d; 6 is needed", abi);
		return;
	}
	if (abi > 0) {
		finding(doctor, HEALTH_BAD, "Landlock", "a kernel of 6.12 or newer has ABI 6",
			"ABI %d; 6 is needed for signals and abstract sockets", abi);
		return;
	}
	read_modules(modules, sizeof(modules));
	if (strstr(modules, "landlock"))
		finding(doctor, HEALTH_BAD, "Landlock",
			"let the container's seccomp profile pass landlock_create_ruleset, "
			"landlock_add_rule, landlock_restrict_self",
			"the kernel has it, and something refuses its system calls");
	else
		finding(doctor, HEALTH_BAD, "Landlock",
			"boot a kernel of 6.12 or newer with landlock in CONFIG_LSM or lsm=",
			"not in this kernel%s%s%s", *modules ? " (lsm: " : "", modules,
			*modules ? ")" : "");
}

static void examine_flag(struct doctor *doctor, bool there, enum health without, const char *what,
			 const char *use, const char *remedy)
{
	finding(doctor, there ? HEALTH_GOOD : without, what, remedy, "%s", use);
}

static void examine_kernel(struct doctor *doctor)
{
	const struct features *f = &doctor->prepared.features;
	const char *newer = in_container()
				? "a newer kernel, or a container whose seccomp profile allows it"
				: "a newer kernel";

	finding(doctor, HEALTH_GOOD, "kernel", "", "%s%s", f->release,
		in_container() ? ", in a container" : "");
	examine_landlock(doctor);
	examine_flag(doctor, f->seccomp_notify, HEALTH_BAD, "seccomp notification",
		     "the gate hears of calls (5.0)", newer);
	examine_flag(doctor, f->seccomp_addfd, HEALTH_BAD, "seccomp addfd",
		     "the gate hands files over (5.9)", newer);
	examine_flag(doctor, f->seccomp_addfd_send, HEALTH_LESS, "seccomp addfd send",
		     "in one step (5.14)", newer);
	examine_flag(doctor, f->seccomp_wait_killable, HEALTH_LESS, "seccomp wait killable",
		     "signals do not repeat a gated call (5.19)", newer);
	examine_flag(doctor, f->seccomp_sync_wake_up, HEALTH_LESS, "seccomp sync wake-up",
		     "quicker answers (6.6)", newer);
	examine_flag(doctor, f->pidfd_getfd, HEALTH_BAD, "pidfd_getfd",
		     "the gate acts on the caller's own files (5.6)", newer);
	examine_flag(doctor, f->process_vm_readv, HEALTH_BAD, "process_vm_readv",
		     "the gate reads what a call points to", newer);
	examine_flag(doctor, f->openat2, HEALTH_LESS, "openat2", "paths in one step (5.6)", newer);
	examine_flag(doctor, f->memfd_noexec, HEALTH_BAD, "memfd noexec",
		     "no program from memory (6.3)", newer);
	examine_flag(doctor, f->proc_mounted, HEALTH_BAD, "/proc",
		     "the gate looks its callers up there", "mount proc on /proc");
	if (f->yama > 1)
		finding(doctor, f->yama > 2 || geteuid() ? HEALTH_BAD : HEALTH_LESS, "Yama",
			"sysctl kernel.yama.ptrace_scope=1",
			"ptrace_scope %d keeps the gate from its callers' memory", f->yama);
	else if (f->yama >= 0)
		finding(doctor, HEALTH_GOOD, "Yama", "", "ptrace_scope %d", f->yama);
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
		finding(doctor, HEALTH_BAD, "session",
			"start programs directly: the manifest around them holds",
			"this is inside a session; the kernel gives a process one gate only");
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
			"run with --allow-degraded to start without it", "%s", plan->losses[i]);
	if (doctor->load.json) {
		writer_close(&doctor->json, ']');
		writer_bool(&doctor->json, "complete", !doctor->bad);
		writer_close(&doctor->json, '}');
		return;
	}
	puts(plan->loss_count ? "\nNot all of a manifest is enforced here: `remit run` will not "
				"start without --allow-degraded."
	     : doctor->bad    ? "\nThe kernel enforces all of it; the installation is not complete."
			      : "\nEverything that remit promises is enforced here.");
}

static int examine(struct doctor *doctor)
{
	int error = doctor->load.manifest ? load_any(&doctor->load, true, &doctor->loaded)
					  : load_everything(doctor);

	if (error || prepare(&doctor->loaded, NULL, &doctor->prepared))
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
