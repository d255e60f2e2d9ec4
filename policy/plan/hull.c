/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hull: an outer approximation of the scope, put on the broker before it forks. Every granted
 * root without its denials, what the broker needs itself, and all that the wall has (the agent's
 * wall nests in the hull, so it gets the intersection of both).
 *
 * What the broker performs on the agent's behalf must fit in, and Landlock's rules hang on inodes:
 *  - A file that may be replaced (an editor's rename, a log that rotates) is reached through its
 *    folder, so a regular file's folder gets the file's accesses too, unless that is "/".
 *  - What does not exist yet gets its rights on the nearest folder that does. For "/" that would be
 *    the whole file system: then only a direct child that may be written gets it.
 *  - Landlock does not see connects to unix sockets; binding one makes a file in its folder.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/core/path.h"
#include "policy/plan/build.h"

/* A port range of more ports than this is not worth its rules. */
#define PORTS_MAX 2048
/* Nor are more writable places of the wall worth saying again in the hull: a carve makes thousands. */
#define NEAR_MAX 256

/* The files of one folder follow each other, and each wants the same of it. */
static bool said_last(const struct domain *hull, const char *path, uint64_t access)
{
	const struct path_access *last =
	    hull->path_count ? &hull->paths[hull->path_count - 1] : NULL;
	return last && !(access & hull->handled_fs & ~last->access) && !strcmp(last->path, path);
}

static int add(struct builder *b, const char *path, uint64_t access, uint32_t rule)
{
	if (said_last(&b->plan->hull, path, access))
		return 0;
	return domain_add(&b->plan->hull, &b->hull_room, path, access, rule);
}

/* Cuts path to its folder; false at "/". */
static bool to_folder(char *path)
{
	char *slash = strrchr(path, '/');
	if (!slash || !slash[1])
		return false;
	slash[slash == path] = '\0';
	return true;
}

static int add_absent(struct builder *b, char *path, uint32_t rights, uint64_t extra, uint32_t rule)
{
	for (size_t steps = 0; to_folder(path); steps++) {
		enum view_kind kind = plain_kind(b, path);
		if (kind == VIEW_LINK)
			return 0; /* another spelling says where it leads */
		if (kind == VIEW_ABSENT)
			continue;
		if (kind != VIEW_FOLDER)
			return 0;
		if (!strcmp(path, "/") && (steps || !(rights & RIGHT_WRITE)))
			return 0;
		return add(b, path, access_of(rights, VIEW_FOLDER, path) | extra, rule);
	}
	return 0;
}

static int add_root(struct builder *b, const char *text, bool pattern, uint32_t rights,
		    uint32_t rule)
{
	char path[PATH_TEXT_MAX];
	literal_part(text, pattern, path);
	if (path_within(path, strlen(path), "/proc", strlen("/proc")))
		return add(b, "/proc", access_of(rights, VIEW_FOLDER, "/proc"), rule);
	enum view_kind kind = plain_kind(b, path);
	if (kind == VIEW_LINK)
		return 0;
	if (kind == VIEW_ABSENT)
		return add_absent(b, path, rights, 0, rule);
	uint64_t access = access_of(rights, kind, path);
	if (kind != VIEW_FILE || !strrchr(path + 1, '/'))
		return add(b, path, access, rule);
	/* All that a file can be given is in what its folder gets. */
	to_folder(path);
	access |= rights & RIGHT_WRITE ? ACCESS_CHANGE : 0;
	return add(b, path, access | ACCESS_READ_FILE, rule);
}

/* Exec is native only: the wall's own rules, added at the end, are all that the agent can use. */
static int add_files(struct builder *b, uint32_t index, const struct rule *rule)
{
	uint32_t rights = rule->rights & (RIGHT_READ | RIGHT_WRITE);
	int ret = add_root(b, rule->text, rule->pattern, rights, index);
	for (uint32_t n = 0; ret == 0 && n < rule->spelling_count; n++)
		ret = add_root(b, scope_spelling(b->scope, index, n), rule->pattern, rights, index);
	return ret;
}

static int add_socket(struct builder *b, const char *text, bool pattern, uint32_t rule)
{
	char path[PATH_TEXT_MAX];
	const char *slash = strchr(text, '/');
	if (!slash)
		return 0;
	literal_part(slash, pattern, path);
	if (plain_kind(b, path) == VIEW_FOLDER)
		return add(b, path, ACCESS_MAKE_SOCK, rule);
	return add_absent(b, path, 0, ACCESS_MAKE_SOCK, rule);
}

static int add_listening(struct builder *b, uint32_t index, const struct rule *rule)
{
	int ret = 0;
	if (rule->network != NETWORK_UNIX || !(rule->rights & RIGHT_LISTEN))
		return 0;
	ret = add_socket(b, rule->text, rule->pattern, index);
	for (uint32_t n = 0; ret == 0 && n < rule->spelling_count; n++)
		ret = add_socket(b, scope_spelling(b->scope, index, n), rule->pattern, index);
	return ret;
}

static int add_paths(struct builder *b)
{
	struct rule rule;
	int ret = 0;
	for (uint32_t i = 0; ret == 0 && i < scope_rule_count(b->scope); i++) {
		scope_rule(b->scope, i, &rule);
		if (rule.denial)
			continue;
		ret = rule.section <= SECTION_EXEC_ALLOW ? add_files(b, i, &rule)
							 : add_listening(b, i, &rule);
	}
	return ret;
}

static int add_broker(struct builder *b, const char *const *paths, size_t count, uint32_t rights)
{
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < count; i++) {
		enum view_kind kind = plain_kind(b, paths[i]);
		if (kind != VIEW_ABSENT && kind != VIEW_LINK)
			ret = add(b, paths[i], access_of(rights, kind, paths[i]), RULE_NONE);
	}
	return ret;
}

static int add_wall(struct builder *b)
{
	const struct domain *wall = &b->plan->wall;
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < wall->path_count; i++)
		ret = add(b, wall->paths[i].path, wall->paths[i].access, wall->paths[i].rule);
	return ret;
}

/*
 * The kernel walks from a file to the root until every layer has granted all that it asks for, and
 * at each open that is the right to truncate too. So where the wall ends the walk the hull should
 * end it as well: there it says again what it gives in a folder above anyway. Not so for what can
 * only be read: that walk goes to the root in any case.
 */
static int add_near(struct builder *b)
{
	const struct domain *wall = &b->plan->wall;
	size_t count = 0;
	int ret = 0;
	for (size_t i = 0; i < wall->path_count; i++)
		count += (wall->paths[i].access & ACCESS_TRUNCATE) != 0;
	for (size_t i = 0; ret == 0 && count <= NEAR_MAX && i < wall->path_count; i++) {
		const struct path_access *path = &wall->paths[i];
		if (path->access & ACCESS_TRUNCATE)
			ret = add(b, path->path, path->access, path->rule);
	}
	domain_merge(&b->plan->hull);
	return ret;
}

/* The TCP ports that the scope names, one bit each; false when there are too many to list. */
static bool port_set(const struct builder *b, enum rule_section section, uint8_t *set,
		     size_t *count)
{
	struct rule rule;
	uint16_t low, high;
	for (uint32_t i = 0; i < scope_rule_count(b->scope); i++) {
		scope_rule(b->scope, i, &rule);
		if (rule.section != section || rule.network == NETWORK_UNIX ||
		    rule.network == NETWORK_ABSTRACT || rule.protocol == PROTOCOL_UDP)
			continue;
		for (uint32_t n = 0; scope_port_range(b->scope, i, n, &low, &high); n++) {
			if (high - low >= PORTS_MAX)
				return false;
			for (uint32_t port = low; port <= high; port++) {
				*count += !(set[port / 8] & (1 << port % 8));
				set[port / 8] |= (uint8_t)(1 << port % 8);
			}
		}
	}
	return *count <= PORTS_MAX;
}

static int add_ports(struct builder *b)
{
	struct domain *hull = &b->plan->hull;
	uint8_t connect[65536 / 8] = {0}, listen[65536 / 8] = {0};
	size_t connects = 0, listens = 1;
	listen[0] = 1; /* bind to port 0 needs no grant: the kernel chooses */
	if (!port_set(b, SECTION_NETWORK_CONNECT, connect, &connects))
		hull->handled_net &= ~ACCESS_CONNECT_TCP;
	if (!port_set(b, SECTION_NETWORK_LISTEN, listen, &listens))
		hull->handled_net &= ~ACCESS_BIND_TCP;
	if (!hull->handled_net)
		return 0;
	hull->ports = calloc(connects + listens + 1, sizeof(*hull->ports));
	if (!hull->ports)
		return -ENOMEM;
	for (uint32_t port = 0; port < 65536; port++) {
		uint64_t access = 0;
		if (!connect[port / 8] && !listen[port / 8]) {
			port |= 7;
			continue;
		}
		if (connect[port / 8] & (1 << port % 8))
			access |= ACCESS_CONNECT_TCP;
		if (listen[port / 8] & (1 << port % 8))
			access |= ACCESS_BIND_TCP;
		access &= hull->handled_net;
		if (access && hull->port_count < connects + listens)
			hull->ports[hull->port_count++] =
			    (struct port_access){.port = (uint16_t)port, .access = access};
	}
	return 0;
}

int hull_build(struct builder *b)
{
	const struct plan_options *options = b->options;
	struct domain *hull = &b->plan->hull;
	hull->handled_fs = access_handled_fs(b->features->landlock_abi);
	hull->handled_net = access_handled_net(b->features->landlock_abi);
	/* Abstract sockets may be granted, processes outside never are. */
	hull->scoped = access_scoped(b->features->landlock_abi) & SCOPE_SIGNAL;
	if (!hull->handled_fs)
		return 0;
	int ret = add_paths(b);
	if (ret == 0)
		ret = add_broker(b, options->broker_read, options->broker_read_count, RIGHT_READ);
	if (ret == 0)
		ret = add_broker(b, options->broker_write, options->broker_write_count,
				 RIGHT_READ | RIGHT_WRITE);
	if (ret == 0)
		ret = add_wall(b);
	if (ret == 0)
		ret = add_ports(b);
	domain_tidy(hull);
	if (ret == 0)
		ret = add_near(b);
	return ret;
}
