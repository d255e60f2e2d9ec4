/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What no manifest can grant, refused with a record. The filter could answer it by itself, but then
 * nobody would hear of it.
 */
#ifndef REMIT_BROKER_NEVER_H
#define REMIT_BROKER_NEVER_H

#include "shim/broker/broker.h"

/* A call without a row in gate_table: TREAT_NEVER in the filter's table, recorded; or unknown:
 * ENOSYS, of which nobody hears. */
struct reply never_listed(struct request *request);
/* Any ioctl but those that other files perform. */
struct reply never_ioctl(struct request *request);
/* True, and the refusal in *ret_reply, when socket(2) or socketpair(2) asks for a kind that no rule
 * can grant. */
bool never_socket(struct request *request, struct reply *ret_reply);
/* The same for the flags of clone(2). */
bool never_clone(struct request *request, struct reply *ret_reply);

#endif
