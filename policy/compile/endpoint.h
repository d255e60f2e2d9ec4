/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of network rules, from text to the fields of a rule:
 *
 *   127.0.0.1:8080   10.20.0.0/16:5432   [fd00::]/8:443   *:443   udp:9.9.9.9:53
 *   api.example.com:443   *.example.org:443,8443   unix:/run/x.sock   unix:@name
 *
 * Ports: 443   443,8443   8000-8010   *
 */
#ifndef REMIT_COMPILE_ENDPOINT_H
#define REMIT_COMPILE_ENDPOINT_H

#include "policy/compile/model.h"

struct endpoint_fault {
	size_t offset, width; /* in the text; width 0: all of it */
	char message[160];
	char hint[160]; /* "" for none */
};

/*
 * Fills network, protocol, family, prefix, ip, ports, text and pattern of the rule; what it
 * allocates is the rule's. `unquoted` is the text with variables as they are; `quoted` the same
 * with wildcards of their values quoted, which unix paths need. 0, -EINVAL with the fault, -ENOMEM.
 */
int endpoint_rule(const char *unquoted, const char *quoted, const char *workspace,
		  struct model_rule *rule, struct endpoint_fault *fault);

/* Reads "tcp:" or "udp:" off the front of *text; TCP when there is neither. */
enum protocol endpoint_protocol(const char **text);

#endif
