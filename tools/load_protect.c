/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of every session, whatever its manifest grants: what remit itself is made of, and what it
 * reads and writes, is not the agent's to write. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/compile/resolve.h"
#include "policy/core/path.h"
#include "tools/load.h"
#include "tools/output.h"

struct way {
	struct loaded *loaded;
	const char *id;
};

/* A link that the agent may turn would lead the next session to another file by the same name. */
static int protect_link(void *context, const char *place)
{
	const struct way *way = context;
	struct model *model = &way->loaded->model;

	if (!resolve_writable(model, place))
		return 0;
	return model_add_path(model, SECTION_FILES_DENY_WRITE, ORIGIN_SESSION, way->id, place);
}

int load_protect_path(struct loaded *loaded, enum rule_section section, const char *id,
		      const char *path)
{
	char joined[PATH_TEXT_MAX], end[PATH_TEXT_MAX];
	struct way way = {loaded, id};
	char *real = place_real(path);
	int error = 0;

	/* As it is spelled: a link that leads to it must not be turned elsewhere. Only a path
	 * without ".." has one meaning before the kernel has looked. */
	if (path[0] == '/' && !strstr(path, "/../") &&
	    path_join("/", 1, path, strlen(path), joined, sizeof(joined)) > 0)
		error = model_add_path(&loaded->model, section, ORIGIN_SESSION, id, joined);
	else
		joined[0] = '\0';
	bool links = !real || strcmp(real, joined) != 0;

	if (!error && real && links)
		error = model_add_path(&loaded->model, section, ORIGIN_SESSION, id, real);
	if (!error && links && path[0] == '/' &&
	    resolve_path(path, true, protect_link, &way, end) == -ENOMEM)
		error = -ENOMEM;
	free(real);
	if (error)
		output_oom();
	return error;
}

static int protect_owned(struct loaded *loaded, const char *id, char *path)
{
	int error = 0;

	if (path)
		error = load_protect_path(loaded, SECTION_FILES_DENY_WRITE, id, path);
	free(path);
	return error;
}

/* Absolute, links and ".." left as they are; NULL when no such file exists (standard input). */
static char *as_spelled(const char *path)
{
	char folder[PATH_TEXT_MAX];
	char *out = NULL;

	if (access(path, F_OK))
		return NULL;
	if (path[0] == '/')
		return strdup(path);
	if (!getcwd(folder, sizeof(folder)) || asprintf(&out, "%s/%s", folder, path) < 0)
		return NULL;
	return out;
}

static int protect_part(void *context, const char *path)
{
	return load_protect_path(context, SECTION_FILES_DENY_WRITE, "session.parts", path);
}

static int protect_parts(struct loaded *loaded)
{
	int error = place_parts(protect_part, loaded);

	if (error && error != -ENOMEM)
		output_error("cannot tell where remit's own files are: %s", strerror(-error));
	return error;
}

/* This session's, and those of sessions that were started without its XDG_STATE_HOME or HOME. */
static int protect_logs(struct loaded *loaded)
{
	char *folders[] = {place_state(&loaded->operator), place_home_state(&loaded->operator),
			   place_login_state(&loaded->operator)};
	const size_t count = sizeof(folders) / sizeof(folders[0]);
	int error = 0;

	for (size_t i = 0; i < count; i++) {
		bool again = !folders[i];

		for (size_t n = 0; n < i && !again; n++)
			again = folders[n] && !strcmp(folders[n], folders[i]);
		if (!error && !again)
			error = load_protect_path(loaded, SECTION_FILES_DENY_WRITE, "session.log",
						  folders[i]);
	}
	for (size_t i = 0; i < count; i++)
		free(folders[i]);
	return error;
}

int load_protect(struct loaded *loaded)
{
	const struct string_list *files = &loaded->model.files;
	char *shim = place_shim();
	int error = 0;

	if (loaded->flags.manifest && strcmp(loaded->flags.manifest, "-") != 0)
		error =
		    protect_owned(loaded, "session.manifest", as_spelled(loaded->flags.manifest));
	for (size_t i = 0; !error && i < files->count; i++)
		error = protect_owned(loaded, "session.manifest", as_spelled(files->items[i]));
	if (!error)
		error = protect_owned(loaded, "session.profiles", place_real(loaded->profiles));
	if (!error)
		error = protect_owned(loaded, "session.command", place_self());
	if (!error)
		error = protect_logs(loaded);
	if (!error && shim)
		error = load_protect_path(loaded, SECTION_FILES_READ, "session.shim", shim);
	free(shim);
	/* Also where nothing is yet: what the agent puts there the next session would load, and
	 * `remit self-test` start. */
	if (!error)
		error = protect_parts(loaded);
	return error;
}
