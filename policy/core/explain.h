/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one sentence that a refusal is told in, by shim, broker and `remit check` alike. Signal-safe:
 * writes only to the caller's buffer.
 *
 *   remit: refused read /home/u/.netrc: no grant covers it (agent a); files.read: ["…"] would grant…
 *   remit: refused write /w/.env: denied by files.deny[0] at m.yaml:12 (agent a); an `except` in…
 */
#ifndef REMIT_CORE_EXPLAIN_H
#define REMIT_CORE_EXPLAIN_H

#include "policy/core/decide.h"

#define EXPLAIN_MAX 1024

/*
 * Without newline, ended by NUL, at most size-1 bytes; control characters, DEL and bytes that are
 * not UTF-8 in the object's name are written as \xNN, so that a name can forge no second line and
 * no terminal escape; long names are cut in the middle with "…". Returns strlen.
 */
size_t explain_refusal(const struct scope *scope, const struct query *query,
		       const struct decision *decision, char *buf, size_t size);

/* The object of a query in the query language's spelling ("10.0.0.1:80", "unix:@name", "/a/b"),
 * escaped as above. */
size_t explain_object(const struct query *query, char *buf, size_t size);

#endif
