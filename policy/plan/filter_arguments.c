/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of calls that are harmless or not by what their arguments say. */
#include <fcntl.h>
#include <linux/prctl.h>
#include <sys/socket.h>

#include "policy/plan/filter_rows.h"
#include "policy/plan/socket_options.h"
#include "shim/common/protocol.h"

/* TCP fast open connects by sending: no broker would see the address. */
static void refuse_fast_open(struct row_writer *w, uint8_t flags_arg)
{
	w->class = CLASS_ARGS;
	when(never(w), flags_arg, MSG_FASTOPEN, MSG_FASTOPEN);
}

static void sends(struct row_writer *w)
{
	refuse_fast_open(w, w->from->value);
	add(w, w->terms->gated_sends ? FILTER_NOTIFY : FILTER_ALLOW, 0);
}

/*
 * Without gated_sends no datagram socket can be made in the session, and on all others the kernel
 * ignores or refuses the address, so an addressed send is as harmless as any. A datagram socket
 * that the operator hands in (--keep-fd) is his grant of what it reaches.
 */
static void send_to(struct row_writer *w)
{
	refuse_fast_open(w, 3);
	when_equal(add(w, FILTER_ALLOW, 0), 4, 0);
	add(w, w->terms->gated_sends ? FILTER_NOTIFY : FILTER_ALLOW, 0);
}

/*
 * The kernel refuses families of NPROTO (46) and up and protocols of IPPROTO_MAX (263) and up, and
 * looks at four bits of the type (net/socket.c): these masks leave room for what may be added. Each
 * bit that a clause compares is a handful of instructions, in every session's start too, so two
 * values that differ in one bit are one clause.
 */
#define DOMAIN 0xffULL
#define TYPE 0xfULL
#define PROTOCOL 0xfffULL
#define EITHER_INET (DOMAIN & ~(uint64_t)(AF_INET ^ AF_INET6))
#define EITHER_STREAM (TYPE & ~(uint64_t)(SOCK_STREAM ^ SOCK_SEQPACKET))
#define EITHER_RAW (TYPE & ~(uint64_t)(SOCK_RAW ^ SOCK_DGRAM))

static struct filter_clause *allow_socket(struct row_writer *w, uint64_t domains, int domain,
					  uint64_t types, int type)
{
	struct filter_clause *clause = add(w, FILTER_ALLOW, 0);
	when(clause, 0, domains, (uint64_t)domain);
	when(clause, 1, types, (uint64_t)type & types);
	return clause;
}

/*
 * Whether a datagram socket may be is the gate's to say also where the scope grants datagrams: of
 * an inner session the filter knows nothing, and whoever has such a socket receives.
 */
static void socket_unix(struct row_writer *w)
{
	allow_socket(w, DOMAIN, AF_UNIX, EITHER_STREAM, SOCK_STREAM);
}

static void socket_make(struct row_writer *w)
{
	static const uint64_t tcp[] = {0, 6 /* IPPROTO_TCP */};
	w->class = CLASS_ARGS;
	socket_unix(w);
	for (size_t i = 0; i < sizeof(tcp) / sizeof(*tcp); i++)
		when(allow_socket(w, EITHER_INET, AF_INET, TYPE, SOCK_STREAM), 2, PROTOCOL, tcp[i]);
	when(allow_socket(w, DOMAIN, AF_NETLINK, EITHER_RAW, SOCK_RAW), 2, PROTOCOL,
	     0 /* NETLINK_ROUTE */);
	/* Datagrams; MPTCP, SCTP, raw, ping, and all other families. */
	never(w);
}

static void socket_pair(struct row_writer *w)
{
	w->class = CLASS_ARGS;
	socket_unix(w);
	never(w);
}

/* A command by its type and number, whatever its size and direction (linux/ioctl.h): the 32-bit
 * spellings of the same are refused with it. */
#define COMMAND 0xffffULL
#define COMMAND_TYPE 0xff00ULL

/*
 * Commands of file systems act through a read-only descriptor on the file, on the folder it lies in
 * or on all of the file system: the key of an encrypted home is removed (linux/fscrypt.h), a file
 * converted (ext4), subvolumes are made (btrfs), files copied between two paths (ocfs2, bcachefs),
 * blocks given back (f2fs), striping changed (ceph, lustre in the type of ext4). New ones come with
 * each kernel. So their types are refused, all but what only asks, and what copies between two
 * descriptors by the modes these were opened with. No other driver that an agent meets has these
 * types (Documentation/userspace-api/ioctl/ioctl-number.rst).
 */
static void file_system_commands(struct row_writer *w)
{
	static const struct {
		uint16_t command, mask;
	} harmless[] = {
	    {0x6601, 0xfffd},  /* FS_IOC_GETFLAGS, and 0x6603, EXT4_IOC_GETVERSION */
	    {0x660b, COMMAND}, /* FS_IOC_FIEMAP */
	    {0x6615, COMMAND}, /* FS_IOC_GET_ENCRYPTION_POLICY */
	    {0x6616, COMMAND}, /* FS_IOC_GET_ENCRYPTION_POLICY_EX */
	    {0x661a, 0xfffe},  /* FS_IOC_GET_ENCRYPTION_KEY_STATUS, and 0x661b, _NONCE */
	    {0x6686, 0xfffe},  /* FS_IOC_MEASURE_VERITY, and 0x6687, _READ_VERITY_METADATA */
	    {0x9409, 0xfffb},  /* FICLONE, and 0x940d, FICLONERANGE */
	    {0x9436, COMMAND}, /* FIDEDUPERANGE */
	};
	static const struct {
		uint16_t command, mask;
	} refused[] = {
	    {0x6600, COMMAND_TYPE}, /* ext4, fscrypt, fs-verity and whoever took after them */
	    {0x6f00, 0xfff8},	    /* ocfs2; television has the others */
	    {0x9400, COMMAND_TYPE}, /* btrfs */
	    {0x9700, COMMAND_TYPE}, /* ceph */
	    {0xbc00, COMMAND_TYPE}, /* bcachefs */
	    {0xcf00, COMMAND_TYPE}, /* smb */
	    {0xf500, COMMAND_TYPE}, /* f2fs */
	};
	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		when(add(w, FILTER_ALLOW, 0), 1, harmless[i].mask, harmless[i].command);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		when(never(w), 1, refused[i].mask, refused[i].command);
}

static void ioctl_command(struct row_writer *w)
{
	static const uint16_t refused[] = {
	    0x5412, /* TIOCSTI: types into the terminal */
	    0x541c, /* TIOCLINUX: pastes into the console */
	    0x541d, /* TIOCCONS: takes the console's output */
	    0x5423, /* TIOCSETD: line disciplines */
	    0x7211, /* FAT_IOCTL_SET_ATTRIBUTES: chmod of another name */
	    0x7602, /* FS_IOC_SETVERSION */
	    0x5820, /* FS_IOC_FSSETXATTR */
	};
	static const uint16_t owners[] = {
	    0x8901, /* FIOSETOWN */
	    0x8902, /* SIOCSPGRP */
	};
	w->class = CLASS_ARGS;
	when(add(w, FILTER_NOTIFY, 0), 1, COMMAND, 0x5441 /* TIOCGPTPEER: opens a terminal */);
	for (size_t i = 0; i < sizeof(owners) / sizeof(*owners) && !w->terms->scoped_signals; i++)
		when(add(w, FILTER_NOTIFY, 0), 1, COMMAND, owners[i]);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		when(never(w), 1, COMMAND, refused[i]);
	file_system_commands(w);
	add(w, FILTER_ALLOW, 0);
}

static void process_control(struct row_writer *w)
{
	w->class = CLASS_ARGS;
	/* By the bits that tell these two from all other options that there are (linux/prctl.h: the
	 * large ones are words too, and odd in their highest byte); what else has them is refused.
	 */
	const uint64_t is_word = 0x40000000, is_odd = 0x01000000;
	when(add(w, FILTER_NOTIFY, 0), 0, is_word | is_odd, REMIT_HYPERCALL & (is_word | is_odd));
	when(never(w), 0, 0xff, PR_SET_MM);
	add(w, FILTER_ALLOW, 0);
}

static void socket_option(struct row_writer *w)
{
	w->class = CLASS_ARGS;
	for (size_t i = 0; i < socket_option_count; i++) {
		const struct socket_option *refused = &socket_options[i];
		struct filter_clause *clause = never(w);
		when(clause, 1, SOCKET_LEVEL_BITS, refused->level);
		when(clause, 2, SOCKET_OPTION_BITS & ~(uint64_t)refused->or_bit, refused->option);
	}
	add(w, FILTER_ALLOW, 0);
}

/* Landlock scopes the signals that a descriptor's owner gets; without that the gate sets the owner.
 */
static void file_control(struct row_writer *w)
{
	w->class = CLASS_ARGS;
	if (!w->terms->scoped_signals) {
		when(add(w, FILTER_NOTIFY, 0), 1, LOW32, F_SETOWN);
		when(add(w, FILTER_NOTIFY, 0), 1, LOW32, F_SETOWN_EX);
	}
	add(w, FILTER_ALLOW, 0);
}

row_function *const filter_argument_rows[TREAT_COUNT] = {
    [TREAT_SENDS] = sends,
    [TREAT_SENDTO] = send_to,
    [TREAT_SOCKET] = socket_make,
    [TREAT_SOCKETPAIR] = socket_pair,
    [TREAT_IOCTL] = ioctl_command,
    [TREAT_PRCTL] = process_control,
    [TREAT_SETSOCKOPT] = socket_option,
    [TREAT_FCNTL] = file_control,
};
