/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exec, held at its first moment: the kernel has made the new program, its memory belongs to
 * nobody else, and not one instruction of it has run. What was started can then be read without a
 * race, and ended if it is not what may run.
 */
#ifndef REMIT_BROKER_EXEC_TRACE_H
#define REMIT_BROKER_EXEC_TRACE_H

#include "shim/broker/broker.h"

/*
 * Traces the caller from the calling thread, which must see it through: exec_trace_start(), and
 * when that says EXEC_STARTED one of exec_trace_release() and exec_trace_kill(). 0, or a negative
 * errno
 * (-EPERM: may not be traced, or somebody traces it already; -ESRCH: gone).
 */
int exec_trace_begin(struct request *request);

enum exec_outcome {
	EXEC_STARTED, /* stopped; request->tid is the new program's, and request_alive() holds */
	EXEC_FAILED,  /* the kernel refused, the caller goes on with its errno, or is gone */
};

/* Lets the kernel run the exec (this is the answer to the call) and waits for what comes of it. */
enum exec_outcome exec_trace_start(struct request *request);
void exec_trace_release(struct request *request);
void exec_trace_kill(struct request *request);

#endif
