/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMIT_TOOLS_PROC_MOUNT_H
#define REMIT_TOOLS_PROC_MOUNT_H

#include <stdbool.h>

/* True when /proc does not show this process those that it may not trace (proc(5), hidepid), or
 * when that cannot be told: then the processes of a session cannot be counted. */
bool proc_mount_hides(void);

#endif
