/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs that libseccomp built with the command (tools/filters). Each stands under a digest
 * of the clause table that it was made from, all that a program depends on: a table that has
 * changed since meets none of them, and is built at the launch as before.
 */
#include "shim/kernel/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ready {
	uint8_t digest[KERNEL_FILTER_DIGEST];
	const struct sock_filter *program;
	size_t count;
};

#include "filters.inc"

const struct sock_filter *kernel_filter_ready(const struct plan *plan, size_t *count)
{
	uint8_t digest[KERNEL_FILTER_DIGEST];
	kernel_filter_digest(plan, digest);
	for (size_t i = 0; i < sizeof(ready) / sizeof(*ready); i++) {
		if (memcmp(ready[i].digest, digest, sizeof(digest)))
			continue;
		*count = ready[i].count;
		return ready[i].program;
	}
	return NULL;
}

int kernel_filter(const struct plan *plan, struct sock_filter **program, size_t *count)
{
	size_t there;
	const struct sock_filter *found = kernel_filter_ready(plan, &there);
	if (!found)
		return kernel_filter_build(plan, program, count);
	struct sock_filter *copy = malloc(there * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, found, there * sizeof(*copy));
	*program = copy;
	*count = there;
	return 0;
}
