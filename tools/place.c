/* SPDX-License-Identifier: Apache-2.0 */
/* Finding files. Guarantees that nothing here depends on the environment but HOME, XDG_STATE_HOME
 * and PATH, each only where place.h says so. */
#include "tools/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/core/path.h"

char *place_real(const char *path)
{
	return realpath(path, NULL);
}

char *place_absolute(const char *path)
{
	char folder[PATH_TEXT_MAX], joined[PATH_TEXT_MAX];
	char *real = realpath(path, NULL);
	long len;

	if (real || errno != ENOENT)
		return real;
	if (!getcwd(folder, sizeof(folder)))
		return NULL;
	len = path_join(folder, strlen(folder), path, strlen(path), joined, sizeof(joined));
	if (len < 0) {
		errno = (int)-len;
		return NULL;
	}
	return strdup(joined);
}

/* Asked once: where all else is follows from it. NULL with errno set. */
static const char *self(void)
{
	static char *path;

	if (!path)
		path = realpath("/proc/self/exe", NULL);
	return path;
}

char *place_self(void)
{
	return self() ? strdup(self()) : NULL;
}

/* `name` taken from the folder of the executable, whether it is there or not. */
static char *beside(const char *name)
{
	char path[PATH_TEXT_MAX];
	const char *slash = self() ? strrchr(self(), '/') : NULL;
	long len;

	if (!slash)
		return NULL;
	/* No link is in the folder's name, so ".." may be folded. */
	len = path_join(self(), (size_t)(slash - self()), name, strlen(name), path, sizeof(path));
	if (len < 0) {
		errno = (int)-len;
		return NULL;
	}
	return strdup(path);
}

static bool is_kind(const char *path, mode_t kind)
{
	struct stat status;

	return !stat(path, &status) && (status.st_mode & S_IFMT) == kind;
}

/* Where what belongs to the command is looked for: beside it as in a build, then where it is
 * installed. */
enum part { PART_PROFILES, PART_SHIM, PART_PROBE, PARTS };

static const struct {
	const char *beside, *installed;
	mode_t kind;
} parts[PARTS] = {
    [PART_PROFILES] = {"../../policy/profiles", REMIT_PROFILEDIR, S_IFDIR},
    [PART_SHIM] = {"libremit.so", REMIT_LIBDIR "/libremit.so", S_IFREG},
    [PART_PROBE] = {"remit-probe", REMIT_LIBDIR "/remit-probe", S_IFREG},
};

static char *find(enum part part)
{
	char *name = beside(parts[part].beside);
	char *path = name ? realpath(name, NULL) : NULL;

	free(name);
	if (path && is_kind(path, parts[part].kind))
		return path;
	free(path);
	path = realpath(parts[part].installed, NULL);
	if (path && !is_kind(path, parts[part].kind)) {
		free(path);
		errno = ENOENT;
		return NULL;
	}
	return path;
}

int place_parts(int (*each)(void *context, const char *path), void *context)
{
	int error = 0;

	for (enum part part = 0; !error && part < PARTS; part++) {
		char *name = beside(parts[part].beside);

		error = name ? each(context, name) : -errno;
		free(name);
		if (!error)
			error = each(context, parts[part].installed);
	}
	return error;
}

char *place_profiles(void)
{
	char *path = find(PART_PROFILES);

	/* Only a manifest that includes a profile needs the folder: the message about it then names
	 * where it was looked for. */
	return path ? path : strdup(REMIT_PROFILEDIR);
}

char *place_shim(void)
{
	return find(PART_SHIM);
}

char *place_probe(void)
{
	return find(PART_PROBE);
}

static char *clean_absolute(const char *path)
{
	char joined[PATH_TEXT_MAX];

	if (!path || path[0] != '/' ||
	    path_join("/", 1, path, strlen(path), joined, sizeof(joined)) < 0)
		return NULL;
	return strdup(joined);
}

int place_operator(struct operator* out)
{
	const struct passwd *entry = getpwuid(geteuid());

	*out = (struct operator){0};
	if (asprintf(&out->uid, "%u", (unsigned int)geteuid()) < 0) {
		out->uid = NULL;
		return -ENOMEM;
	}
	out->user = strdup(entry && entry->pw_name[0] ? entry->pw_name : out->uid);
	out->home = clean_absolute(getenv("HOME"));
	out->login = entry ? clean_absolute(entry->pw_dir) : NULL;
	if (!out->home && out->login)
		out->home = strdup(out->login);
	if (out->user)
		return 0;
	place_operator_free(out);
	return -ENOMEM;
}

void place_operator_free(struct operator* operator)
{
	free(operator->home);
	free(operator->login);
	free(operator->user);
	free(operator->uid);
	*operator=(struct operator){0};
}

/* NULL with errno set. */
static char *state_below(const char *folder, const char *name)
{
	char *path = NULL;

	if (!folder)
		errno = ENOENT;
	else if (asprintf(&path, "%s/%s", folder, name) < 0)
		path = NULL;
	return path;
}

char *place_home_state(const struct operator* operator)
{
	return state_below(operator->home, ".local/state/remit");
}

char *place_state(const struct operator* operator)
{
	const char *state = getenv("XDG_STATE_HOME");

	if (state && state[0] == '/')
		return state_below(state, "remit");
	return place_home_state(operator);
}

char *place_login_state(const struct operator* operator)
{
	return state_below(operator->login, ".local/state/remit");
}

int place_make_folder(const char *path)
{
	char part[PATH_TEXT_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(part))
		return -ENAMETOOLONG;
	memcpy(part, path, len + 1);
	for (size_t i = 1; i <= len; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, 0700) && errno != EEXIST)
			return -errno;
		part[i] = path[i];
	}
	return is_kind(path, S_IFDIR) ? 0 : -ENOTDIR;
}

/* An executable file at folder/name; *seen is set when something is there that is none. */
static char *candidate(const char *folder, size_t folder_len, const char *name, bool *seen)
{
	char path[PATH_TEXT_MAX], cwd[PATH_TEXT_MAX], joined[PATH_TEXT_MAX];
	int len = snprintf(path, sizeof(path), "%.*s%s%s", (int)folder_len, folder,
			   folder_len ? "/" : "", name);

	if (len < 0 || (size_t)len >= sizeof(path) || access(path, F_OK))
		return NULL;
	if (!is_kind(path, S_IFREG) || access(path, X_OK)) {
		*seen = true;
		return NULL;
	}
	/* Not the real path: a program such as busybox goes by the name it was called with. Nor
	 * folded: "link/.." means what the kernel says. */
	if (path[0] == '/')
		return strdup(path);
	if (!getcwd(cwd, sizeof(cwd)))
		return NULL;
	len = snprintf(joined, sizeof(joined), "%s/%s", strcmp(cwd, "/") ? cwd : "", path);
	return len < 0 || (size_t)len >= sizeof(joined) ? NULL : strdup(joined);
}

char *place_program(const char *name)
{
	const char *search = getenv("PATH");
	bool seen = false;
	char *found = NULL;

	if (strchr(name, '/')) {
		found = candidate("", 0, name, &seen);
	} else if (*name) {
		if (!search)
			search = "/usr/local/bin:/usr/bin:/bin";
		while (!found) {
			size_t len = strcspn(search, ":");

			found = candidate(search, len, name, &seen);
			if (!search[len])
				break;
			search += len + 1;
		}
	}
	if (!found)
		errno = seen ? EACCES : ENOENT;
	return found;
}
