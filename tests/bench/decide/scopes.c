/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/decide/scopes.h"

#define X8 "/x/x/x/x/x/x/x/x"

const struct sample samples[] = {
    {"hit, 3 components", VERB_READ, "/usr/lib/libc.so"},
    {"hit, 8 components", VERB_READ, "/usr/lib" X8},
    {"hit, 32 components", VERB_READ, "/usr/lib" X8 X8 X8 "/x/x/x/x/x/x"},
    {"hit, 8 components of rules", VERB_WRITE, "/home/user/work/a/b/c/d/e"},
    {"hit beside a ** denial, 8", VERB_WRITE, "/home/user/work/x/x/x/x/x.c"},
    {"hit beside a ** denial, 32", VERB_WRITE, "/home/user/work" X8 X8 X8 "/x/x/x/x/x"},
    {"miss at the root", VERB_READ, "/root/.ssh/id_ed25519"},
    {"miss, 8 components", VERB_READ, "/home/user/other/a/b/c/d/e"},
    {"miss, 32 components", VERB_READ, "/home/user/other" X8 X8 X8 "/x/x/x/x/x"},
    {"glob hit", VERB_WRITE, "/var/cache/x/agent/y"},
    {"glob denial", VERB_READ, "/home/user/work/src/.env"},
    {"exec hit", VERB_EXEC, "/usr/bin/git"},
    {"address hit", VERB_CONNECT, "192.168.7.9:8080"},
    {"address in a /16", VERB_CONNECT, "172.16.1.1:5432"},
    {"address miss", VERB_CONNECT, "9.9.9.9:53"},
    {NULL, VERB_READ, NULL},
};

static void spread_path(char *buf, size_t size, unsigned int rule, const char *beneath)
{
	snprintf(buf, size, "/srv/data/region-%u/customer-%u/project-%u%s", rule % 16, rule % 512,
		 rule, beneath);
}

static void spread_ip(char *buf, size_t size, unsigned int rule)
{
	snprintf(buf, size, "10.%u.%u.%u", rule >> 16 & 255, rule >> 8 & 255, rule & 255);
}

/* Of ten: four to read, four to write, a pattern that denies, an address. */
static void add_spread(struct builder *b, unsigned int rule)
{
	char text[128];

	if (rule % 10 == 9) {
		spread_ip(text, sizeof(text), rule);
		builder_ip(b, SECTION_NETWORK_CONNECT, text, 32, 443, 443);
	} else if (rule % 10 == 8) {
		spread_path(text, sizeof(text), rule, "/**/*.key");
		builder_rule(b, SECTION_FILES_DENY, text);
	} else {
		spread_path(text, sizeof(text), rule, "");
		builder_rule(b, rule % 10 < 4 ? SECTION_FILES_READ : SECTION_FILES_WRITE, text);
	}
}

struct builder scope_of(unsigned int rules)
{
	struct builder b = builder_new();

	builder_rule(&b, SECTION_FILES_READ, "/usr");
	builder_rule(&b, SECTION_FILES_READ, "/etc/ssl");
	builder_rule(&b, SECTION_FILES_WRITE, "/home/user/work");
	builder_rule(&b, SECTION_FILES_WRITE, "/home/user/work/a/b/c/d/e");
	builder_rule(&b, SECTION_FILES_WRITE, "/var/cache/*/agent");
	builder_rule(&b, SECTION_FILES_DENY, "/home/user/work/**/.env");
	builder_rule(&b, SECTION_EXEC_ALLOW, "/usr/bin/git");
	builder_ip(&b, SECTION_NETWORK_CONNECT, "192.168.7.9", 32, 8080, 8080);
	builder_ip(&b, SECTION_NETWORK_CONNECT, "172.16.0.0", 16, 5432, 5432);
	builder_ip(&b, SECTION_NETWORK_DENY, "172.16.9.0", 24, 0, 65535);
	for (unsigned int rule = 0; rule + FEW < rules; rule++)
		add_spread(&b, rule);
	builder_open(&b);
	return b;
}

static struct query path_query(enum verb verb, const char *path)
{
	return (struct query){
	    .verb = verb, .object = OBJECT_PATH, .text = path, .len = strlen(path)};
}

static struct query address_query(const char *ip, size_t length, uint16_t port)
{
	struct query query = {.verb = VERB_CONNECT,
			      .object = OBJECT_ADDRESS,
			      .address = {.protocol = PROTOCOL_TCP, .port = port}};

	if (address_parse_ip(ip, length, &query.address) < 0)
		abort();
	return query;
}

struct query sample_query(const struct sample *sample)
{
	const char *colon = strchr(sample->object, ':');

	if (!colon)
		return path_query(sample->verb, sample->object);
	return address_query(sample->object, (size_t)(colon - sample->object),
			     (uint16_t)atoi(colon + 1));
}

struct query spread_query(bool address, unsigned int rule, char *buf, size_t size)
{
	rule = rule / 10 * 10 + (address ? 9 : rule % 8);
	if (address) {
		spread_ip(buf, size, rule);
		return address_query(buf, strlen(buf), 443);
	}
	spread_path(buf, size, rule, "/src/core/main.c");
	return path_query(VERB_READ, buf);
}
