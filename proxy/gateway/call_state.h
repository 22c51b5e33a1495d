/*
 * call_state.h - a call on its way through the steps
 */
#ifndef ABT_GATEWAY_CALL_STATE_H
#define ABT_GATEWAY_CALL_STATE_H

#include "function/function.h"
#include "gateway/gateway.h"
#include "gateway/pieces.h"

struct abt_late;

/* Lives in the exchange's arena. */
struct abt_call_state {
	struct abt_exchange *x;
	struct abt_front_door *door;
	struct abt_gateway_loop *gateway;
	struct abt_call call;
	struct abt_invocation inv;
	struct abt_message *message; /* messages.c; NULL: an event */
	struct abt_late *late; /* where the invocation is when not in |inv| */
	struct abt_pieces_out pieces;
	struct abt_bytes event;
	struct abt_chunk *event_chunk; /* while nobody else owns it */
	unsigned at;                   /* the step to run next */
	bool invoked;                  /* the function was called */
	bool streams;                  /* its answer goes out in pieces */
	bool client_left;              /* before the answer was there */
	int target_status;             /* the function's own; 0: none */
	const struct abt_rule *rule;   /* why we answered ourselves, or NULL */
	struct abt_bytes where;        /* what the rule is about */
	struct abt_bytes detail;
	int64_t replied_epoch_us;
};

/* gateway/facts.c: ids, time, peer, TLS of |state|'s exchange into its call. */
void abt_facts_fill(struct abt_call_state *state);
/* The time of the response, for its Date header. */
void abt_facts_date(struct abt_call_state *state);

/*
 * gateway/late.c: an invocation that may outlive its call.  Is it possible that
 * |state|'s function takes longer than its front waits?  Then, and for answers
 * in pieces, invoke it by abt_late_invoke, which calls |resume| with state->inv
 * filled, or |give_up| when the front's time is over.  0, or -1: no memory.
 */
bool abt_late_is_possible(const struct abt_call_state *state);
int abt_late_invoke(struct abt_call_state *state, const struct abt_taker *taker,
    void (*resume)(struct abt_call_state *),
    void (*give_up)(struct abt_call_state *));
/* The call ends without it: nobody is told of its result. */
void abt_late_leave(struct abt_call_state *state);
/* It gave a piece: its idle time begins anew. */
void abt_late_touch(struct abt_call_state *state);

/* gateway/gateway.c: the call has its answer (in x->response), fails by |rule|,
 * or goes its way anew as another request. */
void abt_call_reply(struct abt_call_state *state);
void abt_call_fail(struct abt_call_state *state, const struct abt_rule *rule);
void abt_call_restart(struct abt_call_state *state);

/*
 * gateway/messages.c: calls whose function takes the request itself.  After
 * routing, takes() tells them; invoke() takes over, of a request without a
 * body.  With one, head() takes over already when the head is there and answers
 * as on_head does; then what the codec tells comes to the rest.
 */
bool abt_message_takes(const struct abt_call_state *state);
void abt_message_invoke(struct abt_call_state *state);
int abt_message_head(struct abt_call_state *state);
int abt_message_data(struct abt_call_state *state, struct abt_bytes data);
void abt_message_ready(struct abt_call_state *state);
/* True: it will be answered later. */
bool abt_message_broken(struct abt_call_state *state);
void abt_message_gone(struct abt_call_state *state);
void abt_message_drained(struct abt_call_state *state);
/* Of a rule of its own, in place of the dialect's page. */
void abt_message_write_failure(
    struct abt_call_state *state, const struct abt_rule *rule);

/* gateway/access_log.c: one line for a finished call. */
void abt_access_log_line(struct abt_call_state *state);

/* gateway/failure_log.c: the rule of an answer of our own, for the log. */
void abt_log_failure(struct abt_call_state *state, const struct abt_rule *rule);
/* The same of an answer that was cut half-way. */
void abt_log_cut(struct abt_call_state *state, const struct abt_rule *rule);

/* gateway/explain.c: x-albatross-rule and, for browsers, a page that shows what
 * went wrong (only when the setup asks for it). */
void abt_explain(struct abt_call_state *state);

/* gateway/terminal.c: one short line a request; a function's error with its
 * stack. */
void abt_terminal_line(struct abt_call_state *state);
void abt_log_function_error(struct abt_call_state *state);

#endif
