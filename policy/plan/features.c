/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of the features, and how one is taken away. Taking away is monotone: no word of a list
 * can bring back what another or the probe has removed.
 */
#include "policy/plan/features.h"

#include <errno.h>
#include <string.h>

#define AT(field) offsetof(struct features, field)

const struct feature feature_table[] = {
    {"close-range", NEED_START, "5.9", "descriptors closed at once", AT(close_range)},
    {"memfd-noexec", NEED_WORK, "6.3", "no program from memory", AT(memfd_noexec)},
    {"openat2", NEED_START, "5.6", "paths without links", AT(openat2)},
    {"pidfd-getfd", NEED_START, "5.6", "the gate acts on the caller's own files", AT(pidfd_getfd)},
    {"pidfd-thread", NEED_SPEED, "6.9", "of a thread with files of its own", AT(pidfd_thread)},
    {"proc", NEED_START, "", "the gate looks its callers up there", AT(proc_mounted)},
    {"proc-mem", NEED_SPEED, "", "another way to read arguments", AT(proc_mem)},
    {"process-vm", NEED_SPEED, "3.2", "the gate reads what a call points to", AT(process_vm)},
    {"seccomp-addfd", NEED_START, "5.9", "the gate hands files over", AT(seccomp_addfd)},
    {"seccomp-addfd-send", NEED_SPEED, "5.14", "in one step", AT(seccomp_addfd_send)},
    {"seccomp-notify", NEED_START, "5.0", "the gate hears of calls", AT(seccomp_notify)},
    {"seccomp-sync-wake-up", NEED_SPEED, "6.6", "quicker answers", AT(seccomp_sync_wake_up)},
    {"seccomp-wait-killable", NEED_WORK, "5.19", "signals do not repeat a gated call",
     AT(seccomp_wait_killable)},
    {"unshare-fs", NEED_WORK, "", "a folder and umask for each thread of the gate", AT(unshare_fs)},
};
const size_t feature_table_size = sizeof(feature_table) / sizeof(*feature_table);

bool feature_there(const struct features *features, const struct feature *feature)
{
	return *(const bool *)((const char *)features + feature->offset);
}

/* The digit after "NAME=", when the word is such; -1: it is not. */
static int number_of(const char *word, size_t len, const char *name)
{
	size_t name_len = strlen(name);

	if (len != name_len + 2 || memcmp(word, name, name_len) != 0 || word[name_len] != '=')
		return -1;
	char digit = word[name_len + 1];

	return digit >= '0' && digit <= '9' ? digit - '0' : -1;
}

static bool is_word(const char *word, size_t len, const char *name)
{
	return strlen(name) == len && memcmp(word, name, len) == 0;
}

/* Who may not trace cannot read another's memory or take its descriptors (security/yama/,
 * PTRACE_MODE_ATTACH). The gate has given its capabilities up by then. */
static void apply_yama(struct features *features)
{
	if (features->yama >= 2)
		features->pidfd_getfd = features->process_vm = features->proc_mem = false;
}

static bool take_away(struct features *features, const char *word, size_t len)
{
	int abi = is_word(word, len, "landlock") ? 0 : number_of(word, len, "landlock");
	int yama = number_of(word, len, "yama");

	if (abi >= 0 && abi < features->landlock_abi)
		features->landlock_abi = abi;
	if (yama > features->yama)
		features->yama = yama;
	if (abi >= 0 || yama >= 0)
		return true;
	for (size_t i = 0; i < feature_table_size; i++) {
		if (!is_word(word, len, feature_table[i].name))
			continue;
		*(bool *)((char *)features + feature_table[i].offset) = false;
		return true;
	}
	return false;
}

int features_without(struct features *features, const char *list, const char **wrong)
{
	*wrong = NULL;
	for (const char *word = list; word && *word;) {
		size_t len = strcspn(word, ",");

		if (!take_away(features, word, len)) {
			*wrong = word;
			return -EINVAL;
		}
		word += len;
		word += *word == ',';
	}
	apply_yama(features);
	/* One is made of the other. */
	if (!features->seccomp_notify)
		features->seccomp_addfd = false;
	if (!features->seccomp_addfd)
		features->seccomp_addfd_send = false;
	return 0;
}

bool features_blind(const struct features *features)
{
	return !features->process_vm && !features->proc_mem;
}
