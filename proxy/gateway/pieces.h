/*
 * pieces.h - answers in pieces: a call whose function gives its result so
 */
#ifndef ABT_GATEWAY_PIECES_H
#define ABT_GATEWAY_PIECES_H

#include "dialect/stream.h"
#include "function/function.h"

struct abt_call_state;

/* How far such an answer has come; part of the call's state. */
struct abt_pieces_out {
	struct abt_invocation *inv; /* lent out; NULL: it is back */
	struct abt_stream stream;
	bool begun;   /* the function gives pieces */
	bool open;    /* the head is out */
	bool over;    /* what still comes is dropped */
	size_t owed;  /* bytes the exchange has, to be acknowledged */
	uint64_t got; /* bytes of body */
	int64_t head_us;
};

/* Its callbacks; the invocation's context is the call's state, or NULL when
 * nobody wants its result any more. */
extern const struct abt_taker abt_pieces_taker;

/* Does the front of |state| give its answer in pieces? */
bool abt_pieces_wanted(const struct abt_call_state *state);

/* The invocation is back in state->inv.  NULL: the answer has ended or is on
 * its way, |state| is gone; else the rule to fail with: nothing was sent. */
const struct abt_rule *abt_pieces_end(struct abt_call_state *state);

/* The call ends now by |rule|, its function goes on alone: an answer that has
 * begun is cut, so that the client can tell, else the front answers.  |state|
 * is gone then. */
void abt_pieces_cut(struct abt_call_state *state, const struct abt_rule *rule);

/* Handler entries: all that was written is with the kernel; the client left. */
void abt_pieces_drained(struct abt_call_state *state);
void abt_pieces_gone(struct abt_call_state *state);

#endif
