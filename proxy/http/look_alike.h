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

#endif
