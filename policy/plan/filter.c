/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter table. Every treatment of syscalls.c has one function here that writes its clauses;
 * the first clause that applies decides, and the last one always applies, so a row answers for
 * every value of every argument.
 *
 * Registers are 64 bits wide and the kernel cuts most arguments to 32: an attacker fills the upper
 * half at will. So what is *refused* or *gated* by value is compared on the bits that the kernel
 * looks at, and what is *allowed* by value either on those bits or on all 64; the clause at the end
 * is the stricter one. Numbers come from the uapi headers named beside them.
 */
#include "policy/plan/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/plan/syscalls.h"
#include "shim/common/protocol.h"

#define LOW32 0xffffffffULL
#define SIGN32 0x80000000ULL
#define TAG_ARG 5
#define NR_KILL 62
#define NR_TRUNCATE 76
#define NR_CREAT 85
#define NR_OPENAT 257

/* Room for the clauses of one row; filter_build() copies what was used. */
#define ROW_ROOM 32

struct row_writer {
	const struct filter_terms *terms;
	const struct syscall_row *from;
	enum filter_class class;
	struct filter_clause clause[ROW_ROOM];
	uint8_t count;
};

static struct filter_clause *add(struct row_writer *w, enum filter_action action, int error)
{
	struct filter_clause *clause = &w->clause[w->count++];
	*clause = (struct filter_clause){.action = action, .error = error};
	return clause;
}

static void when(struct filter_clause *clause, uint8_t arg, uint64_t mask, uint64_t value)
{
	clause->compare[clause->compare_count++] = (struct filter_compare){
	    .arg = arg, .op = COMPARE_MASKED_EQ, .mask = mask, .value = value};
}

static void when_equal(struct filter_clause *clause, uint8_t arg, uint64_t value)
{
	clause->compare[clause->compare_count++] = (struct filter_compare){
	    .arg = arg, .op = COMPARE_EQ, .mask = UINT64_MAX, .value = value};
}

static void allow(struct row_writer *w)
{
	w->class = CLASS_ALLOW;
	add(w, FILTER_ALLOW, 0);
}

static void tag_or_notify(struct row_writer *w, bool tag)
{
	w->class = CLASS_PATH;
	if (tag)
		when_equal(add(w, FILTER_ALLOW, 0), TAG_ARG, REMIT_TAG);
	add(w, FILTER_NOTIFY, 0);
}

/* Landlock alone, but for who asks for the gate: a shim whose tagged call was refused, for the
 * explanation. */
static void native(struct row_writer *w)
{
	w->class = CLASS_PATH;
	when_equal(add(w, FILTER_NOTIFY, 0), TAG_ARG, REMIT_TAG_GATE);
	add(w, FILTER_ALLOW, 0);
}

static void path(struct row_writer *w)
{
	bool writes = w->from->nr == NR_TRUNCATE || w->from->nr == NR_CREAT;
	if (writes && w->terms->native_write)
		native(w);
	else
		tag_or_notify(w, w->terms->fast_lane);
}

/*
 * With O_PATH the kernel drops every other flag but the harmless three (build_open_how(),
 * fs/open.c). Access mode 3 opens for commands to devices alone: neither for reading nor for
 * writing, so Landlock asks for no right and the wall holds nothing. open() has no fast lane: the
 * shim calls openat() instead, and the program stays short.
 */
static void open_family(struct row_writer *w)
{
	const uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC;
	bool tag = w->terms->fast_lane && w->from->nr == NR_OPENAT;
	when(add(w, FILTER_ALLOW, 0), w->from->value, O_PATH, O_PATH);
	if (tag || w->terms->native_read)
		when(add(w, FILTER_NOTIFY, 0), w->from->value, O_ACCMODE, O_ACCMODE);
	if (w->terms->native_read && w->terms->native_write) {
		native(w);
		return;
	}
	if (w->terms->native_read) {
		struct filter_clause *asks = add(w, FILTER_NOTIFY, 0);
		when(asks, w->from->value, writing, 0);
		when_equal(asks, TAG_ARG, REMIT_TAG_GATE);
		when(add(w, FILTER_ALLOW, 0), w->from->value, writing, 0);
	}
	tag_or_notify(w, tag);
}

static void exec(struct row_writer *w)
{
	if (w->terms->native_exec)
		native(w);
	else
		tag_or_notify(w, w->terms->exec_fast_lane);
}

static void object(struct row_writer *w)
{
	w->class = CLASS_OBJECT;
	add(w, FILTER_NOTIFY, 0);
}

static void error(struct row_writer *w)
{
	w->class = CLASS_ERRNO;
	add(w, FILTER_ERRNO, w->from->value);
}

/* Nobody may do this, and it is worth a record: the gate writes it down and refuses
 * (shim/broker/never.c). Without a gate the kernel says ENOSYS. */
static struct filter_clause *never(struct row_writer *w)
{
	return add(w, FILTER_NOTIFY, 0);
}

static void never_call(struct row_writer *w)
{
	w->class = CLASS_OBJECT;
	never(w);
}

/* A process is named by a positive number; groups and everybody are Landlock's to sort out, process
 * by process. With the tag the kernel is tried first, as for files: kill() is never interrupted,
 * and a call that waits for the gate is. */
static void kill_family(struct row_writer *w)
{
	w->class = CLASS_PID;
	if (w->terms->scoped_signals && w->from->nr == NR_KILL) {
		when(add(w, FILTER_ALLOW, 0), 0, SIGN32, SIGN32);
		if (w->terms->fast_lane)
			when_equal(add(w, FILTER_ALLOW, 0), TAG_ARG, REMIT_TAG);
	}
	add(w, FILTER_NOTIFY, 0);
}

/* Programs signal their own threads by these all the time. */
static void signal_family(struct row_writer *w)
{
	bool native = w->terms->scoped_signals && w->terms->fast_lane;
	w->class = CLASS_PID;
	add(w, native ? FILTER_ALLOW : FILTER_NOTIFY, 0);
}

static void trace(struct row_writer *w)
{
	w->class = CLASS_PID;
	add(w, FILTER_NOTIFY, 0);
}

static void ptrace_call(struct row_writer *w)
{
	w->class = CLASS_PID;
	/* The bits that tell these two from all other requests that there are; what is notified
	 * needlessly goes on. */
	if (w->terms->traced) {
		when(add(w, FILTER_NOTIFY, 0), 0, 0x401f, PTRACE_ATTACH);
		when(add(w, FILTER_NOTIFY, 0), 0, 0x401f, PTRACE_SEIZE & 0x401f);
		add(w, FILTER_ALLOW, 0);
	} else {
		never(w);
	}
}

static void other(struct row_writer *w)
{
	w->class = CLASS_PID;
	when_equal(add(w, FILTER_ALLOW, 0), w->from->value, 0);
	add(w, FILTER_NOTIFY, 0);
}

static void self_or_notify(struct row_writer *w, uint64_t which)
{
	w->class = CLASS_PID;
	struct filter_clause *self = add(w, FILTER_ALLOW, 0);
	when_equal(self, 0, which);
	when_equal(self, 1, 0);
	add(w, FILTER_NOTIFY, 0);
}

static void set_priority(struct row_writer *w)
{
	self_or_notify(w, 0 /* PRIO_PROCESS, linux/resource.h */);
}

static void io_priority(struct row_writer *w)
{
	self_or_notify(w, 1 /* IOPRIO_WHO_PROCESS, linux/ioprio.h */);
}

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

static const uint32_t namespaces[] = {
    CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
    CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET,
};

static void refuse_namespaces(struct row_writer *w)
{
	w->class = CLASS_ARGS;
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++)
		when(never(w), 0, namespaces[i], namespaces[i]);
}

/* Here bit 7 is part of the exit signal, not CLONE_NEWTIME. */
static void clone_call(struct row_writer *w)
{
	refuse_namespaces(w);
	if (w->terms->gated_forks) {
		when(add(w, FILTER_ALLOW, 0), 0, CLONE_THREAD, CLONE_THREAD);
		add(w, FILTER_NOTIFY, 0);
	} else {
		add(w, FILTER_ALLOW, 0);
	}
}

static void fork_call(struct row_writer *w)
{
	w->class = w->terms->gated_forks ? CLASS_OBJECT : CLASS_ALLOW;
	add(w, w->terms->gated_forks ? FILTER_NOTIFY : FILTER_ALLOW, 0);
}

static void unshare_call(struct row_writer *w)
{
	refuse_namespaces(w);
	when(never(w), 0, 0x80 /* CLONE_NEWTIME, linux/sched.h */, 0x80);
	add(w, FILTER_ALLOW, 0);
}

/*
 * A source route sends what goes to a granted address to another one first. linux/in.h and
 * linux/in6.h: IP_OPTIONS, IPV6_2292PKTOPTIONS, IPV6_FLOWLABEL_MGR (a label may carry a route),
 * IPV6_RTHDR.
 *
 * Joining a multicast group tells the network about it, group and sources as the caller chose them:
 * a message to whoever listens there. IP_ADD_MEMBERSHIP (35), IP_ADD_SOURCE_MEMBERSHIP (39),
 * IPV6_ADD_MEMBERSHIP (20), MCAST_JOIN_GROUP (42), MCAST_JOIN_SOURCE_GROUP (46); what changes the
 * sources of a group needs to have joined it.
 *
 * IP_LOCAL_PORT_RANGE (51) says which port the kernel "chooses": any socket that binds to none
 * would listen where the manifest grants no listening. IPv6 sockets take it at the level of IPv4
 * too, and have none of their own.
 */
static void socket_option(struct row_writer *w)
{
	/* The kernel knows no larger level, and no larger option that ends like one of these
	 * (linux/ip_vs.h has some). */
	const uint64_t level_bits = 0x1ff, option_bits = 0xff;
	static const struct {
		uint32_t level, option, or_bit;
	} refused[] = {
	    {0, 4, 0},	{41, 6, 0}, {41, 32, 0}, {41, 57, 0}, {0, 51, 0},
	    {0, 35, 4}, {0, 42, 4}, {41, 20, 0}, {41, 42, 4},
	};
	w->class = CLASS_ARGS;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct filter_clause *clause = never(w);
		when(clause, 1, level_bits, refused[i].level);
		when(clause, 2, option_bits & ~(uint64_t)refused[i].or_bit, refused[i].option);
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

static void (*const write_row[TREAT_COUNT])(struct row_writer *) = {
    [TREAT_ALLOW] = allow,	    [TREAT_PATH] = path,
    [TREAT_OPEN] = open_family,	    [TREAT_EXEC] = exec,
    [TREAT_OBJECT] = object,	    [TREAT_NEVER] = never_call,
    [TREAT_ERRNO] = error,	    [TREAT_KILL] = kill_family,
    [TREAT_SIGNAL] = signal_family, [TREAT_PTRACE] = ptrace_call,
    [TREAT_TRACE] = trace,	    [TREAT_OTHER] = other,
    [TREAT_SENDS] = sends,	    [TREAT_SENDTO] = send_to,
    [TREAT_SOCKET] = socket_make,   [TREAT_SOCKETPAIR] = socket_pair,
    [TREAT_IOCTL] = ioctl_command,  [TREAT_PRCTL] = process_control,
    [TREAT_CLONE] = clone_call,	    [TREAT_FORK] = fork_call,
    [TREAT_UNSHARE] = unshare_call, [TREAT_SETPRIORITY] = set_priority,
    [TREAT_IOPRIO] = io_priority,   [TREAT_SETSOCKOPT] = socket_option,
    [TREAT_FCNTL] = file_control,
};

/* The clauses of one row; only those that are written mean anything. */
static void write_clauses(struct row_writer *w, const struct filter_terms *terms,
			  const struct syscall_row *from)
{
	w->terms = terms;
	w->from = from;
	w->class = CLASS_ALLOW;
	w->count = 0;
	write_row[from->treatment](w);
}

static int keep_clauses(struct plan *plan, const struct row_writer *w, size_t used, size_t *room)
{
	if (w->count > *room - used) {
		size_t more = *room ? *room * 2 : 1024;
		struct filter_clause *clauses = reallocarray(plan->clauses, more, sizeof(*clauses));
		if (!clauses)
			return -ENOMEM;
		plan->clauses = clauses;
		*room = more;
	}
	memcpy(&plan->clauses[used], w->clause, w->count * sizeof(w->clause[0]));
	return 0;
}

int filter_build(const struct filter_terms *terms, struct plan *plan)
{
	struct row_writer w;
	size_t room = 0, used = 0;
	plan->filter = calloc(syscall_table_size, sizeof(*plan->filter));
	if (!plan->filter)
		return -ENOMEM;
	for (size_t i = 0; i < syscall_table_size; i++) {
		const struct syscall_row *from = &syscall_table[i];
		write_clauses(&w, terms, from);
		if (keep_clauses(plan, &w, used, &room) < 0)
			return -ENOMEM;
		plan->filter[i] = (struct filter_row){
		    .nr = from->nr,
		    .name = from->name,
		    .class = w.class,
		    .why = from->why,
		    .clause_count = w.count,
		};
		used += w.count;
	}
	/* They have moved as they grew. */
	used = 0;
	for (size_t i = 0; i < syscall_table_size; i++) {
		plan->filter[i].clause = &plan->clauses[used];
		used += plan->filter[i].clause_count;
	}
	plan->filter_count = syscall_table_size;
	return 0;
}

static const struct filter_row *find_row(const struct plan *plan, int nr)
{
	size_t low = 0, high = plan->filter_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (plan->filter[middle].nr == nr)
			return &plan->filter[middle];
		if (plan->filter[middle].nr < nr)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool applies(const struct filter_clause *clause, const uint64_t args[6])
{
	for (uint8_t i = 0; i < clause->compare_count; i++) {
		const struct filter_compare *compare = &clause->compare[i];
		if ((args[compare->arg] & compare->mask) != compare->value)
			return false;
	}
	return true;
}

const struct filter_clause *plan_filter_clause(const struct plan *plan, int nr,
					       const uint64_t args[6])
{
	static const struct filter_clause unknown = {.action = FILTER_ERRNO, .error = ENOSYS};
	const struct filter_row *row = find_row(plan, nr);
	for (uint8_t i = 0; row && i < row->clause_count; i++) {
		if (applies(&row->clause[i], args))
			return &row->clause[i];
	}
	return &unknown;
}
