/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a session: nothing of it is left, and the operator is told. */
#include <stdio.h>
#include <sys/socket.h>

#include "shim/broker/census.h"
#include "shim/broker/nest.h"
#include "shim/broker/record.h"
#include "shim/broker/session_internal.h"
#include "shim/broker/survivors.h"
#include "shim/broker/usage.h"

static void summarize(struct session *session, size_t left)
{
	const struct session_options *options = session->options;
	struct record_totals totals;

	/* Nobody who wants no summary wants to miss that the agent could do nothing any more. */
	if (options->quiet) {
		if (records_broken(session->records))
			records_print_broken(records_full(session->records), stderr);
		return;
	}
	watch_print_end(&session->watch, left);

	for (size_t i = 0; i < options->plan->loss_count; i++)
		fprintf(stderr, "remit: was not enforced: %s\n", options->plan->losses[i]);
	records_summary(session->records, stderr);
	if (session->usage)
		usage_print(session->usage, session->about.agent_id, stderr);
	records_totals(session->records, &totals);
	if ((totals.refused > 0 || session->usage) && options->audit_name)
		fprintf(stderr, "remit: records in %s\n", options->audit_name);
	if (records_broken(session->records))
		records_print_broken(records_full(session->records), stderr);
}

void session_finish(struct session *session, int status)
{
	const struct session_options *options = session->options;
	size_t left = 0;
	bool stuck = survivors_end(&left) != 0;

	broker_serve_stop(session->broker);
	nest_end_all();
	ipc_end(session->ipc);
	/* Programs that crash leave raw modes behind; one that ends well means what it set. */
	terminal_restore(&session->terminal, status != 0);
	if (stuck && !options->quiet)
		fprintf(stderr, "remit: some of the agent's processes cannot be ended\n");
	/* It tidies up while the log is closed. */
	if (options->janitor >= 0)
		shutdown(options->janitor, SHUT_WR);
	if (session->begun) {
		struct census census = census_count();
		struct record_totals extra = {.processes = census.processes,
					      .unshimmed = census.unshimmed};
		struct usage_totals usage;

		if (session->usage) {
			usage_read(session->usage);
			usage_totals(session->usage, &usage);
			usage_record(session->usage, session->records);
			extra.usage = &usage;
		}
		records_end(session->records, &extra, status,
			    session->watch.ending ? session->watch.ending : "exit");
		summarize(session, left);
	}
}
