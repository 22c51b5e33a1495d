/*
 * percent.h - percent-decoding as API Gateway does it
 */
#ifndef ABT_HTTP_PERCENT_H
#define ABT_HTTP_PERCENT_H

#include "albatross/arena.h"

/*
 * |in| with its escapes decoded, and "+" made a blank if |plus| (forms).  A
 * broken escape stays as it is; what is not UTF-8 afterwards is mended with
 * U+FFFD (apigw.md R2.8, H1.9).  |in| itself when nothing changes, else a copy
 * in |arena|; empty when out of memory.
 */
struct abt_bytes abt_percent_decode(
    struct abt_bytes in, bool plus, struct abt_arena *arena);

#endif
