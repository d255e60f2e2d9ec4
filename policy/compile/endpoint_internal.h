/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that read addresses: endpoint.c the whole and host names, endpoint_ip.c IP
 * addresses and networks, endpoint_ports.c ports. */
#ifndef REMIT_COMPILE_ENDPOINT_INTERNAL_H
#define REMIT_COMPILE_ENDPOINT_INTERNAL_H

#include "policy/compile/endpoint.h"

struct endpoint_parser {
	const char *text; /* all of it, for offsets */
	struct endpoint_fault *fault;
	struct model_rule *rule;
};

/* Notes what is wrong, `width` bytes from `at` on (0: the whole text); -EINVAL. */
int endpoint_fail(const struct endpoint_parser *parser, const char *at, size_t width,
		  const char *hint, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* "443,8443", "8000-8010", "*" into the rule: 0, -EINVAL or -ENOMEM. */
int endpoint_parse_ports(const struct endpoint_parser *parser, const char *at);
/* An address of `len` bytes, and the prefix length behind its slash (slash NULL: none). */
int endpoint_parse_ip(const struct endpoint_parser *parser, const char *at, size_t len,
		      const char *slash, size_t slash_len, bool bracketed);
/* A network as it is written: "10.0.0.0/8", "[fd00::]/8". */
void endpoint_network_text(const struct model_rule *rule, const uint8_t ip[16], unsigned int prefix,
			   char *out, size_t size);

#endif
