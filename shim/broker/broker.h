/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate, from the inside. One notification is one struct request; a table says which function
 * performs it; what is not in the table is refused.
 *
 *   workers*.c   receive notifications, serve and answer
 *   gate.c       shared state, and which performer it is (table.c)
 *   request.c    who the caller is
 *   memory.c     the caller's memory, read once
 *   resolve*.c   path → object, as the caller means it
 *   judge*.c     decide, record, explain
 *   files*.c network*.c exec*.c process*.c …   performers
 *   record*.c    JSON lines
 *   session*.c   launch, limits, the end
 *
 * Rules for every performer:
 *  - Copy what the caller points to once, decide on the copy, act on the copy. Never read it again.
 *  - REPLY_CONTINUE only where the wall (or nothing in memory) is the last word.
 *  - Whatever cannot be read, resolved or judged is refused: -EACCES, or the errno the kernel
 * itself would give.
 */
#ifndef REMIT_BROKER_BROKER_H
#define REMIT_BROKER_BROKER_H

#include <limits.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/core/decide.h"
#include "policy/core/path.h"
#include "policy/core/scope.h"
#include "policy/plan/plan.h"

struct records;	  /* record.h */
struct usage;	  /* usage.h */
struct nested;	  /* nest.h */
struct broker;	  /* shared by all workers; gate.c */
struct exec_args; /* exec_args.h */
struct known;	  /* known.h */

/* One call of one thread of the agent. Lives on the worker's stack for the time of the call. */
struct request {
	struct broker *broker;
	struct seccomp_notif notif; /* data.args as the kernel saw them */
	pid_t tid;		    /* notif.pid: the calling thread */
	pid_t tgid;		    /* its process; 0 until request_tgid() */
	int pidfd;		    /* of the thread, else of tgid; opened on first use; -1 */
	struct known *known;	    /* what the worker keeps of earlier calls; NULL: nothing */
	int umask;		    /* the caller's; -1 until request_umask() */
	struct nested *nested;	    /* the innermost session that the caller belongs to (nest.h);
				       NULL: the broker's own */
	const char *name;	    /* of the syscall, from the table */
	uint32_t conditions; /* enum condition: what judging this call has asked for so far */
	bool executes;	     /* the caller is about to become another program (census.c) */
	bool held; /* answered, and stopped under our trace: what is said of it stays true */
};

enum reply_kind {
	REPLY_ERROR = 0, /* value is a positive errno; zero-filled is turned into EACCES */
	REPLY_VALUE,	 /* value is what the syscall returns */
	REPLY_CONTINUE,	 /* the kernel runs the call itself, bounded by the wall */
	REPLY_FD,    /* fd is installed in the caller and closed here; fd_flags: O_CLOEXEC or 0 */
	REPLY_DONE,  /* request_continue() has answered */
	REPLY_LATER, /* request_may_block() has queued the call: nothing is answered now */
};

struct reply {
	enum reply_kind kind;
	int64_t value;
	int fd;
	uint32_t fd_flags;
};

static inline struct reply reply_error(int error)
{
	return (struct reply){.kind = REPLY_ERROR, .value = error, .fd = -1};
}
static inline struct reply reply_value(int64_t value)
{
	return (struct reply){.kind = REPLY_VALUE, .value = value, .fd = -1};
}
static inline struct reply reply_continue(void)
{
	return (struct reply){.kind = REPLY_CONTINUE, .fd = -1};
}
static inline struct reply reply_fd(int fd, uint32_t flags)
{
	return (struct reply){.kind = REPLY_FD, .fd = fd, .fd_flags = flags};
}
/* The usual end of a performer: result of a syscall made on the caller's behalf; -1 means errno. */
struct reply reply_result(long result);

typedef struct reply (*performer)(struct request *request);

/* One row a syscall, sorted by number; the only list of what the agent may ask the gate to do. */
struct gate_row {
	int nr;
	const char *name;
	performer perform;
	bool may_block; /* FIFO opens, connects, sends: runs on a thread of its own class, so that
			   it never holds up another process */
};
extern const struct gate_row gate_table[];
extern const size_t gate_table_size;

/* --- gate.c: the shared state --- */

const struct scope *broker_scope(const struct broker *broker);
const struct plan *broker_plan(const struct broker *broker);
struct records *broker_records(struct broker *broker);
struct usage *broker_usage(const struct broker *broker); /* NULL: uses are not counted */
int broker_scope_fd(const struct broker *broker);	 /* the sealed memfd, for HYPERCALL_HELLO */
uint32_t broker_session_flags(const struct broker *broker);
pid_t broker_pid(const struct broker *broker);
/* N of /dev/pts/N that the session runs on, -1. */
int broker_tty_index(const struct broker *broker);
const char *broker_shim(const struct broker *broker); /* the path that programs preload, or NULL */

/* --- request.c: the caller; workers*.c: its call --- */

/* True while the caller still waits for this answer: its pid has not been reused, /proc/TID is
 * still its own. Call after opening anything under /proc/TID and before trusting it. */
bool request_alive(const struct request *request);
/*
 * Says that what follows may block for long. True: go on, this thread is replaced in the pool; a
 * blocking call returns EINTR when the caller dies. False: the process has too many blocked calls
 * already and this one is queued: return a reply of kind REPLY_LATER at once; the performer will
 * run again from its start. Rows with may_block have been asked before their performer runs.
 */
bool request_may_block(struct request *request);
/* Answers CONTINUE now, before the performer returns; it then returns REPLY_DONE. From here on the
 * caller goes on by itself and request_alive() is false. */
void request_continue(struct request *request);
/* The caller, whose call was answered, is this process now, and is held until its performer
 * returns.
 */
void request_is_now(struct request *request, pid_t pid);
/* True when the gate is being closed: who waits for a caller gives up. */
bool request_ends(const struct request *request);
/* The caller's umask, or -ESRCH. Set it with umask(2) before creating anything: each worker has its
 * own (CLONE_FS unshared). */
int request_umask(struct request *request);
/* The caller's process id (thread group), or -ESRCH. Cached in request. */
pid_t request_tgid(struct request *request);
/* A duplicate of the caller's fd, close-on-exec, or a negative errno (-EBADF when it has none
 * such). The caller closes it. */
int request_getfd(struct request *request, int fd);

/* --- memory.c: each returns 0/length or a negative errno; -EFAULT as the kernel would --- */

int memory_read(const struct request *request, uint64_t address, void *buf, size_t size);
int memory_write(const struct request *request, uint64_t address, const void *buf, size_t size);
/* A NUL-ended string of at most size-1 bytes; returns its length, -ENAMETOOLONG when it does not
 * end in time. Never reads past the page that ends it. */
long memory_read_string(const struct request *request, uint64_t address, char *buf, size_t size);
/* The same without asking whether the caller still waits, which is the asker's to do: by
 * request_alive() before anything is made, changed or recorded, or by an answer that does nothing
 * but name the call to the kernel (CONTINUE, an fd that was only opened). */
long memory_peek_string(const struct request *request, uint64_t address, char *buf, size_t size);

/* --- resolve*.c: a path as the caller means it --- */

enum resolve_flags {
	RESOLVE_NOFOLLOW_LAST =
	    1 << 0,		 /* lstat-like: the last component itself, even if it is a link */
	RESOLVE_PARENT = 1 << 1, /* only the parent must exist: object.parent and object.name are
				    filled; the last component is not followed */
	RESOLVE_EMPTY_PATH = 1 << 2, /* AT_EMPTY_PATH: "" means dirfd itself */
	RESOLVE_CREATE = 1 << 3, /* like open(O_CREAT): follow the last link, also to a target that
				    does not exist yet */
	RESOLVE_LINKED = 1 << 4, /* a link is known to be on the way: no other try is made */
};

/*
 * What a path leads to. `path` is the real path that decide() judges: no links, as the kernel names
 * the object now; for an object that does not exist the parent's real path plus the name. The
 * caller's own /proc/PID is spelled /proc/self in it, whatever way it was reached.
 */
struct object {
	int handle; /* O_PATH fd of the object, -1 when it does not exist or only the parent was
		       asked for */
	int parent; /* O_PATH fd of the folder that holds it: with RESOLVE_PARENT, or when the
		       object does not exist; else -1 */
	char name[NAME_MAX + 1]; /* the last component; "" when parent is -1; ".", ".." and "/" are
				    kept as they are, and no call may act on them */
	bool slash;		 /* the text ended with a slash: only a folder will do */
	mode_t type;		 /* S_IFMT bits of the object; 0 when it does not exist */
	bool anonymous;	    /* no path: pipe, socket, memfd, deleted file; `path` holds the kernel's
			       name for it ("pipe:[7]") */
	bool by_magic_link; /* reached through /proc/…/fd/N, cwd, root, exe */
	int magic_fd;	    /* N when reached through the caller's own /proc/self/fd/N, else -1 */
	size_t len;
	char path[PATH_TEXT_MAX];
};

/* dirfd is the caller's number or AT_FDCWD. 0 and a filled object (object_close() it), or a
 * negative errno as the kernel would give (-ENOENT, -ENOTDIR, -ELOOP, …). */
int resolve(struct request *request, int dirfd, const char *path, unsigned int flags,
	    struct object *out);
/* The object behind one of the caller's fds; `handle` is a duplicate of that fd itself, not O_PATH.
 */
int resolve_fd(struct request *request, int fd, struct object *out);
void object_close(struct object *object);
/* Text of "/proc/self/fd/HANDLE", to act on exactly this object. buf of at least 32 bytes. Returns
 * buf. */
char *object_self_path(int handle, char *buf);

/* --- judge*.c: decide + record + explain; the only way a performer asks --- */

/* 0 when allowed; else -errno, already recorded and explained. Collects facts (sha256 via
 * object->handle, session terminal) when a condition asks for them. */
int judge_path(struct request *request, enum verb verb, const struct object *object);
/* An exec of the object with these arguments, read when a condition asks for them. `started`: the
 * second look, at what the kernel has started; it records nothing but a refusal. */
int judge_exec(struct request *request, const struct object *object, struct exec_args *args,
	       bool started);
/* The same for a name that does not exist as an object (rename's target). */
int judge_text(struct request *request, enum verb verb, const char *path, size_t len);
int judge_address(struct request *request, enum verb verb, const struct address *address);
int judge_abstract(struct request *request, enum verb verb, const char *name, size_t len);
/* A refusal that no rule of the manifest can lift (a socket family, a foreign process): `why` is a
 * static text, the object free text. Always returns -error. */
int judge_never(struct request *request, const char *verb, const char *object, const char *why,
		int error);
/* The same for what libraries try by the way and can do without: recorded, counted, not told. */
int judge_never_quietly(struct request *request, const char *verb, const char *object,
			const char *why, int error);
/* A refusal that the shim says it made: 0 once it is recorded, -EINVAL when it would be none. */
int judge_testimony(struct request *request, struct query *query);
/* decide() without record or explanation, for comparing rights. */
bool judge_would_allow(struct request *request, enum verb verb, const char *path, size_t len);
/* Whether some log wants to know of allowed calls. */
bool judge_records_all(const struct request *request);
/* After a yes of judge_would_allow(), upon which the call goes on: counts it, and records it where
 * the log wants that. 0 or a negative errno. */
int judge_allowed(struct request *request, enum verb verb, const char *path, size_t len);
/* decide_beneath(), decide_pinned_beneath() and decide_moves_safely() of every scope that the
 * caller is held to. */
uint32_t judge_beneath(struct request *request, const char *path, size_t len);
uint32_t judge_pinned_beneath(struct request *request, const char *path, size_t len);
bool judge_moves_safely(struct request *request, const char *from, size_t from_len, const char *to,
			size_t to_len);
/* True when the wall of this session covers verb on the object: REPLY_CONTINUE is then sound and
 * native. */
bool judge_in_wall(struct request *request, enum verb verb, const struct object *object);
/* The same for a name that no link is in. */
bool judge_text_in_wall(struct request *request, enum verb verb, const char *path, size_t len);
/* The same for making, removing or renaming the object's name: Landlock asks its folder. */
bool judge_name_in_wall(struct request *request, const struct object *object);
bool judge_name_text_in_wall(struct request *request, const char *path, size_t len);

/* --- process_target.c --- */

/* True when pid (thread or process) belongs to the caller's session: its chain of parents leads to
 * the broker, and it is no less inside than the caller. */
bool process_in_session(struct request *request, pid_t pid);

#endif
