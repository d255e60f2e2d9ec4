/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions about paths whose answers are no verdict, so that nothing is recorded: what lies
 * beneath a folder, by the scopes of all sessions that the caller is in, and what the wall holds.
 */
#include "shim/broker/broker.h"
#include "shim/broker/gate.h"
#include "shim/broker/nest.h"
#include "shim/broker/standing.h"

uint32_t judge_beneath(struct request *request, const char *path, size_t len)
{
	const struct scope *scope;
	uint32_t beneath = 0, suffix_only = BENEATH_SUFFIX_ONLY;

	for (unsigned int n = 0; (scope = nest_scope(request, n)); n++) {
		uint32_t one = decide_beneath(scope, path, len);

		if (one & BENEATH_DENIAL)
			suffix_only &= one;
		beneath |= one & ~(uint32_t)BENEATH_SUFFIX_ONLY;
	}
	return beneath & BENEATH_DENIAL ? beneath | suffix_only : beneath;
}

uint32_t judge_pinned_beneath(struct request *request, const char *path, size_t len)
{
	const struct scope *scope;
	uint32_t pinned = 0;

	for (unsigned int n = 0; (scope = nest_scope(request, n)); n++)
		pinned |= decide_pinned_beneath(scope, path, len);
	return pinned;
}

bool judge_moves_safely(struct request *request, const char *from, size_t from_len, const char *to,
			size_t to_len)
{
	const struct scope *scope;

	for (unsigned int n = 0; (scope = nest_scope(request, n)); n++) {
		if (!decide_moves_safely(scope, from, from_len, to, to_len))
			return false;
	}
	return true;
}

bool judge_text_in_wall(struct request *request, enum verb verb, const char *path, size_t len)
{
	static const uint32_t rights[VERB_COUNT] = {
	    [VERB_READ] = RIGHT_READ, [VERB_WRITE] = RIGHT_WRITE, [VERB_EXEC] = RIGHT_EXEC};

	/* What the walls of inner sessions hold is not known here. Only a program needs them: the
	 * kernel alone can run it, and each wall holds what its scope grants at the start. */
	if (request->nested && verb != VERB_EXEC)
		return false;
	return verb < VERB_COUNT && rights[verb] != 0 &&
	       standing_in_wall(broker_standing(request->broker), path, len, rights[verb]);
}

bool judge_in_wall(struct request *request, enum verb verb, const struct object *object)
{
	return !object->anonymous && judge_text_in_wall(request, verb, object->path, object->len);
}

bool judge_name_text_in_wall(struct request *request, const char *path, size_t len)
{
	while (len > 1 && path[len - 1] != '/')
		len--;
	if (len == 0 || request->nested)
		return false;
	return standing_in_wall(broker_standing(request->broker), path, len > 1 ? len - 1 : 1,
				RIGHT_WRITE);
}

bool judge_name_in_wall(struct request *request, const struct object *object)
{
	return !object->anonymous && judge_name_text_in_wall(request, object->path, object->len);
}
