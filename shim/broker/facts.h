/* SPDX-License-Identifier: Apache-2.0 */
/* What a condition wants to know of an object, learnt from the object itself, never from its name.
 */
#ifndef REMIT_BROKER_FACTS_H
#define REMIT_BROKER_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/broker/broker.h"

/* SHA-256 of a regular file's content; handle may be O_PATH. 0 or a negative errno. */
int facts_sha256(int handle, uint8_t out[32]);

/* True for the session's own terminal and for a pty whose master a process of the session holds.
 * nested: of that session within the broker's; NULL: the broker's own. */
bool facts_session_terminal(struct broker *broker, const struct nested *nested, int handle);

#endif
