/*
 * runtime_answers.c - what the Runtime API answers, byte for byte as RIE does
 * (lambda.md R1.61 to R1.67)
 */
#include "function/runtime_api.h"

static const char *const state_names[] = {
	[ABT_API_STARTED] = "Started",
	[ABT_API_INIT_ERROR] = "InitError",
	[ABT_API_READY] = "Ready",
	[ABT_API_RUNNING] = "Running",
	[ABT_API_RESPONSE] = "InvocationResponse",
	[ABT_API_ERROR_RESPONSE] = "InvocationErrorResponse",
	[ABT_API_SENT] = "RuntimeResponseSentState",
};

void
abt_api_reply(struct abt_exchange *x, int status, struct abt_bytes type,
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
	abt_api_reply(x, status, ABT_BYTES("application/json"), body);
}

void
abt_api_reply_accepted(struct abt_exchange *x)
{
	reply_json(x, 202, ABT_BYTES("{\"status\":\"OK\"}\n"));
}

void
abt_api_reply_fault(struct abt_exchange *x)
{
	reply_json(x, 500,
	    ABT_BYTES("{\"errorMessage\":\"Internal Server Error\","
		      "\"errorType\":\"InternalServerError\"}\n"));
}

void
abt_api_reply_bad_id(struct abt_exchange *x)
{
	reply_json(x, 400,
	    ABT_BYTES("{\"errorMessage\":\"Invalid request ID\","
		      "\"errorType\":\"InvalidRequestID\"}\n"));
}

void
abt_api_reply_bad_mode(struct abt_exchange *x)
{
	reply_json(x, 400,
	    ABT_BYTES("{\"errorMessage\":\"Invalid function response mode\","
		      "\"errorType\":\"InvalidFunctionResponseMode\"}\n"));
}

void
abt_api_reply_too_large(struct abt_exchange *x)
{
	reply_json(x, 413,
	    ABT_BYTES("{\"errorMessage\":\"Exceeded maximum allowed payload "
		      "size (6291556 bytes).\","
		      "\"errorType\":\"RequestEntityTooLarge\"}\n"));
}

void
abt_api_reply_truncated(struct abt_exchange *x)
{
	reply_json(x, 400,
	    ABT_BYTES("{\"errorMessage\":\"HTTP request detected as "
		      "truncated\",\"errorType\":\"TruncatedHTTPRequest\"}"
		      "\n"));
}

void
abt_api_reply_forbidden(
    struct abt_exchange *x, enum abt_api_state from, enum abt_api_state to)
{
	struct abt_bytes body = abt_arena_printf(&x->arena,
	    "{\"errorMessage\":\"State transition from %s to %s failed for "
	    "runtime. Error: State transition is not allowed\","
	    "\"errorType\":\"InvalidStateTransition\"}\n",
	    state_names[from], state_names[to]);

	reply_json(x, 403, body);
}
