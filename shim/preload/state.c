/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The constructor: says hello to the broker, maps the scope, and takes out of the way every hook
 * that has nothing to do here.
 *
 * The door is a prctl that means nothing to the kernel (EINVAL) and that only the session's filter
 * routes to the broker: no path, inherited descriptor or variable to find it by, so an emptied
 * environment, closed descriptors or a chroot do no harm. Any other answer than a descriptor leaves
 * the library inert: what holds the program is the kernel's boundary, not this code.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "shim/common/protocol.h"
#include "shim/preload/hook.h"
#include "shim/preload/state.h"
#include "shim/preload/syscall.h"
#include "shim/preload/banned.h"

/*
 * Who checks the image: the broker has been through the sealed memory that hello hands out, and
 * only the broker answers a hello (the filter routes it). Checking it again at every exec would
 * read all of it, and protect a program from none but whoever holds it by ptrace anyway. So what is
 * looked at is that the memory is sealed: nothing can be changed or cut off under our reading.
 */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct state state;

static long hypercall(long op, long argument)
{
	return raw6(SYS_prctl, (long)REMIT_HYPERCALL, op, argument, 0, 0, 0);
}

static const void *map_scope(int fd, size_t *size)
{
	long address, seals = raw3(SYS_fcntl, fd, F_GET_SEALS, 0);
	struct stat info;

	if (seals < 0 || (seals & SEALS) != SEALS)
		return NULL;
	if (raw3(SYS_fstat, fd, (long)&info, 0) < 0 || info.st_size <= 0)
		return NULL;
	*size = (size_t)info.st_size;
	address = raw6(SYS_mmap, 0, (long)*size, PROT_READ, MAP_PRIVATE, fd, 0);
	return address < 0 && address >= -4095 ? NULL : (const void *)address;
}

static void adopt_scope(int fd)
{
	size_t size;
	const void *image = map_scope(fd, &size);
	struct scope_about about;

	if (image && scope_open_again(&state.scope, image, size) == 0) {
		scope_about(&state.scope, &about);
		state.has_scope = true;
		state.fast = about.record != RECORD_STRICT;
		state.tag_exec = state.fast && !about.has_exec_conditions;
		state.datagrams = about.has_datagrams;
		return;
	}
	if (image)
		raw3(SYS_munmap, (long)image, (long)size, 0);
	state.fast = !(hypercall(HYPERCALL_FLAGS, 0) & SESSION_STRICT);
}

/* Where uses of rules are counted, in a session that does. Without the memory nothing is counted.
 */
static void adopt_usage(void)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW;
	long fd = state.has_scope && state.fast ? hypercall(HYPERCALL_USAGE, 0) : -1;
	uint64_t size = USAGE_SIZE(scope_rule_count(&state.scope));
	struct stat info;
	long address;

	if (fd < 0)
		return;
	if ((raw3(SYS_fcntl, fd, F_GET_SEALS, 0) & seals) == seals &&
	    raw3(SYS_fstat, fd, (long)&info, 0) == 0 && (uint64_t)info.st_size >= size) {
		address = raw6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (address > 0 || address < -4095)
			state.uses = (uint64_t *)address;
	}
	raw3(SYS_close, fd, 0, 0);
}

static void remember_stderr(void)
{
	struct stat info;

	if (raw3(SYS_fstat, 2, (long)&info, 0) < 0)
		return;
	state.has_stderr = true;
	state.stderr_device = info.st_dev;
	state.stderr_inode = info.st_ino;
}

/* Whether a hook has something to do in this process. */
static bool hook_is_needed(const struct hook *hook)
{
	if (!state.session)
		return false;
	if (hook->kind & HOOK_KEEPS)
		return true;
	if (hook->foreign)
		return false;
	if ((hook->kind & HOOK_LANE) && !state.fast)
		return false;
	return !(hook->kind & HOOK_GLIBC) || next_is_glibc();
}

__attribute__((constructor(101))) static void begin(void)
{
	uint32_t flags = 0;
	long fd = raw6(SYS_prctl, (long)REMIT_HYPERCALL, HYPERCALL_HELLO, REMIT_PROTOCOL,
		       (long)&flags, 0, 0);

	next_bind();
	if (fd >= 0) {
		state.session = true;
		adopt_scope((int)fd);
		raw3(SYS_close, fd, 0, 0);
		if (flags & SESSION_USAGE)
			adopt_usage();
		remember_stderr();
	}
	for (struct hook *hook = hooks_begin; hook < hooks_end; hook++) {
		if (!hook_is_needed(hook) && hook_next(hook))
			hook->target = hook->next;
	}
}
