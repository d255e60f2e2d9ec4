/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals told on the caller's own stderr. Never waits, never fails: nobody listening is fine. */
#ifndef REMIT_BROKER_TELL_H
#define REMIT_BROKER_TELL_H

#include "shim/broker/broker.h"

/* One line with its newline, at most PIPE_BUF bytes. */
void tell_caller(struct request *request, const char *text, size_t len);

/* The sentence of a refusal that no rule can lift. Once for each process and object; not in a quiet
 * session. */
void tell_never(struct request *request, const char *verb, const char *object, const char *why);

#endif
