/* SPDX-License-Identifier: Apache-2.0 */
/* The private folder of a session, at its end. */
#ifndef REMIT_TOOLS_SCRATCH_H
#define REMIT_TOOLS_SCRATCH_H

/* Removes the folder and everything in it. Follows no link, leaves other file systems mounted
 * beneath alone. 0 or a negative errno; what could be removed is removed. */
int scratch_remove(const char *path);
/* The same of what an open folder holds; its path may lead elsewhere by now. */
int scratch_empty(int folder);

#endif
