/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the driver share: what was read, and the acts on addresses. */
#ifndef REMIT_TESTS_PARITY_DRIVER_H
#define REMIT_TESTS_PARITY_DRIVER_H

#define SEEN_MAX 8192
extern char driver_seen[SEEN_MAX]; /* what was read or answered */

/* The folder that holds path, as an O_PATH handle or a negative errno, and the name in it. */
long driver_open_parent(const char *path, const char **name);

/* 0 or more: it happened; else a negative errno. */
long act_connect(const char *text);
long act_nonblock(const char *text);
long act_sendto(const char *text);
long act_sendmsg(const char *text);
long act_sendmmsg(const char *text);
long act_udpconnect(const char *text);
long act_listen(const char *text);
long act_unix(const char *text);
long act_unix_relative(const char *text);
long act_unix_listen(const char *text);

#endif
