/* SPDX-License-Identifier: Apache-2.0 */
/* `remit compile`: a manifest's scope image, written whole or not at all. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/command.h"
#include "tools/flags.h"
#include "tools/load.h"
#include "tools/output.h"
#include "tools/replace.h"

static const char usage[] =
    "Usage: remit compile [OPTIONS] -o IMAGE MANIFEST\n"
    "Compiles MANIFEST to its scope image and prints the scope's digest.\n\n" LOAD_USAGE
    "      --no-resolve      take paths as they are spelled: the same image on every machine\n"
    "  -o, --output IMAGE    the file to write (\"-\": standard output, the digest on stderr);\n"
    "                        without it only the digest is printed\n"
    "      --json            digest and sizes as JSON\n"
    "Exit status: 0 done, 2 usage or manifest error, or the image cannot be written.\n";

struct compile {
	struct load_flags load;
	const char *output;
	struct loaded loaded;
};

static int write_image(const struct compile *compile)
{
	const struct loaded *loaded = &compile->loaded;
	int error;

	if (!compile->output)
		return 0;
	if (!strcmp(compile->output, "-"))
		return fwrite(loaded->image, 1, loaded->image_size, stdout) == loaded->image_size
			   ? 0
			   : -EIO;
	error = replace_file(compile->output, loaded->image, loaded->image_size);
	if (error)
		output_error("%s: %s", compile->output, strerror(-error));
	return error;
}

static void print_digest(const struct compile *compile)
{
	const struct loaded *loaded = &compile->loaded;
	bool piped = compile->output && !strcmp(compile->output, "-");
	FILE *stream = piped ? stderr : stdout;
	char digest[2 * SCOPE_DIGEST_SIZE + 1], body[33];
	struct writer json = {.stream = stream};

	output_hex(loaded->about.digest, SCOPE_DIGEST_SIZE, digest);
	if (!compile->load.json) {
		fprintf(stream, "%s\n", digest);
		return;
	}
	writer_open(&json, NULL, '{');
	writer_text(&json, "digest", digest);
	writer_text(&json, "agent", loaded->about.agent_id);
	writer_number(&json, "rules", scope_rule_count(&loaded->scope));
	writer_number(&json, "size", (int64_t)loaded->image_size);
	writer_text(&json, "body_hash", output_hex(loaded->about.body_hash, 16, body));
	writer_close(&json, '}');
}

static int compile_manifest(struct compile *compile, int argc, char **argv)
{
	if (!compile->load.manifest && argc == 1)
		compile->load.manifest = argv[0];
	else if (argc) {
		output_error("compile: one manifest at a time; \"%s\" is one too many",
			     argv[argc - 1]);
		return STATUS_USAGE;
	}
	if (load_any(&compile->load, false, &compile->loaded))
		return STATUS_USAGE;
	if (compile->loaded.is_image) {
		output_error("%s: is an image already", compile->load.manifest);
		return STATUS_USAGE;
	}
	if (write_image(compile))
		return STATUS_USAGE;
	print_digest(compile);
	return STATUS_OK;
}

int compile_command(int argc, char **argv)
{
	struct compile compile = {0};
	const struct flag flags[] = {
	    LOAD_FLAGS(&compile.load),
	    LOAD_FLAGS_RESOLVE(&compile.load),
	    {"output", 'o', FLAG_TEXT, &compile.output, NULL},
	    {"json", 0, FLAG_SWITCH, &compile.load.json, NULL},
	};
	int first = flags_parse(argc, argv, flags, sizeof(flags) / sizeof(flags[0]), false, usage);
	int status;

	if (first < 0)
		status = first == FLAGS_HELP ? STATUS_OK : STATUS_USAGE;
	else
		status = compile_manifest(&compile, argc - first, argv + first);
	load_free(&compile.loaded);
	load_flags_free(&compile.load);
	return status;
}
