/*
 * h1_head.h - reading one HTTP/1.x request head
 */
#ifndef ABT_HTTP_H1_HEAD_H
#define ABT_HTTP_H1_HEAD_H

#include <sys/types.h>

#include "albatross/http.h"

/*
 * Find the end of the head that begins at |in|: the length with its empty line,
 * 0 when more bytes are needed.  |seen| bytes of |in| were looked at by an
 * earlier call (0 the first time).  Up to two empty lines before the request
 * line count as part of the head (RFC 9112 2.2).
 */
size_t abt_h1_head_end(struct abt_bytes in, size_t seen);

/*
 * Read the head |in| (exactly what abt_h1_head_end measured) into |req|.  All
 * slices point into |in|.  Deviations are noted in |report| by their names and
 * read in the one way that their rules describe; whether such a request is let
 * through is decided by abt_judge.  Sizes are judged against |policy|.
 *
 * Returns 0, or -1 when it cannot be served in any mode (the rule is in
 * |report|).  After -1 the connection must be closed.
 *
 * Source: RFC 9112 2, 3, 5; alb.md 1.3, 3 and 4.1.
 */
int abt_h1_head_read(struct abt_bytes in, const struct abt_policy *policy,
    struct abt_arena *arena, struct abt_request *req,
    struct abt_report *report);

/* A head that will not fit: what is known of an unfinished head of |n| bytes
 * breaks a limit of |policy| already.  0, or -1 with the rule. */
int abt_h1_head_partial(struct abt_bytes in, const struct abt_policy *policy,
    struct abt_report *report);

#endif
