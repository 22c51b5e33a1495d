/*
 * forwarded.h - the headers a front adds: X-Forwarded-*, X-Amzn-Trace-Id
 */
#ifndef ABT_HTTP_FORWARDED_H
#define ABT_HTTP_FORWARDED_H

#include "albatross/http.h"

/* How many addresses all X-Forwarded-For lines name. */
size_t abt_forwarded_count(const struct abt_headers *headers);

/* All lines of X-Forwarded-For joined with ", " and |peer| behind them. */
struct abt_bytes abt_forwarded_for(const struct abt_headers *headers,
    struct abt_bytes peer, struct abt_arena *arena);

/*
 * The X-Amzn-Trace-Id that is passed on (alb.md E7.1 to E7.5).  |sent| is the
 * client's value or empty, |seconds| the time, |random| at least 12 bytes.
 */
struct abt_bytes abt_trace_id(struct abt_bytes sent, int64_t seconds,
    const unsigned char *random, bool rewrite, struct abt_arena *arena);

#endif
