/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a manifest or an image. Relies on policy/compile for every word about what a manifest may
 * say; adds only the values of the variables and the session's own rules. */
#include "tools/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/compile/siblings.h"
#include "shim/common/protocol.h"
#include "tools/output.h"
#include "tools/slurp.h"

/* The first bytes of the magic in policy/core/image.h; no YAML text can hold the last of them. */
#define IMAGE_START "REMIT\x1a"

int load_set(void *target, const char *value)
{
	struct load_flags *flags = target;
	const char *equals = strchr(value, '=');
	struct variable *grown;
	char *name;

	if (!equals || equals == value) {
		output_error("--set %s: write it as NAME=VALUE", value);
		return -EINVAL;
	}
	grown = realloc(flags->set, (flags->set_count + 1) * sizeof(*grown));
	if (grown)
		flags->set = grown;
	name = strndup(value, (size_t)(equals - value));
	if (!grown || !name) {
		free(name);
		output_oom();
		return -ENOMEM;
	}
	flags->set[flags->set_count++] = (struct variable){.name = name, .value = equals + 1};
	return 0;
}

void load_flags_free(struct load_flags *flags)
{
	for (size_t i = 0; i < flags->set_count; i++)
		free((void *)(uintptr_t)flags->set[i].name);
	free(flags->set);
	flags->set = NULL;
	flags->set_count = 0;
}

static int find_folder(const char *option, const char *given, char **out)
{
	struct stat status;

	*out = place_absolute(given);
	if (!*out || stat(*out, &status)) {
		output_error("%s %s: %s", option, given, strerror(errno));
		return -EINVAL;
	}
	if (!S_ISDIR(status.st_mode)) {
		output_error("%s %s: not a folder", option, given);
		return -ENOTDIR;
	}
	return 0;
}

int load_options(const struct load_flags *flags, const char *tmp, struct loaded *loaded)
{
	int error;

	*loaded = (struct loaded){.flags = *flags};
	error = place_operator(&loaded->operator);
	if (error) {
		output_oom();
		return error;
	}
	if (flags->workspace)
		error = find_folder("--workspace", flags->workspace, &loaded->workspace);
	else
		error = find_folder("the working folder", ".", &loaded->workspace);
	if (error)
		return error;
	if (flags->profiles)
		error = find_folder("--profiles", flags->profiles, &loaded->profiles);
	else
		loaded->profiles = place_profiles();
	if (error)
		return error;
	loaded->tmp = strdup(tmp ? tmp : LOAD_TMP);
	if (!loaded->profiles || !loaded->tmp) {
		output_oom();
		return -ENOMEM;
	}
	loaded->options = (struct compile_options){
	    .workspace = loaded->workspace,
	    .home = loaded->operator.home,
	    .user = loaded->operator.user,
	    .uid = loaded->operator.uid,
	    .tmp = loaded->tmp,
	    .set = flags->set,
	    .set_count = flags->set_count,
	    .profile_dir = loaded->profiles,
	    .resolve = !flags->no_resolve,
	};
	/* Only a gate answers: then this is within a session. */
	if (prctl(REMIT_HYPERCALL, HYPERCALL_FLAGS, 0, 0, 0) < 0 && errno == EINVAL)
		loaded->options.siblings = siblings_new();
	return 0;
}

/* A file of the profiles' own folder says of no agent who it is; it can be asked and tested all the
 * same, but never run: load_model() alone leaves this off. */
static bool is_profile(const struct loaded *loaded)
{
	char *real = loaded->flags.manifest ? place_real(loaded->flags.manifest) : NULL;
	char *slash = real ? strrchr(real, '/') : NULL;
	char *folder = place_real(loaded->profiles);
	bool is = false;

	if (slash) {
		*slash = '\0';
		is = folder && !strcmp(real, folder);
	}
	free(real);
	free(folder);
	return is;
}

static int read_stdin(const struct loaded *loaded, struct model *model,
		      struct diagnostics *diagnostics)
{
	size_t len = 0;
	char *text = NULL;
	int error = slurp_fd(STDIN_FILENO, SLURP_MANIFEST, &text, &len);

	if (error)
		return error;
	error = manifest_read("<stdin>", text, len, &loaded->options, model, diagnostics);
	free(text);
	return error;
}

static int read_model(const struct load_flags *flags, const char *tmp, bool profiles,
		      struct loaded *out)
{
	struct diagnostics diagnostics = {0};
	int error;

	if (!flags->manifest) {
		output_error("no manifest: name it with -m FILE");
		return -EINVAL;
	}
	error = load_options(flags, tmp, out);
	if (error)
		return error;
	out->options.profile = profiles && is_profile(out);
	if (!strcmp(flags->manifest, "-"))
		error = read_stdin(out, &out->model, &diagnostics);
	else
		error =
		    manifest_read_file(flags->manifest, &out->options, &out->model, &diagnostics);
	if (error && slurp_starts_with(flags->manifest, IMAGE_START, strlen(IMAGE_START))) {
		diagnostics_free(&diagnostics);
		diagnostics_add(&diagnostics, SEVERITY_ERROR, flags->manifest, 0, 0, 1, NULL,
				"name the manifest that it was compiled from",
				"this is a scope image");
	}
	diagnostics_print(&diagnostics, stderr, output_colour(stderr));
	if (error && flags->json)
		diagnostics_print_json(&diagnostics, stdout);
	if (error && !diagnostics.count)
		output_error("%s: %s",
			     strcmp(flags->manifest, "-") ? flags->manifest : "standard input",
			     strerror(-error));
	diagnostics_free(&diagnostics);
	return error;
}

int load_model(const struct load_flags *flags, const char *tmp, struct loaded *out)
{
	return read_model(flags, tmp, false, out);
}

static int open_scope(struct loaded *loaded)
{
	const char *why = NULL;
	int error = scope_open(&loaded->scope, loaded->image, loaded->image_size, &why);

	if (error) {
		output_error("%s: %s", loaded->flags.manifest, why ? why : strerror(-error));
		return error;
	}
	scope_about(&loaded->scope, &loaded->about);
	return 0;
}

int load_scope(struct loaded *loaded)
{
	uint8_t digest[SCOPE_DIGEST_SIZE];
	int error = canonical_text(&loaded->model, &loaded->options, &loaded->canonical,
				   &loaded->canonical_len);

	if (!error) {
		canonical_digest(loaded->canonical, loaded->canonical_len, digest);
		error = image_build(&loaded->model, digest, &loaded->image, &loaded->image_size);
	}
	if (error) {
		output_error("%s: %s", loaded->flags.manifest,
			     error == -E2BIG ? "too many rules or too long names for one image"
					     : strerror(-error));
		return error;
	}
	return open_scope(loaded);
}

/* 1 when the file is an image and now loaded, 0 when it is not, or a negative errno. */
static int load_image(const struct load_flags *flags, struct loaded *out)
{
	char *bytes = NULL;
	size_t size = 0;
	int error;

	if (!flags->manifest || !strcmp(flags->manifest, "-") ||
	    !slurp_starts_with(flags->manifest, IMAGE_START, strlen(IMAGE_START)))
		return 0;
	error = slurp_file(flags->manifest, SLURP_IMAGE, &bytes, &size);
	if (error) {
		output_error("%s: %s", flags->manifest, strerror(-error));
		return error;
	}
	error = load_options(flags, NULL, out);
	out->is_image = true;
	out->image = bytes;
	out->image_size = size;
	if (!error)
		error = open_scope(out);
	return error ? error : 1;
}

int load_any(const struct load_flags *flags, bool protect, struct loaded *out)
{
	int error;

	*out = (struct loaded){0};
	error = load_image(flags, out);
	if (error)
		return error < 0 ? error : 0;
	error = read_model(flags, NULL, true, out);
	if (!error && protect)
		error = load_protect(out);
	return error ? error : load_scope(out);
}

void load_free(struct loaded *loaded)
{
	model_free(&loaded->model);
	siblings_free(loaded->options.siblings);
	place_operator_free(&loaded->operator);
	free(loaded->workspace);
	free(loaded->tmp);
	free(loaded->profiles);
	free(loaded->canonical);
	free(loaded->image);
	*loaded = (struct loaded){0};
}
