/*
 * runtime_api.c - the Lambda Runtime API (lambda.md 1) of one instance
 *
 * A handler on a loopback listener: the address is all that says who asks.
 * Answers are RIE's, byte for byte.  A poll is an exchange that is not answered
 * until there is an event; the event goes out from where the caller has it, and
 * the result is the chunk that the codec has collected: neither is copied.
 *
 * A response is judged twice: in on_head, because the state changes while its
 * body is read, and in on_ready, where it is answered, so that a refusal does
 * not cost the connection.
 */
#include "function/runtime.h"

#include <stdio.h>

#include "base/log.h"

#define BODY_MAX   6291556 /* 6 MiB + 100 (R1.33) */
#define PREFIX     "/2018-06-01/runtime/"
#define INVOCATION PREFIX "invocation/"

enum call_kind {
	CALL_UNKNOWN,
	CALL_WRONG_METHOD,
	CALL_PING,
	CALL_NEXT,
	CALL_RESPONSE,
	CALL_ERROR,
	CALL_INIT_ERROR,
	CALL_NO_MEMORY,
};

static const char *const state_names[] = {
	[ABT_API_STARTED] = "Started",
	[ABT_API_INIT_ERROR] = "InitError",
	[ABT_API_READY] = "Ready",
	[ABT_API_RUNNING] = "Running",
	[ABT_API_RESPONSE] = "InvocationResponse",
	[ABT_API_ERROR_RESPONSE] = "InvocationErrorResponse",
	[ABT_API_SENT] = "RuntimeResponseSentState",
};

const struct abt_policy abt_runtime_api_policy = {
	.mode = ABT_MONITOR,
	.field_max = (1 << 20) + (64 << 10), /* R1.9 */
	.head_max = (1 << 20) + (64 << 10),
	.body_max = BODY_MAX,
};

/* ---- answers ---- */

static void
reply(struct abt_exchange *x, int status, struct abt_bytes type,
    struct abt_bytes body)
{
	x->response.status = status;
	if (type.n > 0)
		abt_headers_add_id(&x->response.ours, &x->arena,
		    ABT_FIELD_CONTENT_TYPE, ABT_BYTES("Content-Type"), type);
	x->response.body = body;
	abt_exchange_reply(x);
}

static void
reply_json(struct abt_exchange *x, int status, struct abt_bytes body)
{
	reply(x, status, ABT_BYTES("application/json"), body);
}

static void
reply_accepted(struct abt_exchange *x)
{
	reply_json(x, 202, ABT_BYTES("{\"status\":\"OK\"}\n"));
}

static void
reply_fault(struct abt_exchange *x)
{
	reply_json(x, 500,
	    ABT_BYTES("{\"errorMessage\":\"Internal Server Error\","
		      "\"errorType\":\"InternalServerError\"}\n"));
}

static void
reply_bad_id(struct abt_exchange *x)
{
	reply_json(x, 400,
	    ABT_BYTES("{\"errorMessage\":\"Invalid request ID\","
		      "\"errorType\":\"InvalidRequestID\"}\n"));
}

static void
reply_bad_mode(struct abt_exchange *x)
{
	reply_json(x, 400,
	    ABT_BYTES("{\"errorMessage\":\"Invalid function response mode\","
		      "\"errorType\":\"InvalidFunctionResponseMode\"}\n"));
}

static void
reply_too_large(struct abt_exchange *x)
{
	reply_json(x, 413,
	    ABT_BYTES("{\"errorMessage\":\"Exceeded maximum allowed payload "
		      "size (6291556 bytes).\","
		      "\"errorType\":\"RequestEntityTooLarge\"}\n"));
}

static void
reply_truncated(struct abt_exchange *x)
{
	reply_json(x, 400,
	    ABT_BYTES("{\"errorMessage\":\"HTTP request detected as "
		      "truncated\",\"errorType\":\"TruncatedHTTPRequest\"}"
		      "\n"));
}

static void
reply_forbidden(
    struct abt_exchange *x, enum abt_api_state from, enum abt_api_state to)
{
	struct abt_bytes body = abt_arena_printf(&x->arena,
	    "{\"errorMessage\":\"State transition from %s to %s failed for "
	    "runtime. Error: State transition is not allowed\","
	    "\"errorType\":\"InvalidStateTransition\"}\n",
	    state_names[from], state_names[to]);

	reply_json(x, 403, body);
}

/* ---- what is asked ---- */

static enum call_kind
only(const struct abt_request *req, bool post, enum call_kind kind)
{
	struct abt_bytes method = post ? ABT_BYTES("POST") : ABT_BYTES("GET");

	return abt_bytes_equal(req->method, method) ? kind : CALL_WRONG_METHOD;
}

/* INVOCATION <id>/response or /error; the id into |id|. */
static enum call_kind
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
		return CALL_UNKNOWN;
	if (abt_bytes_equal(path, ABT_BYTES("/response")))
		return CALL_RESPONSE;
	if (abt_bytes_equal(path, ABT_BYTES("/error")))
		return CALL_ERROR;
	return CALL_UNKNOWN;
}

static enum call_kind
kind_of(const struct abt_request *req, struct abt_bytes *id)
{
	struct abt_bytes path = req->path;
	enum call_kind kind;

	if (abt_bytes_equal(path, ABT_BYTES(INVOCATION "next")))
		return only(req, false, CALL_NEXT);
	if (abt_bytes_starts(path, ABT_BYTES(INVOCATION))) {
		kind = of_invocation(path, id);
		return kind != CALL_UNKNOWN ? only(req, true, kind) : kind;
	}
	if (abt_bytes_equal(path, ABT_BYTES(PREFIX "init/error")))
		return only(req, true, CALL_INIT_ERROR);
	if (abt_bytes_equal(path, ABT_BYTES("/2018-06-01/ping")))
		return only(req, false, CALL_PING);
	return CALL_UNKNOWN;
}

/* Header absent, or exactly "streaming" (R1.70). */
static bool
mode_is_good(const struct abt_request *req)
{
	const struct abt_field *field = abt_headers_named(
	    &req->headers, ABT_BYTES("Lambda-Runtime-Function-Response-Mode"));

	return field == NULL ||
	       abt_bytes_equal(field->value, ABT_BYTES("streaming"));
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

static enum abt_api_state
state_after(const struct abt_api_call *call)
{
	return call->kind == CALL_ERROR ? ABT_API_ERROR_RESPONSE
					: ABT_API_RESPONSE;
}

/* A response or error begins: the checks of R1.31 in their order. */
static void
begin_posting(struct abt_api_call *call, struct abt_bytes id)
{
	struct abt_instance *instance = call->instance;

	call->before = instance->state;
	if (instance->current_id[0] == '\0' ||
	    !abt_bytes_equal(id, abt_bytes_text(instance->current_id)) ||
	    instance->state == ABT_API_STARTED ||
	    instance->state == ABT_API_READY) {
		call->bad_id = true;
		return;
	}
	if (instance->state != ABT_API_RUNNING || instance->current == NULL) {
		call->forbidden = true;
		return;
	}
	instance->state = state_after(call);
	call->bad_mode =
	    call->kind == CALL_RESPONSE && !mode_is_good(&call->x->request);
	call->begun = true;
	instance->posting++;
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
		reply(x, 400, ABT_BYTES("text/plain; charset=utf-8"),
		    ABT_BYTES("400 Bad Request"));
		return -1;
	}
	call = abt_arena_zero(&x->arena, sizeof(*call));
	if (call == NULL) {
		x->state = NULL;
		reply_fault(x);
		return -1;
	}
	x->state = call;
	call->x = x;
	call->kind = (int)kind_of(&x->request, &id);
	link_call(call, x->owner);
	if (call->kind == CALL_RESPONSE || call->kind == CALL_ERROR)
		begin_posting(call, id);
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
	reply(x, 200,
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
		reply_forbidden(older->x, ABT_API_READY, ABT_API_READY);
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
			reply_fault(call->x);
		break;
	default:
		reply_forbidden(call->x, instance->state, ABT_API_READY);
	}
}

/* ---- results ---- */

static bool
starts_type(const char *p, size_t n)
{
	return (n > 8 && memcmp(p, "Runtime.", 8) == 0) ||
	       (n > 9 && memcmp(p, "Function.", 9) == 0);
}

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Keep what R1.41 keeps of an error type: a match of
 * (Runtime|Function)\.[A-Z][a-zA-Z]+ anywhere keeps the whole. */
void
abt_api_error_type(struct abt_bytes given, char *out, size_t size)
{
	for (size_t i = 0; i < given.n; i++) {
		const char *p = given.p + i;
		size_t n = given.n - i, skip;

		if (!starts_type(p, n))
			continue;
		skip = p[0] == 'R' ? 8 : 9;
		if (n < skip + 2 || p[skip] < 'A' || p[skip] > 'Z' ||
		    !is_letter(p[skip + 1]))
			continue;
		snprintf(out, size, "%.*s", ABT_FMT(given));
		return;
	}
	snprintf(out, size, "%s",
	    abt_bytes_starts(given, ABT_BYTES("Function."))
		? "Function.Unknown"
		: "Runtime.Unknown");
}

static void
read_error_type(const struct abt_request *req, char *out, size_t size)
{
	const struct abt_field *field = abt_headers_named(
	    &req->headers, ABT_BYTES("Lambda-Runtime-Function-Error-Type"));

	abt_api_error_type(
	    field != NULL ? field->value : ABT_BYTES(""), out, size);
}

/* The body becomes the result: its chunk changes hands. */
static void
take_body(struct abt_exchange *x, struct abt_invocation *inv)
{
	struct abt_chunk *chunk = x->body;

	if (chunk == NULL)
		return;
	x->body = NULL;
	abt_result_take(inv, chunk);
}

static void
take_bytes(struct abt_invocation *inv, struct abt_bytes bytes)
{
	abt_result_take(inv, NULL);
	if (abt_result_data(inv, bytes) != 0)
		abt_error("%s: no memory for a result", inv->function->name);
}

/* R1.43: {errorMessage, errorType, stackTrace, errorCause} without the last. */
static void
take_error_cause(struct abt_exchange *x, struct abt_invocation *inv)
{
	static const char *const members[] = { "errorMessage", "errorType",
		"stackTrace" };
	struct abt_json_error error;
	struct abt_json_out out;
	struct abt_buf buf;
	const struct abt_json *tree =
	    abt_json_scan(x->request.body, ABT_JSON_DEPTH, &x->arena, &error);

	if (!abt_json_is(tree, ABT_JSON_OBJECT)) {
		take_bytes(inv, ABT_BYTES("\"Invalid error body\""));
		return;
	}
	abt_buf_init(&buf, x->loop->pool, BODY_MAX + 1024);
	abt_json_out_init(&out, &buf);
	abt_json_object(&out, NULL);
	for (int i = 0; i < 3; i++) {
		const struct abt_json *member = abt_json_get(tree, members[i]);

		if (member != NULL)
			abt_json_tree(&out, members[i], member);
	}
	abt_json_close(&out);
	if (!abt_json_out_failed(&out))
		abt_result_take(inv, abt_buf_take(&buf));
	abt_buf_end(&buf);
}

static void
take_error_body(struct abt_exchange *x, struct abt_invocation *inv)
{
	const struct abt_field *type =
	    abt_headers_first(&x->request.headers, ABT_FIELD_CONTENT_TYPE);

	if (type != NULL &&
	    abt_bytes_starts_nocase(type->value,
		ABT_BYTES("application/vnd.aws.lambda.error.cause+json")))
		take_error_cause(x, inv);
	else
		take_body(x, inv);
}

/* A response that ends in trailers which say that it failed (R1.73). */
static bool
take_trailers(struct abt_exchange *x, struct abt_invocation *inv)
{
	const struct abt_field *type = abt_headers_named(&x->request.trailers,
	    ABT_BYTES("Lambda-Runtime-Function-Error-Type"));
	const struct abt_field *body = abt_headers_named(&x->request.trailers,
	    ABT_BYTES("Lambda-Runtime-Function-Error-Body"));
	char *out;
	ptrdiff_t n;

	if (type == NULL || type->value.n == 0)
		return false;
	abt_api_error_type(
	    type->value, inv->error_type, sizeof(inv->error_type));
	if (body == NULL)
		return true;
	out = abt_arena_alloc(&x->arena, body->value.n / 4 * 3 + 3);
	n = out != NULL ? abt_base64_decode(out, body->value) : -1;
	if (n >= 0)
		take_bytes(inv, abt_bytes(out, (size_t)n));
	return true;
}

/* The state after an answer, and what is left of the invocation. */
static struct abt_invocation *
answered(struct abt_instance *instance, struct abt_api_call *call)
{
	if (call->begun)
		instance->posting--;
	call->begun = false;
	instance->state = ABT_API_SENT;
	abt_instance_answered(instance);
	return abt_runtime_release(instance);
}

/* The runtime broke the rules while it answered: the environment is stuck and
 * is replaced. */
static void
spoil(struct abt_instance *instance, struct abt_api_call *call,
    enum abt_rule_id rule, const char *error_type, const char *text)
{
	struct abt_invocation *inv;

	if (call->begun)
		instance->posting--;
	call->begun = false;
	inv = abt_runtime_release(instance);
	abt_runtime_doom(instance);
	abt_timer_set(instance->runtime->loop, &instance->timer, 1000);
	if (inv != NULL) {
		abt_result_take(inv, NULL);
		abt_result_broken(inv, rule, error_type, text);
	}
}

static void
spoil_mode(struct abt_instance *instance, struct abt_api_call *call)
{
	spoil(instance, call, ABT_RULE_FUNCTION_RESPONSE_MODE,
	    "Runtime.InvalidResponseModeHeader",
	    "the runtime sent an unknown Lambda-Runtime-Function-Response-"
	    "Mode");
}

static void
on_posted(struct abt_instance *instance, struct abt_api_call *call)
{
	struct abt_exchange *x = call->x;
	struct abt_invocation *inv;
	bool failed = call->kind == CALL_ERROR;

	if (call->bad_id) {
		reply_bad_id(x);
		return;
	}
	if (call->forbidden) {
		reply_forbidden(x, call->before, state_after(call));
		return;
	}
	if (call->bad_mode) {
		spoil_mode(instance, call);
		reply_bad_mode(x);
		return;
	}
	inv = answered(instance, call);
	if (inv == NULL) {
		reply_fault(x);
		return;
	}
	if (failed) {
		read_error_type(
		    &x->request, inv->error_type, sizeof(inv->error_type));
		take_error_body(x, inv);
	} else {
		take_body(x, inv);
		failed = take_trailers(x, inv);
	}
	if (failed)
		abt_result_error(inv);
	else
		abt_result_end(inv);
	reply_accepted(x);
}

static void
on_init_error(struct abt_instance *instance, struct abt_api_call *call)
{
	struct abt_exchange *x = call->x;
	struct abt_invocation *inv;
	char error_type[96];

	if (instance->state != ABT_API_STARTED) {
		reply_forbidden(x, instance->state, ABT_API_INIT_ERROR);
		return;
	}
	instance->state = ABT_API_INIT_ERROR;
	read_error_type(&x->request, error_type, sizeof(error_type));
	inv = abt_instance_victim(instance);
	instance->init_told = true;
	abt_instance_init_failed(instance, error_type);
	if (inv == NULL)
		abt_error("%s: cannot be loaded: %.*s",
		    instance->runtime->function->name,
		    (int)(x->request.body.n < 2000 ? x->request.body.n : 2000),
		    x->request.body.p != NULL ? x->request.body.p : "");
	else
		take_error_body(x, inv);
	if (inv != NULL)
		abt_result_broken(inv, ABT_RULE_FUNCTION_INIT, error_type,
		    "the function failed while it was loaded");
	abt_runtime_left(instance->runtime); /* others that wait need one */
	reply_accepted(x);
}

/* ---- the handler ---- */

static void
on_ready(struct abt_exchange *x)
{
	struct abt_api_call *call = x->state;
	struct abt_instance *instance = call->instance;

	if (instance == NULL) {
		reply_fault(x);
		return;
	}
	see_agent(instance, &x->request);
	switch ((enum call_kind)call->kind) {
	case CALL_NEXT:
		on_next(instance, call);
		break;
	case CALL_RESPONSE:
	case CALL_ERROR:
		on_posted(instance, call);
		break;
	case CALL_INIT_ERROR:
		on_init_error(instance, call);
		break;
	case CALL_PING:
		reply(x, 200, ABT_BYTES("text/plain"), ABT_BYTES("pong"));
		break;
	case CALL_WRONG_METHOD:
		reply(x, 405, ABT_BYTES(""), ABT_BYTES(""));
		break;
	default:
		reply(x, 404, ABT_BYTES("text/plain; charset=utf-8"),
		    ABT_BYTES("404 page not found\n"));
	}
}

static void
fail_too_large(struct abt_instance *instance, struct abt_api_call *call)
{
	static const struct abt_bytes text = ABT_BYTES_INIT(
	    "{\"errorMessage\":\"Response payload size exceeded maximum "
	    "allowed payload size (6291556 bytes).\","
	    "\"errorType\":\"Function.ResponseSizeTooLarge\"}");
	struct abt_invocation *inv = answered(instance, call);

	if (inv == NULL)
		return;
	take_bytes(inv, text);
	abt_result_broken(inv, ABT_RULE_FUNCTION_TOO_LARGE,
	    "Function.ResponseSizeTooLarge",
	    "the result is larger than 6291556 bytes");
}

/* A response whose body did not come whole. */
static void
break_posting(
    struct abt_instance *instance, struct abt_api_call *call, bool large)
{
	if (call->bad_mode)
		spoil_mode(instance, call);
	else if (large)
		fail_too_large(instance, call);
	else
		spoil(instance, call, ABT_RULE_FUNCTION_TRUNCATED,
		    "Runtime.TruncatedResponse",
		    "the connection was lost in the middle of the result");
}

static void
on_broken(struct abt_exchange *x)
{
	struct abt_api_call *call = x->state;
	bool large = x->report.broken == &abt_rules[ABT_RULE_NET_BODY_LARGE];

	if (call->instance != NULL && call->begun)
		break_posting(call->instance, call, large);
	if (call->bad_id)
		reply_bad_id(x);
	else if (call->forbidden)
		reply_forbidden(x, call->before, state_after(call));
	else if (call->bad_mode)
		reply_bad_mode(x);
	else if (large)
		reply_too_large(x);
	else
		reply_truncated(x);
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
	reply_fault(x);
}

static void
on_half_closed(struct abt_exchange *x)
{
	struct abt_api_call *call = x->state;

	if (call != NULL && call->kind == CALL_NEXT)
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
	}
	if (poll != NULL) {
		poll->x->response.close = true;
		reply_fault(poll->x);
	}
}

const struct abt_handler abt_runtime_api = {
	.name = "runtime-api",
	.on_head = on_head,
	.on_ready = on_ready,
	.on_broken = on_broken,
	.on_gone = drop_poll,
	.on_half_closed = on_half_closed,
	.on_done = on_done,
};
