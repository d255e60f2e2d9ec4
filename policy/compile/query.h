/* SPDX-License-Identifier: Apache-2.0 */
/* The one small language of `check`, `test` and records: "read P", "write P", "exec P [args]",
 * "connect A", "listen A", "env NAME". */
#ifndef REMIT_COMPILE_QUERY_H
#define REMIT_COMPILE_QUERY_H

#include "policy/compile/variables.h"
#include "policy/core/decide.h"

struct parsed_query {
	struct query query; /* text points into `storage`, facts.args into `args` */
	char storage[4096];
	char args[4096]; /* of exec, always known: a query without any asks for none */
};

/* How the values of variables are put into a line before it is parsed. */
enum value_quoting query_quoting(const char *line);

/*
 * Parses one line. Relative paths are taken from base (absolute, clean). With follow, symbolic
 * links are resolved as the gate would: an existing object by its real path, a new one by its
 * parent's real path and its name; /proc/self and what hangs on it stay as they are spelled (but
 * for its root), and a sha256 fact is not computed. 0 or -EINVAL with *why set to a static text.
 */
int query_parse(const char *line, const char *base, bool follow, struct parsed_query *out,
		const char **why);

#endif
