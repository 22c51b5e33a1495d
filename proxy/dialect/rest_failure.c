/*
 * rest_failure.c - what a REST API says by itself (apigw.md 1.13)
 *
 * Each failure is one of AWS's gateway responses, a row of the table below: its
 * status, the x-amzn-ErrorType and the body to the byte.  What arises before
 * the integration has no blank behind the colon, what arises around it has one.
 * An API may put its own in place of any of them ("gatewayResponses").
 */
#include "dialect/rest.h"

#include "dialect/api.h"
#include "dialect/rest_headers.h"
#include "dialect/rest_template.h"

#define NAMES_MAX 65536

struct answer {
	const char *type; /* as in "gatewayResponses"; NULL: not one of them */
	int status;
	struct abt_bytes error_type; /* x-amzn-ErrorType; empty: none */
	struct abt_bytes message;
	bool spaced; /* {"message": "..."}  with the blank */
	bool close;
};

enum answer_id {
	BAD_REQUEST,
	BAD_PARAMETERS,
	BAD_BODY,
	REQUEST_TIMEOUT,
	NO_TOKEN,
	FORBIDDEN,
	TOO_LARGE,
	TOO_LONG,
	HEADERS_LARGE,
	MEDIA_TYPE,
	EXPECTATION,
	CODING,
	VERSION,
	INTEGRATION_FAILED,
	MALFORMED,
	TIMED_OUT,
	CONFIGURATION,
	NO_MEMORY,
};

#define SERVER_ERROR ABT_BYTES_INIT("InternalServerErrorException")
#define CLIENT_ERROR ABT_BYTES_INIT("BadRequestException")
#define NONE         ABT_BYTES_INIT("")
#define TEXT(text)   ABT_BYTES_INIT(text)

/* clang-format off */
static const struct answer answers[] = {
	[BAD_REQUEST] =     { NULL, 400, CLIENT_ERROR, TEXT("Bad Request"), false, true },
	[BAD_PARAMETERS] =  { "BAD_REQUEST_PARAMETERS", 400, CLIENT_ERROR, NONE, true, false },
	[BAD_BODY] =        { "BAD_REQUEST_BODY", 400, CLIENT_ERROR, TEXT("Invalid request body"), true, false },
	[REQUEST_TIMEOUT] = { NULL, 408, NONE, TEXT("Request Timeout"), false, true },
	[NO_TOKEN] =        { "MISSING_AUTHENTICATION_TOKEN", 403, TEXT("MissingAuthenticationTokenException"), TEXT("Missing Authentication Token"), false, false },
	[FORBIDDEN] =       { NULL, 403, TEXT("ForbiddenException"), TEXT("Forbidden"), false, false },
	[TOO_LARGE] =       { NULL, 413, TEXT("RequestTooLargeException"), TEXT("Request Too Long"), false, true },
	[TOO_LONG] =        { NULL, 414, NONE, TEXT("Request-URI Too Long"), false, true },
	[HEADERS_LARGE] =   { NULL, 431, NONE, TEXT("Request Header Fields Too Large"), false, true },
	[MEDIA_TYPE] =      { "UNSUPPORTED_MEDIA_TYPE", 415, CLIENT_ERROR, TEXT("Unsupported Media Type"), true, false },
	[EXPECTATION] =     { NULL, 417, NONE, TEXT("Expectation Failed"), false, true },
	[CODING] =          { NULL, 501, NONE, TEXT("Not Implemented"), false, true },
	[VERSION] =         { NULL, 505, NONE, TEXT("HTTP Version Not Supported"), false, true },
	[INTEGRATION_FAILED] = { "INTEGRATION_FAILURE", 500, SERVER_ERROR, TEXT("Internal server error"), true, false },
	[MALFORMED] =       { "DEFAULT_5XX", 502, SERVER_ERROR, TEXT("Internal server error"), true, false },
	[TIMED_OUT] =       { "INTEGRATION_TIMEOUT", 504, SERVER_ERROR, TEXT("Endpoint request timed out"), true, false },
	[CONFIGURATION] =   { "API_CONFIGURATION_ERROR", 500, TEXT("ApiConfigurationException"), TEXT("Internal server error"), true, false },
	[NO_MEMORY] =       { NULL, 503, NONE, TEXT("Service Unavailable"), false, false },
};
/* clang-format on */

static const struct answer *
answer_of(const struct abt_rule *rule)
{
	static const unsigned char by_failure[ABT_FAILURES] = {
		[ABT_BAD_REQUEST] = BAD_REQUEST,
		[ABT_METHOD_REFUSED] = NO_TOKEN,
		[ABT_TIMEOUT_REQUEST] = REQUEST_TIMEOUT,
		[ABT_BODY_TOO_LARGE] = TOO_LARGE,
		[ABT_URI_TOO_LONG] = TOO_LONG,
		[ABT_HEADERS_TOO_LARGE] = HEADERS_LARGE,
		[ABT_EXPECTATION_FAILED] = EXPECTATION,
		[ABT_CODING_UNKNOWN] = CODING,
		[ABT_VERSION_REFUSED] = VERSION,
		[ABT_NO_ROUTE] = NO_TOKEN,
		[ABT_NO_TARGET] = INTEGRATION_FAILED,
		[ABT_THROTTLED] = INTEGRATION_FAILED, /* 1.13: not 429 */
		[ABT_FUNCTION_ERROR] = MALFORMED,
		[ABT_TIMED_OUT] = MALFORMED,
		[ABT_BAD_RESULT] = MALFORMED,
		[ABT_RESULT_TOO_LARGE] = MALFORMED,
		[ABT_HOST_ERROR] = INTEGRATION_FAILED,
		[ABT_UNREACHABLE] = INTEGRATION_FAILED,
		[ABT_NO_MEMORY] = NO_MEMORY,
		[ABT_FORBIDDEN] = FORBIDDEN,
		[ABT_MEDIA_TYPE] = MEDIA_TYPE,
		[ABT_SETUP_ERROR] = CONFIGURATION,
		[ABT_INTEGRATION_TIMED_OUT] = TIMED_OUT,
	};

	if (rule == &abt_rules[ABT_RULE_REST_PARAMETERS])
		return &answers[BAD_PARAMETERS];
	if (rule == &abt_rules[ABT_RULE_REST_BODY])
		return &answers[BAD_BODY];
	if (rule == &abt_rules[ABT_RULE_REST_MOCK_TEMPLATE] ||
	    rule == &abt_rules[ABT_RULE_REST_MOCK_RESPONSE])
		return &answers[INTEGRATION_FAILED];
	return &answers[by_failure[rule->failure]];
}

const char *
abt_rest_failure_reason(const struct abt_rule *rule)
{
	return answer_of(rule)->type;
}

void
abt_rest_begin_response(
    const struct abt_call *call, struct abt_response *response)
{
	struct abt_bytes id = abt_bytes_text(call->facts.request_id);

	abt_headers_add_id(&response->ours, call->arena, ABT_FIELD_DATE,
	    ABT_BYTES("Date"), call->facts.date);
	abt_headers_add_id(&response->headers, call->arena, ABT_FIELD_OTHER,
	    ABT_BYTES("x-amzn-RequestId"), abt_arena_copy(call->arena, id));
	abt_headers_add_id(&response->headers, call->arena, ABT_FIELD_OTHER,
	    ABT_BYTES("x-amz-apigw-id"), abt_api_extended_id(call));
}

/* "Missing required request parameters: [a, b]" or the row's own. */
static struct abt_bytes
message_of(const struct abt_call *call, const struct answer *answer)
{
	struct abt_bytes names;
	struct abt_buf buf;

	if (answer != &answers[BAD_PARAMETERS])
		return answer->message;
	abt_buf_init(&buf, NULL, NAMES_MAX);
	abt_rest_missing(call, &buf);
	names = abt_arena_printf(call->arena,
	    "Missing required request parameters: [%.*s]",
	    ABT_FMT(abt_buf_bytes(&buf)));
	abt_buf_end(&buf);
	return names;
}

static void
write_without_memory(struct abt_response *response)
{
	static struct abt_field type = {
		.name = ABT_BYTES_INIT("Content-Type"),
		.value = ABT_BYTES_INIT("application/json"),
		.id = ABT_FIELD_CONTENT_TYPE,
	};

	memset(response, 0, sizeof(*response));
	response->status = 503;
	response->body = ABT_BYTES("{\"message\":\"Service Unavailable\"}");
	response->ours = (struct abt_headers){ &type, 1, 1 };
}

void
abt_rest_write_failure(const struct abt_call *call, const struct abt_rule *rule,
    struct abt_response *response)
{
	const struct answer *answer = answer_of(rule);
	struct abt_rest_error error = {
		.type = answer->type,
		.status = answer->status,
		.message = message_of(call, answer),
	};

	memset(response, 0, sizeof(*response));
	response->status = answer->status;
	response->close = answer->close;
	abt_rest_begin_response(call, response);
	if (answer->error_type.n > 0)
		abt_headers_add_id(&response->headers, call->arena,
		    ABT_FIELD_OTHER, ABT_BYTES("x-amzn-ErrorType"),
		    answer->error_type);
	if (answer->type == NULL || !abt_rest_customise(call, &error, response))
		response->body = abt_arena_printf(call->arena,
		    answer->spaced ? "{\"message\": \"%.*s\"}"
				   : "{\"message\":\"%.*s\"}",
		    ABT_FMT(error.message));
	abt_rest_default_type(call, response);
	if (abt_arena_failed(call->arena))
		write_without_memory(response);
	response->rule = rule;
}
