/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's environment: what env.pass lets through, what env.set sets, and remit's own two. */
#ifndef REMIT_BROKER_ENVIRONMENT_H
#define REMIT_BROKER_ENVIRONMENT_H

#include "policy/core/scope.h"

/*
 * *out is a new NULL-ended array; free with environment_free(). shim goes in front of what the user
 * has in LD_PRELOAD, if that variable is passed; tmp becomes TMPDIR; both may be NULL. 0 or
 * -ENOMEM.
 */
int environment_build(const struct scope *scope, char *const *from, const char *shim,
		      const char *tmp, char ***out);
void environment_free(char **environment); /* NULL is fine */

#endif
