/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over files, for compilers without libFuzzer: one argument a file. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *name)
{
	FILE *file = fopen(name, "rb");
	uint8_t *data = NULL;
	long size = -1;
	int r = 1;

	if (file && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0)
		data = malloc((size_t)size + 1);
	if (data) {
		rewind(file);
		if (fread(data, 1, (size_t)size, file) == (size_t)size) {
			LLVMFuzzerTestOneInput(data, (size_t)size);
			r = 0;
		}
	}
	if (r)
		fprintf(stderr, "replay: cannot read %s\n", name);
	free(data);
	if (file)
		fclose(file);
	return r;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed += replay(argv[i]);
	printf("%d passed, %d failed\n", argc - 1 - failed, failed);
	return failed != 0;
}
