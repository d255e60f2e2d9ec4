/* SPDX-License-Identifier: Apache-2.0 */
/* What `remit self-test` found, for people or as JSON. */
#ifndef REMIT_TOOLS_SELF_TEST_REPORT_H
#define REMIT_TOOLS_SELF_TEST_REPORT_H

#include <stdbool.h>

enum way { WAY_SHIM, WAY_NO_SHIM, WAY_STATIC, WAYS };
extern const char *const self_test_ways[WAYS]; /* their names */

struct self_test_result {
	const char *outside[2]; /* what the control saw: dynamic, static; NULL: nothing */
	const char *inside[WAYS];
};

/* Prints all of them, in the order of probe_at(); the exit status that they mean. */
int self_test_report(const struct self_test_result *results, bool as_json);

#endif
