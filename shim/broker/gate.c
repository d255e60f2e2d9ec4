/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate's shared state, and the one place where a notification becomes a call of a performer.
 *
 * Guarantees: a call that is not in gate_table is refused; a performer that forgets its answer
 * refuses.
 */
#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <unistd.h>

#include "shim/broker/census.h"
#include "shim/broker/gate.h"
#include "shim/broker/links.h"
#include "shim/broker/nest.h"
#include "shim/broker/never.h"
#include "shim/broker/private.h"
#include "shim/broker/record.h"
#include "shim/broker/workers.h"

struct broker {
	struct scope scope;
	int scope_fd;
	const struct plan *plan;
	struct standing *standing;
	struct links *links;
	const struct features *features;
	struct records *records;
	uint32_t session_flags;
	int tty_index;
	struct ipc *ipc;
	struct usage *usage;
	pid_t pid, agent;
	struct workers *workers;
	int listener;
	const char *shim;
	struct private_folder private;
};

int broker_create(const struct broker_options *options, struct broker **out)
{
	struct broker *broker = calloc(1, sizeof(*broker));

	if (!broker)
		return -ENOMEM;
	broker->scope = *options->scope;
	broker->scope_fd = options->scope_fd;
	broker->plan = options->plan;
	broker->standing = standing_take(options->plan);
	broker->links = links_take(options->scope);
	if (!broker->standing || !broker->links) {
		broker_free(broker);
		return -ENOMEM;
	}
	broker->features = options->features;
	broker->records = options->records;
	broker->session_flags = options->session_flags;
	broker->tty_index = options->tty_index;
	broker->ipc = options->ipc;
	broker->usage = options->usage;
	broker->shim = options->shim;
	int error = options->tmp ? private_look(options->tmp, &broker->private) : 0;

	if (error) {
		broker_free(broker);
		return error;
	}
	broker->pid = getpid();
	broker->listener = -1;
	*out = broker;
	return 0;
}

static struct reply gate_serve(struct request *request);

int broker_serve_start(struct broker *broker, pid_t agent_pid)
{
	broker->agent = agent_pid;
	return workers_start(broker, broker->features, gate_serve, &broker->workers);
}

void broker_serve_open(struct broker *broker, int listener)
{
	broker->listener = listener;
	workers_open(broker->workers, listener);
}

void broker_serve_stop(struct broker *broker)
{
	workers_stop(broker->workers);
	broker->workers = NULL;
	broker->listener = -1;
}

void broker_free(struct broker *broker)
{
	if (!broker)
		return;
	standing_free(broker->standing);
	links_free(broker->links);
	free(broker);
}

bool broker_failed(const struct broker *broker)
{
	return broker->workers && workers_failed(broker->workers);
}

const struct scope *broker_scope(const struct broker *broker)
{
	return &broker->scope;
}

const struct private_folder *broker_private(const struct broker *broker)
{
	return &broker->private;
}

const struct plan *broker_plan(const struct broker *broker)
{
	return broker->plan;
}

const struct links *broker_links(const struct broker *broker)
{
	return broker->links;
}

const struct standing *broker_standing(const struct broker *broker)
{
	return broker->standing;
}

const struct features *broker_features(const struct broker *broker)
{
	return broker->features;
}

struct records *broker_records(struct broker *broker)
{
	return broker->records;
}

struct usage *broker_usage(const struct broker *broker)
{
	return broker->usage;
}

int broker_scope_fd(const struct broker *broker)
{
	return broker->scope_fd;
}

uint32_t broker_session_flags(const struct broker *broker)
{
	return broker->session_flags;
}

struct ipc *broker_ipc(const struct broker *broker)
{
	return broker->ipc;
}

pid_t broker_pid(const struct broker *broker)
{
	return broker->pid;
}

pid_t broker_agent_pid(const struct broker *broker)
{
	return broker->agent;
}

int broker_tty_index(const struct broker *broker)
{
	return broker->tty_index;
}

int broker_listener(const struct broker *broker)
{
	return broker->listener;
}

const char *broker_shim(const struct broker *broker)
{
	return broker->shim;
}

struct reply reply_result(long result)
{
	return result < 0 ? reply_error(errno) : reply_value(result);
}

static const struct gate_row *find_row(int nr)
{
	size_t low = 0, high = gate_table_size;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (gate_table[middle].nr == nr)
			return &gate_table[middle];
		if (gate_table[middle].nr < nr)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static struct reply refuse_ended(struct request *request, int error)
{
	if (error == -ESRCH)
		return reply_error(ESRCH);
	return reply_error(-judge_never(request, request->name, "anything",
					"its session within this one has ended", EPERM));
}

static struct reply perform_row(struct request *request, const struct gate_row *row)
{
	struct reply reply;

	if (nest_lacks(request, &reply))
		return reply;
	if (row->may_block && !request_may_block(request))
		return (struct reply){.kind = REPLY_LATER, .fd = -1};
	reply = row->perform(request);

	if (reply.kind == REPLY_ERROR && reply.value <= 0)
		reply.value = EACCES;
	return reply;
}

static struct reply gate_serve(struct request *request)
{
	const struct gate_row *row =
	    request->notif.data.arch == AUDIT_ARCH_X86_64 ? find_row(request->notif.data.nr) : NULL;

	request->name = row ? row->name : "syscall";
	int error = nest_enter(request);

	if (error)
		return refuse_ended(request, error);
	struct reply reply = row ? perform_row(request, row) : never_listed(request);

	census_met(request);
	nest_leave(request);
	return reply;
}
