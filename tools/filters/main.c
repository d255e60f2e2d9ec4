/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs at build time and writes filters.inc: what kernel_filter_build() makes of the terms that a
 * plan has where the kernel holds all of remit. Those of older kernels are built at the launch.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/plan/filter.h"
#include "shim/kernel/kernel.h"

static void write_program(size_t number, const struct sock_filter *program, size_t count)
{
	printf("static const struct sock_filter program_%zu[] = {\n", number);
	for (size_t i = 0; i < count; i++)
		printf("{%u,%u,%u,%" PRIu32 "u},\n", program[i].code, program[i].jt, program[i].jf,
		       program[i].k);
	printf("};\n");
}

static int build(const struct filter_terms *terms, size_t number, uint8_t *digest)
{
	struct plan plan = {0};
	struct sock_filter *program = NULL;
	size_t count = 0;
	int error = filter_build(terms, &plan);

	if (!error)
		error = kernel_filter_build(&plan, &program, &count);
	if (!error) {
		kernel_filter_digest(&plan, digest);
		write_program(number, program, count);
	}
	free(program);
	free(plan.filter);
	free(plan.clauses);
	return error;
}

static void write_table(uint8_t digests[][KERNEL_FILTER_DIGEST], size_t count)
{
	printf("static const struct ready ready[] = {\n");
	for (size_t i = 0; i < count; i++) {
		printf("{{");
		for (size_t n = 0; n < KERNEL_FILTER_DIGEST; n++)
			printf("%u,", digests[i][n]);
		printf("}, program_%zu, sizeof(program_%zu) / sizeof(*program_%zu)},\n", i, i, i);
	}
	printf("};\n");
}

int main(void)
{
	/* A session with conditions on programs, and one that is recorded strictly, have no fast
	 * lane for them, or none at all; one without records may leave more to the kernel. */
	static const struct filter_terms lanes[] = {
	    {.fast_lane = true, .exec_fast_lane = true},
	    {.fast_lane = true},
	    {.fast_lane = false},
	    {.fast_lane = true, .exec_fast_lane = true, .native_read = true, .native_exec = true},
	    {.fast_lane = true,
	     .exec_fast_lane = true,
	     .native_read = true,
	     .native_write = true,
	     .native_exec = true},
	};
	enum { PROGRAMS = 4 * sizeof(lanes) / sizeof(*lanes) };
	uint8_t digests[PROGRAMS][KERNEL_FILTER_DIGEST];
	size_t count = 0;

	for (unsigned int i = 0; i < PROGRAMS; i++) {
		struct filter_terms terms = lanes[i / 4];

		terms.traced = true;
		terms.scoped_signals = true;
		terms.gated_sends = i & 1;
		terms.gated_forks = i & 2;
		int error = build(&terms, count, digests[count]);

		if (error) {
			fprintf(stderr, "filters: %s\n", strerror(-error));
			return EXIT_FAILURE;
		}
		count++;
	}
	write_table(digests, count);
	return fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
