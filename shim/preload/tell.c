/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each refusal is told to the broker, which records it as testimony; the agent reads one line for
 * each object and process. The line goes to fd 2 only while fd 2 is what it was when the program
 * started, or a terminal: a program that closed it may by now have a database there.
 */
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/core/explain.h"
#include "policy/core/hash.h"
#include "shim/common/protocol.h"
#include "shim/preload/state.h"
#include "shim/preload/syscall.h"
#include "shim/preload/tell.h"
#include "shim/preload/banned.h"

#define TOLD_COUNT 64

/* Hashes of what was told; an entry that is overwritten is told again. */
static uint64_t told[TOLD_COUNT];

static long hypercall(long op, long argument)
{
	return raw6(SYS_prctl, (long)REMIT_HYPERCALL, op, argument, 0, 0, 0);
}

static bool first_time(const struct query *query)
{
	struct {
		int64_t pid;
		uint32_t verb;
		uint32_t port;
		uint8_t protocol, family, zero[6];
		uint8_t ip[16];
	} key = {.pid = raw3(SYS_getpid, 0, 0, 0),
		 .verb = query->verb,
		 .port = query->address.port,
		 .protocol = query->address.protocol,
		 .family = query->address.family};
	uint64_t hash;

	memcpy(key.ip, query->address.ip, sizeof(key.ip));
	hash = hash_bytes(&key, sizeof(key), 0);
	return __atomic_exchange_n(&told[hash % TOLD_COUNT], hash, __ATOMIC_RELAXED) != hash;
}

static bool stderr_is_ours(void)
{
	struct stat info;

	if (!state.has_stderr || raw3(SYS_fstat, 2, (long)&info, 0) < 0)
		return false;
	return S_ISCHR(info.st_mode) ||
	       (info.st_dev == state.stderr_device && info.st_ino == state.stderr_inode);
}

/* A pipe that poll() calls writable has room for PIPE_BUF bytes; one without a reader says so. */
static bool stderr_has_room(void)
{
	struct pollfd fd = {.fd = 2, .events = POLLOUT};

	return raw3(SYS_poll, (long)&fd, 1, 0) == 1 && fd.revents == POLLOUT;
}

static void explain(const struct query *query, const struct decision *decision)
{
	char line[EXPLAIN_MAX + 1];
	size_t length;

	if (!stderr_is_ours() || !stderr_has_room())
		return;
	length = explain_refusal(&state.scope, query, decision, line, EXPLAIN_MAX);
	line[length++] = '\n';
	raw3(SYS_write, 2, (long)line, (long)length);
}

void tell_refused(const struct query *query, const struct decision *decision)
{
	struct shim_refusal refusal = {.verb = query->verb,
				       .rule = decision->rule,
				       .protocol = query->address.protocol,
				       .family = query->address.family,
				       .port = query->address.port};

	memcpy(refusal.ip, query->address.ip, sizeof(refusal.ip));
	hypercall(HYPERCALL_REFUSED, (long)&refusal);
	if (decision->quiet || !first_time(query))
		return;
	/* Refusals are rare: asking then is cheaper than asking at every start. */
	if (!(hypercall(HYPERCALL_FLAGS, 0) & SESSION_QUIET))
		explain(query, decision);
}
