/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the words of a command line to a scope that can be asked: options → compile_options → model
 * → image → scope. Every function says on stderr what went wrong and returns a negative errno.
 */
#ifndef REMIT_TOOLS_LOAD_H
#define REMIT_TOOLS_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/compile/model.h"
#include "policy/core/scope.h"
#include "tools/flags.h"
#include "tools/place.h"

/* What ${TMP} stands for where no session is: a name that no session ever gets, the same on every
 * machine, so that the same manifest gives the same image. */
#define LOAD_TMP "/tmp/remit-session/tmp"

/* What the command line says about the manifest; zeroed at first. */
struct load_flags {
	const char *manifest;  /* -m: a manifest, an image, or "-" for standard input */
	const char *workspace; /* --workspace */
	const char *profiles;  /* --profiles */
	struct variable *set;  /* --set NAME=VALUE, owned: load_flags_free() */
	size_t set_count;
	bool no_resolve; /* --no-resolve */
	bool json;	 /* diagnostics of the manifest also as JSON on stdout */
};

int load_set(void *flags, const char *value); /* --set; for the table below */
void load_flags_free(struct load_flags *flags);

/* The rows of struct flag that every subcommand with a manifest has. */
#define LOAD_FLAGS(flags)                                                                          \
	{"manifest", 'm', FLAG_TEXT, &(flags)->manifest, NULL},                                    \
	    {"workspace", 0, FLAG_TEXT, &(flags)->workspace, NULL},                                \
	    {"set", 0, FLAG_EACH, (flags), load_set},                                              \
	{                                                                                          \
		"profiles", 0, FLAG_TEXT, &(flags)->profiles, NULL                                 \
	}
#define LOAD_FLAGS_RESOLVE(flags)                                                                  \
	{                                                                                          \
		"no-resolve", 0, FLAG_SWITCH, &(flags)->no_resolve, NULL                           \
	}

/* Their part of a usage text. */
#define LOAD_USAGE                                                                                 \
	"  -m, --manifest FILE   the manifest (\"-\": standard input)\n"                           \
	"      --workspace DIR   what ${WORKSPACE} stands for (default: the working folder)\n"     \
	"      --set NAME=VALUE  gives a variable of the manifest its value\n"                     \
	"      --profiles DIR    where the built-in profiles are\n"

struct loaded {
	struct load_flags flags; /* borrowed */
	struct operator operator;
	char *workspace, *tmp, *profiles; /* owned; options point to them */
	struct compile_options options;
	bool is_image; /* no model, no canonical text */
	struct model model;
	char *canonical;
	size_t canonical_len;
	void *image;
	size_t image_size;
	struct scope scope;
	struct scope_about about;
};

/* Zeroes *out and sets what does not depend on the manifest: the values of its variables. */
int load_options(const struct load_flags *flags, const char *tmp, struct loaded *out);
/* load_options() and the model of the manifest with `tmp` (NULL: LOAD_TMP) for ${TMP}. */
int load_model(const struct load_flags *flags, const char *tmp, struct loaded *out);
/* Session rules that keep remit itself out of the agent's hands: no writing of the manifest and
 * what it includes, the profiles, the command, the shim, the folder of logs; the shim readable. */
int load_protect(struct loaded *loaded);
/* One such rule, for both spellings of a path that may lead through links. */
int load_protect_path(struct loaded *loaded, enum rule_section section, const char *id,
		      const char *path);
/* Model → image → scope. */
int load_scope(struct loaded *loaded);
/* All of it; also takes an image, and a built-in profile by itself. With protect the rules of
 * load_protect() are in. */
int load_any(const struct load_flags *flags, bool protect, struct loaded *out);
void load_free(struct loaded *loaded);

#endif
