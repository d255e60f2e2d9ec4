/* SPDX-License-Identifier: Apache-2.0 */
/* The count of processes that limits.processes of an inner session is held to. */
#ifndef REMIT_BROKER_PROCESS_FORKS_H
#define REMIT_BROKER_PROCESS_FORKS_H

struct forks;

struct forks *process_forks_new(void);	      /* NULL when out of memory */
void process_forks_free(struct forks *forks); /* NULL is fine */

#endif
