/*
 * json_tree.h - what both JSON readers share
 */
#ifndef ABT_BASE_JSON_TREE_H
#define ABT_BASE_JSON_TREE_H

#include "albatross/json.h"

/* Fill |error|, which may be NULL, with line and column too. */
void abt_json_fail(struct abt_json_error *error, struct abt_bytes source,
    const char *text, size_t offset);

/* Mark the members of |object| that a later one of the same name shadows, in
 * time that no choice of names makes quadratic.  0, or -1: out of memory. */
int abt_json_shadow(struct abt_json *object, struct abt_arena *arena);

/* A value at the end of |parent|'s members; the root has none. */
static inline void
abt_json_append(struct abt_json *parent, struct abt_json *value)
{
	if (parent->last != NULL)
		parent->last->next = value;
	else
		parent->first = value;
	parent->last = value;
	parent->count++;
}

#endif
