/* SPDX-License-Identifier: Apache-2.0 */
/* Says whether the shim is in this process: by the loader's own list, not by a variable. Takes no
 * arguments, so that anything can start it. */
#include <link.h>
#include <stdio.h>
#include <string.h>

static int look(struct dl_phdr_info *info, size_t size, void *found)
{
	(void)size;
	if (strstr(info->dlpi_name, "libremit.so"))
		*(int *)found = 1;
	return 0;
}

int main(void)
{
	int found = 0;

	dl_iterate_phdr(look, &found);
	puts(found ? "shim: loaded" : "shim: absent");
	return 0;
}
