/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REMIT_TOOLS_CAPABILITY_H
#define REMIT_TOOLS_CAPABILITY_H

/* The manifest's name of a capability (linux/capability.h), or its number; buf of at least 32 bytes
 * holds the latter. */
const char *capability_name(unsigned int number, char *buf);

#endif
