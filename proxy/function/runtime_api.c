/*
 * runtime_api.c - the Lambda Runtime API (lambda.md 1) of one instance
 *
 * A handler on a loopback listener: the address is all that says who asks.  A
 * poll is an exchange that is not answered until there is an event; the event
 * goes out from where the caller has it and is not copied.
 */
#include "function/runtime_api.h"

#include "base/log.h"

#define PREFIX     "/2018-06-01/runtime/"
#define INVOCATION PREFIX "invocation/"

const struct abt_policy abt_runtime_api_policy = {
	.mode = ABT_MONITOR,
	.field_max = (1 << 20) + (64 << 10), /* R1.9 */
	.head_max = (1 << 20) + (64 << 10),
	.body_max = ABT_API_BODY_MAX,
};

/* ---- what is asked ---- */

static enum abt_call_kind
only(const struct abt_request *req, bool post, enum abt_call_kind kind)
{
	struct abt_bytes method = post ? ABT_BYTES("POST") : ABT_BYTES("GET");

	return abt_bytes_equal(req->method, method) ? kind
						    : ABT_CALL_WRONG_METHOD;
}

/* INVOCATION <id>/response or /error; the id into |id|. */
static enum abt_call_kind
of_invocation(struct abt_bytes path, struct abt_bytes *id)
{
	size_t n;

	path.p += sizeof(INVOCATION) - 1;
	path.n -= sizeof(INVOCATION) - 1;
	n = abt_bytes_find(path, '/');
	*id = abt_bytes(path.p, n);
	path.p += n;
	path.n -= n;
	if (id->n == 0)
		return ABT_CALL_UNKNOWN;
	if (abt_bytes_equal(path, ABT_BYTES("/response")))
		return ABT_CALL_RESPONSE;
	if (abt_bytes_equal(path, ABT_BYTES("/error")))
		return ABT_CALL_ERROR;
	return ABT_CALL_UNKNOWN;
}

static enum abt_call_kind
kind_of(const struct abt_request *req, struct abt_bytes *id)
{
	struct abt_bytes path = req->path;
	enum abt_call_kind kind;

	if (abt_bytes_equal(path, ABT_BYTES(INVOCATION "next")))
		return only(req, false, ABT_CALL_NEXT);
	if (abt_bytes_starts(path, ABT_BYTES(INVOCATION))) {
		kind = of_invocation(path, id);
		return kind != ABT_CALL_UNKNOWN ? only(req, true, kind) : kind;
	}
	if (abt_bytes_equal(path, ABT_BYTES(PREFIX "init/error")))
		return only(req, true, ABT_CALL_INIT_ERROR);
	if (abt_bytes_equal(path, ABT_BYTES("/2018-06-01/ping")))
		return only(req, false, ABT_CALL_PING);
	return ABT_CALL_UNKNOWN;
}

static void
link_call(struct abt_api_call *call, struct abt_instance *instance)
{
	call->instance = instance;
	call->next = instance->calls;
	call->prev = &instance->calls;
	if (call->next != NULL)
		call->next->prev = &call->next;
	instance->calls = call;
}

static void
unlink_call(struct abt_api_call *call)
{
	if (call->prev == NULL)
		return;
	*call->prev = call->next;
	if (call->next != NULL)
		call->next->prev = call->prev;
	call->next = NULL;
	call->prev = NULL;
}

static void
see_agent(struct abt_instance *instance, const struct abt_request *req)
{
	const struct abt_field *agent;

	if (instance->agent_seen)
		return;
	instance->agent_seen = true;
	agent = abt_headers_first(&req->headers, ABT_FIELD_USER_AGENT);
	abt_debug("%s: runtime client User-Agent: %.*s",
	    instance->runtime->function->name,
	    agent != NULL ? (int)agent->value.n : 1,
	    agent != NULL ? agent->value.p : "-");
}

/* ---- on_head ---- */

static int
on_head(struct abt_exchange *x)
{
	struct abt_api_call *call;
	struct abt_bytes id = { NULL, 0 };

	if (x->report.broken != NULL) {
		abt_api_reply(x, 400, ABT_BYTES("text/plain; charset=utf-8"),
		    ABT_BYTES("400 Bad Request"));
		return -1;
	}
	call = abt_arena_zero(&x->arena, sizeof(*call));
	if (call == NULL) {
		x->state = NULL;
		abt_api_reply_fault(x);
		return -1;
	}
	x->state = call;
	x->collecting = 1; /* but for streamed responses */
	call->x = x;
	call->kind = (int)kind_of(&x->request, &id);
	link_call(call, x->owner);
	if (call->kind == ABT_CALL_RESPONSE || call->kind == ABT_CALL_ERROR)
		abt_api_begin_posting(call, id);
	return 0;
}

/* ---- the event ---- */

static void
add_header(
    struct abt_exchange *x, struct abt_bytes name, struct abt_bytes value)
{
	if (value.n > 0)
		abt_headers_add_id(
		    &x->response.ours, &x->arena, ABT_FIELD_OTHER, name, value);
}

static struct abt_bytes
arn_of(const struct abt_invocation *inv, struct abt_arena *arena)
{
	struct abt_bytes arn = abt_bytes_text(inv->function->arn);

	if (inv->qualifier.n == 0)
		return arn;
	return abt_arena_printf(
	    arena, "%.*s:%.*s", ABT_FMT(arn), ABT_FMT(inv->qualifier));
}

/* R1.21 */
static void
add_event_headers(struct abt_exchange *x, const struct abt_invocation *inv)
{
	char *deadline = abt_arena_alloc(&x->arena, 20);

	add_header(x, ABT_BYTES("Lambda-Runtime-Aws-Request-Id"),
	    abt_bytes_text(inv->request_id));
	if (deadline != NULL)
		add_header(x, ABT_BYTES("Lambda-Runtime-Deadline-Ms"),
		    abt_bytes(deadline, abt_format_number(deadline,
					    (uint64_t)inv->deadline_epoch_ms)));
	add_header(x, ABT_BYTES("Lambda-Runtime-Invoked-Function-Arn"),
	    arn_of(inv, &x->arena));
	add_header(x, ABT_BYTES("Lambda-Runtime-Trace-Id"), inv->trace_id);
	add_header(
	    x, ABT_BYTES("Lambda-Runtime-Client-Context"), inv->client_context);
	add_header(x, ABT_BYTES("Lambda-Runtime-Cognito-Identity"),
	    inv->cognito_identity);
	add_header(
	    x, ABT_BYTES("Lambda-Runtime-Aws-Tenant-Id"), inv->tenant_id);
}

static void
send_event(struct abt_api_call *call, struct abt_invocation *inv)
{
	struct abt_exchange *x = call->x;

	add_event_headers(x, inv);
	call->sending = inv;
	abt_function_pin(inv); /* until on_done: the bytes are the caller's */
	abt_api_reply(x, 200,
	    inv->content_type.n > 0 ? inv->content_type
				    : ABT_BYTES("application/json"),
	    inv->event);
}

void
abt_api_send_event(struct abt_instance *instance)
{
	struct abt_api_call *call = instance->poll;

	instance->poll = NULL;
	instance->state = ABT_API_RUNNING;
	send_event(call, instance->current);
}

static void
wait_for_event(struct abt_instance *instance, struct abt_api_call *call)
{
	struct abt_api_call *older = instance->poll;

	if (instance->state == ABT_API_STARTED) {
		instance->init_us = abt_loop_fresh_us(instance->runtime->loop) -
				    instance->start_us;
		abt_instance_inited(instance);
	}
	instance->state = ABT_API_READY;
	instance->poll = call;
	instance->poll_lost = false;
	if (older != NULL) { /* its client has connected anew */
		abt_runtime_unpolls(instance);
		abt_api_reply_forbidden(older->x, ABT_API_READY, ABT_API_READY);
	}
	abt_runtime_polls(instance);
}

static void
on_next(struct abt_instance *instance, struct abt_api_call *call)
{
	switch (instance->state) {
	case ABT_API_STARTED:
	case ABT_API_READY:
	case ABT_API_SENT:
		wait_for_event(instance, call);
		break;
	case ABT_API_RUNNING: /* the same event again (R1.24) */
		if (instance->current != NULL)
			send_event(call, instance->current);
		else
			abt_api_reply_fault(call->x);
		break;
	default:
		abt_api_reply_forbidden(
		    call->x, instance->state, ABT_API_READY);
	}
}

/* ---- the handler ---- */

static void
on_ready(struct abt_exchange *x)
{
	struct abt_api_call *call = x->state;
	struct abt_instance *instance = call->instance;

	if (instance == NULL) {
		abt_api_reply_fault(x);
		return;
	}
	see_agent(instance, &x->request);
	switch ((enum abt_call_kind)call->kind) {
	case ABT_CALL_NEXT:
		on_next(instance, call);
		break;
	case ABT_CALL_RESPONSE:
	case ABT_CALL_ERROR:
		abt_api_posted(instance, call);
		break;
	case ABT_CALL_INIT_ERROR:
		abt_api_init_error(instance, call);
		break;
	case ABT_CALL_PING:
		abt_api_reply(
		    x, 200, ABT_BYTES("text/plain"), ABT_BYTES("pong"));
		break;
	case ABT_CALL_WRONG_METHOD:
		abt_api_reply(x, 405, ABT_BYTES(""), ABT_BYTES(""));
		break;
	default:
		abt_api_reply(x, 404, ABT_BYTES("text/plain; charset=utf-8"),
		    ABT_BYTES("404 page not found\n"));
	}
}

/* The client of a poll has gone: no event for it (R1.12). */
static void
drop_poll(struct abt_exchange *x)
{
	struct abt_api_call *call = x->state;
	struct abt_instance *instance = call != NULL ? call->instance : NULL;

	if (instance != NULL && instance->poll == call) {
		instance->poll = NULL;
		abt_runtime_unpolls(instance);
		abt_instance_lost_poll(instance);
	}
	abt_api_reply_fault(x);
}

static void
on_half_closed(struct abt_exchange *x)
{
	struct abt_api_call *call = x->state;

	if (call != NULL && call->kind == ABT_CALL_NEXT)
		drop_poll(x);
}

static void
on_done(struct abt_exchange *x)
{
	struct abt_api_call *call = x->state;
	struct abt_invocation *inv;

	if (call == NULL)
		return;
	unlink_call(call);
	inv = call->sending;
	call->sending = NULL;
	if (inv != NULL)
		abt_function_unpin(inv);
}

/* Polls of an instance that goes are answered; whatever else is open stays
 * alone and is answered by itself. */
void
abt_api_detach(struct abt_instance *instance)
{
	struct abt_api_call *call, *poll = instance->poll;

	instance->poll = NULL;
	while ((call = instance->calls) != NULL) {
		unlink_call(call);
		call->instance = NULL;
		if (call->x->paused) { /* nobody would wake it */
			call->x->response.close = true;
			abt_api_reply_fault(call->x);
		}
	}
	if (poll != NULL) {
		poll->x->response.close = true;
		abt_api_reply_fault(poll->x);
	}
}

/* ---- streams whose caller is slower ---- */

static struct abt_api_call *
paused_call(const struct abt_instance *instance)
{
	struct abt_api_call *call = instance->calls;

	while (call != NULL && !(call->streaming && call->x->paused))
		call = call->next;
	return call;
}

bool
abt_api_is_paused(const struct abt_instance *instance)
{
	return paused_call(instance) != NULL;
}

void
abt_api_resume(struct abt_instance *instance)
{
	struct abt_api_call *call = paused_call(instance);

	if (call != NULL)
		abt_exchange_resume(call->x);
}

const struct abt_handler abt_runtime_api = {
	.name = "runtime-api",
	.on_head = on_head,
	.on_data = abt_api_streamed,
	.on_ready = on_ready,
	.on_broken = abt_api_broken,
	.on_gone = drop_poll,
	.on_half_closed = on_half_closed,
	.on_done = on_done,
};
