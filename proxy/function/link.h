/*
 * link.h - pieces between a function and its caller: what admission and
 * backends need of it besides albatross/backend.h
 */
#ifndef ABT_FUNCTION_LINK_H
#define ABT_FUNCTION_LINK_H

#include "albatross/backend.h"

/* A backend gives pieces of at most this size, so that no more than
 * ABT_STREAM_WINDOW is ever under way. */
#define ABT_STREAM_PIECE (ABT_STREAM_WINDOW / 2)

/* Where a message backend makes inv->response, which this sets: the memory is
 * the link's.  Ask abt_arena_failed of |*arena| before abt_result_begin. */
struct abt_response *abt_link_response(
    struct abt_invocation *inv, struct abt_arena **arena);

/* The Content-Type of a result, for inv->stream_type; copied. */
void abt_link_type(struct abt_invocation *inv, struct abt_bytes type);

/* For the taker: does a piece stay where it is until all of it is eaten (it
 * came from another loop), not only during the call? */
bool abt_link_holds_pieces(const struct abt_invocation *inv);

/* ---- for function.c ---- */

/* Give |inv|, which has a taker, its link.  0, or -1: no memory. */
int abt_link_make(struct abt_invocation *inv, struct abt_loop *home);
/* On the home loop: the backend takes it by |invoke|, or it was abandoned
 * while it waited.  |inv| may be gone when this returns. */
void abt_link_start(struct abt_invocation *inv);
/* On the home loop: |inv| has its result, nothing reaches the backend now. */
void abt_link_finish(struct abt_invocation *inv);
/* On the caller's loop: call done() as soon as every piece was eaten. */
void abt_link_done(struct abt_invocation *inv);

#endif
