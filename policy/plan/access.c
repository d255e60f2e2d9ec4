/* SPDX-License-Identifier: Apache-2.0 */
/* Rights in Landlock's terms. */
#include "policy/plan/access.h"

#include <string.h>

#include "policy/core/path.h"

const char *const access_names[16] = {
    "execute",	 "write_file", "read_file", "read_dir",	 "remove_dir", "remove_file",
    "make_char", "make_dir",   "make_reg",  "make_sock", "make_fifo",  "make_block",
    "make_sym",	 "refer",      "truncate",  "ioctl_dev",
};

uint64_t access_handled_fs(int abi)
{
	uint64_t access = (ACCESS_MAKE_SYM << 1) - 1;
	if (abi < 1)
		return 0;
	if (abi >= 2)
		access |= ACCESS_REFER;
	if (abi >= 3)
		access |= ACCESS_TRUNCATE;
	if (abi >= 5)
		access |= ACCESS_IOCTL_DEV;
	return access;
}

uint64_t access_handled_net(int abi)
{
	return abi >= 4 ? ACCESS_BIND_TCP | ACCESS_CONNECT_TCP : 0;
}

uint64_t access_scoped(int abi)
{
	return abi >= 6 ? SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL : 0;
}

/* Devices live in /dev; a grant of a folder elsewhere says nothing about commands to devices, nor
 * does that of a regular file, wherever it is. */
static bool may_hold_devices(enum view_kind kind, const char *path)
{
	if (kind != VIEW_FOLDER)
		return kind == VIEW_OTHER;
	return !strcmp(path, "/") || path_within(path, strlen(path), "/dev", strlen("/dev"));
}

uint64_t access_of(uint32_t rights, enum view_kind kind, const char *path)
{
	uint64_t access = 0;
	if (rights & RIGHT_READ)
		access |= ACCESS_READ_FILE | ACCESS_READ_DIR;
	if (rights & RIGHT_WRITE)
		access |= ACCESS_CHANGE;
	if (rights & RIGHT_EXEC)
		access |= ACCESS_EXECUTE | ACCESS_READ_FILE | ACCESS_READ_DIR;
	if ((rights & (RIGHT_READ | RIGHT_WRITE)) && may_hold_devices(kind, path))
		access |= ACCESS_IOCTL_DEV;
	if (kind != VIEW_FOLDER)
		access &= ACCESS_OF_FILES;
	return access;
}

const char *access_text(uint64_t access, char *buf)
{
	char *end = buf;
	*end = '\0';
	for (size_t i = 0; i < sizeof(access_names) / sizeof(*access_names); i++) {
		if (!(access & (1ULL << i)))
			continue;
		if (end != buf)
			*end++ = ',';
		end = stpcpy(end, access_names[i]);
	}
	return buf;
}
