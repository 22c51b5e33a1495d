/*
 * late.c - calls whose front gives up before their function does
 *
 * API Gateway answers after 29 or 30 s while the function goes on (apigw.md
 * 1.16, 2.15).  The invocation of such a call cannot live in the exchange's
 * arena: it gets memory of its own, with a copy of what the function reads, and
 * what comes after the time-out is thrown away.  Nearly no call needs it: it is
 * taken only where the function may take longer than the front waits.
 */
#include "gateway/call_state.h"

#define INIT_MS 10000 /* a cold start, besides the function's own time */

struct late {
	struct abt_invocation inv;
	struct abt_timer timer;
	struct abt_call_state *state; /* NULL: it was answered already */
	struct abt_gateway_loop *gateway;
	void (*resume)(struct abt_call_state *state);
	void (*give_up)(struct abt_call_state *state);
	char request_id[37];
	char bytes[]; /* trace id, then event */
};

bool
abt_late_is_possible(const struct abt_call_state *state)
{
	const struct abt_api *api = state->call.front->api;
	const struct abt_function *function = state->call.match.function;
	const struct abt_function_options *options = &function->options;

	if (api == NULL || api->timeout_ms == 0 || function->home == NULL)
		return false;
	return options->timeout_ms == 0 ||
	       options->timeout_ms + options->queue.wait_ms + INIT_MS >
		   api->timeout_ms;
}

static void
late_end(struct late *late)
{
	struct abt_gateway_loop *gateway = late->gateway;

	abt_free(late);
	if (--gateway->active == 0 && gateway->idle != NULL)
		gateway->idle(gateway);
}

static void
on_result(struct abt_invocation *inv)
{
	struct late *late = abt_container_of(inv, struct late, inv);
	struct abt_call_state *state = late->state;

	abt_timer_stop(&late->timer);
	if (state == NULL) {
		abt_chunk_end(inv->owner->pool, inv->result);
		late_end(late);
		return;
	}
	state->inv = *inv;
	state->inv.event = state->event;
	state->inv.request_id = state->call.facts.request_id;
	state->inv.trace_id = state->call.invoke_trace;
	if (inv->detail == inv->text)
		state->inv.detail = state->inv.text;
	late->resume(state);
	late_end(late);
}

static void
on_timer(struct abt_timer *timer)
{
	struct late *late = abt_container_of(timer, struct late, timer);
	struct abt_call_state *state = late->state;

	late->state = NULL;
	late->give_up(state);
}

int
abt_late_invoke(struct abt_call_state *state,
    void (*resume)(struct abt_call_state *),
    void (*give_up)(struct abt_call_state *))
{
	struct abt_bytes trace = state->call.invoke_trace;
	struct abt_bytes event = state->event;
	struct late *late =
	    abt_calloc(1, sizeof(*late) + trace.n + event.n + 1);

	if (late == NULL)
		return -1;
	if (trace.n > 0)
		memcpy(late->bytes, trace.p, trace.n);
	if (event.n > 0)
		memcpy(late->bytes + trace.n, event.p, event.n);
	memcpy(late->request_id, state->call.facts.request_id,
	    sizeof(late->request_id));
	late->state = state;
	late->gateway = state->gateway;
	late->gateway->active++;
	late->resume = resume;
	late->give_up = give_up;
	late->inv.owner = state->x->loop;
	late->inv.done = on_result;
	late->inv.event = abt_bytes(late->bytes + trace.n, event.n);
	late->inv.trace_id = abt_bytes(late->bytes, trace.n);
	late->inv.request_id = late->request_id;
	abt_timer_init(&late->timer, on_timer);
	abt_timer_set(
	    state->x->loop, &late->timer, state->call.front->api->timeout_ms);
	abt_function_invoke(
	    (struct abt_function *)(uintptr_t)state->call.match.function,
	    &late->inv);
	return 0;
}
