/*
 * http_api_v2.c - HTTP API, payload format 2.0
 */
#include "dialect/payload.h"
#include "route/api_routes.h"

static const struct abt_payload payload = {
	.infers = true,
	.title_case = true,
	.default_type = ABT_BYTES_INIT("text/plain; charset=utf-8"), /* H7.4 */
};

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
	(void)error; /* what is no JSON is a body (H6.6) */
	return abt_payload_read_result(
	    &payload, call, source, result, response, report);
}

static bool
recognise(const struct abt_json *event)
{
	return abt_payload_recognise(event, false);
}

static int
read_event(const struct abt_json *event, struct abt_origin *origin,
    struct abt_request *request, struct abt_report *report)
{
	return abt_payload_read_event(event, false, origin, request, report);
}

const struct abt_dialect abt_dialect_http_api_v2 = {
	.name = "http-2.0",
	.title = "API Gateway HTTP API, payload format 2.0",
	.routing = ABT_ROUTE_KEYS,
	.timeout_ms = 30000, /* 2.15 */
	.attributes_size = sizeof(struct abt_payload_attributes),
	.attributes = abt_http_api_attribute_rows,
	.check = abt_http_api_check,
	.make_policy = abt_http_api_make_policy,
	.admit = abt_http_api_admit,
	.route = abt_api_route_find,
	.answer = abt_http_api_answer,
	.write_event = write_event,
	.read_result = read_result,
	.write_failure = abt_http_api_write_failure,
	.finish = abt_http_api_finish,
	.recognise = recognise,
	.read_event = read_event,
	.write_result = abt_payload_write_result,
};
