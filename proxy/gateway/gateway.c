/*
 * gateway.c - the story: the steps of a call, in order
 *
 * The list of steps is the design.  A step returns NEXT, WAIT (somebody will
 * call run() again) or DONE.  Any step may fail with a rule: the dialect then
 * writes the failure and the call goes straight to its reply.  Everything a
 * call needs lives in its exchange's arena.
 */
#include "gateway/call_state.h"

#include "albatross/dialect.h"
#include "base/clock.h"
#include "route/route.h"

#define EVENT_MAX 6291556 /* lambda.md R1.23 */

enum step_result {
	NEXT,
	WAIT,
	DONE,
};

#define STEPS(STEP)                                                      \
	STEP(route)       /* which function, or an answer without one */ \
	STEP(write_event) /* in the dialect of the front */              \
	STEP(invoke)      /* the function, whose result comes later */   \
	STEP(read_result) /* and name the rule it breaks, if any */      \
	STEP(reply)       /* the response, through the codec */

#define STEP(name) static enum step_result name(struct abt_call_state *);
STEPS(STEP)
#undef STEP

static enum step_result (*const steps[])(struct abt_call_state *) = {
#define STEP(name) name,
	STEPS(STEP)
#undef STEP
};

#define REPLY (sizeof(steps) / sizeof(steps[0]) - 1)

/* Take a call as far as it will go now. */
static void
run(struct abt_call_state *state)
{
	enum step_result result = NEXT;

	while (result == NEXT)
		result = steps[state->at++](state);
}

/* ---- answering ---- */

/* The front's last word on a response, whoever made it. */
static void
finish(struct abt_call_state *state)
{
	const struct abt_dialect *dialect = state->call.front->dialect;

	if (dialect->finish != NULL)
		dialect->finish(&state->call, &state->x->response);
}

/* The front answers without a function. */
static enum step_result
answer(struct abt_call_state *state)
{
	finish(state);
	state->at = REPLY;
	return NEXT;
}

static enum step_result
fail(struct abt_call_state *state, const struct abt_rule *rule)
{
	struct abt_exchange *x = state->x;

	if (abt_arena_failed(&x->arena))
		rule = &abt_rules[ABT_RULE_NET_NO_MEMORY];
	state->rule = rule;
	state->where = x->report.where;
	if (state->detail.n == 0)
		state->detail = x->report.detail;
	abt_facts_date(state);
	memset(&x->response, 0, sizeof(x->response));
	state->call.front->dialect->write_failure(
	    &state->call, rule, &x->response);
	abt_message_write_failure(state, rule);
	finish(state);
	state->gateway->failures[rule->failure]++;
	if (!state->gateway->terminal) /* its line names the rule */
		abt_log_failure(state, rule);
	if (state->door->setup->explain && !abt_arena_failed(&x->arena))
		abt_explain(state);
	state->at = REPLY;
	return NEXT;
}

static enum step_result
fail_report(struct abt_call_state *state)
{
	const struct abt_rule *rule = state->x->report.broken;

	return fail(
	    state, rule != NULL ? rule : &abt_rules[ABT_RULE_NET_NO_MEMORY]);
}

/* ---- steps ---- */

static enum step_result
route(struct abt_call_state *state)
{
	struct abt_exchange *x = state->x;
	const struct abt_dialect *dialect = state->call.front->dialect;

	if (abt_arena_failed(&x->arena))
		return fail_report(state);
	if (dialect->answer != NULL) {
		abt_facts_date(state);
		if (dialect->answer(&state->call, &x->response, &x->report) !=
		    0)
			return answer(state);
	}
	if (dialect->route(&state->call, &x->report) != 0)
		return fail_report(state);
	if (abt_message_takes(state)) {
		abt_message_invoke(state); /* it answers by itself */
		return WAIT;
	}
	if (state->call.match.action == ABT_FORWARD)
		return NEXT;
	abt_facts_date(state);
	if (dialect->write_action(&state->call, &x->response, &x->report) != 0)
		return fail_report(state);
	return answer(state);
}

/* What the event will need, so that its buffer is taken once. */
static size_t
event_size(const struct abt_request *req)
{
	return abt_base64_length(req->body.n) + req->body.n / 16 +
	       2 * req->head_size + 640;
}

/* The event has all of it: the next body finds its buffer warm. */
static void
drop_body(struct abt_exchange *x)
{
	abt_chunk_end(x->loop->pool, x->body);
	x->body = NULL;
	x->request.body = abt_bytes(NULL, 0);
}

static enum step_result
write_event(struct abt_call_state *state)
{
	struct abt_exchange *x = state->x;
	struct abt_json_out out;
	struct abt_chunk *chunk;
	struct abt_buf buf;
	int rc;

	abt_buf_init(&buf, x->loop->pool,
	    state->call.front->limits_off ? SIZE_MAX / 2 : EVENT_MAX);
	abt_buf_room(&buf, event_size(&x->request));
	abt_json_out_init(&out, &buf);
	rc = state->call.front->dialect->write_event(
	    &state->call, &out, &x->report);
	if (rc == 0 && abt_json_out_failed(&out))
		rc = abt_break(
		    &x->report, ABT_RULE_NET_NO_MEMORY, ABT_BYTES(""));
	chunk = abt_buf_take(&buf);
	abt_buf_end(&buf);
	if (rc != 0 || abt_arena_failed(&x->arena)) {
		abt_chunk_end(x->loop->pool, chunk);
		return fail_report(state);
	}
	if (chunk != NULL)
		state->event = abt_bytes(chunk->data, chunk->used);
	state->event_chunk = chunk;
	drop_body(x);
	return NEXT;
}

static void
on_result(struct abt_invocation *inv)
{
	struct abt_call_state *state = inv->context;

	run(state);
}

/* The front's own time is over; the function goes on alone. */
static void
give_up(struct abt_call_state *state)
{
	const struct abt_rule *rule = &abt_rules[ABT_RULE_API_TIMED_OUT];

	if (state->streams) {
		abt_pieces_cut(state, rule);
		return;
	}
	abt_late_leave(state);
	abt_call_fail(state, rule);
}

/* The event goes where the invocation is. */
static enum step_result
invoke_late(struct abt_call_state *state, const struct abt_taker *taker)
{
	if (abt_late_invoke(state, taker, run, give_up) == 0)
		return WAIT;
	if (state->event_chunk != NULL)
		abt_arena_adopt(&state->x->arena, state->event_chunk);
	return fail(state, &abt_rules[ABT_RULE_NET_NO_MEMORY]);
}

static enum step_result
invoke(struct abt_call_state *state)
{
	struct abt_invocation *inv = &state->inv;

	state->invoked = true;
	if (abt_pieces_wanted(state)) {
		state->streams = true;
		return invoke_late(state, &abt_pieces_taker);
	}
	if (abt_late_is_possible(state))
		return invoke_late(state, NULL);
	if (state->event_chunk != NULL)
		abt_arena_adopt(&state->x->arena, state->event_chunk);
	inv->owner = state->x->loop;
	inv->done = on_result;
	inv->context = state;
	inv->event = state->event;
	inv->request_id = state->call.facts.request_id;
	inv->trace_id = state->call.invoke_trace;
	/* done() runs the next step, perhaps before this returns */
	abt_function_invoke(
	    (struct abt_function *)(uintptr_t)state->call.match.function, inv);
	return WAIT;
}

/* The result came in pieces, or goes on so. */
static enum step_result
end_pieces(struct abt_call_state *state)
{
	const struct abt_rule *rule = abt_pieces_end(state);

	if (rule == NULL)
		return DONE;
	abt_log_function_error(state);
	return fail(state, rule);
}

static enum step_result
read_result(struct abt_call_state *state)
{
	struct abt_exchange *x = state->x;
	struct abt_invocation *inv = &state->inv;
	struct abt_json_error error = { 0 };
	struct abt_bytes source = { NULL, 0 };
	const struct abt_json *tree = NULL;

	if (inv->result != NULL) {
		source = abt_bytes(inv->result->data, inv->result->used);
		abt_arena_adopt(&x->arena, inv->result);
		/* an explanation shows it as it came */
		state->call.result_is_ours = !state->door->setup->explain;
	}
	if (state->streams)
		return end_pieces(state);
	if (inv->rule != NULL || inv->function_error) {
		state->detail = abt_bytes_text(inv->detail);
		abt_log_function_error(state);
		return fail(state, inv->rule != NULL
				       ? inv->rule
				       : &abt_rules[ABT_RULE_FUNCTION_ERROR]);
	}
	abt_facts_date(state);
	if (abt_result_fits(state->call.front, source.n))
		tree = abt_json_scan(source, ABT_JSON_DEPTH, &x->arena, &error);
	if (abt_arena_failed(&x->arena))
		return fail_report(state);
	x->report.quiet_notes = true;
	if (state->call.front->dialect->read_result(&state->call, source, tree,
		&error, &x->response, &x->report) != 0 ||
	    abt_arena_failed(&x->arena))
		return fail_report(state);
	finish(state);
	state->target_status = x->response.status;
	return NEXT;
}

static enum step_result
reply(struct abt_call_state *state)
{
	state->replied_epoch_us = abt_loop_epoch_us(state->x->loop);
	abt_exchange_reply(state->x);
	return DONE;
}

/* ---- for messages.c ---- */

void
abt_call_fail(struct abt_call_state *state, const struct abt_rule *rule)
{
	fail(state, rule);
	run(state);
}

void
abt_call_reply(struct abt_call_state *state)
{
	state->at = REPLY;
	run(state);
}

void
abt_call_restart(struct abt_call_state *state)
{
	state->at = 0;
	run(state);
}

/* Does the body go to a function that takes it in pieces?  Known from the head,
 * and asked only where there is such a function. */
static bool
is_message(struct abt_call_state *state)
{
	struct abt_exchange *x = state->x;
	const struct abt_dialect *dialect = state->call.front->dialect;
	struct abt_report report;

	if (!state->door->messages || x->request.framing == ABT_BODY_NONE)
		return false;
	abt_report_init(&report, &x->arena);
	if (dialect->answer != NULL) {
		bool answers =
		    dialect->answer(&state->call, &x->response, &report) != 0;

		memset(&x->response, 0, sizeof(x->response));
		if (answers)
			return false;
	}
	if (dialect->route(&state->call, &report) == 0 &&
	    abt_message_takes(state))
		return true;
	memset(&state->call.match, 0, sizeof(state->call.match));
	return false;
}

/* ---- what the codec calls ---- */

/* The front that the listener has for the request's host.  Its own limit of
 * bodies counts, not that of the listener, which serves several. */
static const struct abt_front *
choose_front(struct abt_exchange *x, const struct abt_setup_listener *listener)
{
	struct abt_bytes host = abt_request_host(&x->request);
	const struct abt_front *front = listener->front;
	size_t i;

	for (i = 0; i < listener->host_count; i++)
		if (abt_pattern_match(listener->hosts[i].host, host, true)) {
			front = listener->hosts[i].front;
			break;
		}
	x->body_max = front->policy.body_max;
	return front;
}

static struct abt_call_state *
begin(struct abt_exchange *x)
{
	struct abt_front_door *door = x->owner;
	struct abt_call_state *state =
	    abt_arena_zero(&x->arena, sizeof(*state));

	if (state == NULL)
		return NULL;
	state->x = x;
	state->door = door;
	state->gateway = x->loop->gateway;
	state->call.request = &x->request;
	state->call.front = door->listener->front;
	if (door->listener->host_count > 0)
		state->call.front = choose_front(x, door->listener);
	state->call.arena = &x->arena;
	x->state = state;
	x->collecting = 1;
	door->active++;
	state->gateway->active++;
	state->gateway->requests++;
	abt_facts_fill(state);
	return state;
}

/* Not even a state fits: a bare 503 that needs no memory. */
static int
refuse_without_memory(struct abt_exchange *x)
{
	const struct abt_front_door *door = x->owner;
	const struct abt_front *front = door->listener->front;
	struct abt_call call = {
		.request = &x->request,
		.front = front,
		.arena = &x->arena,
	};

	x->arena.failed = true; /* nobody tries again */
	front->dialect->write_failure(
	    &call, &abt_rules[ABT_RULE_NET_NO_MEMORY], &x->response);
	if (front->dialect->finish != NULL)
		front->dialect->finish(&call, &x->response);
	x->response.close = true;
	abt_exchange_reply(x);
	return -1;
}

static int
on_head(struct abt_exchange *x)
{
	struct abt_call_state *state = begin(x);

	if (state == NULL)
		return refuse_without_memory(x);
	if (x->report.broken == NULL &&
	    state->call.front->dialect->admit(
		&state->call, &x->request, &x->report) == 0)
		return is_message(state) ? abt_message_head(state) : 0;
	fail_report(state);
	run(state);
	return -1;
}

/* Only of bodies that are not collected. */
static int
on_data(struct abt_exchange *x, struct abt_bytes data)
{
	return abt_message_data(x->state, data);
}

static void
on_ready(struct abt_exchange *x)
{
	struct abt_call_state *state = x->state;

	if (state->message != NULL)
		abt_message_ready(state);
	else
		run(state);
}

static void
on_broken(struct abt_exchange *x)
{
	struct abt_call_state *state = x->state;

	if (abt_message_broken(state))
		return; /* answered when the function has let go */
	fail_report(state);
	run(state);
}

static void
on_gone(struct abt_exchange *x)
{
	struct abt_call_state *state = x->state;

	if (state == NULL)
		return;
	state->client_left = true;
	abt_message_gone(state);
	abt_pieces_gone(state);
}

static void
on_drained(struct abt_exchange *x)
{
	struct abt_call_state *state = x->state;

	if (state->message != NULL)
		abt_message_drained(state);
	else
		abt_pieces_drained(state);
}

static void
on_done(struct abt_exchange *x)
{
	struct abt_call_state *state = x->state;
	struct abt_gateway_loop *gateway = x->loop->gateway;

	if (state == NULL) /* refused without memory */
		return;
	if (gateway->log != NULL)
		abt_access_log_line(state);
	if (gateway->terminal)
		abt_terminal_line(state);
	state->door->active--;
	if (--gateway->active == 0 && gateway->idle != NULL)
		gateway->idle(gateway);
}

const struct abt_handler abt_gateway = {
	.name = "gateway",
	.on_head = on_head,
	.on_data = on_data,
	.on_ready = on_ready,
	.on_broken = on_broken,
	.on_gone = on_gone,
	.on_drained = on_drained,
	.on_done = on_done,
};
