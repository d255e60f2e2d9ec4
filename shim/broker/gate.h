/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate as the session sees it: made once, served by threads, stopped once. Everything that the
 * performers may ask of it is in broker.h.
 */
#ifndef REMIT_BROKER_GATE_H
#define REMIT_BROKER_GATE_H

#include "shim/broker/broker.h"
#include "shim/broker/ipc.h"
#include "shim/broker/standing.h"

struct broker_options {
	const struct scope *scope;	 /* copied; the image stays mapped while the broker lives */
	int scope_fd;			 /* sealed memfd of the image; borrowed, -1: none */
	const struct plan *plan;	 /* borrowed */
	const struct features *features; /* borrowed */
	struct records *records;	 /* borrowed */
	uint32_t session_flags;		 /* enum session_flag */
	int tty_index;			 /* N of /dev/pts/N that the session runs on, -1: none */
	struct ipc *ipc;		 /* borrowed; NULL: nothing of the kind is asked */
	struct usage *usage;		 /* borrowed; NULL: uses of rules are not counted */
	const char *shim;		 /* borrowed; the path that programs preload, NULL: none */
	const char *tmp;		 /* the session's private folder; NULL: none */
};

/* Before the fork: allocates, starts no thread. 0 or a negative errno. */
int broker_create(const struct broker_options *options, struct broker **out);

/*
 * Starts the first threads, with every signal blocked but the gate's own; they wait for
 * broker_serve_open(). agent_pid is the first process of the session. 0 or a negative errno: then
 * no call will ever be answered, and the caller must end the agent.
 */
int broker_serve_start(struct broker *broker, pid_t agent_pid);
/* Owns `listener` (the seccomp notification fd) from here on, and answers. */
void broker_serve_open(struct broker *broker, int listener);

/* Closes the listener (gated calls still waiting fail with ENOSYS, nothing opens), releases blocked
 * workers and joins every thread. Fine when never started. */
void broker_serve_stop(struct broker *broker);

/* Frees it; NULL is fine. Only after broker_serve_stop(). */
void broker_free(struct broker *broker);

/* The request is over: what it opened of its caller is kept for the next call, or closed. */
void request_forget(struct request *request);
/* The descriptor that notifications come from; the workers' own. */
int broker_listener(const struct broker *broker);

/* True when the receiver has lost the listener for another reason than the end of the session: the
 * caller must end the agent. */
bool broker_failed(const struct broker *broker);

/* Which rules of the wall still stand, of paths replaced since the start. */
const struct standing *broker_standing(const struct broker *broker);
const struct links *broker_links(const struct broker *broker);
const struct private_folder *broker_private(const struct broker *broker);
struct ipc *broker_ipc(const struct broker *broker);
pid_t broker_agent_pid(const struct broker *broker);
const struct features *broker_features(const struct broker *broker);

#endif
