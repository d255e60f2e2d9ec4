/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMIT_TOOLS_JANITOR_IPC_H
#define REMIT_TOOLS_JANITOR_IPC_H

#include <sys/types.h>

/*
 * The janitor's part of shim/broker/ipc_ledger.h: opens queues, keeps the list of what exists, and
 * when the other end of fd is closed removes what is left. `broker` is the process that makes
 * System V objects. Returns then.
 */
void janitor_ipc_serve(int fd, const char *session_id, pid_t broker);

#endif
