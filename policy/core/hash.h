/* SPDX-License-Identifier: Apache-2.0 */
/* XXH3, inlined so that the shim links nothing. No cryptographic hash: whatever it finds is
 * compared byte by byte. */
#ifndef REMIT_CORE_HASH_H
#define REMIT_CORE_HASH_H

#define XXH_INLINE_ALL
#define XXH_NO_STREAM
#include <xxhash.h>

static inline uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes, len, seed);
}

#endif
