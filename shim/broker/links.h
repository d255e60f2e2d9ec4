/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links that grants name, as they led at the start: /lib on a machine where it is /usr/lib. Every
 * program's libraries are opened through it, so it is worth to know without a look.
 *
 * Good for calls that are left to the kernel and held by the wall, and for no others: who turns
 * such a link in the meantime (the agent may not) has a refusal go unrecorded, no more.
 */
#ifndef REMIT_BROKER_LINKS_H
#define REMIT_BROKER_LINKS_H

#include <stddef.h>

#include "policy/core/scope.h"

struct links;

/* Borrows the scope's strings. NULL when out of memory. */
struct links *links_take(const struct scope *scope);
/* The name with the link in it followed: its length, written to out (PATH_TEXT_MAX); 0 when none of
 * the links is on the way, or the name would be too long. */
size_t links_follow(const struct links *links, const char *name, size_t len, char *out);
void links_free(struct links *links); /* NULL is fine */

#endif
