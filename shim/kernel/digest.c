// SPDX-License-Identifier: Apache-2.0
/* What a program is, by its bytes. */
#include "shim/kernel/kernel.h"

#include <errno.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

int kernel_sha256(int fd, uint8_t out[32])
{
	crypto_hash_sha256_state state;
	uint8_t block[65536];
	struct stat status;
	ssize_t n;

	if (fstat(fd, &status) != 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -ENODEV;
	crypto_hash_sha256_init(&state);
	while ((n = read(fd, block, sizeof(block))) > 0)
		crypto_hash_sha256_update(&state, block, (unsigned long long)n);
	if (n < 0)
		return -errno;
	crypto_hash_sha256_final(&state, out);
	return 0;
}
