/*
 * look_alike.h - names that other servers may take for a framing header
 */
#ifndef ABT_HTTP_LOOK_ALIKE_H
#define ABT_HTTP_LOOK_ALIKE_H

#include "albatross/bytes.h"

/*
 * Is |name| close to |real| (lower case, letters and hyphens) without being it?
 * "Transfer_Encoding", "Content Length", "transfer--encoding", a control byte
 * around it, a long s for s.  False when it is |real| itself.
 *
 * Source: alb.md 4.1, look-alike test.
 */
bool abt_looks_like(struct abt_bytes name, struct abt_bytes real);

/* Can |name| look like transfer-encoding or content-length at all?  Most names
 * are told by their first letter. */
static inline bool
abt_may_look_alike(struct abt_bytes name)
{
	size_t i = 0;
	char c;

	while (i < name.n &&
	       !abt_char_is(name.p[i], ABT_CHAR_ALPHA | ABT_CHAR_DIGIT))
		i++;
	c = i < name.n ? abt_lower(name.p[i]) : '\0';
	return c == 't' || c == 'c';
}

#endif
