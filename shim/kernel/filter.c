/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the plan's filter table to a loaded seccomp program.
 *
 * A row of the plan is an ordered list: the first clause that applies decides. libseccomp's rules
 * have no order, so each clause is cut into rules that overlap no earlier clause: a rule is a
 * "cube" (per argument some bits with fixed values, or one value that is excluded), and cube minus
 * cube is again a list of cubes. libseccomp takes one compare per argument and rule, no rule whose
 * action is the default action, and drops the rules with arguments once it is given one without;
 * disjoint cubes meet all three. tests/unit/test_filter.c runs the program that comes out against
 * plan_filter_clause().
 *
 * What no rule allows goes to the gate: by default, because then only what is allowed has to be cut
 * into cubes, and the program is a third shorter (each instruction is a quarter of a microsecond of
 * every start). Without a gate the kernel says ENOSYS.
 *
 * libseccomp builds and exports; seccomp(2) loads, because the installed library knows neither
 * NEW_LISTENER nor WAIT_KILLABLE_RECV for a program that it did not load itself.
 */
#include "shim/kernel/kernel.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/common/protocol.h"
#include "shim/common/uapi.h"

#define ARGS 6

/* The values of one argument: those with (value & mask) == bits, or all but `bits` when excluded is
 * set (mask is then 0). */
struct edge {
	uint64_t mask, bits;
	bool excluded;
};

struct cube {
	struct edge arg[ARGS];
};

struct cubes {
	struct cube *items;
	size_t count, room;
};

static int cubes_add(struct cubes *cubes, const struct cube *cube)
{
	if (cubes->count == cubes->room) {
		size_t room = cubes->room ? cubes->room * 2 : 64;
		struct cube *items = reallocarray(cubes->items, room, sizeof(*items));
		if (!items)
			return -ENOMEM;
		cubes->items = items;
		cubes->room = room;
	}
	cubes->items[cubes->count++] = *cube;
	return 0;
}

static struct cube cube_of(const struct filter_clause *clause)
{
	struct cube cube = {0};
	for (uint8_t i = 0; i < clause->compare_count; i++) {
		const struct filter_compare *compare = &clause->compare[i];
		struct edge *edge = &cube.arg[compare->arg];
		edge->mask = compare->op == COMPARE_EQ ? UINT64_MAX : compare->mask;
		edge->bits = compare->value;
	}
	return cube;
}

static bool edges_meet(const struct edge *a, const struct edge *b)
{
	if (a->excluded)
		return b->mask != UINT64_MAX || b->bits != a->bits;
	uint64_t both = a->mask & b->mask;
	return (a->bits & both) == (b->bits & both);
}

static bool cubes_meet(const struct cube *a, const struct cube *b)
{
	for (int i = 0; i < ARGS; i++) {
		if (!edges_meet(&a->arg[i], &b->arg[i]))
			return false;
	}
	return true;
}

/* Splits `rest` along argument i: what lies outside `hole` there goes to out, the remainder stays
 * in rest. */
static int cut_edge(struct cube *rest, int i, const struct edge *hole, struct cubes *out)
{
	struct edge *edge = &rest->arg[i];
	if (hole->mask == UINT64_MAX && !edge->mask && !edge->excluded) {
		struct cube outside = *rest;
		outside.arg[i] = (struct edge){.bits = hole->bits, .excluded = true};
		*edge = *hole;
		return cubes_add(out, &outside);
	}
	if (edge->excluded) /* not one compare any more; no row needs it */
		return hole->mask ? -ENOTSUP : 0;
	for (uint64_t bit = 1ULL << 63; bit; bit >>= 1) {
		if (!(hole->mask & ~edge->mask & bit))
			continue;
		struct cube outside = *rest;
		outside.arg[i].mask |= bit;
		outside.arg[i].bits |= ~hole->bits & bit;
		int ret = cubes_add(out, &outside);
		if (ret < 0)
			return ret;
		edge->mask |= bit;
		edge->bits |= hole->bits & bit;
	}
	return 0;
}

/* cube minus hole, appended to out as disjoint cubes. */
static int cube_cut(const struct cube *cube, const struct cube *hole, struct cubes *out)
{
	if (!cubes_meet(cube, hole))
		return cubes_add(out, cube);
	struct cube rest = *cube;
	for (int i = 0; i < ARGS; i++) {
		int ret = cut_edge(&rest, i, &hole->arg[i], out);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* The part of clause n that no earlier clause of the row takes. */
static int clause_cubes(const struct filter_row *row, uint8_t n, struct cubes *out)
{
	struct cube first = cube_of(&row->clause[n]);
	int ret = cubes_add(out, &first);
	for (uint8_t earlier = 0; ret == 0 && earlier < n; earlier++) {
		struct cube hole = cube_of(&row->clause[earlier]);
		struct cubes next = {0};
		for (size_t i = 0; ret == 0 && i < out->count; i++)
			ret = cube_cut(&out->items[i], &hole, &next);
		free(out->items);
		*out = next;
	}
	return ret;
}

static int add_cube(scmp_filter_ctx context, uint32_t action, int nr, const struct cube *cube)
{
	struct scmp_arg_cmp compare[ARGS];
	unsigned int count = 0;
	for (unsigned int i = 0; i < ARGS; i++) {
		const struct edge *edge = &cube->arg[i];
		if (edge->excluded)
			compare[count++] = SCMP_CMP64(i, SCMP_CMP_NE, edge->bits, 0);
		else if (edge->mask == UINT64_MAX)
			compare[count++] = SCMP_CMP64(i, SCMP_CMP_EQ, edge->bits, 0);
		else if (edge->mask)
			compare[count++] =
			    SCMP_CMP64(i, SCMP_CMP_MASKED_EQ, edge->mask, edge->bits);
	}
	return seccomp_rule_add_exact_array(context, action, nr, count, compare);
}

static uint32_t action_of(const struct filter_clause *clause)
{
	switch (clause->action) {
	case FILTER_ALLOW:
		return SCMP_ACT_ALLOW;
	case FILTER_NOTIFY:
		return SCMP_ACT_NOTIFY;
	case FILTER_ERRNO:
		break;
	}
	return SCMP_ACT_ERRNO((uint32_t)clause->error);
}

static int add_row(scmp_filter_ctx context, const struct filter_row *row)
{
	int ret = 0;
	for (uint8_t n = 0; ret == 0 && n < row->clause_count; n++) {
		uint32_t action = action_of(&row->clause[n]);
		if (action == SCMP_ACT_NOTIFY) /* the default */
			continue;
		struct cubes cubes = {0};
		ret = clause_cubes(row, n, &cubes);
		for (size_t i = 0; ret == 0 && i < cubes.count; i++)
			ret = add_cube(context, action, row->nr, &cubes.items[i]);
		free(cubes.items);
	}
	return ret;
}

static int export_program(scmp_filter_ctx context, struct sock_filter **program, size_t *count)
{
	struct stat status;
	struct sock_filter *bytes = NULL;
	int fd = memfd_create("remit-filter", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	int ret = seccomp_export_bpf(context, fd);
	if (ret < 0)
		goto out;
	ret = -EIO;
	if (fstat(fd, &status) < 0 || status.st_size <= 0 ||
	    (size_t)status.st_size % sizeof(*bytes) ||
	    (size_t)status.st_size / sizeof(*bytes) > BPF_MAXINSNS)
		goto out;
	bytes = malloc((size_t)status.st_size);
	ret = -ENOMEM;
	if (!bytes)
		goto out;
	if (pread(fd, bytes, (size_t)status.st_size, 0) != status.st_size) {
		free(bytes);
		ret = -EIO;
		goto out;
	}
	*program = bytes;
	*count = (size_t)status.st_size / sizeof(*bytes);
	ret = 0;
out:
	close(fd);
	return ret;
}

int kernel_filter_build(const struct plan *plan, struct sock_filter **program, size_t *count)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_NOTIFY);
	if (!context)
		return -ENOMEM;
	int ret = -ENOTSUP;
	if (seccomp_arch_native() != SCMP_ARCH_X86_64)
		goto out;
	ret = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	if (ret == 0)
		ret = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; ret == 0 && i < plan->filter_count; i++)
		ret = add_row(context, &plan->filter[i]);
	if (ret == 0)
		ret = export_program(context, program, count);
out:
	seccomp_release(context);
	return ret;
}

/*
 * The rows whose tagged calls the plan would not let pass: the tag is all that the filter around
 * may let through where this plan notifies (the rest that depends on the manifest, it notifies for
 * every manifest; without a row here is only what programs do to their own threads, signal_family()
 * in policy/plan/filter_processes.c). The error is the one upon which the shim asks the gate.
 */
static int narrow_rows(scmp_filter_ctx context, const struct plan *plan, bool *any)
{
	const uint64_t tagged[ARGS] = {[ARGS - 1] = REMIT_TAG};
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < plan->filter_count; i++) {
		const struct filter_row *row = &plan->filter[i];
		if ((row->class != CLASS_PATH && row->nr != SYS_kill) ||
		    plan_filter_clause(plan, row->nr, tagged)->action != FILTER_NOTIFY)
			continue;
		*any = true;
		int error = row->nr == SYS_kill ? EPERM : EACCES;
		ret = seccomp_rule_add(context, SCMP_ACT_ERRNO(error), row->nr, 1,
				       SCMP_CMP64(ARGS - 1, SCMP_CMP_EQ, REMIT_TAG, 0));
	}
	return ret;
}

int kernel_narrow_build(const struct plan *plan, struct sock_filter **program, size_t *count)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
	bool any = false;
	if (!context)
		return -ENOMEM;
	*program = NULL;
	*count = 0;
	/* Other architectures are the outer filter's to refuse. */
	int ret = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
	if (ret == 0)
		ret = narrow_rows(context, plan, &any);
	if (ret == 0 && any)
		ret = export_program(context, program, count);
	seccomp_release(context);
	return ret;
}

int kernel_narrow_load(const struct sock_filter *program, size_t count)
{
	struct sock_fprog fprog = {.len = (unsigned short)count};
	if (!count)
		return 0;
	if (count > BPF_MAXINSNS)
		return -EINVAL;
	memcpy(&fprog.filter, &program, sizeof(program));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog) < 0 ? -errno : 0;
}

int kernel_filter_load(const struct features *features, const struct sock_filter *program,
		       size_t count)
{
	struct sock_fprog fprog = {.len = (unsigned short)count};
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	if (!count || count > BPF_MAXINSNS)
		return -EINVAL;
	/* The kernel only reads it; its struct has no const. */
	memcpy(&fprog.filter, &program, sizeof(program));
	if (features->seccomp_wait_killable)
		flags |= SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &fprog);
	return fd < 0 ? -errno : (int)fd;
}
