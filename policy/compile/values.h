/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single values of the manifest, from text. Each returns 0 or -EINVAL with *why a static text in
 * plain words that reads after `bad size "…": `; outputs are set only on success. No allocation.
 */
#ifndef REMIT_COMPILE_VALUES_H
#define REMIT_COMPILE_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "2GiB", "512MiB", "4096B": bytes, 1 .. 2^63-1. */
int value_size(const char *text, uint64_t *ret_bytes, const char **why);

/* "90s", "10m", "1h30m", "2d": seconds, 1 .. 10 years. */
int value_duration(const char *text, uint64_t *ret_seconds, const char **why);

/* A decimal number without sign, 1 .. max. */
int value_count(const char *text, uint64_t max, uint64_t *ret_count, const char **why);

/* RFC 3339 with a zone: "2027-03-31T00:00:00Z", "2027-03-31T02:00:00.5+02:00"; seconds since the
 * epoch, after 1970; a fraction of a second is cut. */
int value_time(const char *text, int64_t *ret_seconds, const char **why);

/* "true" or "false" and nothing else. */
int value_boolean(const char *text, bool *ret_value, const char **why);

/* 64 hexadecimal digits of either case. */
int value_sha256(const char *text, uint8_t ret_digest[32], const char **why);

/* A port, 1 .. 65535, decimal without leading zero, of exactly len bytes. */
int value_port(const char *text, size_t len, uint16_t *ret_port, const char **why);

#endif
