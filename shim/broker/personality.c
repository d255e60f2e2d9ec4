/* SPDX-License-Identifier: Apache-2.0 */
/*
 * personality(2): its value is a register, so what is judged is what the kernel takes. Few programs
 * call it and none often: the filter asks about each call, which is two instructions there and not
 * two hundred.
 */
#include <errno.h>
#include <stdio.h>

#include "policy/plan/syscalls.h"
#include "shim/broker/performers.h"

/* linux/personality.h: what setarch, gdb and uname -m users need, and nothing that changes how
 * memory is protected. */
static const uint32_t harmless[] = {
    0,		/* PER_LINUX */
    0xffffffff, /* asks */
    0x40000,	/* ADDR_NO_RANDOMIZE */
    8,		/* PER_LINUX32 */
};

struct reply perform_personality(struct request *request)
{
	uint32_t value = (uint32_t)request->notif.data.args[0];
	char object[16];

	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		if (value == harmless[i])
			return reply_continue();
	snprintf(object, sizeof(object), "%#x", value);
	return reply_error(-judge_never(request, request->name, object,
					syscall_find(request->notif.data.nr)->why, EPERM));
}
