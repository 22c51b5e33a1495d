/*
 * pieces.c - answers in pieces: what a function gives goes to its client at
 * once
 *
 * The head comes out of the stream's prelude (dialect/stream.h); every byte
 * behind it goes to the exchange and is acknowledged when it has left, so a
 * slow client slows the function.  What fails before the head is an answer of
 * the front's own, after it the connection is cut.  The function is not stopped
 * by that: its invocation outlives the call (late.c).
 */
#include "gateway/call_state.h"

#include "albatross/dialect.h"
#include "base/clock.h"
#include "base/log.h"
#include "function/link.h"

bool
abt_pieces_wanted(const struct abt_call_state *state)
{
	const struct abt_dialect *dialect = state->call.front->dialect;

	return dialect->streams != NULL && dialect->streams(&state->call);
}

/* ---- the ends ---- */

/* The answer ends half-way; |state| is gone. */
static void
abort_answer(struct abt_call_state *state, const struct abt_rule *rule)
{
	struct abt_exchange *x = state->x;

	state->rule = rule;
	state->replied_epoch_us = abt_clock_epoch_us();
	if (!x->client_left) {
		state->gateway->failures[rule->failure]++;
		abt_log_cut(state, rule);
	}
	x->reply_us = abt_loop_now_us(x->loop);
	abt_exchange_abort(x);
}

/* The call ends now, its invocation goes on alone. */
static void
leave(struct abt_call_state *state)
{
	struct abt_pieces_out *out = &state->pieces;
	struct abt_invocation *inv = out->inv;

	abt_stream_end(&out->stream);
	abt_late_leave(state);
	out->inv = NULL;
	abt_invocation_abandon(inv);
}

void
abt_pieces_cut(struct abt_call_state *state, const struct abt_rule *rule)
{
	bool open = state->pieces.open;

	if (rule == NULL)
		rule = &abt_rules[ABT_RULE_NET_NO_MEMORY];
	leave(state);
	if (open)
		abort_answer(state, rule);
	else
		abt_call_fail(state, rule);
}

/* ---- the head ---- */

/* Make the head in x->response.  0, or -1: the report or the arena says why. */
static int
make_head(struct abt_call_state *state)
{
	struct abt_exchange *x = state->x;
	const struct abt_dialect *dialect = state->call.front->dialect;

	abt_facts_date(state);
	x->report.quiet_notes = true;
	if (abt_stream_head(&state->call, &state->pieces.stream, &x->response,
		&x->report) != 0)
		return -1;
	if (dialect->finish != NULL)
		dialect->finish(&state->call, &x->response);
	return abt_arena_failed(&x->arena) ? -1 : 0;
}

/* Send the head with the first bytes; how many bytes wait. */
static size_t
send_head(struct abt_call_state *state, struct abt_bytes first)
{
	struct abt_pieces_out *out = &state->pieces;

	out->open = true;
	out->head_us = abt_loop_now_us(state->x->loop);
	if (out->inv != NULL) { /* for the log, should the call end first */
		state->inv.queued_us = out->inv->queued_us;
		state->inv.ended_us = out->head_us;
	}
	state->target_status = state->x->response.status;
	abt_stream_end(&out->stream);
	return abt_exchange_begin(state->x, first);
}

/* ---- the taker ---- */

static void
begin(struct abt_call_state *state, struct abt_bytes type)
{
	struct abt_pieces_out *out = &state->pieces;

	out->begun = true;
	abt_stream_init(&out->stream, abt_arena_copy(&state->x->arena, type),
	    state->x->loop->pool);
	if (state->call.front->dialect->stream_prelude)
		out->stream.has_prelude = true;
}

static void
on_begin(struct abt_invocation *inv)
{
	struct abt_call_state *state = inv->context;

	if (state == NULL)
		return;
	state->x->pieces_stay = abt_link_holds_pieces(inv);
	begin(state, inv->stream_type);
}

static uint64_t
limit_of(const struct abt_call_state *state)
{
	const struct abt_front *front = state->call.front;

	return front->limits_off ? 0 : front->dialect->stream_max;
}

/* |data| is body (of a piece of |size| bytes).  The size that has left. */
static size_t
give(struct abt_call_state *state, struct abt_bytes data, size_t size)
{
	struct abt_pieces_out *out = &state->pieces;
	uint64_t max = limit_of(state);
	bool over = max > 0 && data.n > max - out->got;
	size_t waiting;

	if (over)
		data.n = (size_t)(max - out->got);
	out->got += data.n;
	waiting = out->open ? abt_exchange_write(state->x, data)
			    : send_head(state, data);
	if (over) {
		abt_pieces_cut(
		    state, &abt_rules[ABT_RULE_FUNCTION_STREAM_LARGE]);
		return size;
	}
	if (waiting == 0)
		return size;
	out->owed += size;
	return 0;
}

static void
on_piece(struct abt_invocation *inv, struct abt_bytes data)
{
	struct abt_call_state *state = inv->context;
	struct abt_bytes rest = data;
	struct abt_pieces_out *out;
	size_t left = data.n;

	if (state == NULL)
		return;
	out = &state->pieces;
	abt_late_touch(state);
	if (out->open)
		left = give(state, rest, data.n);
	else if (!abt_stream_feed(&out->stream, &rest))
		left = data.n;
	else if (make_head(state) == 0)
		left = give(state, rest, data.n);
	else
		abt_pieces_cut(state, state->x->report.broken);
	if (left > 0) /* the call may be gone, its invocation is not */
		abt_invocation_eaten(inv, left);
}

static void
on_failed(struct abt_invocation *inv)
{
	struct abt_call_state *state = inv->context;

	if (state != NULL)
		abt_pieces_cut(state, NULL);
}

const struct abt_taker abt_pieces_taker = {
	.begin = on_begin,
	.piece = on_piece,
	.failed = on_failed,
};

/* ---- the handler's entries ---- */

void
abt_pieces_drained(struct abt_call_state *state)
{
	struct abt_pieces_out *out = &state->pieces;
	size_t owed = out->owed;

	out->owed = 0;
	/* the invocation may come back in it, and end the call */
	if (owed > 0 && out->inv != NULL)
		abt_invocation_eaten(out->inv, owed);
}

void
abt_pieces_gone(struct abt_call_state *state)
{
	if (state->pieces.inv != NULL)
		abt_invocation_abandon(state->pieces.inv);
}

/* ---- it is back ---- */

static void
finish_answer(struct abt_call_state *state)
{
	struct abt_exchange *x = state->x;

	state->replied_epoch_us = abt_clock_epoch_us();
	x->reply_us = abt_loop_fresh_us(x->loop);
	abt_exchange_finish(x);
}

/* A result that came at once, for a front that streams (apigw.md U2.4); or a
 * stream that ended before anything of it could be sent. */
static const struct abt_rule *
end_unopened(struct abt_call_state *state)
{
	struct abt_pieces_out *out = &state->pieces;
	struct abt_exchange *x = state->x;
	struct abt_invocation *inv = &state->inv;
	struct abt_bytes source = { NULL, 0 };

	if (!out->begun) {
		begin(state, inv->stream_type);
		x->pieces_stay = 1; /* the arena has it */
		if (inv->result != NULL)
			source =
			    abt_bytes(inv->result->data, inv->result->used);
	}
	abt_stream_feed(&out->stream, &source);
	if (make_head(state) != 0) {
		abt_stream_end(&out->stream);
		return x->report.broken != NULL
			   ? x->report.broken
			   : &abt_rules[ABT_RULE_NET_NO_MEMORY];
	}
	out->got = source.n;
	send_head(state, source);
	finish_answer(state);
	return NULL;
}

const struct abt_rule *
abt_pieces_end(struct abt_call_state *state)
{
	struct abt_pieces_out *out = &state->pieces;
	const struct abt_rule *rule = state->inv.rule;

	out->inv = NULL;
	if (out->head_us > 0) /* for the log: then the target has answered */
		state->inv.ended_us = out->head_us;
	if (state->inv.detail != NULL)
		state->detail = abt_bytes_text(state->inv.detail);
	if (!out->open && rule == NULL)
		return end_unopened(state);
	if (!out->open) {
		if (out->begun)
			abt_stream_end(&out->stream);
		return rule;
	}
	if (rule != NULL)
		abort_answer(state, rule);
	else
		finish_answer(state);
	return NULL;
}
