/*
 * call_state.h - a call on its way through the steps
 */
#ifndef ABT_GATEWAY_CALL_STATE_H
#define ABT_GATEWAY_CALL_STATE_H

#include "function/function.h"
#include "gateway/gateway.h"

/* Lives in the exchange's arena. */
struct abt_call_state {
	struct abt_exchange *x;
	struct abt_front_door *door;
	struct abt_gateway_loop *gateway;
	struct abt_call call;
	struct abt_invocation inv;
	struct abt_bytes event;
	unsigned at;                 /* the step to run next */
	bool invoked;                /* the function was called */
	bool client_left;            /* before the answer was there */
	int target_status;           /* the function's own; 0: none */
	const struct abt_rule *rule; /* why we answered ourselves, or NULL */
	struct abt_bytes where;      /* what the rule is about */
	struct abt_bytes detail;
	int64_t replied_epoch_us;
};

/* gateway/facts.c: ids, time, peer, TLS of |state|'s exchange into its call. */
void abt_facts_fill(struct abt_call_state *state);
/* The time of the response, for its Date header. */
void abt_facts_date(struct abt_call_state *state);

/*
 * gateway/late.c: an invocation that may outlive its call.  Is it possible that
 * |state|'s function takes longer than its front waits?  Then invoke it by
 * abt_late_invoke, which calls |resume| with state->inv filled, or |give_up|
 * when the front's time is over.  0, or -1: no memory.
 */
bool abt_late_is_possible(const struct abt_call_state *state);
int abt_late_invoke(struct abt_call_state *state,
    void (*resume)(struct abt_call_state *),
    void (*give_up)(struct abt_call_state *));

/* gateway/access_log.c: one line for a finished call. */
void abt_access_log_line(struct abt_call_state *state);

/* gateway/failure_log.c: the rule of an answer of our own, for the log. */
void abt_log_failure(struct abt_call_state *state, const struct abt_rule *rule);

/* gateway/explain.c: x-albatross-rule and, for browsers, a page that shows what
 * went wrong (only when the setup asks for it). */
void abt_explain(struct abt_call_state *state);

/* gateway/terminal.c: one short line a request; a function's error with its
 * stack. */
void abt_terminal_line(struct abt_call_state *state);
void abt_log_function_error(struct abt_call_state *state);

#endif
