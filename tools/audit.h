/* SPDX-License-Identifier: Apache-2.0 */
/* Where the records of a session go. */
#ifndef REMIT_TOOLS_AUDIT_H
#define REMIT_TOOLS_AUDIT_H

#include <stddef.h>

#include "shim/broker/session.h"
#include "tools/place.h"

struct audit {
	int fd;	    /* close-on-exec; -1: not open */
	char *name; /* for people; NULL for a bare fd */
	char *path; /* the file that must be kept from the agent; NULL for what has no name */
};

/* "20261123T204400-7f3a9c": the time in UTC and 24 random bits. 0 or a negative errno. */
int audit_session_id(char id[SESSION_ID_MAX]);

/* --audit FILE: made 0600 if it is not there, appended to. */
int audit_open_file(const char *file, struct audit *out);
/* --audit-fd N: a duplicate of N, which must be open for writing. */
int audit_open_fd(int fd, struct audit *out);
/* Neither: state folder/SESSION.jsonl, which must not exist yet. Each says on stderr what is wrong
 * and returns a negative errno. */
int audit_open_default(const struct operator* operator, const char * session, struct audit *out);

void audit_free(struct audit *audit); /* closes it too, unless fd is -1 */

#endif
