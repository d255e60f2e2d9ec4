/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything is decided by registers, so nothing here can be raced; what is compared are the bits
 * that policy/plan/filter_*.c compare. Calls that arrive here are refused whatever they ask: a
 * filter that notifies too much costs a function, never a right.
 */
#include "shim/broker/never.h"

#include <errno.h>
#include <linux/prctl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "policy/plan/socket_options.h"
#include "policy/plan/syscalls.h"
#include "shim/broker/performers.h"

#define OBJECT_MAX 64

struct word {
	uint32_t value;
	const char *name;
};

static const char *name_of(const struct word *words, size_t count, uint32_t value)
{
	for (size_t i = 0; i < count; i++) {
		if (words[i].value == value)
			return words[i].name;
	}
	return NULL;
}

#define NAME_OF(words, value) name_of(words, sizeof(words) / sizeof(*(words)), value)

struct reply never_listed(struct request *request)
{
	const struct syscall_row *row = syscall_find(request->notif.data.nr);

	/* What programs and libraries expect of a kernel that is older than they are. */
	if (!row)
		return reply_error(ENOSYS);
	request->name = row->name;
	return reply_error(-judge_never(request, "call", row->name, row->why, EPERM));
}

/* By type and number, as in policy/plan/filter_arguments.c. */
struct reply never_ioctl(struct request *request)
{
	static const struct word commands[] = {
	    {0x5412, "TIOCSTI"},
	    {0x541c, "TIOCLINUX"},
	    {0x541d, "TIOCCONS"},
	    {0x5423, "TIOCSETD"},
	    {0x6602, "FS_IOC_SETFLAGS"},
	    {0x6604, "EXT4_IOC_SETVERSION"},
	    {0x6609, "EXT4_IOC_MIGRATE"},
	    {0x660c, "EXT4_IOC_ALLOC_DA_BLKS"},
	    {0x6613, "FS_IOC_SET_ENCRYPTION_POLICY"},
	    {0x6614, "FS_IOC_GET_ENCRYPTION_PWSALT"},
	    {0x6617, "FS_IOC_ADD_ENCRYPTION_KEY"},
	    {0x6618, "FS_IOC_REMOVE_ENCRYPTION_KEY"},
	    {0x6619, "FS_IOC_REMOVE_ENCRYPTION_KEY_ALL_USERS"},
	    {0x6685, "FS_IOC_ENABLE_VERITY"},
	    {0x6f04, "OCFS2_IOC_REFLINK"},
	    {0x7211, "FAT_IOCTL_SET_ATTRIBUTES"},
	    {0x7602, "FS_IOC_SETVERSION"},
	    {0x8901, "FIOSETOWN"},
	    {0x8902, "SIOCSPGRP"},
	    {0x5820, "FS_IOC_FSSETXATTR"},
	};
	uint32_t command = (uint32_t)request->notif.data.args[1];
	const char *name = NAME_OF(commands, command & 0xffff);
	char number[OBJECT_MAX];

	snprintf(number, sizeof(number), "command %#x", command);
	return reply_error(-judge_never(request, request->name, name ? name : number,
					"it acts on more than the descriptor", EPERM));
}

static const char *family_name(uint32_t family)
{
	static const struct word families[] = {
	    {AF_UNIX, "unix"},	     {AF_INET, "inet"},	    {AF_INET6, "inet6"},
	    {AF_NETLINK, "netlink"}, {AF_PACKET, "packet"}, {AF_ALG, "alg"},
	    {AF_VSOCK, "vsock"},     {AF_KEY, "key"},	    {AF_BLUETOOTH, "bluetooth"},
	    {AF_CAN, "can"},	     {AF_TIPC, "tipc"},	    {AF_XDP, "xdp"},
	    {AF_RDS, "rds"},	     {AF_RXRPC, "rxrpc"},
	};

	return NAME_OF(families, family);
}

static bool socket_may_be(int nr, uint32_t family, uint32_t type, uint32_t protocol)
{
	switch (family) {
	case AF_UNIX:
		return type == SOCK_STREAM || type == SOCK_SEQPACKET || type == SOCK_DGRAM ||
		       type == SOCK_RAW;
	case AF_INET:
	case AF_INET6:
		return nr == SYS_socket &&
		       ((type == SOCK_STREAM && (protocol == 0 || protocol == 6)) ||
			(type == SOCK_DGRAM && (protocol == 0 || protocol == 17)));
	case AF_NETLINK:
		return nr == SYS_socket && protocol == 0 &&
		       (type == SOCK_RAW || type == SOCK_DGRAM);
	default:
		return false;
	}
}

bool never_socket(struct request *request, struct reply *ret_reply)
{
	const __u64 *args = request->notif.data.args;
	uint32_t family = (uint32_t)args[0] & 0xff, type = (uint32_t)args[1] & 0xf;
	uint32_t protocol = (uint32_t)args[2] & 0xfff;
	const char *name = family_name(family);
	bool inet = family == AF_INET || family == AF_INET6;
	char object[OBJECT_MAX], number[16];

	if (socket_may_be(request->notif.data.nr, family, type, protocol))
		return false;
	snprintf(number, sizeof(number), "family %u", family);
	snprintf(object, sizeof(object), "%s socket, type %u, protocol %u", name ? name : number,
		 type, protocol);
	/* Runtimes try MPTCP (262) before TCP; libraries that watch devices or write to the
	 * kernel's audit log go on without. */
	bool quiet = (inet && protocol == 262) || family == AF_NETLINK;
	int error = inet && request->notif.data.nr == SYS_socket ? EPROTONOSUPPORT : EAFNOSUPPORT;

	*ret_reply = reply_error(-(quiet ? judge_never_quietly : judge_never)(
	    request, request->name, object, "no address of it can be judged", error));
	return true;
}

static const char *namespace_of(uint64_t flags, bool clone)
{
	static const struct word namespaces[] = {
	    {CLONE_NEWUSER, "CLONE_NEWUSER"},	  {CLONE_NEWNS, "CLONE_NEWNS"},
	    {CLONE_NEWPID, "CLONE_NEWPID"},	  {CLONE_NEWNET, "CLONE_NEWNET"},
	    {CLONE_NEWIPC, "CLONE_NEWIPC"},	  {CLONE_NEWUTS, "CLONE_NEWUTS"},
	    {CLONE_NEWCGROUP, "CLONE_NEWCGROUP"}, {0x80, "CLONE_NEWTIME"},
	};

	/* In clone(2) the lowest byte is a signal. */
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces) - clone; i++) {
		if (flags & namespaces[i].value)
			return namespaces[i].name;
	}
	return NULL;
}

bool never_clone(struct request *request, struct reply *ret_reply)
{
	const char *name = request->notif.data.nr == SYS_clone
			       ? namespace_of(request->notif.data.args[0], true)
			       : NULL;

	if (name)
		*ret_reply =
		    reply_error(-judge_never(request, request->name, name, "no namespaces", EPERM));
	return name != NULL;
}

static void option_name(uint64_t level, uint64_t option, char *out)
{
	const struct socket_option *refused = socket_option_find(level, option);

	snprintf(out, OBJECT_MAX, "level %u, option %u%s%s", (uint32_t)level, (uint32_t)option,
		 refused ? ", a " : "", refused ? refused->what : "");
}

/* unshare, prctl and setsockopt reach the gate only with what is refused. */
struct reply perform_never(struct request *request)
{
	const __u64 *args = request->notif.data.args;
	const struct syscall_row *row = syscall_find(request->notif.data.nr);
	char object[OBJECT_MAX];
	const char *name = NULL, *why = row ? row->why : "no rule can grant it";

	snprintf(object, sizeof(object), "%#x", (unsigned int)args[0]);
	switch (request->notif.data.nr) {
	case SYS_unshare:
		name = namespace_of(args[0], false);
		break;
	case SYS_prctl:
		name = (uint32_t)args[0] == PR_SET_MM ? "PR_SET_MM" : NULL;
		why = name ? "it forges what /proc says of a process" : "no such option is known";
		break;
	case SYS_setsockopt:
		option_name(args[1], args[2], object);
		break;
	default:
		break;
	}
	return reply_error(-judge_never(request, request->name, name ? name : object, why, EPERM));
}
