/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision. A path collects, node by node on its way down, the grants and denials that cover
 * it; the deepest of each is kept, and among those of one node the lowest rule. Names have one node
 * at most; addresses go from the longest prefix length to the shortest.
 *
 * Guarantees: no system call, no allocation, no global, no recursion; the answer for anything that
 * is not understood is a refusal.
 */
#include "policy/core/decide.h"

#include <errno.h>
#include <string.h>

#include "policy/core/arguments.h"
#include "policy/core/glob.h"
#include "policy/core/image.h"
#include "policy/core/path.h"
#include "policy/core/walk.h"

/* What covers the object so far. */
struct cover {
	const struct scope *scope;
	const struct query *query;
	unsigned int right;	/* index of the right that the verb needs */
	uint32_t grant, denial; /* the deepest; IMAGE_NONE */
	uint32_t unmet;		/* the deepest grant whose condition is not met */
	uint32_t missing;	/* conditions of grants whose facts are wanting */
	uint32_t unsure;	/* the deepest denial of which a fact is wanting */
	uint32_t unsure_missing;
	enum lane lane;		/* the best of any grant that covers it */
};

static uint32_t lower(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static bool arguments_covered(const struct scope *scope, struct image_range patterns,
			      const struct facts *facts)
{
	for (uint32_t i = 0; i < patterns.count; i++) {
		const struct image_text *text =
		    image_record(scope, IMAGE_TEXTS, patterns.first + i);
		if (arguments_match(image_string(scope, text->offset), text->len, facts->args,
				    facts->args_len))
			return true;
	}
	return false;
}

/* True when every condition is met. Facts that are absent, not wrong, are added to *missing. */
static bool conditions_met(const struct cover *cover, const struct image_matcher *matcher,
			   uint32_t *missing)
{
	const struct facts *facts = &cover->query->facts;
	const struct image_rule *rule = image_record(cover->scope, IMAGE_RULES, matcher->rule);
	bool met = true;
	uint32_t absent = 0;

	if (matcher->conditions & CONDITION_SHA256) {
		if (!facts->sha256)
			absent |= CONDITION_SHA256;
		else if (memcmp(facts->sha256, rule->sha256, sizeof(rule->sha256)) != 0)
			met = false;
	}
	if ((matcher->conditions & CONDITION_SESSION_TERMINAL) && !facts->session_terminal)
		absent |= CONDITION_SESSION_TERMINAL;
	if ((matcher->conditions & CONDITION_ARGS) && cover->query->verb == VERB_EXEC) {
		if (!facts->args)
			absent |= CONDITION_ARGS;
		else if (!arguments_covered(cover->scope, rule->args, facts))
			met = false;
	}
	if (met)
		*missing |= absent;
	return met && absent == 0;
}

bool walk_excepted(const struct scope *scope, const struct image_matcher *matcher, const char *path,
		   size_t len)
{
	for (uint32_t i = 0; i < matcher->excepts.count; i++) {
		const struct image_text *text =
		    image_record(scope, IMAGE_TEXTS, matcher->excepts.first + i);
		if (path_matches(image_string(scope, text->offset), text->len, path, len))
			return true;
	}
	return false;
}

/* `rest` is what follows the node: the rest of a path, or a whole name. */
static bool matcher_covers(const struct cover *cover, const struct image_matcher *matcher,
			   const char *rest, size_t len)
{
	const struct query *query = cover->query;
	const char *tail = image_string(cover->scope, matcher->tail);

	if (query->object != OBJECT_PATH)
		return glob_component(tail, matcher->tail_len, rest, len);
	if (!glob_tail(tail, matcher->tail_len, rest, len))
		return false;
	return !matcher->denial || !walk_excepted(cover->scope, matcher, query->text, query->len);
}

/* A denial with a condition: applies, does not, or cannot be known (*unsure). */
static bool denial_applies(struct cover *cover, const struct image_matcher *matcher,
			   uint32_t *unsure)
{
	uint32_t missing = 0;
	bool met = conditions_met(cover, matcher, &missing);

	if (missing) {
		*unsure = lower(*unsure, matcher->rule);
		cover->unsure_missing |= missing;
	}
	return met;
}

/* Adds what one node says; deeper nodes come later and replace. */
static void add_node(struct cover *cover, const struct image_node *node, const char *rest,
		     size_t len)
{
	uint32_t grant = IMAGE_NONE, denial = IMAGE_NONE, unmet = IMAGE_NONE;
	uint32_t unsure = IMAGE_NONE;
	unsigned int right = cover->right;

	if (node->effect == IMAGE_NONE && node->matchers.count == 0)
		return;
	if (node->effect != IMAGE_NONE) {
		const struct image_effect *effect =
		    image_record(cover->scope, IMAGE_EFFECTS, node->effect);
		grant = effect->grant[right];
		denial = effect->denial[right];
		if (grant != IMAGE_NONE && effect->lane[right] > cover->lane)
			cover->lane = (enum lane)effect->lane[right];
	}
	for (uint32_t i = 0; i < node->matchers.count; i++) {
		const struct image_matcher *matcher =
		    image_record(cover->scope, IMAGE_MATCHERS, node->matchers.first + i);
		if (!(matcher->rights >> right & 1) || !matcher_covers(cover, matcher, rest, len))
			continue;
		if (matcher->denial) {
			if (denial_applies(cover, matcher, &unsure))
				denial = lower(denial, matcher->rule);
		} else if (!conditions_met(cover, matcher, &cover->missing)) {
			unmet = lower(unmet, matcher->rule);
		} else {
			grant = lower(grant, matcher->rule);
		}
	}
	if (grant != IMAGE_NONE)
		cover->grant = grant;
	if (denial != IMAGE_NONE)
		cover->denial = denial;
	if (unmet != IMAGE_NONE)
		cover->unmet = unmet;
	if (unsure != IMAGE_NONE)
		cover->unsure = unsure;
}

static struct decision refused(uint32_t rule)
{
	return (struct decision){
	    .verdict = VERDICT_REFUSED, .error = EACCES, .rule = rule, .lane = LANE_REFUSED};
}

static struct decision conclude(const struct cover *cover)
{
	if (cover->denial != IMAGE_NONE) {
		const struct image_rule *rule =
		    image_record(cover->scope, IMAGE_RULES, cover->denial);
		struct decision decision = refused(cover->denial);
		decision.quiet = rule->flags & RULE_QUIET;
		return decision;
	}
	if (cover->grant == IMAGE_NONE) {
		struct decision decision = refused(cover->unmet);
		/* A denial's facts are of use only where some grant could still cover. */
		if (cover->missing)
			decision.conditions = cover->missing | cover->unsure_missing;
		return decision;
	}
	if (cover->unsure != IMAGE_NONE) {
		struct decision decision = refused(cover->unsure);
		decision.conditions = cover->unsure_missing;
		return decision;
	}
	return (struct decision){.verdict = VERDICT_ALLOWED,
				 .rule = cover->grant,
				 .lane = cover->lane > LANE_GATE ? cover->lane : LANE_GATE};
}

static struct cover cover_start(const struct scope *scope, const struct query *query,
				uint32_t right)
{
	return (struct cover){.scope = scope,
			      .query = query,
			      .right = (unsigned int)__builtin_ctz(right),
			      .grant = IMAGE_NONE,
			      .denial = IMAGE_NONE,
			      .unmet = IMAGE_NONE,
			      .unsure = IMAGE_NONE};
}

static struct decision decide_text(const struct scope *scope, const struct query *query,
				   uint32_t right)
{
	struct cover cover = cover_start(scope, query, right);
	struct walk walk;

	if (!query->text || !path_is_clean(query->text, query->len))
		return refused(RULE_NONE);
	walk_start(&walk, scope, query->text, query->len);
	do {
		size_t rest_len;
		const char *rest = walk_rest(&walk, &rest_len);
		add_node(&cover, walk.node, rest, rest_len);
	} while (walk_next(&walk));
	return conclude(&cover);
}

static struct decision decide_name(const struct scope *scope, const struct query *query,
				   uint32_t right, enum image_root root)
{
	struct cover cover = cover_start(scope, query, right);
	const struct image_node *node = image_record(scope, IMAGE_NODES, root);
	uint32_t index;

	add_node(&cover, node, query->text, query->len);
	node = walk_child(scope, root, hash_bytes(query->text, query->len, node->hash), query->text,
			  query->len, &index);
	if (node)
		add_node(&cover, node, "", 0);
	return conclude(&cover);
}

static bool name_is_valid(const struct query *query)
{
	if (!query->text || query->len == 0 || query->len >= PATH_TEXT_MAX)
		return false;
	if (query->object == OBJECT_ABSTRACT)
		return query->len < ADDRESS_UNIX_MAX;
	for (size_t i = 0; i < query->len; i++) {
		if (query->text[i] == '\0' || query->text[i] == '=')
			return false;
	}
	return true;
}

/* The interval that holds port, or NULL. */
static const struct image_interval *find_port(const struct scope *scope, struct image_range range,
					      uint16_t port)
{
	uint32_t low = 0, high = range.count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct image_interval *interval =
		    image_record(scope, IMAGE_INTERVALS, range.first + middle);
		if (port < interval->low)
			high = middle;
		else if (port > interval->high)
			low = middle + 1;
		else
			return interval;
	}
	return NULL;
}

/* Sixteen bytes of an address. As two numbers, because what is written bytewise and read back wide
 * makes the processor wait. */
struct ip_words {
	uint64_t word[2];
};

static inline struct ip_words masked(const struct ip_words *ip, unsigned int prefix)
{
	struct ip_words out;

	for (unsigned int i = 0; i < 2; i++)
		out.word[i] = ip->word[i] & image_mask_word(i, prefix);
	return out;
}

static const struct image_network *find_network(const struct scope *scope,
						const struct image_level *level,
						const struct ip_words *ip)
{
	uint64_t hash =
	    image_network_hash(level->family, level->prefix, (const uint8_t *)ip->word);
	uint32_t mask = level->slot_count - 1;

	for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
		const struct image_slot *slot =
		    image_record(scope, IMAGE_NETWORK_SLOTS, level->slot + i);
		if (slot->item == 0)
			return NULL;
		if (slot->tag != (uint32_t)(hash >> 32))
			continue;
		const struct image_network *network =
		    image_record(scope, IMAGE_NETWORKS, slot->item - 1);
		struct ip_words there;
		memcpy(there.word, network->ip, sizeof(there.word));
		if (there.word[0] == ip->word[0] && there.word[1] == ip->word[1])
			return network;
	}
}

/* The family and the bytes that count. A mapped IPv4 address must not escape the rules for IPv4,
 * whoever forgot to turn it. */
static bool normal_address(const struct address *in, unsigned int *family, struct ip_words *ip)
{
	/* 80 bits of zeros and 16 of ones, RFC 4291 2.5.5.2, as they lie in memory. */
	const uint64_t mapped = UINT64_C(0xffff0000);

	if (in->protocol != PROTOCOL_TCP && in->protocol != PROTOCOL_UDP)
		return false;
	*family = in->family;
	memcpy(ip->word, in->ip, sizeof(ip->word));
	if (*family == FAMILY_IP6 && ip->word[0] == 0 && (uint32_t)ip->word[1] == mapped) {
		*family = FAMILY_IP4;
		ip->word[0] = ip->word[1] >> 32;
	}
	if (*family == FAMILY_IP4)
		*ip = (struct ip_words){{(uint32_t)ip->word[0], 0}};
	return *family == FAMILY_IP4 || *family == FAMILY_IP6;
}

static struct decision decide_address(const struct scope *scope, const struct query *query)
{
	struct cover cover = cover_start(scope, query, RIGHT_CONNECT);
	unsigned int direction = query->verb == VERB_LISTEN ? DIRECTION_LISTEN : DIRECTION_CONNECT;
	const struct image_about *about = image_record(scope, IMAGE_ABOUT, 0);
	unsigned int family;
	struct ip_words ip;

	if (!normal_address(&query->address, &family, &ip))
		return refused(RULE_NONE);
	struct image_range levels = about->levels[image_family(query->address.protocol, family)];
	for (uint32_t i = 0; i < levels.count; i++) {
		const struct image_level *level =
		    image_record(scope, IMAGE_LEVELS, levels.first + i);
		struct ip_words net = masked(&ip, level->prefix);
		const struct image_network *network = find_network(scope, level, &net);
		if (!network)
			continue;
		const struct image_interval *interval =
		    find_port(scope, network->intervals, query->address.port);
		if (!interval)
			continue;
		/* Longest prefix first: what was found earlier is deeper. */
		if (cover.denial == IMAGE_NONE)
			cover.denial = interval->denial[direction];
		if (cover.grant == IMAGE_NONE)
			cover.grant = interval->grant[direction];
	}
	return conclude(&cover);
}

struct decision decide(const struct scope *scope, const struct query *query)
{
	bool network = query->verb == VERB_CONNECT || query->verb == VERB_LISTEN;
	static const uint8_t rights[VERB_COUNT] = {
	    [VERB_READ] = RIGHT_READ,	    [VERB_WRITE] = RIGHT_WRITE,	  [VERB_EXEC] = RIGHT_EXEC,
	    [VERB_CONNECT] = RIGHT_CONNECT, [VERB_LISTEN] = RIGHT_LISTEN, [VERB_ENV] = RIGHT_READ,
	};

	if (!scope->base || (unsigned int)query->verb >= VERB_COUNT)
		return refused(RULE_NONE);
	switch (query->object) {
	case OBJECT_PATH:
		if (query->verb == VERB_ENV)
			break;
		return decide_text(scope, query, rights[query->verb]);
	case OBJECT_ADDRESS:
		if (!network)
			break;
		return decide_address(scope, query);
	case OBJECT_ABSTRACT:
		if (!network || !name_is_valid(query))
			break;
		return decide_name(scope, query, rights[query->verb], ROOT_ABSTRACT);
	case OBJECT_NAME:
		if (query->verb != VERB_ENV || !name_is_valid(query))
			break;
		return decide_name(scope, query, rights[query->verb], ROOT_ENV);
	}
	return refused(RULE_NONE);
}

struct decision decide_path(const struct scope *scope, enum verb verb, const char *path, size_t len)
{
	struct query query = {.verb = verb, .object = OBJECT_PATH, .text = path, .len = len};

	return decide(scope, &query);
}

const char *verb_name(enum verb verb)
{
	static const char names[VERB_COUNT][8] = {
	    [VERB_READ] = "read",	[VERB_WRITE] = "write",	  [VERB_EXEC] = "exec",
	    [VERB_CONNECT] = "connect", [VERB_LISTEN] = "listen", [VERB_ENV] = "env",
	};

	return (unsigned int)verb < VERB_COUNT ? names[verb] : "?";
}

const char *lane_name(enum lane lane)
{
	static const char names[][8] = {"refused", "gate", "carve", "wall"};

	return (unsigned int)lane < sizeof(names) / sizeof(names[0]) ? names[lane] : "?";
}
