/*
 * function_url.c - Lambda function URLs
 *
 * Format 2.0 with the differences of apigw.md 3: no routes, no stage, the path
 * stays as it came, and errors are Lambda's own.
 */
#include "dialect/payload.h"
#include "route/api_routes.h"

#define BODY_MAX 6291456 /* Lambda's own 6 MB */

#define STREAM_MAX (200u << 20) /* U2.9 */

static const char *const modes[] = { "BUFFERED", "RESPONSE_STREAM", NULL };

struct url_attributes {
	struct abt_payload_attributes common; /* first: see payload.h */
	int invoke_mode;
};

/* clang-format off */
static const struct abt_option attribute_rows[] = {
	{ .name = "Cors", .kind = ABT_TABLE,
	    .offset = offsetof(struct url_attributes, common.cors),
	    .table = abt_cors_option_rows,
	    .help = "answer preflights and set the Access-Control headers of "
		    "every response" },
	{ .name = "InvokeMode", .kind = ABT_ENUM,
	    .offset = offsetof(struct url_attributes, invoke_mode),
	    .preset = "BUFFERED", .names = modes,
	    .flag = "invoke-mode", .argument = "MODE",
	    .help = "BUFFERED, or RESPONSE_STREAM: what the function writes "
		    "goes to the client at once" },
	ABT_OPTIONS_END,
};
/* clang-format on */

static const struct abt_payload payload = {
	.url = true,
	.infers = true,
	.default_type = ABT_BYTES_INIT("application/json"), /* U1.1 */
};

static void
make_policy(struct abt_front *front)
{
	abt_api_policy(front, 16384, 65536, BODY_MAX);
	front->policy.any_path = true; /* 3.1: invalid escapes are kept */
}

static int
write_event(
    struct abt_call *call, struct abt_json_out *out, struct abt_report *report)
{
	return abt_payload_write_event(&payload, call, out, report);
}

static int
read_result(const struct abt_call *call, struct abt_bytes source,
    const struct abt_json *result, const struct abt_json_error *error,
    struct abt_response *response, struct abt_report *report)
{
	(void)error;
	return abt_payload_read_result(
	    &payload, call, source, result, response, report);
}

static bool
streams(const struct abt_call *call)
{
	const struct url_attributes *attributes = call->front->attributes;

	return attributes->invoke_mode == 1;
}

/* ---- failures (3.5) ---- */

struct page {
	int status;
	bool close;
	const char *type; /* x-amzn-ErrorType, or NULL */
	struct abt_bytes body;
};

static const struct page *
page_of(const struct abt_rule *rule)
{
	static const struct page internal = { 502, false, NULL,
		ABT_BYTES_INIT("Internal Server Error") }; /* U1.10 */
	static const struct page bad_request = { 400, true,
		"BadRequestException",
		ABT_BYTES_INIT("{\"message\":\"Bad Request\"}") };
	static const struct page too_large = { 413, true,
		"RequestEntityTooLargeException",
		ABT_BYTES_INIT("{\"message\":\"Request Entity Too Large\"}") };
	static const struct page forbidden = { 403, false,
		"AccessDeniedException", ABT_BYTES_INIT("{\"Message\":null}") };
	static const struct page throttled = { 429, false,
		"TooManyRequestsException",
		ABT_BYTES_INIT(
		    "{\"Reason\":\"ReservedFunctionConcurrentInvocationLimit"
		    "Exceeded\",\"Type\":\"User\",\"message\":\"Rate "
		    "Exceeded.\"}") };
	static const struct page unavailable = { 503, false,
		"ServiceUnavailableException",
		ABT_BYTES_INIT("{\"message\":\"Service Unavailable\"}") };

	switch (rule->failure) {
	case ABT_BODY_TOO_LARGE:
		return &too_large;
	case ABT_FORBIDDEN:
		return &forbidden;
	case ABT_THROTTLED:
		return &throttled;
	case ABT_NO_MEMORY:
		return &unavailable;
	case ABT_BAD_REQUEST:
	case ABT_METHOD_REFUSED:
	case ABT_TIMEOUT_REQUEST:
	case ABT_URI_TOO_LONG:
	case ABT_HEADERS_TOO_LARGE:
	case ABT_EXPECTATION_FAILED:
	case ABT_CODING_UNKNOWN:
	case ABT_VERSION_REFUSED:
	case ABT_FORWARDED_TOO_LONG:
		return &bad_request;
	default: /* all that a function can do wrong */
		return &internal;
	}
}

/* Statuses that say more than 400. */
static int
status_of(const struct abt_rule *rule, int preset)
{
	switch (rule->failure) {
	case ABT_METHOD_REFUSED:
		return 405;
	case ABT_TIMEOUT_REQUEST:
		return 408;
	case ABT_URI_TOO_LONG:
		return 414;
	case ABT_HEADERS_TOO_LARGE:
		return 431;
	case ABT_EXPECTATION_FAILED:
		return 417;
	case ABT_CODING_UNKNOWN:
		return 501;
	case ABT_VERSION_REFUSED:
		return 505;
	default:
		return preset;
	}
}

static void
write_failure(const struct abt_call *call, const struct abt_rule *rule,
    struct abt_response *response)
{
	const struct page *page = page_of(rule);

	abt_payload_page(
	    call, status_of(rule, page->status), page->body, response);
	response->close = page->close;
	response->rule = rule;
	if (page->type != NULL && !abt_arena_failed(call->arena))
		abt_headers_add(&response->headers, call->arena,
		    ABT_BYTES("x-amzn-ErrorType"), abt_bytes_text(page->type));
}

/* ---- CORS and ids ---- */

static int
answer(struct abt_call *call, struct abt_response *response,
    struct abt_report *report)
{
	(void)report;
	if (abt_cors_preflight(abt_payload_cors(call), call, 200, response) ==
	    0)
		return 0;
	abt_headers_add_id(&response->ours, call->arena, ABT_FIELD_DATE,
	    ABT_BYTES("Date"), call->facts.date);
	return 1;
}

static void
finish(const struct abt_call *call, struct abt_response *response)
{
	struct abt_headers *headers = &response->headers;

	if (abt_arena_failed(call->arena))
		return;
	abt_cors_apply(abt_payload_cors(call), call, response);
	abt_headers_add(headers, call->arena, ABT_BYTES("x-amzn-RequestId"),
	    abt_bytes_text(call->facts.request_id));
	if (call->invoke_trace.n > 0)
		abt_headers_add(headers, call->arena,
		    ABT_BYTES("X-Amzn-Trace-Id"), call->invoke_trace);
}

static bool
recognise(const struct abt_json *event)
{
	return abt_payload_recognise(event, true);
}

static int
read_event(const struct abt_json *event, struct abt_origin *origin,
    struct abt_request *request, struct abt_report *report)
{
	return abt_payload_read_event(event, true, origin, request, report);
}

const struct abt_dialect abt_dialect_function_url = {
	.name = "url",
	.title = "Lambda function URL",
	.routing = ABT_ONE_FUNCTION,
	.attributes_size = sizeof(struct url_attributes),
	.attributes = attribute_rows,
	.make_policy = make_policy,
	.admit = abt_api_admit,
	.route = abt_url_route_find,
	.answer = answer,
	.write_event = write_event,
	.read_result = read_result,
	.write_failure = write_failure,
	.finish = finish,
	.streams = streams,
	.stream_max = STREAM_MAX,
	.recognise = recognise,
	.read_event = read_event,
	.write_result = abt_payload_write_result,
};
