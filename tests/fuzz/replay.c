/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over files, for compilers without libFuzzer: one argument a file. All are read
 * before the first is run: a target may leave this folder, and the rights to read them.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	uint8_t *data;
	size_t size;
};

static bool input_read(struct input *input, const char *name)
{
	FILE *file = fopen(name, "rb");
	long size = -1;

	if (file && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0)
		input->data = malloc((size_t)size + 1);
	if (input->data) {
		rewind(file);
		input->size = fread(input->data, 1, (size_t)size, file);
	}
	if (file)
		fclose(file);
	return input->data && input->size == (size_t)size;
}

int main(int argc, char **argv)
{
	struct input *inputs = calloc((size_t)argc, sizeof(*inputs));
	int failed = 0;

	if (!inputs)
		return 1;
	for (int i = 1; i < argc; i++)
		if (!input_read(&inputs[i], argv[i])) {
			fprintf(stderr, "replay: cannot read %s\n", argv[i]);
			inputs[i].size = 0;
			failed++;
		}
	for (int i = 1; i < argc; i++)
		if (inputs[i].data)
			LLVMFuzzerTestOneInput(inputs[i].data, inputs[i].size);
	printf("%d passed, %d failed\n", argc - 1 - failed, failed);
	for (int i = 1; i < argc; i++)
		free(inputs[i].data);
	free(inputs);
	return failed != 0;
}
