/*
 * late.c - invocations that may outlive their call
 *
 * API Gateway answers after 29 or 30 s while the function goes on (apigw.md
 * 1.16, 2.15), and an answer in pieces may be cut while the function still
 * writes.  The invocation of such a call cannot live in the exchange's arena:
 * it gets memory of its own and takes the event over; what comes after the call
 * has ended is thrown away.
 */
#include "gateway/call_state.h"

#include "albatross/dialect.h"

#define INIT_MS 10000 /* a cold start, besides the function's own time */

struct abt_late {
	struct abt_invocation inv;
	struct abt_timer timer, idle_timer;
	int64_t idle_ms;
	struct abt_call_state *state; /* NULL: it was answered already */
	struct abt_gateway_loop *gateway;
	struct abt_chunk *event;
	void (*resume)(struct abt_call_state *state);
	void (*give_up)(struct abt_call_state *state);
	char request_id[37];
	char trace_id[];
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
late_end(struct abt_late *late)
{
	struct abt_gateway_loop *gateway = late->gateway;

	abt_chunk_end(gateway->loop->pool, late->event);
	abt_free(late);
	if (--gateway->active == 0 && gateway->idle != NULL)
		gateway->idle(gateway);
}

static void
stop_timers(struct abt_late *late)
{
	abt_timer_stop(&late->timer);
	abt_timer_stop(&late->idle_timer);
}

static void
on_result(struct abt_invocation *inv)
{
	struct abt_late *late = abt_container_of(inv, struct abt_late, inv);
	struct abt_call_state *state = late->state;

	stop_timers(late);
	if (state == NULL) {
		abt_chunk_end(inv->owner->pool, inv->result);
		late_end(late);
		return;
	}
	state->late = NULL;
	state->inv = *inv;
	state->inv.event = abt_bytes(NULL, 0);
	state->inv.request_id = state->call.facts.request_id;
	state->inv.trace_id = state->call.invoke_trace;
	if (inv->detail == inv->text)
		state->inv.detail = state->inv.text;
	late->resume(state);
	late_end(late);
}

void
abt_late_leave(struct abt_call_state *state)
{
	struct abt_late *late = state->late;

	state->late = NULL;
	late->state = NULL;
	late->inv.context = NULL;
	stop_timers(late);
}

/* ---- the front's own time ---- */

static void
on_timer(struct abt_timer *timer)
{
	struct abt_late *late = abt_container_of(timer, struct abt_late, timer);

	late->give_up(late->state);
}

static void
on_idle(struct abt_timer *timer)
{
	struct abt_late *late =
	    abt_container_of(timer, struct abt_late, idle_timer);

	late->state->detail = ABT_BYTES("it wrote nothing for too long");
	late->give_up(late->state);
}

void
abt_late_touch(struct abt_call_state *state)
{
	struct abt_late *late = state->late;

	if (late->idle_ms > 0)
		abt_timer_set(state->x->loop, &late->idle_timer, late->idle_ms);
}

/* How long the front waits for the whole; 0: as long as it takes. */
static int64_t
patience(const struct abt_call_state *state, bool streams)
{
	const struct abt_front *front = state->call.front;
	const struct abt_api *api = front->api;

	if (api == NULL)
		return 0;
	if (streams && !api->timeout_is_set)
		return front->limits_off ? 0 : front->dialect->stream_ms;
	return api->timeout_ms;
}

static void
set_timers(struct abt_late *late, struct abt_call_state *state)
{
	bool streams = late->inv.taker != NULL;
	int64_t ms = patience(state, streams);

	abt_timer_init(&late->timer, on_timer);
	abt_timer_init(&late->idle_timer, on_idle);
	if (ms > 0)
		abt_timer_set(state->x->loop, &late->timer, ms);
	if (streams && state->call.front->api != NULL)
		late->idle_ms = state->call.front->api->stream_idle_ms;
	abt_late_touch(state);
}

int
abt_late_invoke(struct abt_call_state *state, const struct abt_taker *taker,
    void (*resume)(struct abt_call_state *),
    void (*give_up)(struct abt_call_state *))
{
	struct abt_bytes trace = state->call.invoke_trace;
	struct abt_late *late = abt_calloc(1, sizeof(*late) + trace.n + 1);

	if (late == NULL)
		return -1;
	if (trace.n > 0)
		memcpy(late->trace_id, trace.p, trace.n);
	memcpy(late->request_id, state->call.facts.request_id,
	    sizeof(late->request_id));
	late->event = state->event_chunk;
	state->event_chunk = NULL;
	state->late = late;
	late->state = state;
	late->gateway = state->gateway;
	late->gateway->active++;
	late->resume = resume;
	late->give_up = give_up;
	late->inv.owner = state->x->loop;
	late->inv.done = on_result;
	late->inv.context = state;
	late->inv.event = state->event;
	late->inv.trace_id = abt_bytes(late->trace_id, trace.n);
	late->inv.request_id = late->request_id;
	late->inv.taker = taker;
	state->pieces.inv = taker != NULL ? &late->inv : NULL;
	set_timers(late, state);
	abt_function_invoke(
	    (struct abt_function *)(uintptr_t)state->call.match.function,
	    &late->inv);
	return 0;
}
