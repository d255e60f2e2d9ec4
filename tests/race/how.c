/* SPDX-License-Identifier: Apache-2.0 */
/* R1: what openat2() asks for is in memory as well. Access mode 3 opens for commands alone, and
 * Landlock asks for no right then. */
#include <linux/openat2.h>

#include "tests/race/race.h"

struct how_call {
	struct open_how how;
	char path[ARGUMENT_MAX - sizeof(struct open_how)];
};

static void set_how(void *out, uint64_t flags, const char *name)
{
	struct how_call call = {.how.flags = flags};

	snprintf(call.path, sizeof(call.path), "%s/%s", race_root, name);
	memcpy(out, &call, sizeof(call));
}

/* Of the granted file any open is granted. */
static int opened_refused(int fd)
{
	struct stat got, there;

	return (fcntl(fd, F_GETFL) & (O_ACCMODE | O_PATH)) == O_ACCMODE && fstat(fd, &got) == 0 &&
	       stat(((struct how_call *)refused)->path, &there) == 0 && got.st_ino == there.st_ino;
}

static void how_once(void)
{
	struct how_call *call = (struct how_call *)argument;
	long fd = sys_call(SYS_openat2, AT_FDCWD, call->path, &call->how, sizeof(call->how));

	if (fd >= 0 && opened_refused((int)fd) && write(STDOUT_FILENO, "DID\n", 4) < 0)
		exit(3);
	look(fd);
}

static void swap_how(uint64_t flags)
{
	set_how(granted, flags, "free/data");
	set_how(refused, O_ACCMODE, "outs/data");
	argument_size = ARGUMENT_MAX;
	memcpy(argument, granted, argument_size);
	with_swapper(swap_argument, how_once);
}

void race_how(void)
{
	swap_how(O_RDONLY);
}

void race_how_handle(void)
{
	swap_how(O_PATH);
}
