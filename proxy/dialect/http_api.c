/*
 * http_api.c - what an HTTP API does whatever its payload format: limits,
 * errors, CORS, request ids
 *
 * The rule numbers are those of the contract, apigw.md 2.
 */
#include "dialect/payload.h"

#include <stdio.h>

#define HEAD_MAX 10240 /* request line and header values (2.15) */

/* clang-format off */
const struct abt_option abt_http_api_attribute_rows[] = {
	{ .name = "cors", .kind = ABT_TABLE,
	    .offset = offsetof(struct abt_payload_attributes, cors),
	    .table = abt_cors_option_rows,
	    .help = "answer preflights and set the Access-Control headers of "
		    "every response" },
	ABT_OPTIONS_END,
};
/* clang-format on */

/* AWS refuses this when the API is made (2.12). */
int
abt_http_api_check(const struct abt_front *front, char *why, size_t size)
{
	const struct abt_payload_attributes *attributes = front->attributes;
	const struct abt_cors *cors = &attributes->cors;

	for (size_t i = 0; cors->credentials && i < cors->origins.count; i++)
		if (abt_bytes_equal(cors->origins.items[i], ABT_BYTES("*"))) {
			snprintf(why, size,
			    "\"AllowCredentials\" cannot stand with the origin "
			    "\"*\"; list the origins");
			return -1;
		}
	return 0;
}

void
abt_http_api_make_policy(struct abt_front *front)
{
	/* names do not count for AWS: the sum is judged in admit */
	abt_api_policy(front, HEAD_MAX, 65536, 10485760);
}

int
abt_http_api_admit(const struct abt_call *call, struct abt_request *req,
    struct abt_report *report)
{
	size_t sum = req->line_size;

	for (size_t i = 0; i < req->headers.count; i++)
		sum += req->headers.fields[i].value.n;
	if (sum > HEAD_MAX && !call->front->limits_off)
		return abt_break(report, ABT_RULE_H1_HEAD_LARGE, ABT_BYTES(""));
	return abt_api_admit(call, req, report);
}

/* ---- failures ---- */

struct page {
	int status;
	bool close; /* the connection ends after it */
	struct abt_bytes body;
};

#define MESSAGE(text) ABT_BYTES_INIT("{\"message\":\"" text "\"}")

static const struct page *
page_of(const struct abt_rule *rule)
{
	static const struct page internal = { 500, false,
		MESSAGE("Internal Server Error") };
	static const struct page pages[ABT_FAILURES] = {
		[ABT_BAD_REQUEST] = { 400, true, MESSAGE("Bad Request") },
		[ABT_METHOD_REFUSED] = { 405, false,
		    MESSAGE("Method Not Allowed") },
		[ABT_TIMEOUT_REQUEST] = { 408, true,
		    MESSAGE("Request Timeout") },
		[ABT_BODY_TOO_LARGE] = { 413, true,
		    MESSAGE("Request Entity Too Large") },
		[ABT_URI_TOO_LONG] = { 414, true,
		    MESSAGE("Request-URI Too Long") },
		[ABT_HEADERS_TOO_LARGE] = { 431, true,
		    MESSAGE("Request Header Fields Too Large") },
		[ABT_EXPECTATION_FAILED] = { 417, true,
		    MESSAGE("Expectation Failed") },
		[ABT_CODING_UNKNOWN] = { 501, true,
		    MESSAGE("Not Implemented") },
		[ABT_VERSION_REFUSED] = { 505, true,
		    MESSAGE("HTTP Version Not Supported") },
		[ABT_FORWARDED_TOO_LONG] = { 400, false,
		    MESSAGE("Bad Request") },
		[ABT_NO_ROUTE] = { 404, false, MESSAGE("Not Found") },
		[ABT_FORBIDDEN] = { 404, false, MESSAGE("Not Found") },
		[ABT_THROTTLED] = { 503, false,
		    MESSAGE("Service Unavailable") },
		[ABT_INTEGRATION_TIMED_OUT] = { 503, false,
		    MESSAGE("Service Unavailable") },
		[ABT_NO_MEMORY] = { 503, false,
		    MESSAGE("Service Unavailable") },
		[ABT_CLIENT_GONE] = { 499, true, MESSAGE("") },
	};
	const struct page *page = &pages[rule->failure];

	/* all that a function can do wrong is a 500 (2.10, 9) */
	return page->status != 0 ? page : &internal;
}

void
abt_payload_page(const struct abt_call *call, int status, struct abt_bytes body,
    struct abt_response *response)
{
	static struct abt_field without_memory[] = {
		{ ABT_BYTES_INIT("Content-Type"),
		    ABT_BYTES_INIT("application/json"), ABT_FIELD_CONTENT_TYPE,
		    false },
	};

	memset(response, 0, sizeof(*response));
	response->status = status;
	response->body = body;
	abt_headers_add_id(&response->ours, call->arena, ABT_FIELD_DATE,
	    ABT_BYTES("Date"), call->facts.date);
	abt_headers_add_id(&response->ours, call->arena, ABT_FIELD_CONTENT_TYPE,
	    ABT_BYTES("Content-Type"), ABT_BYTES("application/json"));
	if (abt_arena_failed(call->arena))
		response->ours = (struct abt_headers){ without_memory, 1, 1 };
}

void
abt_http_api_write_failure(const struct abt_call *call,
    const struct abt_rule *rule, struct abt_response *response)
{
	const struct page *page = page_of(rule);

	abt_payload_page(call, page->status, page->body, response);
	response->close = page->close;
	response->rule = rule;
}

/* ---- CORS and ids ---- */

int
abt_http_api_answer(struct abt_call *call, struct abt_response *response,
    struct abt_report *report)
{
	(void)report;
	if (abt_cors_preflight(abt_payload_cors(call), call, 204, response) ==
	    0)
		return 0;
	response->no_content_length = true;
	abt_headers_add_id(&response->ours, call->arena, ABT_FIELD_DATE,
	    ABT_BYTES("Date"), call->facts.date);
	return 1;
}

void
abt_http_api_finish(const struct abt_call *call, struct abt_response *response)
{
	if (abt_arena_failed(call->arena))
		return;
	abt_cors_apply(abt_payload_cors(call), call, response);
	abt_headers_add(&response->headers, call->arena,
	    ABT_BYTES("Apigw-Requestid"), abt_api_extended_id(call));
}
