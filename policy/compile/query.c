// SPDX-License-Identifier: Apache-2.0
/*
 * Queries. A path is taken to the end of the line, blanks and all, and may stand in double quotes;
 * only exec has arguments after its path, so there all of it is words.
 */
#include "policy/compile/query.h"

#include <errno.h>
#include <string.h>

#include "policy/compile/arguments.h"
#include "policy/compile/endpoint.h"
#include "policy/compile/resolve.h"
#include "policy/compile/values.h"
#include "policy/core/path.h"

static int fail(const char **why, const char *text)
{
	*why = text;
	return -EINVAL;
}

static int parse_verb(const char *word, size_t len, enum verb *out)
{
	for (unsigned int verb = 0; verb < VERB_COUNT; verb++) {
		const char *name = verb_name((enum verb)verb);

		if (strlen(name) == len && !memcmp(name, word, len)) {
			*out = (enum verb)verb;
			return 0;
		}
	}
	return -EINVAL;
}

/* Takes the quotes off the rest of the line. */
static int cut_object(const char **at, size_t *len, const char **why)
{
	const char *text = *at, *end;

	*len = strlen(text);
	if (*text == '"') {
		end = strchr(text + 1, '"');
		if (!end)
			return fail(why, "a quote that is not closed");
		if (end[1])
			return fail(why, "something stands after the closing quote");
		*at = text + 1;
		*len = (size_t)(end - text - 1);
	}
	return *len ? 0 : fail(why, "the object is missing");
}

/* The root of a session's process is the one that all have: what follows it in the path. */
static const char *past_own_root(const char *path)
{
	static const char *const roots[] = {"/proc/self/root", "/proc/thread-self/root"};

	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
		size_t len = strlen(roots[i]);

		if (!strncmp(path, roots[i], len) && (!path[len] || path[len] == '/'))
			return path[len] ? path + len : "/";
	}
	return NULL;
}

static int parse_path(const char *text, size_t len, const char *base, bool follow,
		      struct parsed_query *out, const char **why)
{
	char joined[PATH_TEXT_MAX];
	int err = 0;

	if (!follow) {
		long joined_len =
		    path_join(base, strlen(base), text, len, out->storage, sizeof(out->storage));

		err = joined_len < 0 ? (int)joined_len : 0;
	} else if (len + strlen(base) + 2 > sizeof(joined)) {
		err = -ENAMETOOLONG;
	} else {
		/* Not folded first: what `..` means depends on the links before it. */
		size_t base_len = text[0] == '/' ? 0 : strlen(base);

		memcpy(joined, base, base_len);
		joined[base_len] = '/';
		memcpy(joined + base_len + 1, text, len);
		joined[base_len + 1 + len] = '\0';
		err = resolve_path(joined, true, NULL, NULL, out->storage);
		for (const char *rest; !err && (rest = past_own_root(out->storage));) {
			memmove(joined, rest, strlen(rest) + 1);
			err = resolve_path(joined, true, NULL, NULL, out->storage);
		}
	}
	if (err == -ENAMETOOLONG)
		return fail(why, "the path is longer than 4095 bytes");
	if (err == -ELOOP)
		return fail(why, "too many symbolic links");
	out->query.object = OBJECT_PATH;
	out->query.text = out->storage;
	out->query.len = strlen(out->storage);
	if (err || !path_is_clean(out->storage, out->query.len))
		return fail(why, "not a path");
	return 0;
}

static int parse_unix(const char *name, const char *base, bool follow, struct parsed_query *out,
		      const char **why)
{
	out->query.address.protocol = PROTOCOL_UNIX;
	if (*name != '@')
		return *name ? parse_path(name, strlen(name), base, follow, out, why)
			     : fail(why, "the object is missing");
	if (!name[1] || strlen(name + 1) >= ADDRESS_UNIX_MAX)
		return fail(why, "an abstract socket's name is 1 to 107 bytes long");
	out->query.object = OBJECT_ABSTRACT;
	out->query.len = strlen(name + 1);
	memcpy(out->storage, name + 1, out->query.len + 1);
	out->query.text = out->storage;
	return 0;
}

static int parse_address(const char *text, const char *base, bool follow, struct parsed_query *out,
			 const char **why)
{
	struct address *address = &out->query.address;
	const char *colon, *host;
	enum protocol protocol;
	size_t len;

	if (!strncmp(text, "unix:", 5))
		return parse_unix(text + 5, base, follow, out, why);
	protocol = endpoint_protocol(&text);
	colon = strrchr(text, ':');
	if (!colon || colon == text)
		return fail(why, "an address is written like 10.0.0.1:443 or [fd00::1]:443");
	host = text;
	len = (size_t)(colon - text);
	if (*host == '[') {
		if (len < 2 || host[len - 1] != ']')
			return fail(why, "the port is missing");
		host++;
		len -= 2;
	} else if (memchr(host, ':', len)) {
		return fail(why, "an IPv6 address stands in brackets, like [fd00::1]:443");
	}
	if (address_parse_ip(host, len, address))
		return fail(why, *text == '[' ? "not an IPv6 address"
					      : "not an IP address (host names are not decided)");
	if (value_port(colon + 1, strlen(colon + 1), &address->port, why))
		return -EINVAL;
	address->protocol = (uint8_t)protocol;
	out->query.object = OBJECT_ADDRESS;
	return 0;
}

static int parse_name(const char *text, struct parsed_query *out, const char **why)
{
	size_t len = strlen(text);

	if (strchr(text, '=') || strchr(text, ' ') || len >= sizeof(out->storage))
		return fail(why, "not a variable's name");
	memcpy(out->storage, text, len + 1);
	out->query.object = OBJECT_NAME;
	out->query.text = out->storage;
	out->query.len = len;
	return 0;
}

/* A program and its arguments. */
static int parse_exec(const char *at, const char *base, bool follow, struct parsed_query *out,
		      const char **why)
{
	char program[sizeof(out->args)];
	long len = arguments_word(&at, program, sizeof(program), why);

	if (len == -EINVAL)
		return -EINVAL;
	if (len <= 0)
		return fail(why, "the object is missing");
	out->query.facts.args = out->args;
	if (arguments_block(at, out->args, sizeof(out->args), &out->query.facts.args_len, why))
		return -EINVAL;
	return parse_path(program, (size_t)len, base, follow, out, why);
}

enum value_quoting query_quoting(const char *line)
{
	return strncmp(line, "exec ", 5) ? QUOTE_NOTHING : QUOTE_WORD;
}

int query_parse(const char *line, const char *base, bool follow, struct parsed_query *out,
		const char **why)
{
	size_t word = strcspn(line, " "), len;
	const char *at = line + word;

	out->query = (struct query){0};
	out->storage[0] = out->args[0] = '\0';
	if (parse_verb(line, word, &out->query.verb))
		return fail(why, "a query begins with read, write, exec, connect, listen or env");
	while (*at == ' ')
		at++;
	if (out->query.verb == VERB_ENV)
		return *at ? parse_name(at, out, why) : fail(why, "the object is missing");
	if (out->query.verb == VERB_CONNECT || out->query.verb == VERB_LISTEN)
		return *at ? parse_address(at, base, follow, out, why)
			   : fail(why, "the object is missing");
	if (out->query.verb == VERB_EXEC)
		return parse_exec(at, base, follow, out, why);
	if (cut_object(&at, &len, why))
		return -EINVAL;
	return parse_path(at, len, base, follow, out, why);
}
