/*
 * runtime_results.c - what a process posts: results, errors, init errors
 *
 * A post is judged twice: when its head is there, because the state changes
 * while its body is read, and when it is there whole, where it is answered, so
 * that a refusal does not cost the connection.  The result is the chunk that
 * the codec has collected; it is not copied.
 */
#include "function/runtime_api.h"

#include <stdio.h>

#include "base/log.h"
#include "function/link.h"

/* ---- the head ---- */

enum mode {
	BUFFERED,
	STREAMING,
	UNKNOWN,
};

/* Header absent, or exactly "streaming" (R1.70). */
static enum mode
mode_of(const struct abt_request *req)
{
	const struct abt_field *field = abt_headers_named(
	    &req->headers, ABT_BYTES("Lambda-Runtime-Function-Response-Mode"));

	if (field == NULL)
		return BUFFERED;
	return abt_bytes_equal(field->value, ABT_BYTES("streaming")) ? STREAMING
								     : UNKNOWN;
}

/* The body is not collected: its pieces go to the caller as they come. */
static void
begin_stream(struct abt_api_call *call, struct abt_invocation *inv)
{
	struct abt_exchange *x = call->x;
	const struct abt_field *type =
	    abt_headers_first(&x->request.headers, ABT_FIELD_CONTENT_TYPE);

	call->streaming = true;
	x->collecting = 0;
	x->body_max = 0; /* its caller knows a limit, or has none */
	if (type != NULL)
		inv->stream_type = type->value;
	abt_result_begin(inv);
}

static enum abt_api_state
state_after(const struct abt_api_call *call)
{
	return call->kind == ABT_CALL_ERROR ? ABT_API_ERROR_RESPONSE
					    : ABT_API_RESPONSE;
}

/* A response or error begins: the checks of R1.31 in their order. */
void
abt_api_begin_posting(struct abt_api_call *call, struct abt_bytes id)
{
	struct abt_instance *instance = call->instance;
	enum mode mode;

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
	call->begun = true;
	instance->posting++;
	if (call->kind != ABT_CALL_RESPONSE)
		return;
	mode = mode_of(&call->x->request);
	call->bad_mode = mode == UNKNOWN;
	if (mode == STREAMING && instance->current->taker != NULL)
		begin_stream(call, instance->current);
}

int
abt_api_streamed(struct abt_exchange *x, struct abt_bytes data)
{
	struct abt_api_call *call = x->state;
	struct abt_instance *instance = call->instance;

	if (instance == NULL || instance->current == NULL)
		return 0; /* it was answered otherwise: read into nothing */
	return abt_result_piece(instance->current, data) ? 0 : ABT_DATA_PAUSE;
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
	const struct abt_field *type =
	    abt_headers_first(&x->request.headers, ABT_FIELD_CONTENT_TYPE);

	if (inv->link != NULL && type != NULL && x->collecting)
		abt_link_type(inv, type->value);
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
	abt_buf_init(&buf, x->loop->pool, ABT_API_BODY_MAX + 1024);
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

void
abt_api_posted(struct abt_instance *instance, struct abt_api_call *call)
{
	struct abt_exchange *x = call->x;
	struct abt_invocation *inv;
	bool failed = call->kind == ABT_CALL_ERROR;

	if (call->bad_id) {
		abt_api_reply_bad_id(x);
		return;
	}
	if (call->forbidden) {
		abt_api_reply_forbidden(x, call->before, state_after(call));
		return;
	}
	if (call->bad_mode) {
		spoil_mode(instance, call);
		abt_api_reply_bad_mode(x);
		return;
	}
	inv = answered(instance, call);
	if (inv == NULL) {
		abt_api_reply_fault(x);
		return;
	}
	if (failed) {
		read_error_type(
		    &x->request, inv->error_type, sizeof(inv->error_type));
		take_error_body(x, inv);
		/* what it has printed of its error stands before our line */
		abt_output_drain(instance->output);
	} else {
		take_body(x, inv);
		failed = take_trailers(x, inv);
	}
	if (failed)
		abt_result_error(inv);
	else
		abt_result_end(inv);
	abt_api_reply_accepted(x);
}

void
abt_api_init_error(struct abt_instance *instance, struct abt_api_call *call)
{
	struct abt_exchange *x = call->x;
	struct abt_invocation *inv;
	char error_type[96];

	if (instance->state != ABT_API_STARTED) {
		abt_api_reply_forbidden(x, instance->state, ABT_API_INIT_ERROR);
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
	abt_api_reply_accepted(x);
}

/* ---- what does not come whole ---- */

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

void
abt_api_broken(struct abt_exchange *x)
{
	struct abt_api_call *call = x->state;
	bool large = x->report.broken == &abt_rules[ABT_RULE_NET_BODY_LARGE];

	if (call->instance != NULL && call->begun)
		break_posting(call->instance, call, large);
	if (call->bad_id)
		abt_api_reply_bad_id(x);
	else if (call->forbidden)
		abt_api_reply_forbidden(x, call->before, state_after(call));
	else if (call->bad_mode)
		abt_api_reply_bad_mode(x);
	else if (large)
		abt_api_reply_too_large(x);
	else
		abt_api_reply_truncated(x);
}
