/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an act has come through: marks of files, taken before and compared after, and what
 * arrived. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/self_test_stage.h"

/* What must not change, of one case. */
static const char *marked(const struct self_test_stage *stage, const char *name, size_t which)
{
	static const char *const places[SELF_TEST_MARKS] = {
	    "out/%s", "out/%s/secret", "out/%s/victim", "ro/%s/data", "in/denied/%s", "in/%s/.env",
	    NULL};
	const char *place = probe_text("in/late.%s", name);

	if (places[which]) {
		const char *mark = strchr(places[which], '%');

		place = probe_text("%.*s%s%s", (int)(mark - places[which]), places[which], name,
				   mark + 2);
	}
	return probe_text("%s/%s", stage->root, place);
}

void stage_mark(const struct self_test_stage *stage, const char *name, struct stat marks[])
{
	for (size_t i = 0; i < SELF_TEST_MARKS; i++) {
		if (lstat(marked(stage, name, i), &marks[i]) != 0)
			marks[i] = (struct stat){0};
	}
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_nlink == b->st_nlink && a->st_mode == b->st_mode &&
	       a->st_uid == b->st_uid && a->st_gid == b->st_gid && a->st_size == b->st_size &&
	       !memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) &&
	       !memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim));
}

void self_test_stage_look(struct self_test_stage *stage)
{
	char bytes[256];
	ssize_t n;

	while ((n = read(stage->heard, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			stage->signals |= 1UL << (bytes[i] & 63);
	}
	stage->terminal_heard = read(stage->master, bytes, sizeof(bytes)) > 0;
}

static bool arrived(int listener)
{
	struct pollfd ready = {.fd = listener, .events = POLLIN};

	return listener >= 0 && poll(&ready, 1, 0) == 1 && (ready.revents & POLLIN);
}

static bool has(const char *output, size_t len, const char *text)
{
	return memmem(output, len, text, strlen(text)) != NULL;
}

const char *self_test_stage_seen(const struct self_test_stage *stage, size_t index,
				 const char *output, size_t len)
{
	const struct probe *probe = probe_at(index);
	const struct self_test_case *item = &stage->cases[index];
	struct stat now[SELF_TEST_MARKS];

	if (has(output, len, stage->token))
		return "the secret was read";
	if (has(output, len, probe_text("\ndid %s\n", probe->name)))
		return "it was done";
	if (arrived(item->listener))
		return "it arrived";
	if ((probe->needs & PROBE_SIGNAL) && (stage->signals & (1UL << item->port)))
		return "the signal arrived";
	if ((probe->needs & PROBE_TERMINAL) && stage->terminal_heard)
		return "the terminal heard it";
	if (access(probe_text("%s/free/%s/survived", stage->root, probe->name), F_OK) == 0)
		return "it outlived the session";
	stage_mark(stage, probe->name, now);
	for (size_t i = 0; i < SELF_TEST_MARKS; i++) {
		if (!same(&now[i], &item->marks[i]))
			return "a file changed";
	}
	return NULL;
}
